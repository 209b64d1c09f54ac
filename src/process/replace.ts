import { SealexecError } from "../base/errors.ts";
import { eventLoopTurn } from "../base/event-loop.ts";
import { defaultSignals, forgetSignals } from "../base/signals.ts";
import type { ProcessImage } from "./image.ts";
import type { Libc } from "./libc.ts";
import type { Limit } from "./limits.ts";

/** This process, as CMD is to find it again. */
export interface Host {
  readonly image: ProcessImage;
  readonly libc: Libc | undefined;
  /** takes back what kept secrets out of core files */
  readonly allowDumps: () => void;
  /** called last of all, as the kernel is asked to execute */
  readonly beforeExec: () => void;
}

export interface Program {
  readonly file: string;
  /** argv, the name of the program first */
  readonly args: readonly Buffer[];
  /** `NAME=value` each */
  readonly env: readonly Buffer[];
  /** of open files; undefined: as it is */
  readonly fileLimit: Limit | undefined;
}

// By execve(2): same PID, no parent that stays. What the runtime changed is put back before: signals, files
// marked close-on-exec, the limit of open files.
export async function replaceProcess(
  program: Program,
  { image, libc, allowDumps, beforeExec }: Host,
): Promise<never> {
  const { file, args, env, fileLimit } = program;
  if (process.platform === "win32") {
    const { spawnInstead } = await import("./spawn.ts");
    return spawnInstead(file, args, environmentOf(env));
  }
  if (libc === undefined) {
    await handlePendingSignals();
    forgetSignals();
    beforeExec();
    allowDumps();
    return replaceByRuntime(program);
  }
  defaultSignals(libc.defaultSignal);
  await handlePendingSignals();
  beforeExec();
  allowDumps();
  for (const fd of image.inheritedFds) libc.keepOpen(fd);
  if (fileLimit !== undefined) libc.limitFiles(fileLimit.soft, fileLimit.hard);
  libc.execve(file, args, env);
  throw refused(file);
}

/** A signal that was caught already ends us now, in its handler: CMD would never hear of it. */
async function handlePendingSignals(): Promise<void> {
  // The rest of this turn of the event loop, and a whole one: signals come with its poll.
  for (let turns = 0; turns < 2; turns += 1) await eventLoopTurn();
}

/** @throws "config": what replaceProcess would find out after everything was fetched */
export function refuseWithoutExec({ libc }: Pick<Host, "libc">): void {
  if (libc === undefined && process.platform !== "win32" && process.execve === undefined) throw tooOld();
}

function replaceByRuntime({ file, args, env }: Program): never {
  if (process.execve === undefined) throw tooOld();
  // The runtime ignores SIGPIPE and SIGXFSZ, and an ignored signal stays ignored across exec; a caught one
  // goes back to its default. So catch them first.
  process.on("SIGPIPE", () => {});
  process.on("SIGXFSZ", () => {});
  try {
    return process.execve(file, args.map(String), environmentOf(env));
  } catch (error) {
    throw refused(file, error);
  }
}

function environmentOf(entries: readonly Buffer[]): Record<string, string> {
  return Object.fromEntries(
    entries.map((entry) => {
      const text = entry.toString("utf8");
      const equals = text.indexOf("=", 1);
      return equals === -1 ? [text, ""] : [text.slice(0, equals), text.slice(equals + 1)];
    }),
  );
}

function refused(file: string, cause?: unknown): SealexecError {
  const hint = "look at its format, its interpreter, and the mount options (noexec) of its file system";
  const details = { hint, stage: "command", target: file, located: true, cause };
  return new SealexecError("cannot-execute", `command: ${file}: the kernel refuses to execute it`, details);
}

function tooOld(): SealexecError {
  const hint = "use Node 22.15 or later, or the sealexec binary";
  return new SealexecError("config", "this Node has no process.execve", { hint, located: true });
}

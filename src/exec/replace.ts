import { SealexecError } from "../errors.ts";
import type { ProcessImage } from "./image.ts";
import { loadLibc } from "./libc.ts";
import type { Libc } from "./libc.ts";

/**
 * Replaces this process with `file`, by execve(2): same PID, no parent left behind. Puts back before that what the
 * runtime changed: ignored signals, files marked close-on-exec, the limit of open files.
 *
 * @param args argv, the name of the program first
 * @param env `NAME=value` each
 * @throws "cannot-execute" where the kernel refuses
 */
export async function replaceProcess(
  file: string,
  args: readonly Buffer[],
  env: readonly Buffer[],
  image: ProcessImage,
): Promise<never> {
  // The runtimes ignore SIGPIPE and SIGXFSZ, and an ignored signal stays ignored across exec; a caught one goes back
  // to its default. So catch them first.
  process.on("SIGPIPE", () => {});
  process.on("SIGXFSZ", () => {});
  if (process.platform === "win32") {
    const { spawnInstead } = await import("./spawn.ts");
    return spawnInstead(file, args, env);
  }
  const libc = await loadLibc();
  if (libc === undefined) {
    if (process.execve === undefined) throw tooOld();
    return process.execve(file, args.map(String), environmentOf(env));
  }
  for (const fd of image.inheritedFds) libc.keepOpen(fd);
  restoreFileLimit(image, libc);
  libc.execve(file, args, env);
  throw refused(file);
}

function restoreFileLimit({ fileLimit }: ProcessImage, libc: Libc): void {
  if (fileLimit === undefined || !Number.isFinite(fileLimit.soft) || !Number.isFinite(fileLimit.hard)) return;
  libc.limitFiles(fileLimit.soft, fileLimit.hard);
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

function refused(file: string): SealexecError {
  return new SealexecError("cannot-execute", `command: ${file}: the kernel refuses to execute it`, {
    hint: "look at its format, its interpreter, and the mount options (noexec) of its file system",
    located: true,
  });
}

function tooOld(): SealexecError {
  return new SealexecError("config", "this Node has no process.execve", {
    hint: "use Node 22.15 or later, or the sealexec binary",
    located: true,
  });
}

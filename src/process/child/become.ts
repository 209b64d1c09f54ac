/**
 * The child's side: sealexec, started once more by the one that watches, arranges for itself what no parent can arrange
 * for a child (its process group, the terminal, the signal at its parent's end), and becomes CMD by the same execve as
 * `run` does.
 */
import { closeSync, readFileSync, readlinkSync, writeSync } from "node:fs";
import { constants } from "node:os";
import { SealexecError, exitStatus } from "../../base/errors.ts";
import type { Host } from "../replace.ts";
import { replaceProcess } from "../replace.ts";
import { loadChildLibc } from "./libc.ts";
import type { ChildLibc } from "./libc.ts";
import { EXECUTING, printRefusal } from "./outcome.ts";
import { parsePlan } from "./plan.ts";
import type { Plan } from "./plan.ts";
import { openControllingTerminal } from "./terminal.ts";

const SIGTERM = 15;

/**
 * Reads the plan from an open file and carries it out. Where the kernel refuses, or the plan is another version's, that is told to
 * the one that watches, who knows whether there will be another attempt.
 *
 * @param fd a socket: the plan comes from it, to its end, and what becomes of it goes back
 */
export async function become(fd: number, host: Host): Promise<never> {
  try {
    return await carryOut(readPlan(fd), fd, host);
  } catch (error) {
    if (!(error instanceof SealexecError)) throw error;
    tell(fd, printRefusal(error));
    process.exit(exitStatus(error.kind));
  }
}

async function carryOut(plan: Plan, fd: number, host: Host): Promise<never> {
  for (const own of plan.fillers.filter(isNothing)) closeSync(own);
  const libc = loadChildLibc();
  // That it closes tells that CMD was executed. (Node closes all that are not CMD's.)
  libc?.closeAtExec(fd);
  if (libc !== undefined) arrange(plan, libc);
  if (plan.folder !== null) enter(plan.folder, libc);
  const { file, args, fileLimit, fds } = plan;
  const env = plan.env.map((entry) => rename(entry, plan.parent));
  const image = { ...host.image, inheritedFds: fds };
  // Behind the defaults that replaceProcess gives back, and behind all that could fail and say so.
  const beforeExec = (): void => {
    // The one that watches ignores it.
    host.libc?.defaultSignal(constants.signals.SIGTTOU);
    for (const number of plan.ignored) libc?.ignoreSignal(number);
    for (const stream of plan.streams.nonblocking) libc?.setNonBlocking(stream);
    for (const stream of plan.streams.closed) libc?.closeAtExec(stream);
    tell(fd, EXECUTING);
  };
  return replaceProcess({ file, args, env, fileLimit }, { ...host, image, beforeExec });
}

function readPlan(fd: number): Plan {
  try {
    return parsePlan(readFileSync(fd));
  } catch (error) {
    if (error instanceof SealexecError) throw error;
    // Whoever was to write it was killed, and this process is to end with it.
    process.exit(128 + SIGTERM);
  }
}

function tell(fd: number, words: string): void {
  try {
    writeSync(fd, words);
  } catch {
    // The one that watches was killed, and this process is to end with it.
    process.exit(128 + SIGTERM);
  }
}

/** The working directory by its descriptor: its name may be gone, or another's by now. */
function enter(folder: number, libc: ChildLibc | undefined): void {
  try {
    if (libc === undefined) process.chdir(`/proc/self/fd/${folder}`);
    else if (!libc.enterFolder(folder)) throw new Error("fchdir");
  } catch (error) {
    throw new SealexecError("cannot-execute", "command: its working directory cannot be entered again", {
      hint: "look at the mode of the folder that sealexec was started in",
      located: true,
      cause: error,
    });
  }
  closeSync(folder);
}

/** sd_listen_fds(3), sd_watchdog_enabled(3): a service takes what is meant for its own process id only. CMD has another than ours. */
function rename(entry: Buffer, parent: number): Buffer {
  for (const name of ["LISTEN_PID", "WATCHDOG_PID"]) {
    if (entry.equals(Buffer.from(`${name}=${parent}`))) return Buffer.from(`${name}=${process.pid}`);
  }
  return entry;
}

// Where Node opens /dev/null, Bun leaves a hole, which its own files fill by now.
function isNothing(fd: number): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`) === "/dev/null";
  } catch {
    return false;
  }
}

function arrange({ parent, foreground }: Plan, libc: ChildLibc): void {
  libc.signalAtParentsEnd(SIGTERM);
  // It may have ended before that was asked for.
  if (process.ppid !== parent) process.exit(128 + SIGTERM);
  const terminal = foreground === null ? undefined : openControllingTerminal();
  if (terminal === undefined) return libc.leadGroup();
  // A shell that has stopped us meanwhile and continued us in the background has it now.
  const isFree = libc.foregroundOf(terminal) === foreground;
  libc.leadGroup();
  if (isFree) libc.setForeground(terminal, process.pid);
  closeSync(terminal);
}

/** The child's side: arranges what no parent can for it, and becomes CMD by the same execve as `run`. */
import { closeSync, readFileSync, writeSync } from "node:fs";
import { SealexecError, exitStatus } from "../../base/errors.ts";
import type { Host } from "../replace.ts";
import { replaceProcess } from "../replace.ts";
import { loadChildLibc } from "./libc.ts";
import type { ChildLibc } from "./libc.ts";
import { EXECUTING, parsePlan, printRefusal } from "./plan.ts";
import type { Plan } from "./plan.ts";

// signal(7), open(2), proc(5): the same numbers on x86-64 and arm64.
const [SIGTERM, O_NONBLOCK, O_CLOEXEC] = [15, 0o4000, 0o2000000];

/** @param fd a socket: the plan comes from it, to its end; back goes that it is carried out, or why not */
export async function become(fd: number, host: Host): Promise<never> {
  try {
    const plan = orEnd(() => parsePlan(readFileSync(fd)));
    return await carryOut(plan, fd, host);
  } catch (error) {
    if (!(error instanceof SealexecError)) throw error;
    orEnd(() => writeSync(fd, printRefusal(error)));
    process.exit(exitStatus(error.kind));
  }
}

async function carryOut(plan: Plan, fd: number, host: Host): Promise<never> {
  const libc = loadChildLibc();
  // That it closes tells that CMD was executed. (Node closes all that are not CMD's.)
  libc?.closeAtExec(fd);
  libc?.signalAtParentsEnd(SIGTERM);
  // It may have ended before that was asked for.
  if (process.ppid !== plan.parent) process.exit(128 + SIGTERM);
  if (plan.ownGroup) libc?.leadGroup();
  if (plan.folder !== null) enter(plan.folder, libc);
  // After the defaults that replaceProcess gives back, and after all that could fail and say so.
  const beforeExec = (): void => {
    for (const number of plan.ignored) libc?.ignoreSignal(number);
    for (const [stream, flags] of plan.streamFlags.entries()) {
      if ((flags & O_NONBLOCK) !== 0) libc?.setNonBlocking(stream);
      // One that is to be closed at exec cannot have come through one: the runtime has opened it in a closed one's place.
      if ((flags & O_CLOEXEC) !== 0) libc?.closeAtExec(stream);
    }
    orEnd(() => writeSync(fd, EXECUTING));
  };
  const image = { ...host.image, inheritedFds: plan.fds };
  const env = plan.env.map((entry) => rename(entry, plan.parent));
  return replaceProcess({ ...plan, env }, { ...host, image, beforeExec });
}

/** Without its other end, the socket fails: whoever watches was killed, and the kernel would end this process a moment later. */
function orEnd<T>(use: () => T): T {
  try {
    return use();
  } catch (error) {
    if (error instanceof SealexecError) throw error;
    return process.exit(128 + SIGTERM);
  }
}

/** The working directory by its descriptor: its name may be gone, or another's by now. */
function enter(folder: number, libc: ChildLibc | undefined): void {
  try {
    if (libc === undefined) process.chdir(`/proc/self/fd/${folder}`);
    else if (!libc.enterFolder(folder)) throw new Error("fchdir");
  } catch (cause) {
    const hint = "look at the mode of the folder that sealexec was started in";
    const message = "command: its working directory cannot be entered again";
    throw new SealexecError("cannot-execute", message, { hint, located: true, cause });
  }
  closeSync(folder);
}

/** sd_listen_fds(3), sd_watchdog_enabled(3): a service takes only what is meant for its own process id. */
function rename(entry: Buffer, parent: number): Buffer {
  const name = ["LISTEN_PID", "WATCHDOG_PID"].find((each) => entry.equals(Buffer.from(`${each}=${parent}`)));
  return name === undefined ? entry : Buffer.from(`${name}=${process.pid}`);
}

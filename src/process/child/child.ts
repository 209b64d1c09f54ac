/** The one child: started, signalled, stopped, and waited for to its end. */
import { closeSync } from "node:fs";
import { constants } from "node:os";
import type { Duplex } from "node:stream";
import { SealexecError } from "../../base/errors.ts";
import { eventLoopTurn } from "../../base/event-loop.ts";
import { ownChildren } from "../../base/own-children.ts";
import type { Here } from "../here.ts";
import type { Program } from "../replace.ts";
import type { ChildLibc } from "./libc.ts";
import { parseOutcome, printPlan } from "./plan.ts";
import type { Plan } from "./plan.ts";
import { sendSignal } from "./signals.ts";
import { startProcess } from "../start.ts";
import type { Started, Starting } from "../start.ts";
import { BECOME } from "./word.ts";

const { SIGCONT, SIGINT, SIGKILL, SIGQUIT, SIGTERM } = constants.signals;
/** What is for the process before it is CMD as well as after that. */
const AT_ONCE: readonly number[] = [SIGCONT, SIGINT, SIGKILL, SIGQUIT, SIGTERM];

/** The same for each start. */
export interface Setting extends Here, Pick<Plan, "fds" | "ignored" | "ownGroup"> {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly libc: ChildLibc | undefined;
}

export class Child {
  readonly startedAt = performance.now();
  /** its exit status, or 128 + n where signal n ended it; never rejects */
  readonly ended: Promise<number>;
  /** resolves when it has become CMD, or when it has ended before that: then with why; never rejects */
  readonly began: Promise<SealexecError | undefined>;
  #isRunning = true;
  /** undefined: nobody is there any more */
  #send: ((number: number) => void) | undefined;

  /** Starts sealexec again, which becomes the program; to be called in the turn of the event loop in which that was started. */
  constructor({ pid, socket, ended }: Started, file: string, libc: ChildLibc | undefined) {
    const pidfd = libc?.openProcess(pid) ?? -1;
    // Without one: the runtime tells of its end as it waits for it, and until then no other process has its number.
    this.#send = (number) => void (pidfd < 0 ? sendSignal(pid, number) : libc?.signalProcess(pidfd, number));
    ownChildren.add(pid);
    this.ended = ended.then(async (status) => {
      this.#send = undefined;
      ownChildren.delete(pid);
      if (pidfd >= 0) closeSync(pidfd);
      // The kernel sends the signal of a key to both of us at once: what came before its end is heard before it.
      for (let turns = 0; turns < 2; turns += 1) await eventLoopTurn();
      this.#isRunning = false;
      return status;
    });
    this.began = readToEnd(socket).then(async (said) => {
      const outcome = parseOutcome(said);
      if (outcome === "executed") return undefined;
      // Also one that tells why is over only when it has ended.
      const status = await this.ended;
      return outcome === "silent" ? cannotStart(file, status) : outcome;
    });
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** As a signal to sealexec would have been to CMD. One that comes before CMD is there waits for it. */
  signal(number: number): void {
    if (AT_ONCE.includes(number)) this.#send?.(number);
    else void this.began.then(() => this.#send?.(number));
  }

  /** Ends it: SIGTERM, and SIGKILL where that was not enough within the grace. */
  async stop(graceMs: number): Promise<void> {
    const timer = setTimeout(() => this.signal(SIGKILL), graceMs);
    this.signal(SIGTERM);
    // One that was stopped (SIGSTOP) takes a signal only when it goes on.
    this.signal(SIGCONT);
    await this.ended;
    clearTimeout(timer);
  }
}

/** Starts sealexec again, which becomes the program. @returns why no process can be started */
export function startChild(program: Program, setting: Setting): Child | SealexecError {
  const { self, env, libc, fds, folder, streamFlags, ignored, ownGroup } = setting;
  const { planFd, folderFd, stdio } = layOut(fds, folder);
  // Where ours has no name any more no runtime starts.
  const cwd = folderFd === null ? undefined : "/";
  const started = startProcess([...self, BECOME, String(planFd)], { stdio, env, cwd });
  if (started === undefined) return cannotStart(program.file);
  const own = { fds, folder: folderFd, streamFlags, ignored, ownGroup, parent: process.pid };
  const plan = printPlan({ ...program, ...own });
  // Whoever does not read to the end has ended: that shows in its status.
  started.socket.on("error", () => undefined).end(plan, () => plan.fill(0));
  return new Child(started, program.file, libc);
}

function readToEnd(socket: Duplex): Promise<string> {
  let text = "";
  socket.setEncoding("utf8").on("data", (part: string) => (text += part));
  return new Promise((resolve) => void socket.once("close", () => resolve(text)));
}

/** @param status of the process that was started and ended before it became the program */
function cannotStart(file: string, status?: number): SealexecError {
  const ended = `it was not executed: the process that was started for it ended with status ${status} before that`;
  const what = status === undefined ? "no process can be started for it" : ended;
  const hint = "look at the limits of processes and memory (ulimit -u, pids.max, memory.max)";
  const details = { hint, stage: "command", target: file, located: true } as const;
  return new SealexecError("cannot-execute", `command: ${file}: ${what}`, details);
}

/** A list of open files has no holes: behind this none is handed on. */
const HIGHEST_FD = 255;

/** Where each open file goes: those of CMD to their own numbers, the plan and the folder to the first that are free. */
function layOut(fds: readonly number[], folder: number | undefined) {
  const free = (from: number): number => (fds.includes(from) ? free(from + 1) : from);
  const planFd = free(3);
  const folderFd = folder === undefined ? null : free(planFd + 1);
  const highest = Math.max(folderFd ?? planFd, ...fds.filter((fd) => fd <= HIGHEST_FD));
  const stdio = Array.from({ length: highest + 1 }, (_, fd): Starting["stdio"][number] => {
    if (fd === planFd) return "pipe";
    if (fd === folderFd) return folder ?? "ignore";
    return fd < 3 || fds.includes(fd) ? fd : "ignore";
  });
  return { planFd, folderFd, stdio };
}

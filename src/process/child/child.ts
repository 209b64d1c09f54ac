/** The one child: started, signalled, stopped, and waited for to its end. */
import { constants } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { Duplex } from "node:stream";
import { SealexecError } from "../../base/errors.ts";
import { execa } from "../execa.ts";
import { noteDeath } from "./death.ts";
import { hasLivingMember } from "./group.ts";
import { parseOutcome } from "./outcome.ts";
import { printPlan } from "./plan.ts";
import type { Plan } from "./plan.ts";
import { BECOME } from "./word.ts";

export type SignalName = NodeJS.Signals;

/** Everything of the plan but what is about this very start. */
export type Program = Omit<Plan, "fds" | "fillers" | "folder" | "parent" | "foreground">;

export interface Starting {
  readonly program: Program;
  /** this file itself: what is executed, and the words before its own arguments */
  readonly self: readonly [file: string, ...words: string[]];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** open files above 2 that CMD is to get */
  readonly inheritedFds: readonly number[];
  /** our working directory, open; undefined: it cannot be opened */
  readonly folder: number | undefined;
  /** whose terminal it takes over, see Plan */
  readonly foreground: number | null;
  /** whether the child leads a process group of its own: with libc, it does */
  readonly ownGroup: boolean;
}

/** How often a group that is to be empty is looked at. */
const GROUP_POLL_MS = 20;
/** How long what was killed may take to be gone. */
const KILLED_MS = 2_000;
/** A list of open files has no holes: behind this none is handed on. */
const HIGHEST_FD = 255;

export class Child {
  readonly pid: number;
  /** its exit status, or 128 + n where signal n ended it; never rejects */
  readonly ended: Promise<number>;
  /** resolves when it has become CMD, or when it has ended before that: then with why, unless it was stopped here; never rejects */
  readonly began: Promise<SealexecError | undefined>;
  readonly #ownGroup: boolean;
  /** of its group, those that were seen to live when it had ended */
  readonly #members = new Set<string>();
  #isRunning = true;
  #isStopped = false;
  #restEnded: Promise<void> | undefined;

  constructor(
    pid: number,
    ownGroup: boolean,
    ended: Promise<number>,
    began: Promise<SealexecError | undefined>,
  ) {
    this.pid = pid;
    this.#ownGroup = ownGroup;
    this.ended = ended.finally(() => (this.#isRunning = false));
    this.began = began.then((error) => (this.#isStopped ? undefined : error));
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** To the child alone, as a signal to sealexec would have been to CMD. */
  signal(signal: SignalName | number): void {
    if (this.#isRunning) send(this.pid, signal);
  }

  /** To the child and what it has started in its group. */
  signalGroup(signal: SignalName | number): void {
    // One that is being started has none yet.
    if (this.#isRunning && !this.#toGroup(signal)) this.signal(signal);
  }

  /**
   * Ends it: SIGTERM, and SIGKILL where that was not enough within the grace. What the child leaves behind in its process
   * group is ended with it, so that the next one does not find its ports taken.
   *
   * @returns its exit status, when nothing of it is left
   */
  async stop(graceMs: number): Promise<number> {
    this.#isStopped = true;
    const endsAt = performance.now() + graceMs;
    const kill = setTimeout(() => this.signalGroup("SIGKILL"), graceMs);
    this.signal("SIGTERM");
    // One that was stopped (SIGSTOP) takes a signal only when it goes on.
    this.signalGroup("SIGCONT");
    const status = await this.ended;
    clearTimeout(kill);
    await this.endRest(endsAt - performance.now());
    return status;
  }

  /**
   * Ends what it has left behind in its group. To be called as soon as it has ended: the number of a group without members is
   * another's before long.
   */
  endRest(graceMs: number): Promise<void> {
    this.#restEnded ??= this.#endRest(performance.now() + graceMs);
    return this.#restEnded;
  }

  async #endRest(endsAt: number): Promise<void> {
    if (!this.#hasRest()) return;
    this.#toGroup("SIGTERM");
    this.#toGroup("SIGCONT");
    await this.#restEnds(endsAt);
    if (!this.#hasRest()) return;
    this.#toGroup("SIGKILL");
    // One that waits for a disk (uninterruptible) may take as long as it likes.
    await this.#restEnds(performance.now() + KILLED_MS);
  }

  async #restEnds(untilMs: number): Promise<void> {
    while (this.#hasRest() && performance.now() < untilMs) await sleep(GROUP_POLL_MS);
  }

  #hasRest(): boolean {
    return this.#ownGroup && send(-this.pid, 0) && hasLivingMember(this.pid, this.#members);
  }

  #toGroup(signal: SignalName | number): boolean {
    return send(this.#ownGroup ? -this.pid : this.pid, signal);
  }
}

/**
 * Starts sealexec again, which becomes the program.
 *
 * @returns why no process can be started
 */
export function startChild(starting: Starting): Child | SealexecError {
  const { program, self, env, inheritedFds, folder, foreground, ownGroup } = starting;
  const { stdio, fds, fillers, planFd, folderFd } = layOut(inheritedFds, folder);
  const [file, ...words] = self;
  const { started: subprocess, signal: deathBy } = noteDeath(() =>
    execa(file, [...words, BECOME, String(planFd)], {
      stdio,
      // Where ours has no name any more no runtime starts.
      ...(folderFd === null ? {} : { cwd: "/" }),
      env: env as Record<string, string>,
      extendEnv: false,
      // Its end is for us to see to; and its output is not for us to read.
      cleanup: false,
      buffer: false,
      reject: false,
    }),
  );
  if (subprocess === undefined) return cannotStart(program.file);
  const socket = subprocess.stdio[planFd] as Duplex | null | undefined;
  // Whoever does not read to the end has ended: that shows in its status.
  socket?.on("error", () => undefined);
  const plan = printPlan({ ...program, fds, fillers, folder: folderFd, parent: process.pid, foreground });
  socket?.end(plan, () => plan.fill(0));
  const ended = subprocess.then(({ exitCode, signal }) => {
    const number = signal === undefined ? deathBy() : constants.signals[signal];
    return number === 0 && exitCode !== undefined ? exitCode : 128 + number;
  });
  if (subprocess.pid === undefined || !socket) return cannotStart(program.file);
  const began = readToEnd(socket).then(async (said) => {
    const outcome = parseOutcome(said);
    if (outcome === "executed") return undefined;
    // Also one that tells why is over only when it has ended.
    const status = await ended;
    return outcome === "silent" ? cannotStart(program.file, status) : outcome;
  });
  return new Child(subprocess.pid, ownGroup, ended, began);
}

function readToEnd(socket: Duplex): Promise<string> {
  let text = "";
  socket.setEncoding("utf8").on("data", (part: string) => (text += part));
  return new Promise((resolve) => {
    socket.once("close", () => resolve(text));
  });
}

/** @param status of the process that was started and ended before it became the program */
function cannotStart(file: string, status?: number): SealexecError {
  const what =
    status === undefined
      ? "no process can be started for it"
      : `it was not executed: the process that was started for it ended with status ${status} before that`;
  return new SealexecError("cannot-execute", `command: ${file}: ${what}`, {
    hint: "look at the limits of processes and memory (ulimit -u, pids.max, memory.max)",
    stage: "command",
    target: file,
    located: true,
  });
}

type Stream = "inherit" | "ignore" | "pipe";

/** Where each open file goes: those of CMD to their own numbers, the plan and the folder to the first that are free. */
function layOut(
  inherited: readonly number[],
  folder: number | undefined,
): {
  readonly stdio: ["inherit", "inherit", "inherit", ...Stream[]];
  readonly fds: readonly number[];
  readonly fillers: readonly number[];
  readonly planFd: number;
  readonly folderFd: number | null;
} {
  const fds = inherited.filter((fd) => fd <= HIGHEST_FD);
  const free = (from: number): number => (fds.includes(from) ? free(from + 1) : from);
  const planFd = free(3);
  const folderFd = folder === undefined ? null : free(planFd + 1);
  const stdio: ["inherit", "inherit", "inherit", ...Stream[]] = ["inherit", "inherit", "inherit"];
  const fillers: number[] = [];
  for (let fd = 3; fd <= Math.max(folderFd ?? planFd, ...fds); fd += 1) {
    const isFiller = fd !== planFd && fd !== folderFd && !fds.includes(fd);
    if (isFiller) fillers.push(fd);
    // execa takes a number here and hands it on; its types do not say so.
    if (fd === folderFd) stdio.push(folder as unknown as "inherit");
    else stdio.push(fd === planFd ? "pipe" : isFiller ? "ignore" : "inherit");
  }
  return { stdio, fds, fillers, planFd, folderFd };
}

/** @returns whether there was anybody to send it to */
function send(pid: number, signal: SignalName | number): boolean {
  try {
    // By its number: Bun has no name for 16, and neither runtime for those from 34 up.
    process.kill(pid, typeof signal === "number" ? signal : constants.signals[signal]);
    return true;
  } catch {
    return false;
  }
}

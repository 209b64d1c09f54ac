/**
 * The terminal and the shell's jobs, as sudo(8) handles them: the child has a process group of its own, which is the
 * foreground one while it runs. Where the child stops, we stop too, so that the shell takes over; where the shell continues us,
 * the child goes on. Source: The GNU C Library Reference Manual, "Implementing a Shell".
 */
import { closeSync, constants as FS, fstatSync, openSync } from "node:fs";
import { constants } from "node:os";
import { isatty } from "node:tty";
import type { Child } from "./child.ts";
import { hasShell } from "./job.ts";
import type { ChildLibc } from "./libc.ts";

const { SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU } = constants.signals;

export class Terminal {
  readonly #libc: ChildLibc;
  readonly #group: number;
  /** the controlling terminal; undefined: there is none */
  readonly #fd: number | undefined;
  /** the child, or whom it has made the foreground group since, has the terminal from us */
  #isLent = false;
  /** to whom it was lent last */
  #borrower: number | undefined;
  /** others of our group may want it as well */
  #isShared = isPipe(1);
  /** as the child has found it */
  #modes: Uint8Array | undefined;
  /** the child has been asked to end, and has not been seen to stop since */
  #isAskedToEnd = false;

  constructor(libc: ChildLibc) {
    this.#libc = libc;
    this.#group = libc.groupOf(0);
    this.#fd = openControllingTerminal();
    process.on("exit", () => this.#leave());
  }

  /**
   * Lends the terminal to a child that is about to be started, where it is ours and CMD's standard input. In a pipeline it stays
   * with all of the pipeline (`CMD | less`), until CMD wants it.
   *
   * @returns the foreground group that the child is to take the place of; undefined: it gets no terminal
   */
  lendAtStart(): number | undefined {
    this.#isLent = this.#isAskedToEnd = false;
    if (this.#fd === undefined || this.#isShared || this.#libc.foregroundOf(0) === undefined)
      return undefined;
    const now = this.#libc.foregroundOf(this.#fd);
    // A group outside of our PID namespace could not be given it back.
    const isLeft = this.#group === 0 && now === this.#borrower;
    if (!this.isOurs && !isLeft) return undefined;
    this.#modes = this.#libc.terminalModes(this.#fd);
    this.#isLent = true;
    return now;
  }

  /** The child that it was lent to runs. */
  lentTo(child: Child): void {
    if (this.#isLent) this.#borrower = child.pid;
  }

  /** Whether there is one at all. */
  get isThere(): boolean {
    return this.#fd !== undefined;
  }

  /** Whether the child has it from us. */
  get isLent(): boolean {
    return this.#isLent;
  }

  /** Whether our group is in the foreground: what is typed sends its signals to us. */
  get isOurs(): boolean {
    if (this.#fd === undefined || this.#libc.foregroundOf(this.#fd) !== this.#group) return false;
    // All groups outside of our PID namespace are number 0, the shell's own too.
    return this.#group !== 0 || this.#libc.isInForeground(this.#fd);
  }

  /** Whether the terminal has been taken away: a SIGHUP means that then. */
  get isGone(): boolean {
    if (this.#fd === undefined) return false;
    const now = openControllingTerminal();
    if (now === undefined) return true;
    closeSync(now);
    return false;
  }

  /**
   * Takes the terminal back from a child that has ended.
   *
   * @param isCut whether it could not put the modes back as it has found them
   */
  takeBack(isCut: boolean): void {
    if (this.#fd === undefined || !this.#isLent) return;
    this.#isLent = false;
    this.#libc.setForeground(this.#fd, this.#group);
    if (isCut && this.#modes !== undefined) this.#libc.setTerminalModes(this.#fd, this.#modes);
    // Whoever behind us in the pipeline has wanted it meanwhile has been stopped.
    if (this.#isShared) process.kill(0, "SIGCONT");
  }

  /**
   * Another process of our group wants the terminal, which the child has: it gets it, and the child again when that wants it.
   *
   * @returns false where it is not so
   */
  share(): boolean {
    if (this.#fd === undefined || !this.#isLent) return false;
    // Otherwise the shell has it, and the whole job is refused.
    if (this.#libc.foregroundOf(this.#fd) !== this.#borrower) return false;
    this.#isShared = true;
    this.takeBack(false);
    return true;
  }

  /** The child has been sent a signal that is to end it. */
  askedToEnd(): void {
    this.#isAskedToEnd = true;
  }

  /** Stops us by a signal that came while there was no child, as it would have stopped CMD. */
  stop(): void {
    this.#libc.stop(process.pid, SIGTSTP);
  }

  /** Looks whether the child has stopped, and does what is to be done then. */
  followStops(child: Child): void {
    const signal = this.#libc.stoppedBy(child.pid);
    if (signal === undefined) return;
    // Without a terminal there are no jobs: whoever stops CMD (SIGSTOP) means CMD, and a change is still to reach it.
    if (this.#fd === undefined && signal !== SIGTSTP) return;
    const wantsTerminal = signal === SIGTTIN || signal === SIGTTOU;
    // A shell sends TERM, then CONT. We may see the second first, and the child have stopped anew with the first pending.
    const isHeldUp = wantsTerminal && this.#isAskedToEnd;
    this.#isAskedToEnd = false;
    if (isHeldUp || (wantsTerminal && this.#lend(child))) return child.signalGroup("SIGCONT");
    if (!hasShell(this.#libc)) {
      // The kernel stops nobody of an orphaned group but by SIGSTOP. The child's group is none: we are its parent.
      if (wantsTerminal) this.#lendAnyway(child);
      if (signal !== SIGSTOP) child.signalGroup("SIGCONT");
      return;
    }
    // The key and the terminal's refusal are for all of a job: a script or a pipeline that we are part of.
    const isForAll = wantsTerminal || (signal === SIGTSTP && this.#isLent);
    this.takeBack(false);
    this.#libc.stop(isForAll ? 0 : process.pid, signal);
  }

  /** We go on, and so does the child. */
  continue(child: Child): void {
    // Meanwhile the shell may have taken it.
    this.#isLent &&= this.#fd !== undefined && this.#libc.foregroundOf(this.#fd) === child.pid;
    if (!this.#isShared && this.#libc.foregroundOf(0) !== undefined) this.#lend(child);
    child.signalGroup("SIGCONT");
  }

  // At its end the runtime gives each terminal of its standard files the modes that it had at the start, also from the background:
  // those that CMD has set on purpose would be lost, and those of another job that is in the foreground by now.
  #leave(): void {
    const terminals = [0, 1, 2].filter((fd) => isatty(fd));
    if (terminals.length === 0) return;
    try {
      const nothing = openSync("/dev/null", "r+");
      for (const fd of terminals) this.#libc.replaceFile(nothing, fd);
    } catch {
      // A root without devices.
    }
  }

  #lend(child: Child): boolean {
    if (!this.isOurs) return false;
    this.#lendAnyway(child);
    return true;
  }

  #lendAnyway(child: Child): void {
    if (this.#fd === undefined) return;
    this.#modes ??= this.#libc.terminalModes(this.#fd);
    this.#libc.setForeground(this.#fd, child.pid);
    this.#isLent = true;
    this.#borrower = child.pid;
  }
}

export function openControllingTerminal(): number | undefined {
  try {
    // Looking whether we may read must not wait for another who does.
    return openSync("/dev/tty", FS.O_RDWR | FS.O_NONBLOCK | FS.O_NOCTTY);
  } catch {
    return undefined;
  }
}

// Some shells make their pipes of sockets.
function isPipe(fd: number): boolean {
  try {
    const stat = fstatSync(fd);
    return stat.isFIFO() || stat.isSocket();
  } catch {
    return false;
  }
}

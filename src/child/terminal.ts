/**
 * The terminal and the shell's jobs, as sudo(8) handles them: the child has a process group of its own, which is the
 * foreground one while it runs. Where the child stops, we stop too, so that the shell takes over; where the shell continues us,
 * the child goes on. Source: The GNU C Library Reference Manual, "Implementing a Shell".
 */
import { closeSync, openSync } from "node:fs";
import { isatty } from "node:tty";
import { constants } from "node:os";
import type { Child } from "./child.ts";
import type { ChildLibc } from "./libc.ts";

const { SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU } = constants.signals;

export class Terminal {
  readonly #libc: ChildLibc;
  readonly #group: number;
  /** the controlling terminal; undefined: there is none */
  readonly #fd: number | undefined;

  constructor(libc: ChildLibc) {
    this.#libc = libc;
    this.#group = libc.ownGroup();
    this.#fd = openControllingTerminal();
  }

  /** Whether the child is to take the terminal over: it is ours to give, and CMD's standard input. */
  get isToHandOver(): boolean {
    return this.#isForeground(this.#group) && isatty(0);
  }

  /** Whether the terminal has been taken away: a SIGHUP means that then. */
  get isGone(): boolean {
    if (this.#fd === undefined) return false;
    const now = openControllingTerminal();
    if (now === undefined) return true;
    closeSync(now);
    return false;
  }

  /** Takes the terminal back from a child that has ended. */
  takeBack(child: Child): void {
    if (this.#fd !== undefined && this.#isForeground(child.pid))
      this.#libc.setForeground(this.#fd, this.#group);
  }

  /** Looks whether the child has stopped, and does what is to be done then. */
  followStops(child: Child): void {
    const signal = this.#libc.stoppedBy(child.pid);
    if (signal === undefined) return;
    if ((signal === SIGTTIN || signal === SIGTTOU) && this.#handOver(child)) {
      child.signalGroup("SIGCONT");
      return;
    }
    // With no shell above, nobody would ever continue it.
    if (this.#libc.leadsSession()) {
      if (signal !== SIGSTOP) child.signalGroup("SIGCONT");
      return;
    }
    if (this.#fd === undefined) {
      // Who shares our group is not of our job.
      if (signal === SIGTSTP) process.kill(process.pid, "SIGSTOP");
      return;
    }
    this.takeBack(child);
    // All of our job: the shell waits for each process of it.
    process.kill(0, "SIGSTOP");
  }

  /** We go on, and so does the child. */
  continue(child: Child): void {
    this.#handOver(child);
    child.signalGroup("SIGCONT");
  }

  #handOver(child: Child): boolean {
    if (this.#fd === undefined || !this.#isForeground(this.#group)) return false;
    this.#libc.setForeground(this.#fd, child.pid);
    return true;
  }

  #isForeground(group: number): boolean {
    return this.#fd !== undefined && this.#libc.foregroundOf(this.#fd) === group;
  }
}

function openControllingTerminal(): number | undefined {
  try {
    return openSync("/dev/tty", "r+");
  } catch {
    return undefined;
  }
}

/**
 * Orphans: this process is their parent (PR_SET_CHILD_SUBREAPER, or PID 1). Those that end are waited for, or
 * zombies would fill the process table. Those that live when CMD has ended hold what the next one needs.
 */
import { readFileSync, readlinkSync } from "node:fs";
import { constants } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { ownChildren } from "../../base/own-children.ts";
import type { ChildLibc } from "./libc.ts";
import { sendSignal } from "./signals.ts";

const { SIGCONT, SIGKILL, SIGTERM } = constants.signals;
const POLL_MS = 20;
/** How long what was killed may take to be gone: where it waits for a disk (uninterruptible), nobody can end it. */
const KILLED_MS = 2_000;

export class Leftovers {
  readonly #libc: ChildLibc;
  /** children that were there before sealexec was */
  readonly #strangers: Set<number>;

  constructor(libc: ChildLibc) {
    this.#libc = libc;
    this.#strangers = new Set(children());
    libc.adoptOrphans();
  }

  /** Waits for those that have ended. @returns those that live */
  reap(): number[] {
    return children().filter((pid) => {
      const isStranger = this.#strangers.has(pid);
      // PID 1 waits for all, and nobody else for strangers.
      if (ownChildren.has(pid) || (isStranger && process.pid !== 1)) return false;
      const hasEnded = this.#libc.reap(pid);
      if (hasEnded) this.#strangers.delete(pid);
      return !hasEnded && !isStranger;
    });
  }

  /** Ends those that live, and what they leave in turn: SIGTERM, and SIGKILL where that was not enough until then (performance.now()). */
  async end(killAt: number): Promise<void> {
    const told = new Set<number>();
    const giveUpAt = Math.max(killAt, performance.now()) + KILLED_MS;
    for (let now = 0; now < giveUpAt; await sleep(POLL_MS)) {
      now = performance.now();
      // By their numbers, which are no other's: nobody but us waits for them.
      const left = this.reap().filter((pid) => {
        if (now >= killAt) return sendSignal(pid, SIGKILL);
        if (told.has(pid)) return true;
        told.add(pid);
        // One that has stopped takes a signal only when it goes on.
        return sendSignal(pid, SIGTERM) && sendSignal(pid, SIGCONT);
      });
      if (left.length === 0) return;
    }
  }
}

/** Of this process, also those that have ended and that nobody has waited for; none where /proc is another namespace's. */
function children(): number[] {
  try {
    if (readlinkSync("/proc/self") !== String(process.pid)) return [];
    return readFileSync("/proc/thread-self/children", "latin1").split(" ").map(Number).filter(Boolean);
  } catch {
    return [];
  }
}

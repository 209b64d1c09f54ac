/**
 * Signals of the one that watches. Each that can be caught goes to CMD, as it would have gone to it without sealexec, but:
 *
 *   HUP          means "look at the sources now", unless the terminal has gone
 *   CHLD         is about our own children
 *   PWR          Bun uses it for its garbage collector (JSC_SIGNAL_FOR_GC)
 *   faults       act by default: a handler that returns would be called for ever by a real one
 *   PIPE, XFSZ   where our own write to a closed pipe or a full file caused it
 *
 * On a terminal CMD shares our process group, as a child of system(3) does: the kernel sends those of the keys to both. INT and
 * QUIT do not end us and are not sent a second time; by the others we stop and go on as CMD does.
 */
import { constants } from "node:os";
import { isOwnSignal } from "../../base/signals.ts";
import type { ChildLibc } from "./libc.ts";

const { signals: S } = constants;
const FAULTS = [S.SIGSEGV, S.SIGBUS, S.SIGILL, S.SIGFPE, S.SIGTRAP, S.SIGABRT, S.SIGSYS, S.SIGSTKFLT];
const NOT_FORWARDED = [S.SIGKILL, S.SIGSTOP, S.SIGHUP, S.SIGCHLD, S.SIGPWR, ...FAULTS];
const LEFT_TO_KERNEL = [S.SIGTSTP, S.SIGTTIN, S.SIGTTOU, S.SIGCONT, S.SIGWINCH];
/** glibc's SIGRTMIN+3, by which a PID 1 is told to end that is systemd, or takes its place (docker stop). */
const HALT = 37;

export interface Listening {
  readonly onSignal: (number: number) => void;
  readonly onHangup: () => void;
  readonly onChild: () => void;
  /** numbers of those that were ignored when we were started: they stay so, but for HUP */
  readonly ignored: readonly number[];
  readonly onTerminal: boolean;
  readonly libc: ChildLibc | undefined;
}

/** From now on signals go to these listeners and end nobody. */
export function listenToSignals({ ignored, onTerminal, libc, ...to }: Listening): void {
  const seen = new Set([...ignored, ...NOT_FORWARDED, ...(onTerminal ? LEFT_TO_KERNEL : [])]);
  for (const [name, number] of Object.entries(S) as [NodeJS.Signals, number][]) {
    // Some have two names (IOT, POLL).
    if (seen.has(number)) continue;
    seen.add(number);
    process.removeAllListeners(name);
    process.on(name, () => {
      if (!isOwnSignal(name)) to.onSignal(number);
    });
  }
  if (process.pid === 1 && !ignored.includes(HALT)) libc?.onSignal(HALT, () => to.onSignal(HALT));
  process.removeAllListeners("SIGHUP");
  process.on("SIGHUP", to.onHangup);
  process.on("SIGCHLD", to.onChild);
}

/** @returns whether there was anybody to send it to, and we may */
export function sendSignal(pid: number, number: number): boolean {
  try {
    return process.kill(pid, number);
  } catch {
    return false;
  }
}

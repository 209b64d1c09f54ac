/**
 * Signals of the one that watches: each that can be caught goes to the child, as it would have gone to CMD. What is not
 * forwarded, and why:
 *
 *   KILL, STOP     no process can catch them
 *   CHLD           is about our own children
 *   HUP            means "look at the sources now", unless the terminal has gone: then it is forwarded
 *   CONT           the child's whole group goes on, and has the terminal again
 *   TTOU           where there is a terminal: what we say on it while CMD has it would raise it (`stty tostop`)
 *   PIPE, XFSZ     where our own write to a closed pipe or a full file caused it
 *   PWR            Bun uses it for its garbage collector (JSC_SIGNAL_FOR_GC)
 */
import { constants } from "node:os";
import type { SignalName } from "./child.ts";
import type { ChildLibc } from "./libc.ts";

const { signals } = constants;

const NOT_FORWARDED: ReadonlySet<string> = new Set([
  "SIGKILL",
  "SIGSTOP",
  "SIGCHLD",
  "SIGHUP",
  "SIGCONT",
  "SIGPWR",
]);
/** Where a fault of the program itself causes them (signal(7)). */
const FAULTS: ReadonlySet<string> = new Set([
  "SIGSEGV",
  "SIGBUS",
  "SIGILL",
  "SIGFPE",
  "SIGTRAP",
  "SIGABRT",
  "SIGSYS",
]);
/**
 * Those for which the runtimes have no event: STKFLT, and the real-time signals, by which system managers are told to end (signal(7);
 * 32 and 33 are the C library's own, nptl(7)).
 */
const UNNAMED: readonly number[] = [
  signals.SIGSTKFLT,
  ...Array.from({ length: 31 }, (_, index) => 34 + index),
];

export interface SignalListeners {
  /** one that is to go to the child */
  readonly onForwarded: (number: number) => void;
  readonly onHangup: () => void;
  readonly onContinue: () => void;
  /** a child has ended or stopped, or an orphan has ended */
  readonly onChild: () => void;
}

/**
 * From now on signals go to these listeners and end nobody.
 *
 * @param ignored numbers of those that were ignored when we were started: they stay so, but for HUP
 * @param hasTerminal of its own: what we write to it while CMD has it is not to stop CMD
 * @param isOwn whether a SIGPIPE or SIGXFSZ is to be expected from our own writes
 */
export function listenToSignals(
  listeners: SignalListeners,
  ignored: readonly number[],
  isOwn: (name: SignalName) => boolean,
  libc: ChildLibc | undefined,
  hasTerminal: boolean,
): void {
  for (const [name, number] of forwarded()) {
    if (ignored.includes(number)) continue;
    if (number === signals.SIGTTOU && libc !== undefined && hasTerminal) {
      libc.ignoreSignal(number);
      continue;
    }
    // On Node such a handler would be called for ever.
    if (libc === undefined && FAULTS.has(name)) continue;
    if (UNNAMED.includes(number)) continue;
    let arm: (() => void) | undefined;
    process.removeAllListeners(name);
    process.on(name, () => {
      arm?.();
      if (!isOwn(name)) listeners.onForwarded(number);
    });
    if (FAULTS.has(name)) arm = libc?.handleOnce(number);
  }
  const unnamed = UNNAMED.filter((number) => !ignored.includes(number));
  libc?.onSignals(unnamed, listeners.onForwarded);
  process.removeAllListeners("SIGHUP");
  process.on("SIGHUP", listeners.onHangup);
  process.on("SIGCONT", listeners.onContinue);
  process.on("SIGCHLD", listeners.onChild);
}

/** One name for each number: some have two (IOT, POLL). */
function forwarded(): Map<SignalName, number> {
  const names = new Map<number, SignalName>();
  for (const [name, number] of Object.entries(signals) as [SignalName, number][]) {
    if (!NOT_FORWARDED.has(name) && !names.has(number)) names.set(number, name);
  }
  return new Map([...names].map(([number, name]) => [name, number]));
}

/**
 * The name of a signal that a program can be sent: `HUP`, `SIGHUP`.
 *
 * @returns undefined where there is none, or the program could not do anything about it
 */
export function parseSignal(text: string): SignalName | undefined {
  const name = `SIG${text.replace(/^SIG/, "")}`;
  const usable = Object.hasOwn(signals, name) && !["SIGKILL", "SIGSTOP", "SIGCHLD", "SIGCONT"].includes(name);
  return usable ? (name as SignalName) : undefined;
}

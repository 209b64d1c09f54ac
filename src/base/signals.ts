/**
 * Before exec: a signal without a handler does not end PID 1 (pid_namespaces(7)), so this file is imported
 * first and imports nothing of ours. What was ignored when we started (nohup) stays so, for us and for CMD.
 */
import { readFileSync } from "node:fs";

/** signal(7): the numbers are the same on all our platforms. */
const ENDING = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGTERM: 15 } as const;

type Ending = keyof typeof ENDING;

// The runtimes ignore these two for themselves: a program expects their default.
const IGNORED_BY_RUNTIME = [13, 25];

/** A mask of the signals that were ignored when we were started, the lowest bit for the first. */
const ignoredAtStart = ignoredSignals();
const caught = (Object.keys(ENDING) as Ending[]).filter((name) => !isIgnored(ENDING[name]));

function endOnSignals(): void {
  for (const name of caught) process.on(name, () => process.exit(128 + ENDING[name]));
}

/**
 * Without a listener Node opens its debugger at USR1, on a port of loopback, for whoever asks. After ours the
 * signal has its default, not Node's: it ends this process, or nothing happens to PID 1.
 */
function closeDebugger(): void {
  if (process.versions["bun"] !== undefined || process.platform === "win32") return;
  process.on("SIGUSR1", () => {
    process.removeAllListeners("SIGUSR1");
    process.kill(process.pid, "SIGUSR1");
  });
}

interface InspectorBinding {
  readonly url: () => string | undefined;
}

interface NodeProcess {
  noDeprecation: boolean | undefined;
  readonly binding?: (name: "inspector") => InspectorBinding;
  readonly getBuiltinModule: (name: "node:inspector") => InspectorBinding;
}

/**
 * Whether Node's debugger is open, by a signal before our listener stood or by an option of Node. Its binding
 * costs microseconds, its module 2 to 13 ms: only asked if the binding may not be (Node's permission model).
 */
export function hasDebugger(): boolean {
  if (process.versions["bun"] !== undefined) return false;
  const node = process as unknown as NodeProcess;
  const { noDeprecation } = node;
  try {
    // It is deprecated, and Node may be told to warn of that.
    node.noDeprecation = true;
    const url = node.binding?.("inspector").url;
    if (url !== undefined) return url() !== undefined;
  } catch {
    // The module, then.
  } finally {
    node.noDeprecation = noDeprecation;
  }
  return node.getBuiltinModule("node:inspector").url() !== undefined;
}

/**
 * Right before exec: from now on a signal acts at once, not through a handler that may never run. One that
 * came before is still with its handler, until the event loop has turned.
 */
export function defaultSignals(setDefault: (number: number) => void): void {
  for (const number of [...caught.map((name) => ENDING[name]), ...IGNORED_BY_RUNTIME]) setDefault(number);
}

/** The same by removing listeners: without one a signal has its default. One that waits is lost. */
export function forgetSignals(): void {
  for (const name of [...caught, "SIGUSR1" as const]) process.removeAllListeners(name);
}

/** Signals that the kernel sends us for what we wrote ourselves, and that are still on their way. */
const own = new Map<NodeJS.Signals, number>();

/** A write of ours has failed in a way that comes with this signal: unless the runtime still ignores it. */
export function expectOwnSignal(name: "SIGPIPE" | "SIGXFSZ"): void {
  if (process.listenerCount(name) === 0) return;
  own.set(name, (own.get(name) ?? 0) + 1);
}

/** Whether a signal that came was such a one. */
export function isOwnSignal(name: NodeJS.Signals): boolean {
  const expected = own.get(name) ?? 0;
  if (expected > 0) own.set(name, expected - 1);
  return expected > 0;
}

/** Their numbers; the two that the runtime ignores cannot be told from them, and are left out. */
export function signalsIgnoredAtStart(): readonly number[] {
  const numbers = Array.from({ length: 64 }, (_, index) => index + 1);
  return numbers.filter((number) => isIgnored(number) && !IGNORED_BY_RUNTIME.includes(number));
}

function isIgnored(number: number): boolean {
  return ((ignoredAtStart >> BigInt(number - 1)) & 1n) === 1n;
}

function ignoredSignals(): bigint {
  try {
    const mask = /^SigIgn:\t([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "latin1"))?.[1];
    return BigInt(`0x${mask ?? "0"}`);
  } catch {
    return 0n;
  }
}

endOnSignals();
closeDebugger();

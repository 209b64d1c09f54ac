/**
 * Death by a signal without a name (the real-time ones, signal(7)): node:child_process calls it exit status 0, on Bun as on Node.
 * Bun.spawn, on which Bun's is built, tells its number. On Node there is no way to know.
 */

type OnExit = (
  process: unknown,
  status: number | null,
  signal: string | number | null,
  error: unknown,
) => void;

/** What is used of Bun's API. */
interface Spawner {
  spawn: (options: { readonly onExit: OnExit }) => unknown;
}

/**
 * Calls what starts a process by node:child_process.
 *
 * @returns what it returned, undefined where no process can be started; and the number of the signal without a name by which the
 *   process has ended, 0 where it has not
 */
export function noteDeath<T>(start: () => T): {
  readonly started: T | undefined;
  readonly signal: () => number;
} {
  const bun = (globalThis as { readonly Bun?: Spawner }).Bun;
  let number = 0;
  if (bun === undefined) return { started: start(), signal: () => number };
  const { spawn } = bun;
  let isRefused = false;
  bun.spawn = (options) => {
    const onExit: OnExit = (process, status, signal, error) => {
      if (typeof signal === "number") number = signal;
      options.onExit(process, status, signal, error);
    };
    try {
      return spawn({ ...options, onExit });
    } catch (error) {
      isRefused = true;
      throw error;
    }
  };
  try {
    return { started: start(), signal: () => number };
  } catch (error) {
    // What execa makes of it does not work on Bun.
    if (isRefused) return { started: undefined, signal: () => number };
    throw error;
  } finally {
    bun.spawn = spawn;
  }
}

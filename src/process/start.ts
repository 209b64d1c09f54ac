/** A process by Bun's or Node's own spawn, with a socket pair to it. */
import { spawn } from "node:child_process";
import { connect } from "node:net";
import { constants } from "node:os";
import type { Duplex } from "node:stream";

export interface Started {
  readonly pid: number;
  readonly socket: Duplex;
  /** its exit status, or 128 + n where signal n ended it */
  readonly ended: Promise<number>;
}

export interface Starting {
  /** what each of its open files is, by its number: one of ours, nothing, or once the socket */
  readonly stdio: (number | "ignore" | "pipe")[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string | undefined;
}

/** What is used of Bun's API. Its node:child_process calls death by a real-time signal exit status 0, as Node's does. */
interface Bun {
  spawn(
    words: readonly string[],
    options: Starting & {
      onExit(self: unknown, status: number | null, signal: string | number | null): void;
    },
  ): { readonly pid: number; readonly stdio: readonly (number | null)[] };
}

/** @returns undefined where no process can be started */
export function startProcess(words: readonly [string, ...string[]], options: Starting): Started | undefined {
  const { promise: ended, resolve } = Promise.withResolvers<number>();
  const onEnd = (status: number | null, signal: string | number | null): void => {
    const number = typeof signal === "string" ? constants.signals[signal as NodeJS.Signals] : signal;
    resolve(number === null ? (status ?? 0) : 128 + number);
  };
  const at = options.stdio.indexOf("pipe");
  const bun = (globalThis as { readonly Bun?: Bun }).Bun;
  try {
    if (bun !== undefined) {
      const onExit = (_self: unknown, ...how: Parameters<typeof onEnd>): void => onEnd(...how);
      const { pid, stdio } = bun.spawn(words, { ...options, onExit });
      // On Bun a file descriptor can be connected.
      return { pid, ended, socket: connect({ fd: stdio[at] } as object as { path: string }) };
    }
    const [file, ...args] = words;
    const child = spawn(file, args, options);
    child.on("exit", onEnd).on("error", () => undefined);
    return child.pid === undefined ? undefined : { pid: child.pid, ended, socket: child.stdio[at] as Duplex };
  } catch {
    return undefined;
  }
}

/** Standard input, output and error of this process, each touched only when used. */
import { fstatSync, writeSync } from "node:fs";
import type { Environment } from "./env.ts";
import { SealexecError } from "./errors.ts";
import { expectOwnSignal } from "./signals.ts";

const SIGPIPE = 13;

/** @param tellUser called before the first byte is read, if it comes from a terminal */
export async function readInput(limit: number, tellUser?: () => void): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    // The runtimes differ in what reading a folder does.
    if (fstatSync(0).isDirectory()) throw Object.assign(new Error("a directory"), { code: "EISDIR" });
    if (process.stdin.isTTY) tellUser?.();
    for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
      size += chunk.length;
      const hint = "it is not a .env";
      if (size > limit) throw new SealexecError("data", `standard input: more than ${limit} bytes`, { hint });
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof SealexecError) throw error;
    const hint = "pipe the .env into it, or name its file";
    const what = `standard input: cannot be read (${codeOf(error)})`;
    throw new SealexecError("config", what, { hint, cause: error });
  }
  return Buffer.concat(chunks);
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? "error";
}

export function writeOutput(bytes: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException): void => {
      // The reader has gone (`| head`): end as a program does that does not ignore SIGPIPE.
      if (error.code === "EPIPE") process.exit(128 + SIGPIPE);
      const what = `standard output: cannot be written (${codeOf(error)})`;
      const hint = "free some space, or name another place";
      reject(new SealexecError("config", what, { hint, cause: error }));
    };
    process.stdout.once("error", fail);
    process.stdout.write(bytes, (error) => {
      if (error) return fail(error);
      process.stdout.off("error", fail);
      resolve();
    });
  });
}

/** Written at once, as the process may end right after. A reader that has gone or stalls is no failure. */
export function writeError(text: string): void {
  let rest = Buffer.from(text);
  for (let tries = 0; rest.length > 0 && tries < 100; tries += 1) {
    try {
      rest = rest.subarray(writeSync(2, rest));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EPIPE") expectOwnSignal("SIGPIPE");
      if (code === "EFBIG") expectOwnSignal("SIGXFSZ");
      if (code !== "EAGAIN") return;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

// To look at process.stdout is to open it: a pipe or socket gets non-blocking for all who share it, a
// terminal is reopened. Libraries do look (Readable.pipe compares with it). CMD finds its streams untouched.
export function leaveStreams(): void {
  for (const name of ["stdout", "stderr"]) {
    // An assignment is the one thing by which Bun does not open it; on Node it has no setter.
    if (Reflect.set(process, name, nowhere())) continue;
    // Node's own warnings go through it: there it must be a whole stream.
    const { Writable } = process.getBuiltinModule("node:stream");
    const value = new Writable({ write: (_chunk, _encoding, done) => done() });
    Object.defineProperty(process, name, { value });
  }
}

/** What anybody who only looks could want of a stream on Bun: a Writable costs each start a millisecond. */
function nowhere(): object {
  const self = (): object => stream;
  const stream = {
    isTTY: false,
    writable: true,
    write: () => true,
    listenerCount: () => 0,
    emit: () => false,
  };
  const chained = "end on once off addListener removeListener removeAllListeners".split(" ");
  return Object.assign(stream, Object.fromEntries(chained.map((name) => [name, self])));
}

/** Source: no-color.org; FORCE_COLOR as in Node. */
export function wantsColour(env: Environment): boolean {
  if (env["NO_COLOR"] !== undefined && env["NO_COLOR"] !== "") return false;
  if (env["FORCE_COLOR"] !== undefined && env["FORCE_COLOR"] !== "0") return true;
  return process.stdout.isTTY && env["TERM"] !== "dumb";
}

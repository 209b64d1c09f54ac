/**
 * What a program can be started with: execve(2), "Limits on size of arguments and environment". A source is
 * held to it while it is read: a million small variables take far more memory than their text.
 */
import { SealexecError } from "./errors.ts";
import { Secret } from "./secret.ts";
import type { Variables } from "./secret.ts";

/** What no limit of the stack raises: three quarters of _STK_LIM (fs/exec.c). */
export const MOST_BYTES = 6 * 1024 * 1024;
/** What the kernel always takes, whatever the stack's limit is: ARG_MAX of linux/limits.h */
export const ALWAYS_BYTES = 128 * 1024;
/** for each string */
export const POINTER_BYTES = 8;

/** How many bytes arguments and environment may have together. It is asked for only if it could matter. */
export type SizeLimit = () => number;

interface Sized {
  readonly name: string;
  readonly bytes: number;
}

/** The variables of one source, in the order in which they were set. */
export class SizedVariables {
  readonly #variables = new Map<string, Secret>();
  readonly #limit: SizeLimit;
  #limitBytes = ALWAYS_BYTES;
  #bytes = 0;

  constructor(limit: SizeLimit = () => MOST_BYTES) {
    this.#limit = limit;
  }

  get all(): Variables {
    return this.#variables;
  }

  has(name: string): boolean {
    return this.#variables.has(name);
  }

  /** The last one of a name wins, its place too. Throws if no program can be started with that much. */
  set(name: string, value: string): void {
    const earlier = this.#variables.get(name);
    if (earlier !== undefined) {
      this.#variables.delete(name);
      this.#bytes -= sizeOf(name, earlier);
    }
    const secret = new Secret(value);
    this.#variables.set(name, secret);
    this.#bytes += sizeOf(name, secret);
    if (this.#bytes <= this.#limitBytes) return;
    this.#limitBytes = this.#limit();
    if (this.#bytes > this.#limitBytes) throw tooLarge(this.#bytes, this.#limitBytes, this.#largest());
  }

  #largest(): Sized | undefined {
    let found: Sized | undefined;
    for (const [name, value] of this.#variables) {
      const bytes = Buffer.byteLength(name) + "=".length + value.sizeBytes;
      if (bytes > (found?.bytes ?? 0)) found = { name, bytes };
    }
    return found;
  }
}

/** What execve(2) counts of a variable: NAME=value, the NUL after it, and a pointer. */
function sizeOf(name: string, value: Secret): number {
  return Buffer.byteLength(name) + value.sizeBytes + "=\0".length + POINTER_BYTES;
}

/** Of values that are not variables yet. */
export function tooMany(limitBytes: number): SealexecError {
  const what = `more values than the ${limitBytes} bytes that the system takes of arguments and environment`;
  return new SealexecError("cannot-execute", what, { hint: hintFor(limitBytes) });
}

export function tooLarge(sumBytes: number, limitBytes: number, largest?: Sized): SealexecError {
  const named = largest === undefined ? "" : `; the largest is ${largest.name} with ${largest.bytes} bytes`;
  const what = `arguments and environment are ${sumBytes} bytes together, and the system takes ${limitBytes}${named}`;
  return new SealexecError("cannot-execute", what, { hint: hintFor(limitBytes) });
}

function hintFor(limitBytes: number): string {
  const more = limitBytes < MOST_BYTES ? ", or raise the stack limit (ulimit -s)" : "";
  return `put large values into files${more}`;
}

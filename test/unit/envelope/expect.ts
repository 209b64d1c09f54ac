import assert from "node:assert/strict";
import { SealexecError } from "../../../src/base/errors.ts";

/**
 * Runs what must be refused.
 *
 * @returns the error, which is of kind "data", with a message and a hint that fit one line of a log
 */
export function refusal(action: () => unknown, label = ""): SealexecError {
  let caught: unknown;
  try {
    action();
  } catch (error) {
    caught = error;
  }
  if (caught === undefined) assert.fail(`${label}: not refused`);
  if (!(caught instanceof SealexecError)) assert.fail(`${label}: not a SealexecError: ${String(caught)}`);
  assert.equal(caught.kind, "data", label);
  for (const text of [caught.message, caught.hint ?? "-"]) {
    assert.match(text, /^[^\p{C}]{1,600}$/u, label);
    assert.doesNotMatch(text, /\.$|^[A-Z]/, label);
  }
  return caught;
}

export function assertRefused(action: () => unknown, message: RegExp, label = ""): SealexecError {
  const error = refusal(action, label);
  assert.match(error.message, message, label);
  return error;
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function base64(data: Uint8Array): string {
  return Buffer.from(data).toString("base64");
}

export function fromBase64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "base64"));
}

/** Equality of bytes, whatever array holds them. */
export function assertBytes(actual: Uint8Array, expected: Uint8Array, label = ""): void {
  assert.equal(Buffer.from(actual).toString("hex"), Buffer.from(expected).toString("hex"), label);
}

export function flipBit(data: Uint8Array, bit: number): Uint8Array {
  const copy = Uint8Array.from(data);
  const at = bit >> 3;
  copy[at] = (copy[at] ?? 0) ^ (1 << (bit & 7));
  return copy;
}

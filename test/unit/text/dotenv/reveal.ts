import type { Variables } from "../../../../src/base/secret.ts";

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Names and values in order. */
export const reveal = (variables: Variables): [string, string][] =>
  Array.from(variables, ([name, secret]) => [name, secret.reveal()]);

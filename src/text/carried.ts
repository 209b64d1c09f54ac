import { SealexecError } from "../base/errors.ts";

/** @throws SealexecError "data": a NUL, or what is no Unicode; never any part of the text */
export function carriedText(name: string, text: string): string {
  if (!text.includes("\0") && text.isWellFormed()) return text;
  const what = text.includes("\0") ? "a NUL" : "half of a surrogate pair";
  const hint = "no environment variable can: encode it, for example as base64";
  throw new SealexecError("data", `${name} holds ${what}`, { hint });
}

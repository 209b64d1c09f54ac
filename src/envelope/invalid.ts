import { SealexecError, type ErrorDetails } from "../base/errors.ts";

/** A sealed object that is not taken: the message holds none of it, unless quoted. */
export function invalid(message: string, details?: ErrorDetails): SealexecError {
  return new SealexecError("data", message, details);
}

/** Text from storage for a line of a log: quoted, capped, without line breaks or control characters. */
export function quote(text: string, maxCharacters = 60): string {
  // Two UTF-16 units a character at most: cut before the costly part, whatever the size.
  const characters = Array.from(text.slice(0, (maxCharacters + 1) * 2).toWellFormed());
  const shown = characters.slice(0, maxCharacters).join("");
  const clean = shown.replace(/[\p{C}\p{Zl}\p{Zp}"]/gu, "?");
  return `"${clean}${characters.length > maxCharacters ? "…" : ""}"`;
}

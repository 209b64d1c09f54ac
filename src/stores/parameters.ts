import type { SealexecError } from "../base/errors.ts";
import { nearest } from "../base/nearest.ts";
import { OPTION_NAMES } from "./uri-options.ts";

// Nothing is decoded, so that an encoded blank would be sent as it is.
const BLANK = /^(?:[\s,]|%(?:09|20|2c))*$/i;

/**
 * The parameters behind the "?" of a URI: each of them known, there once, and not empty. Nothing is decoded.
 *
 * @param flags those that have no value; the text of one that is there is empty
 * @throws what `refuse` makes of what is wrong
 */
export function parseParameters<Name extends string>(
  query: string,
  names: readonly Name[],
  refuse: (what: string) => SealexecError,
  flags: readonly Name[] = [],
): Partial<Record<Name, string>> {
  const found: Partial<Record<Name, string>> = {};
  for (const pair of query.split("&")) {
    const equals = pair.indexOf("=");
    const written = equals === -1 ? pair : pair.slice(0, equals);
    const name = names.find((known) => known === written);
    if (name === undefined) throw unknown(written, names, refuse);
    if (found[name] !== undefined) throw refuse(`has ${name} twice`);
    const value = equals === -1 ? "" : pair.slice(equals + 1);
    if (flags.includes(name) ? equals !== -1 : BLANK.test(value))
      throw refuse(
        flags.includes(name) ? `has a value for ${name}, which takes none` : `has an empty ${name}`,
      );
    found[name] = value;
  }
  return found;
}

function unknown(
  written: string,
  names: readonly string[],
  refuse: (what: string) => SealexecError,
): SealexecError {
  const error = refuse(`has a parameter other than ${names.join(", ")}${shownName(written)}`);
  const near = nearestParameter(written, names);
  return near === undefined ? error : error.reworded(error.message, `${near} ${error.hint ?? ""}`.trimEnd());
}

/** For a hint: `did you mean region?`; undefined: none is near. */
export function nearestParameter(written: string, names: readonly string[]): string | undefined {
  const near = nearest(written, [...names, ...OPTION_NAMES]);
  return near === undefined ? undefined : `did you mean ${near}?`;
}

// Only what is plainly a name is repeated.
function shownName(written: string): string {
  return /^[a-z][a-zA-Z]{0,19}$/.test(written) ? `: ${written}` : "";
}

/** The URIs of what is mounted into a container: `env-file:PATH`, `dir:PATH`, `json-file:PATH`. */
import { defined } from "../../base/defined.ts";
import { DIALECTS } from "../../text/dialect.ts";
import type { Dialect } from "../../text/dialect.ts";
import { OPTIONS_FORM, parseFormat } from "../uri.ts";
import type { Grammar, ParsedUri } from "../uri.ts";

/** A plain file of variables. */
export interface EnvFileRef {
  readonly path: string;
  readonly dialect: Dialect;
}

/** A folder with one file a variable. */
export interface DirRef {
  readonly path: string;
  /** makes names of file names: `db-password` → `DB_PASSWORD` */
  readonly upper: boolean;
  /** keeps the newline at the end of a file */
  readonly raw: boolean;
}

/** A file with one JSON object. */
export interface JsonFileRef {
  readonly path: string;
  /** joins the names of nested objects */
  readonly flatten?: string;
  /** takes this key of the object only */
  readonly key?: string;
}

export const ENV_FILE_GRAMMAR: Grammar<"format"> = {
  prefix: "env-file:",
  form: `env-file:PATH[?format=${DIALECTS.join("|")}]${OPTIONS_FORM}, for example env-file:/run/secrets/app.env`,
  parameters: ["format"],
  query: "last",
};

export const DIR_GRAMMAR: Grammar<"upper" | "raw"> = {
  prefix: "dir:",
  form: `dir:PATH[?upper][&raw]${OPTIONS_FORM}, for example dir:/run/secrets`,
  parameters: ["upper", "raw"],
  flags: ["upper", "raw"],
  query: "last",
};

export const JSON_FILE_GRAMMAR: Grammar<"flatten"> = {
  prefix: "json-file:",
  form: `json-file:PATH[?flatten=_]${OPTIONS_FORM}[#KEY], for example json-file:/run/secrets/app.json`,
  parameters: ["flatten"],
  query: "last",
  key: "last",
};

export function envFileRef(parsed: ParsedUri<"format">): EnvFileRef {
  const { parameters, refuse } = parsed;
  return { path: pathOf(parsed), dialect: parseFormat(parameters.format, refuse) ?? "dotenv" };
}

export function dirRef(parsed: ParsedUri<"upper" | "raw">): DirRef {
  const { upper, raw } = parsed.parameters;
  return { path: pathOf(parsed), upper: upper !== undefined, raw: raw !== undefined };
}

export function jsonFileRef(parsed: ParsedUri<"flatten">): JsonFileRef {
  const { key, refuse } = parsed;
  const { flatten } = parsed.parameters;
  if (key === "") throw refuse('has no key behind its "#"');
  if (key?.includes("?") === true) throw refuse("has parameters behind its key");
  if (flatten !== undefined && !/^[A-Za-z0-9_]{1,8}$/.test(flatten))
    throw refuse("has a flatten that cannot stand in the name of a variable");
  return { path: pathOf(parsed), ...defined({ flatten, key }) };
}

/** Absolute, or from the working directory; nothing in it is expanded. */
function pathOf({ address, refuse }: ParsedUri): string {
  if (address === "") throw refuse("has no path");
  // In other tools' URIs a host stands there: "//app.env" would be a file at the root.
  if (address.startsWith("//")) throw refuse('has "//" before its path');
  return address;
}

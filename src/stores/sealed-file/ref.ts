import { basename } from "node:path";
import { defined } from "../../base/defined.ts";
import { SealexecError } from "../../base/errors.ts";
import { DIALECTS } from "../../text/dialect.ts";
import type { Dialect } from "../../text/dialect.ts";
import { SEALED_OPTIONS_FORM, nearestParameter, parseFormat } from "../uri.ts";
import type { Grammar, ParsedUri } from "../uri.ts";

/** A sealed file on this machine. */
export interface SealedFileRef {
  /** as it is, from the working directory if it is not absolute */
  readonly path: string;
  /** what it is sealed for; the base name of its path unless the URI says it */
  readonly name: string;
  /** what its text is; absent: a .env */
  readonly dialect?: Dialect;
}

type Parameter = "format" | "name";

export const SEALED_FILE_GRAMMAR: Grammar<Parameter> = {
  prefix: "file:",
  form: `file:PATH[?name=NAME][&format=${DIALECTS.join("|")}]${SEALED_OPTIONS_FORM}`,
  parameters: ["format", "name"],
  query: "known",
  sealed: true,
};
const { form, parameters: PARAMETERS, prefix } = SEALED_FILE_GRAMMAR;

export function sealedFileRef({ address, parameters, refuse }: ParsedUri<Parameter>): SealedFileRef {
  // A URL of a file would be another path than the one that was meant.
  if (address.startsWith("//")) throw refuse("has // behind file:");
  if (address === "" || address.endsWith("/")) throw refuse("names no file");
  const { format, name = basename(address) } = parameters;
  return { path: address, name, ...defined({ dialect: parseFormat(format, refuse) }) };
}

export function formatSealedFileUri({ path }: Pick<SealedFileRef, "path">): string {
  return prefix + path;
}

/** The place that a sealed file is bound to: `file:NAME`. Not its path, which is another in each clone. */
export function sealedFilePlace({ name }: SealedFileRef): string {
  return prefix + name;
}

/** What looks like a parameter at the end of a path, with a slip in its name, and the hint; undefined: nothing does. */
export function parameterIn(path: string): { readonly written: string; readonly near: string } | undefined {
  const written = /\?(\w+)=[^?]*$/.exec(path)?.[1];
  const near = written === undefined ? undefined : nearestParameter(written, PARAMETERS);
  return written === undefined || near === undefined ? undefined : { written, near };
}

/** Refuses to make a path that is a slip in a parameter's name: what is sealed would be bound to it. */
export function refuseSlip(path: string): void {
  const slip = parameterIn(path);
  if (slip === undefined) return;
  const { written, near } = slip;
  const message = `the URI: has a parameter other than ${PARAMETERS.join(", ")}: ${written}`;
  throw new SealexecError("usage", message, { hint: `${near} the form is ${form}` });
}

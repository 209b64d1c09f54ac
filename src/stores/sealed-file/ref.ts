import { DIALECTS, parseDialect } from "../../dialects/dialect.ts";
import type { Dialect } from "../../dialects/dialect.ts";
import { SealexecError } from "../../errors.ts";
import { OPTIONS_FORM } from "../uri-options.ts";

/** A sealed file on this machine. */
export interface SealedFileRef {
  readonly path: string;
  /** what its text is; a .env where the URI does not say */
  readonly dialect?: Dialect;
}

const SCHEME = "file:";
const FORM = `file:PATH[?format=${DIALECTS.join("|")}]${OPTIONS_FORM}`;
// The path is taken as it is, question marks and all: only this at its end is none of it.
const FORMAT = /\?format=([^?]*)$/;
const CONTROL = /\p{Cc}/u;

/**
 * Parses `file:PATH[?format=FORMAT]`. The path is taken as it is, from the working directory where it is not absolute.
 *
 * @throws "usage"
 */
export function parseSealedFileUri(uri: string): SealedFileRef {
  const [query, format] = FORMAT.exec(uri) ?? [];
  const path = uri.slice(SCHEME.length, uri.length - (query?.length ?? 0));
  const dialect = format === undefined ? undefined : parseDialect(format);
  if (format !== undefined && dialect === undefined) {
    throw refusal(`has a format other than ${DIALECTS.join(", ")}`);
  }
  if (CONTROL.test(path)) throw refusal("has a control character");
  // A URL of a file would be another path than the one that was meant.
  if (path.startsWith("//")) throw refusal("has // behind file:");
  if (path === "" || path.endsWith("/")) throw refusal("names no file");
  return { path, ...(dialect === undefined ? {} : { dialect }) };
}

export function formatSealedFileUri({ path }: SealedFileRef): string {
  return SCHEME + path;
}

function refusal(what: string): SealexecError {
  return new SealexecError("usage", `the source URI: ${what}`, { hint: `the form is ${FORM}` });
}

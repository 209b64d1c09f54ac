import { basename } from "node:path";
import { DIALECTS, parseDialect } from "../../text/dialect.ts";
import type { Dialect } from "../../text/dialect.ts";
import { SealexecError } from "../../base/errors.ts";
import { nearestParameter, parseParameters } from "../parameters.ts";
import { SEALED_OPTIONS_FORM } from "../uri-options.ts";

/** A sealed file on this machine. */
export interface SealedFileRef {
  readonly path: string;
  /** what it is sealed for; the base name of its path where the URI does not say */
  readonly name: string;
  /** what its text is; a .env where the URI does not say */
  readonly dialect?: Dialect;
}

const SCHEME = "file:";
const PARAMETERS = ["format", "name"] as const;
const FORM = `file:PATH[?name=NAME][&format=${DIALECTS.join("|")}]${SEALED_OPTIONS_FORM}`;
// The path is taken as it is, question marks and all: only these at its end are none of it.
const QUERY = new RegExp(`\\?((?:${PARAMETERS.join("|")})=[^?]*)$`);
const CONTROL = /\p{Cc}/u;

/**
 * Parses `file:PATH[?name=NAME][&format=FORMAT]`. The path is taken as it is, from the working directory where it is not
 * absolute.
 *
 * @throws "usage"
 */
export function parseSealedFileUri(uri: string): SealedFileRef {
  const [query = "", parameters] = QUERY.exec(uri) ?? [];
  const path = uri.slice(SCHEME.length, uri.length - query.length);
  const { format, name } = parameters === undefined ? {} : parseParameters(parameters, PARAMETERS, refusal);
  const dialect = format === undefined ? undefined : parseDialect(format);
  if (format !== undefined && dialect === undefined) {
    throw refusal(`has a format other than ${DIALECTS.join(", ")}`);
  }
  if (CONTROL.test(uri)) throw refusal("has a control character");
  // A URL of a file would be another path than the one that was meant.
  if (path.startsWith("//")) throw refusal("has // behind file:");
  if (path === "" || path.endsWith("/")) throw refusal("names no file");
  return { path, name: name ?? basename(path), ...(dialect === undefined ? {} : { dialect }) };
}

export function formatSealedFileUri({ path }: Pick<SealedFileRef, "path">): string {
  return SCHEME + path;
}

/** The place that a sealed file is bound to: `file:NAME`. Not its path, which is another in each clone. */
export function sealedFilePlace({ name }: SealedFileRef): string {
  return SCHEME + name;
}

/** What looks like a parameter at the end of a path, with a slip in its name, and the hint; undefined: nothing does. */
export function parameterIn(path: string): { readonly written: string; readonly near: string } | undefined {
  const written = /\?(\w+)=[^?]*$/.exec(path)?.[1];
  const near = written === undefined ? undefined : nearestParameter(written, PARAMETERS);
  return written === undefined || near === undefined ? undefined : { written, near };
}

/**
 * Refuses a path that is to be made, and is a slip in a parameter's name: what is sealed would be bound to it.
 *
 * @throws "usage"
 */
export function refuseSlip(path: string): void {
  const slip = parameterIn(path);
  if (slip === undefined) return;
  const { written, near } = slip;
  throw new SealexecError(
    "usage",
    `the URI: has a parameter other than ${PARAMETERS.join(", ")}: ${written}`,
    {
      hint: `${near} the form is ${FORM}`,
    },
  );
}

function refusal(what: string): SealexecError {
  return new SealexecError("usage", `the source URI: ${what}`, { hint: `the form is ${FORM}` });
}

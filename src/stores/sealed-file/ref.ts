import { SealexecError } from "../../errors.ts";

/** A sealed file on this machine. */
export interface SealedFileRef {
  readonly path: string;
}

const SCHEME = "file:";
const FORM = "file:PATH";
const CONTROL = /\p{Cc}/u;

/**
 * Parses `file:PATH`. The path is taken as it is, from the working directory where it is not absolute.
 *
 * @throws "usage"
 */
export function parseSealedFileUri(uri: string): SealedFileRef {
  const path = uri.slice(SCHEME.length);
  if (CONTROL.test(path)) throw refusal("has a control character");
  // A URL of a file would be another path than the one that was meant.
  if (path.startsWith("//")) throw refusal("has // behind file:");
  if (path === "" || path.endsWith("/")) throw refusal("names no file");
  return { path };
}

export function formatSealedFileUri({ path }: SealedFileRef): string {
  return SCHEME + path;
}

function refusal(what: string): SealexecError {
  return new SealexecError("usage", `the source URI: ${what}`, { hint: `the form is ${FORM}` });
}

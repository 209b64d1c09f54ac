import { parseRegion } from "../../aws/region/region.ts";
import { SealexecError } from "../../base/errors.ts";
import { parseParameters } from "../parameters.ts";
import { OPTIONS_FORM } from "../uri-options.ts";

/** All parameters below a path, or one parameter. */
export type SsmRef = { readonly region?: string } & (
  | {
      readonly kind: "path";
      /** with a slash at both ends */
      readonly path: string;
      /** those of the paths below it too */
      readonly recursive: boolean;
    }
  | { readonly kind: "parameter"; readonly name: string }
);

const SCHEME = "ssm://";
const FORM = `ssm:///PATH/[?recursive][&region=REGION]${OPTIONS_FORM}, or ssm:///PATH/NAME[?region=REGION] for one parameter`;

// Systems Manager API Reference, PutParameter: Name.
const SEGMENT = /^[A-Za-z0-9_.-]+$/;
const LONGEST_NAME = 1_011;
const DEEPEST = 15;
// A control character in a name is a mistake, or an attack on a terminal or a log.
const CONTROL = /\p{Cc}/u;

/**
 * Parses `ssm:///PATH/[?recursive]` and `ssm:///PATH/NAME`. Nothing in it is decoded.
 *
 * @throws "usage", naming what is wrong; "config" for what is no region
 */
export function parseSsmUri(uri: string): SsmRef {
  const refuse = (what: string): SealexecError => refusal(what, uri);
  if (CONTROL.test(uri)) throw refusal("has a control character");
  if (!uri.startsWith(SCHEME)) throw refusal(`does not begin with ${SCHEME}`);
  if (/\sssm:\/\//.test(uri))
    throw new SealexecError("usage", "two URIs in one", { hint: "repeat --from for each" });
  const question = uri.indexOf("?");
  const address = uri.slice(SCHEME.length, question === -1 ? undefined : question);
  const parameters =
    question === -1
      ? {}
      : parseParameters(uri.slice(question + 1), ["recursive", "region"], refuse, ["recursive"]);
  checkAddress(address, refuse);
  const recursive = parameters.recursive !== undefined;
  const { region } = parameters;
  const where = region === undefined ? {} : { region: parseRegion(region, "the URI").name };
  if (address.endsWith("/")) return { kind: "path", path: address, recursive, ...where };
  if (recursive) throw refuse("is one parameter: recursive is for a path, which ends with a slash");
  return { kind: "parameter", name: address, ...where };
}

/** The URI as people know it. */
export function formatSsmUri(ref: SsmRef): string {
  if (ref.kind === "parameter") return `${SCHEME}${ref.name}`;
  return `${SCHEME}${ref.path}${ref.recursive ? "?recursive" : ""}`;
}

function checkAddress(address: string, refuse: (what: string) => SealexecError): void {
  if (!address.startsWith("/")) throw refuse("has no third slash: a path begins with one");
  const segments = address.replace(/^\//, "").replace(/\/$/, "").split("/");
  if (address === "/" || segments.length === 0) throw refuse("has no path");
  if (!segments.every((segment) => SEGMENT.test(segment))) throw refuse("has no valid path");
  if (segments.length > DEEPEST) throw refuse(`has a path of more than ${DEEPEST} levels`);
  if (address.length > LONGEST_NAME) throw refuse(`has a path of more than ${LONGEST_NAME} characters`);
}

function refusal(what: string, uri?: string): SealexecError {
  const named = uri === undefined ? "the source URI" : uri.slice(0, 200);
  return new SealexecError("usage", `${named}: ${what}`, { hint: `the form is ${FORM}` });
}

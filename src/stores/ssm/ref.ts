import { parseRegion } from "../../aws/region.ts";
import { OPTIONS_FORM } from "../uri.ts";
import type { Grammar, ParsedUri, Refuse } from "../uri.ts";

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

type Parameter = "recursive" | "region";

export const SSM_GRAMMAR: Grammar<Parameter> = {
  prefix: "ssm://",
  form: `ssm:///PATH/[?recursive][&region=REGION]${OPTIONS_FORM}, or ssm:///PATH/NAME[?region=REGION] for one parameter`,
  parameters: ["recursive", "region"],
  flags: ["recursive"],
  query: "first",
};

// Systems Manager API Reference, PutParameter: Name.
const SEGMENT = /^[A-Za-z0-9_.-]+$/;
const LONGEST_NAME = 1_011;
const DEEPEST = 15;

export function ssmRef({ address, parameters, refuse }: ParsedUri<Parameter>): SsmRef {
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
  if (ref.kind === "parameter") return `ssm://${ref.name}`;
  return `ssm://${ref.path}${ref.recursive ? "?recursive" : ""}`;
}

function checkAddress(address: string, refuse: Refuse): void {
  if (!address.startsWith("/")) throw refuse("has no third slash: a path begins with one");
  if (address === "/") throw refuse("has no path");
  const segments = address.replace(/^\//, "").replace(/\/$/, "").split("/");
  if (!segments.every((segment) => SEGMENT.test(segment))) throw refuse("has no valid path");
  if (segments.length > DEEPEST) throw refuse(`has a path of more than ${DEEPEST} levels`);
  if (address.length > LONGEST_NAME) throw refuse(`has a path of more than ${LONGEST_NAME} characters`);
}

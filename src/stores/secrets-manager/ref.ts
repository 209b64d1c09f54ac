import { parseRegion } from "../../aws/region.ts";
import { defined } from "../../base/defined.ts";
import type { Dialect } from "../../text/dialect.ts";
import { isDotenvName } from "../../text/dotenv/name.ts";
import { OPTIONS_FORM, parseFormat } from "../uri.ts";
import type { Grammar, ParsedUri, Refuse } from "../uri.ts";

/** A secret, which of its versions, and what its text is. */
export interface SecretRef {
  /** a name or an ARN, as Secrets Manager takes it for SecretId */
  readonly id: string;
  /** of the URI or of the ARN */
  readonly region?: string;
  readonly stage?: string;
  readonly versionId?: string;
  readonly reading: Reading;
}

/** How the text of a secret becomes variables. */
export type Reading =
  /** a JSON object, each key a variable */
  | { readonly as: "object"; readonly flatten?: string }
  /** one key of a JSON object, as the variable `name` */
  | { readonly as: "key"; readonly key: string; readonly name: string }
  /** the whole text, as the variable `name` */
  | { readonly as: "value"; readonly name: string }
  | { readonly as: "text"; readonly dialect: Dialect };

type Parameter = "stage" | "versionId" | "region" | "as" | "format" | "flatten";
type Parameters = ParsedUri<Parameter>["parameters"];

export const SECRET_GRAMMAR: Grammar<Parameter> = {
  prefix: "secretsmanager://",
  form: `secretsmanager://NAME-or-ARN[?stage=STAGE][&versionId=ID][&region=REGION][&as=NAME][&format=FORMAT][&flatten=_]${OPTIONS_FORM}[#KEY]`,
  parameters: ["stage", "versionId", "region", "as", "format", "flatten"],
  query: "first",
  key: "first",
};

// Secrets Manager API Reference, CreateSecret: Name.
const NAME = /^[A-Za-z0-9/_+=.@-]{1,512}$/;
const ARN = /^arn:aws(?:-[a-z]+)*:secretsmanager:([^:]*):\d{12}:secret:(.*)$/;
const STAGE = /^[A-Za-z0-9/_+=.@-]{1,256}$/;
// GetSecretValue: VersionId has 32 to 64 characters, of which a ClientRequestToken may choose any.
const VERSION = /^[A-Za-z0-9/_+=.@:-]{32,64}$/;
const SEPARATOR = /^[A-Za-z0-9_]{1,16}$/;
export function secretRef({ address: id, key, parameters, refuse }: ParsedUri<Parameter>): SecretRef {
  const { stage, versionId } = parameters;
  if (stage !== undefined && !STAGE.test(stage)) throw refuse("has no valid stage");
  if (versionId !== undefined && !VERSION.test(versionId))
    throw refuse("has no valid versionId: 32 to 64 letters, digits and -");
  const region = regionOf(id, parameters.region, refuse);
  return { id, ...defined({ region, stage, versionId }), reading: readingOf(key, parameters, refuse) };
}

/** The URI as people know it: without what decides only the region and the form. */
export function formatSecretUri(ref: SecretRef): string {
  const { id, stage, versionId, reading } = ref;
  const query = Object.entries(defined({ stage, versionId }))
    .map(([name, value]) => `${name}=${value}`)
    .join("&");
  return `secretsmanager://${id}${query === "" ? "" : `?${query}`}${reading.as === "key" ? `#${reading.key}` : ""}`;
}

function regionOf(id: string, named: string | undefined, refuse: Refuse): string | undefined {
  if (!id.startsWith("arn:")) {
    if (!NAME.test(id)) throw refuse("has no valid name of a secret");
    return named === undefined ? undefined : parseRegion(named, "the URI").name;
  }
  const [, region = "", name = ""] = ARN.exec(id) ?? [];
  if (NAME.test(name.split(":", 1)[0] ?? "") && name.includes(":"))
    throw refuse("has an ARN in the form of ECS: give #KEY, ?stage= and ?versionId= instead");
  if (!NAME.test(name)) throw refuse("has no valid ARN of a secret");
  if (named !== undefined) throw refuse("has a region beside that of its ARN");
  return parseRegion(region, "the ARN").name;
}

function readingOf(key: string | undefined, { as, format, flatten }: Parameters, refuse: Refuse): Reading {
  if (as !== undefined && !isDotenvName(as)) throw refuse("has an as= that is not the name of a variable");
  if (flatten !== undefined && !SEPARATOR.test(flatten))
    throw refuse("has a flatten= that no name can have in it: letters, digits and _ only");
  const ways = Object.entries({ as: as ?? key, format, flatten }).filter(([, value]) => value !== undefined);
  if (ways.length > 1)
    throw refuse("says in two ways what its text is: #KEY or as=, or format=, or flatten=");
  if (key !== undefined) return keyReading(key, as, refuse);
  if (as !== undefined) return { as: "value", name: as };
  const dialect = parseFormat(format, refuse);
  return dialect === undefined ? { as: "object", ...defined({ flatten }) } : { as: "text", dialect };
}

function keyReading(key: string, as: string | undefined, refuse: Refuse): Reading {
  if (key === "") throw refuse("has an empty #KEY");
  if (/[?&](stage|versionId|region|as|format|flatten)=/.test(key))
    throw refuse("has its parameters behind #KEY: they come before it");
  if (as !== undefined) return { as: "key", key, name: as };
  if (!isDotenvName(key)) throw refuse("has a #KEY that is not the name of a variable: add ?as=NAME");
  return { as: "key", key, name: key };
}

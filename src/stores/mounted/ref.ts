/** The URIs of what is mounted into a container: `env-file:PATH`, `dir:PATH`, `json-file:PATH`. Pure. */
import { DIALECTS, parseDialect } from "../../text/dialect.ts";
import type { Dialect } from "../../text/dialect.ts";
import { SealexecError } from "../../base/errors.ts";
import { parseParameters } from "../parameters.ts";
import { OPTIONS_FORM } from "../uri-options.ts";

export type MountedRef = EnvFileRef | DirRef | JsonFileRef;

/** A plain file of variables. */
export interface EnvFileRef {
  readonly scheme: "env-file";
  readonly path: string;
  readonly dialect: Dialect;
}

/** A folder with one file a variable. */
export interface DirRef {
  readonly scheme: "dir";
  readonly path: string;
  /** makes names of file names: `db-password` → `DB_PASSWORD` */
  readonly upper: boolean;
  /** keeps the newline at the end of a file */
  readonly raw: boolean;
}

/** A file with one JSON object. */
export interface JsonFileRef {
  readonly scheme: "json-file";
  readonly path: string;
  /** joins the names of nested objects */
  readonly flatten?: string;
  /** takes this key of the object only */
  readonly key?: string;
}

const FORMS = {
  "env-file": `env-file:PATH[?format=${DIALECTS.join("|")}]${OPTIONS_FORM}`,
  dir: `dir:PATH[?upper][&raw]${OPTIONS_FORM}`,
  "json-file": `json-file:PATH[?flatten=_]${OPTIONS_FORM}[#KEY]`,
} as const;

const CONTROL = /\p{Cc}/u;
const SECOND_URI = /\s(?:s3:\/\/|env-file:|dir:|json-file:)/;
const JOINER = /^[A-Za-z0-9_]{1,8}$/;

/**
 * Parses a URI of one of the three schemes. PATH is taken as it is: absolute, or relative to the working directory;
 * nothing in it is decoded or expanded. Its last `?` begins the parameters, so that a path with a `?` in it takes
 * another one at its end; in `json-file:` the last `#` begins the key.
 *
 * @throws "usage", naming what is wrong and the form
 */
export function parseMountedUri(uri: string): MountedRef {
  const scheme = schemeOf(uri);
  if (CONTROL.test(uri)) throw refusal(scheme, `the ${scheme}: URI`, "has a control character");
  if (SECOND_URI.test(uri))
    throw new SealexecError("usage", "two URIs in one", { hint: "repeat --from for each" });
  const { rest, key } = splitKey(uri.slice(scheme.length + 1), scheme, uri);
  const question = rest.lastIndexOf("?");
  const path = question === -1 ? rest : rest.slice(0, question);
  if (path === "") throw refusal(scheme, uri, "has no path");
  // In other tools' URIs a host stands there: "//app.env" would be a file at the root.
  if (path.startsWith("//")) throw refusal(scheme, uri, 'has "//" before its path');
  const query = question === -1 ? "" : rest.slice(question + 1);
  const refuse = (what: string): SealexecError => refusal(scheme, uri, what);
  const parameters = query === "" ? {} : parseParameters(query, PARAMETERS[scheme], refuse, FLAGS);
  return makeRef(scheme, path, parameters, key, uri);
}

type Scheme = MountedRef["scheme"];

function schemeOf(uri: string): Scheme {
  const scheme = (["env-file", "dir", "json-file"] as const).find((name) => uri.startsWith(`${name}:`));
  if (scheme !== undefined) return scheme;
  throw new SealexecError("usage", "the source URI: does not begin with env-file:, dir: or json-file:");
}

function splitKey(text: string, scheme: Scheme, uri: string): { rest: string; key: string | undefined } {
  const hash = scheme === "json-file" ? text.lastIndexOf("#") : -1;
  if (hash === -1) return { rest: text, key: undefined };
  const key = text.slice(hash + 1);
  if (key === "") throw refusal(scheme, uri, 'has no key behind its "#"');
  if (key.includes("?")) throw refusal(scheme, uri, "has parameters behind its key");
  return { rest: text.slice(0, hash), key };
}

const PARAMETERS: Readonly<Record<Scheme, readonly Parameter[]>> = {
  "env-file": ["format"],
  dir: ["upper", "raw"],
  "json-file": ["flatten"],
};
const FLAGS = ["upper", "raw"] as const;

type Parameter = (typeof FLAGS)[number] | "format" | "flatten";

function makeRef(
  scheme: Scheme,
  path: string,
  { format, upper, raw, flatten }: Partial<Record<Parameter, string>>,
  key: string | undefined,
  uri: string,
): MountedRef {
  switch (scheme) {
    case "env-file": {
      const dialect = format === undefined ? "dotenv" : parseDialect(format);
      if (dialect === undefined) throw refusal(scheme, uri, `has a format other than ${DIALECTS.join(", ")}`);
      return { scheme, path, dialect };
    }
    case "dir":
      return { scheme, path, upper: upper !== undefined, raw: raw !== undefined };
    case "json-file": {
      if (flatten !== undefined && !JOINER.test(flatten))
        throw refusal(scheme, uri, "has a flatten that cannot stand in the name of a variable");
      return {
        scheme,
        path,
        ...(flatten === undefined ? {} : { flatten }),
        ...(key === undefined ? {} : { key }),
      };
    }
  }
}

function refusal(scheme: Scheme, named: string, what: string): SealexecError {
  return new SealexecError("usage", `${named.slice(0, 200)}: ${what}`, {
    hint: `the form is ${FORMS[scheme]}, for example ${scheme}:${EXAMPLES[scheme]}`,
  });
}

const EXAMPLES: Readonly<Record<Scheme, string>> = {
  "env-file": "/run/secrets/app.env",
  dir: "/run/secrets",
  "json-file": "/run/secrets/app.json",
};

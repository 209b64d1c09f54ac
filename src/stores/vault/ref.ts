import { isDotenvName } from "../../text/dotenv/name.ts";
import { SealexecError } from "../../base/errors.ts";
import { parseParameters } from "../parameters.ts";
import { OPTIONS_FORM } from "../uri-options.ts";

/** A secret in a KV secrets engine of Vault. */
export interface VaultRef {
  /** where the engine is mounted: `secret`, `team/kv` */
  readonly mount: string;
  /** below the mount, without the `data/` of version 2's API */
  readonly path: string;
  /** only of KV version 2; undefined: the newest */
  readonly version?: number;
  /** the only key that is taken, and the variable that it becomes */
  readonly pick?: { readonly key: string; readonly name: string };
  /** joins the names of nested objects */
  readonly flatten?: string;
}

const FORM = `vault://MOUNT/PATH[?version=N][&as=NAME][&flatten=_]${OPTIONS_FORM}[#KEY]`;
const LONGEST_BYTES = 1_024;
// A control character in a name is a mistake, or an attack on a terminal or a header.
const CONTROL = /\p{Cc}/u;

/**
 * Parses `vault://MOUNT/PATH[?version=N][&as=NAME][&flatten=_][#KEY]`. The mount is what stands before the first slash;
 * a slash in its own name is written %2F (`vault://team%2Fkv/app`). Nothing else is decoded.
 *
 * @throws "usage", naming what is wrong
 */
export function parseVaultUri(uri: string): VaultRef {
  if (CONTROL.test(uri)) throw refusal("has a control character");
  if (!uri.isWellFormed()) throw refusal("is not valid Unicode text");
  if (!uri.startsWith("vault://")) throw refusal("does not begin with vault://");
  if (/\svault:\/\//.test(uri))
    throw new SealexecError("usage", "two URIs in one", { hint: "repeat --from for each" });
  if (Buffer.byteLength(uri) > LONGEST_BYTES) throw refusal("is longer than 1,024 bytes");
  const [address, key] = cut(uri.slice("vault://".length), "#");
  const [place, query] = cut(address, "?");
  const [encodedMount, path] = cut(place, "/");
  const mount = encodedMount.replace(/%2f/gi, "/");
  if (mount.includes("%")) throw refusal("has a % in its mount that is not %2F", uri);
  if (!isPath(mount)) throw refusal("has no valid mount", uri);
  if (path === undefined || !isPath(path)) throw refusal("has no valid path", uri);
  const { version, as, flatten } =
    query === undefined || query === ""
      ? {}
      : parseParameters(query, ["version", "as", "flatten"], (what) => refusal(what, uri));
  const pick = pickOf(key, as, uri);
  if (pick !== undefined && flatten !== undefined) throw refusal("has both #KEY and flatten", uri);
  return {
    mount,
    path,
    ...(version === undefined ? {} : { version: parseVersion(version, uri) }),
    ...(pick === undefined ? {} : { pick }),
    ...(flatten === undefined ? {} : { flatten: parseFlatten(flatten, uri) }),
  };
}

/** What is before and behind the first `separator`; undefined: there is none. */
function cut(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

// HTTP clients and proxies normalise dots and double slashes away, and another secret would be read.
function isPath(text: string): boolean {
  return !/^\s|\s$/.test(text) && text.split("/").every((part) => !["", ".", ".."].includes(part));
}

function pickOf(key: string | undefined, as: string | undefined, uri: string): VaultRef["pick"] {
  if (key === undefined) {
    if (as !== undefined) throw refusal("has as without #KEY", uri);
    return undefined;
  }
  if (key === "") throw refusal("has an empty #KEY", uri);
  if (key.includes("?")) throw refusal("has parameters behind its #KEY, and they go before it", uri);
  const name = as ?? key;
  if (!isDotenvName(name)) {
    throw refusal(
      as === undefined
        ? "has a #KEY that no variable can be named after: name the variable with ?as=NAME"
        : "has an as that is not the name of a variable",
      uri,
    );
  }
  return { key, name };
}

function parseVersion(text: string, uri: string): number {
  // Vault takes 0 for the newest.
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw refusal("has a version that is not a number from 1", uri);
}

function parseFlatten(text: string, uri: string): string {
  if (/^\w{1,8}$/.test(text)) return text;
  throw refusal("has a flatten that is not made of letters, digits and _", uri);
}

/** The URI as people know it. */
export function formatVaultUri({ mount, path, version, pick, flatten }: VaultRef): string {
  const parameters = [
    ...(version === undefined ? [] : [`version=${version}`]),
    ...(pick === undefined || pick.name === pick.key ? [] : [`as=${pick.name}`]),
    ...(flatten === undefined ? [] : [`flatten=${flatten}`]),
  ];
  const query = parameters.length === 0 ? "" : `?${parameters.join("&")}`;
  const key = pick === undefined ? "" : `#${pick.key}`;
  return `vault://${mount.replaceAll("/", "%2F")}/${path}${query}${key}`;
}

function refusal(what: string, uri?: string): SealexecError {
  const named = uri === undefined ? "the source URI" : uri.slice(0, 200);
  return new SealexecError("usage", `${named}: ${what}`, { hint: `the form is ${FORM}` });
}

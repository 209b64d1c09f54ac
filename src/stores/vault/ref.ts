import { defined } from "../../base/defined.ts";
import { isDotenvName } from "../../text/dotenv/name.ts";
import { OPTIONS_FORM } from "../uri.ts";
import type { Grammar, ParsedUri, Refuse } from "../uri.ts";

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

type Parameter = "version" | "as" | "flatten";

export const VAULT_GRAMMAR: Grammar<Parameter> = {
  prefix: "vault://",
  form: `vault://MOUNT/PATH[?version=N][&as=NAME][&flatten=_]${OPTIONS_FORM}[#KEY]`,
  parameters: ["version", "as", "flatten"],
  query: "first",
  key: "first",
};

const LONGEST_BYTES = 1_024;

/** The mount ends at the first slash; its own are %2F (`vault://team%2Fkv/app`). Nothing else is decoded. */
export function vaultRef({ uri, address, key, parameters, refuse }: ParsedUri<Parameter>): VaultRef {
  if (Buffer.byteLength(uri) > LONGEST_BYTES) throw refuse("is longer than 1,024 bytes");
  const slash = address.indexOf("/");
  const [encoded, path] = slash === -1 ? [address] : [address.slice(0, slash), address.slice(slash + 1)];
  const mount = (encoded ?? "").replace(/%2f/gi, "/");
  if (mount.includes("%")) throw refuse("has a % in its mount that is not %2F");
  if (!isPath(mount)) throw refuse("has no valid mount");
  if (path === undefined || !isPath(path)) throw refuse("has no valid path");
  const { version, as, flatten } = parameters;
  const pick = pickOf(key, as, refuse);
  if (pick !== undefined && flatten !== undefined) throw refuse("has both #KEY and flatten");
  // Vault takes 0 for the newest.
  if (version !== undefined && !/^[1-9]\d{0,8}$/.test(version))
    throw refuse("has a version that is not a number from 1");
  if (flatten !== undefined && !/^\w{1,8}$/.test(flatten))
    throw refuse("has a flatten that is not made of letters, digits and _");
  const number = version === undefined ? undefined : Number(version);
  return { mount, path, ...defined({ version: number, pick, flatten }) };
}

// HTTP clients and proxies normalise dots and double slashes away, and another secret would be read.
function isPath(text: string): boolean {
  return !/^\s|\s$/.test(text) && text.split("/").every((part) => !["", ".", ".."].includes(part));
}

function pickOf(key: string | undefined, as: string | undefined, refuse: Refuse): VaultRef["pick"] {
  if (key === undefined) {
    if (as !== undefined) throw refuse("has as without #KEY");
    return undefined;
  }
  if (key === "") throw refuse("has an empty #KEY");
  if (key.includes("?")) throw refuse("has parameters behind its #KEY, and they go before it");
  const name = as ?? key;
  if (isDotenvName(name)) return { key, name };
  throw refuse(
    as === undefined
      ? "has a #KEY that no variable can be named after: name the variable with ?as=NAME"
      : "has an as that is not the name of a variable",
  );
}

/** The URI as people know it. */
export function formatVaultUri({ mount, path, version, pick, flatten }: VaultRef): string {
  const as = pick?.name === pick?.key ? undefined : pick?.name;
  const pairs = Object.entries(defined({ version, as, flatten })).map(([name, value]) => `${name}=${value}`);
  const query = pairs.length === 0 ? "" : `?${pairs.join("&")}`;
  const key = pick === undefined ? "" : `#${pick.key}`;
  return `vault://${mount.replaceAll("/", "%2F")}/${path}${query}${key}`;
}

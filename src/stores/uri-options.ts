/** The options that one source has in its URI, of whichever store: taken out of it before the store's own parser reads it. Pure. */
import { SealexecError } from "../base/errors.ts";
import type { Acceptance, EncryptionContext } from "../envelope/index.ts";
import { elements, parseNames } from "../text/names.ts";
import { parseAccept, parseContext } from "./sealed-options.ts";

/** What holds for one source, beside what the options of the command line say for all. */
export interface UriOptions {
  /** names that this source may set, although they are refused by default */
  readonly allow?: ReadonlySet<string>;
  /** what else of it may be opened; of what is sealed only */
  readonly accept?: readonly Acceptance[];
  /** the encryption context that must be there, in the place of the one that the command line says; of what is sealed only */
  readonly context?: EncryptionContext;
}

const CONTEXT = "?context= of the source URI";

/** Each option: how its text is read, which is never empty here. Nothing in a URI is decoded. */
const OPTIONS = {
  allow: (text) => new Set(parseNames("?allow= of the source URI", [text])),
  accept: (text) => parseAccept([text], "?accept= of the source URI"),
  context: (text) => parseContext(elements(CONTEXT, text), CONTEXT),
} satisfies { readonly [Name in keyof UriOptions]-?: (text: string) => UriOptions[Name] };

type Name = keyof typeof OPTIONS;

/** How messages show them at the end of the form of a URI. */
export const OPTIONS_FORM = "[&allow=NAME,...]";
/** The same of what is sealed. */
export const SEALED_OPTIONS_FORM = `[&accept=FORMATS][&context=K=V,...]${OPTIONS_FORM}`;

const SEALED_SCHEMES = /^(?:s3|file):/;
const SEALED_ONLY = ["accept", "context"] as const;

/** For whoever looks for the one that was meant. */
export const OPTION_NAMES: readonly string[] = Object.keys(OPTIONS);

const NAMES = OPTION_NAMES.join("|");
const OWN_PAIR = new RegExp(`^(${NAMES})(?:=(.*))?$`, "s");
/** An option behind a "?" that does not begin the parameters; and behind #KEY. */
const ASTRAY = new RegExp(`\\?(?:${NAMES})=`);
const ASTRAY_IN_FRAGMENT = new RegExp(`[?&](?:${NAMES})=`);

/** Where the parameters of a scheme begin, and what follows them. */
interface Query {
  /** which "?" begins them, the first or the last; `known`: the last, where nothing but known parameters is behind it */
  readonly from: "first" | "last" | "known";
  /** which "#" ends them */
  readonly until?: "first" | "last";
}

const QUERIES: Readonly<Record<string, Query>> = {
  s3: { from: "last" },
  // A path is taken as it is, question marks and all.
  file: { from: "known" },
  secretsmanager: { from: "first", until: "first" },
  ssm: { from: "first" },
  vault: { from: "first", until: "first" },
  "env-file": { from: "last" },
  dir: { from: "last" },
  "json-file": { from: "last", until: "last" },
};

/** What a query of `file:` may hold beside the options. */
const FILE_PAIR = /^(?:format|name)=/;

/**
 * Takes the options out of a URI.
 *
 * @returns the URI as the store is to read it, and the options
 * @throws "usage", with no more of the URI than the name of an option
 */
export function takeOptions(uri: string): { readonly uri: string; readonly options: UriOptions } {
  const shape = queryOf(uri);
  if (shape === undefined) return { uri, options: {} };
  const { before, query, fragment } = splitUri(uri, shape);
  // All else is the store's to judge; an option must not silently be part of a path or of a key.
  if (ASTRAY.test(before)) throw refusal('has a "?" behind its parameters');
  if (ASTRAY_IN_FRAGMENT.test(fragment)) throw refusal("has its parameters behind #KEY: they come before it");
  const pairs = query.split("&");
  const own = pairs.filter((pair) => OWN_PAIR.test(pair));
  if (own.length === 0) return { uri, options: {} };
  const rest = pairs.filter((pair) => !own.includes(pair)).join("&");
  // Where an earlier "?" is part of a key or a path, the last one goes on saying so.
  const question = rest !== "" || (shape.from === "last" && before.includes("?")) ? "?" : "";
  const options = readOptions(own);
  const stray = SEALED_ONLY.find((name) => options[name] !== undefined);
  if (stray !== undefined && !SEALED_SCHEMES.test(uri)) {
    throw refusal(`has ${stray}, which is for what is sealed: s3: and file:`);
  }
  return { uri: before + question + rest + fragment, options };
}

function queryOf(uri: string): Query | undefined {
  const scheme = /^([a-z][a-z0-9-]*):/.exec(uri)?.[1] ?? "";
  return Object.hasOwn(QUERIES, scheme) ? QUERIES[scheme] : undefined;
}

interface Parts {
  readonly before: string;
  /** without its "?" */
  readonly query: string;
  /** with its "#" */
  readonly fragment: string;
}

function splitUri(uri: string, { from, until }: Query): Parts {
  const hash = until === undefined ? -1 : indexOf(uri, "#", until);
  const [address, fragment] = hash === -1 ? [uri, ""] : [uri.slice(0, hash), uri.slice(hash)];
  const question = indexOf(address, "?", from === "first" ? "first" : "last");
  const query = question === -1 ? "" : address.slice(question + 1);
  const isKnown = query.split("&").every((pair) => OWN_PAIR.test(pair) || FILE_PAIR.test(pair));
  return question === -1 || (from === "known" && !isKnown)
    ? { before: address, query: "", fragment }
    : { before: address.slice(0, question), query, fragment };
}

function readOptions(pairs: readonly string[]): UriOptions {
  const texts = new Map<Name, string>();
  for (const pair of pairs) {
    const [, name = "", text = ""] = OWN_PAIR.exec(pair) ?? [];
    const known = name as Name;
    if (texts.has(known)) throw refusal(`has ${name} twice`);
    if (text.split(",").some((word) => word.trim() === "")) throw refusal(`has an empty ${name}`);
    texts.set(known, text);
  }
  return Object.fromEntries([...texts].map(([name, text]) => [name, OPTIONS[name](text)]));
}

function indexOf(text: string, mark: string, which: "first" | "last"): number {
  return which === "first" ? text.indexOf(mark) : text.lastIndexOf(mark);
}

function refusal(what: string): SealexecError {
  return new SealexecError("usage", `the source URI: ${what}`, {
    hint: "options of one source are parameters of its URI, such as s3://BUCKET/KEY?allow=NAME,NAME",
  });
}

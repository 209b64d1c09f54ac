/** One parser for the URIs of all stores. What a store's look like is its grammar. Pure; nothing in a URI is decoded. */
import { SealexecError } from "../base/errors.ts";
import { nearest } from "../base/nearest.ts";
import type { Acceptance, EncryptionContext } from "../envelope/index.ts";
import { DIALECTS } from "../text/dialect.ts";
import type { Dialect } from "../text/dialect.ts";
import { elements, parseNames } from "../text/names.ts";
import { parseAccept, parseContext } from "./sealed-options.ts";

/** What the URIs of one scheme look like: PREFIX ADDRESS [? PARAMETERS] [# KEY]. */
export interface Grammar<Name extends string = string> {
  /** `s3://`, `file:` */
  readonly prefix: string;
  /** for hints */
  readonly form: string;
  readonly parameters: readonly Name[];
  /** those of the parameters that take no value */
  readonly flags?: readonly Name[];
  /** which "?" begins the parameters; `known`: the last, if known ones follow it, as a path is taken question marks and all */
  readonly query: "first" | "last" | "known";
  /** which "#" begins the key; absent: there is no key */
  readonly key?: "first" | "last";
  /** it may say what is accepted, and the encryption context */
  readonly sealed?: true;
}

export interface ParsedUri<Name extends string = string> {
  /** the same without its options: the name of the source, for people */
  readonly uri: string;
  readonly address: string;
  /** each known, there once, and not empty; the text of a flag is empty */
  readonly parameters: Partial<Readonly<Record<Name, string>>>;
  readonly key: string | undefined;
  readonly options: UriOptions;
  readonly refuse: Refuse;
}

/** A "usage" error that names the URI, what is wrong with it, and the form. */
export type Refuse = (what: string) => SealexecError;

/** What holds for one source of whichever store, beside what the options of the command line say for all. */
export interface UriOptions {
  /** names that this source may set, although they are refused by default */
  readonly allow?: ReadonlySet<string>;
  /** what else of it may be opened */
  readonly accept?: readonly Acceptance[];
  /** the encryption context that must be there, in the place of the one that the command line says */
  readonly context?: EncryptionContext;
}

const CONTEXT = "?context= of the source URI";

/** How the text of each option is read, which is never empty here. */
const OPTIONS = {
  allow: (text) => new Set(parseNames("?allow= of the source URI", [text])),
  accept: (text) => parseAccept([text], "?accept= of the source URI"),
  context: (text) => parseContext(elements(CONTEXT, text), CONTEXT),
} satisfies { readonly [Name in keyof UriOptions]-?: (text: string) => UriOptions[Name] };

const SEALED_ONLY = ["accept", "context"] as const;
const OPTION_NAMES = Object.keys(OPTIONS) as readonly (keyof UriOptions)[];

/** How forms show the options that any source may have. */
export const OPTIONS_FORM = "[&allow=NAME,...]";
/** The same of what is sealed. */
export const SEALED_OPTIONS_FORM = `[&accept=FORMATS][&context=K=V,...]${OPTIONS_FORM}`;

const OPTION = new RegExp(`^(?:${OPTION_NAMES.join("|")})(?:=|$)`);
const OPTION_IN_ADDRESS = new RegExp(`\\?(?:${OPTION_NAMES.join("|")})=`);
const OPTION_IN_KEY = new RegExp(`[?&](?:${OPTION_NAMES.join("|")})=`);
// A control character in a name is a mistake, or an attack on a terminal, a log or a header.
const CONTROL = /\p{Cc}/u;
const SECOND_URI = /\s(?:(?:s3|secretsmanager|ssm|vault):\/\/|(?:env-file|dir|json-file):)/;
// Nothing is decoded, so that an encoded blank would be sent as it is.
const BLANK = /^(?:[\s,]|%(?:09|20|2c))*$/i;

/** @throws "usage", naming what is wrong; of a URI that may be anything, nothing is repeated */
export function parseUri<Name extends string>(uri: string, grammar: Grammar<Name>): ParsedUri<Name> {
  const { prefix, form } = grammar;
  const hint = `the form is ${form}`;
  const unnamed: Refuse = (what) =>
    new SealexecError("usage", `the ${prefix.replace("//", "")} URI: ${what}`, { hint });
  if (CONTROL.test(uri)) throw unnamed("has a control character");
  if (!uri.isWellFormed()) throw unnamed("is not valid Unicode text");
  if (!uri.startsWith(prefix)) throw unnamed(`does not begin with ${prefix}`);
  if (grammar.query !== "known" && SECOND_URI.test(uri))
    throw new SealexecError("usage", "two URIs in one", { hint: "repeat --from for each" });
  const { address, query, key } = split(uri.slice(prefix.length), grammar);
  // An option must not silently be part of a path or of a key.
  if (OPTION_IN_ADDRESS.test(address)) throw optionRefusal('has a "?" behind its parameters');
  if (OPTION_IN_KEY.test(key ?? ""))
    throw optionRefusal("has its parameters behind #KEY: they come before it");
  const pairs = query === undefined ? [] : query.split("&");
  const options = parseOptions(pairs, grammar.sealed ?? false);
  const rest = pairs.filter((pair) => !OPTION.test(pair));
  const text = rest.join("&");
  // After the last "?" there may be nothing: it says that an earlier one is part of the name.
  const mark = text !== "" || (grammar.query === "last" && address.includes("?")) ? "?" : "";
  const named = prefix + address + mark + text + (key === undefined ? "" : `#${key}`);
  const refuse: Refuse = (what) => new SealexecError("usage", `${named.slice(0, 200)}: ${what}`, { hint });
  const isBare = rest.length === 0 || (query === "" && grammar.query === "last");
  const parameters = isBare ? {} : parseParameters(rest, grammar, refuse);
  return { uri: named, address, parameters, key, options, refuse };
}

function split(text: string, grammar: Grammar) {
  const [before, key] = cut(text, "#", grammar.key);
  const [address, query] = cut(before, "?", grammar.query === "first" ? "first" : "last");
  return grammar.query === "known" && !isKnown(query ?? "", grammar.parameters)
    ? { address: before, query: undefined, key }
    : { address, query, key };
}

/** What comes before the separator, and what after it; undefined: there is none. */
function cut(text: string, separator: string, which?: "first" | "last"): [string, string | undefined] {
  const at = which === "first" ? text.indexOf(separator) : text.lastIndexOf(separator);
  return which === undefined || at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function isKnown(query: string, parameters: readonly string[]): boolean {
  const isParameter = (pair: string): boolean => parameters.some((name) => pair.startsWith(`${name}=`));
  const pairs = query.split("&");
  return isParameter(pairs[0] ?? "") || pairs.every((pair) => isParameter(pair) || OPTION.test(pair));
}

function parseParameters<Name extends string>(
  pairs: readonly string[],
  { parameters, flags = [] }: Grammar<Name>,
  refuse: Refuse,
): ParsedUri<Name>["parameters"] {
  const found: Partial<Record<Name, string>> = {};
  for (const pair of pairs) {
    const [written, value] = cut(pair, "=", "first");
    const name = parameters.find((known) => known === written);
    if (name === undefined) throw unknownParameter(written, parameters, refuse);
    if (found[name] !== undefined) throw refuse(`has ${name} twice`);
    if (flags.includes(name)) {
      if (value !== undefined) throw refuse(`has a value for ${name}, which takes none`);
    } else if (BLANK.test(value ?? "")) throw refuse(`has an empty ${name}`);
    found[name] = value ?? "";
  }
  return found;
}

function unknownParameter(written: string, names: readonly string[], refuse: Refuse): SealexecError {
  // Only what is plainly a name is repeated.
  const shown = /^[a-z][a-zA-Z]{0,19}$/.test(written) ? `: ${written}` : "";
  const error = refuse(`has a parameter other than ${names.join(", ")}${shown}`);
  const near = nearestParameter(written, names);
  return near === undefined ? error : error.hinting(`${near} ${error.hint ?? ""}`);
}

/** For a hint: `did you mean region?`; undefined: none is near. */
export function nearestParameter(written: string, names: readonly string[]): string | undefined {
  const near = nearest(written, [...names, ...OPTION_NAMES]);
  return near === undefined ? undefined : `did you mean ${near}?`;
}

function parseOptions(pairs: readonly string[], isSealed: boolean): UriOptions {
  const texts = new Map<keyof UriOptions, string>();
  for (const pair of pairs.filter((each) => OPTION.test(each))) {
    const [written, text = ""] = cut(pair, "=", "first");
    const name = written as keyof UriOptions;
    if (texts.has(name)) throw optionRefusal(`has ${name} twice`);
    if (text.split(",").some((word) => word.trim() === "")) throw optionRefusal(`has an empty ${name}`);
    texts.set(name, text);
  }
  const stray = isSealed ? undefined : SEALED_ONLY.find((name) => texts.has(name));
  if (stray !== undefined) throw optionRefusal(`has ${stray}, which is for what is sealed: s3: and file:`);
  return Object.fromEntries([...texts].map(([name, text]) => [name, OPTIONS[name](text)]));
}

function optionRefusal(what: string): SealexecError {
  const hint = "options of one source are parameters of its URI, such as s3://BUCKET/KEY?allow=NAME,NAME";
  return new SealexecError("usage", `the source URI: ${what}`, { hint });
}

/** What `?format=` says of a text; undefined: nothing. */
export function parseFormat(format: string | undefined, refuse: Refuse): Dialect | undefined {
  const dialect = DIALECTS.find((known) => known === format);
  if (format !== undefined && dialect === undefined)
    throw refuse(`has a format other than ${DIALECTS.join(", ")}`);
  return dialect;
}

/** A flat JSON object as variables: what Secrets Manager, Vault and JSON files hold. */
import { decodeUtf8 } from "./dotenv/decode.ts";
import { isDotenvName } from "./dotenv/name.ts";
import { SealexecError } from "../base/errors.ts";
import { Secret, type Variables } from "../base/secret.ts";
import { SizedVariables, type SizeLimit } from "../base/start-size.ts";
import { JsonLiteral, scanJson, type JsonObject } from "./json-scan.ts";
import { carriedText } from "./carried.ts";

export interface JsonOptions {
  /** joins the names of nested objects (`{"db":{"host":1}}` → `db_host`); absent: they are refused */
  readonly flatten?: string;
  /** takes this key only: one variable of its name, or where it is an object, the variables in it */
  readonly key?: string;
  /** what a program can be started with */
  readonly limit?: SizeLimit;
}

/** Strings as they are, numbers and booleans as they are written. Messages have names only. */
export function parseJson(bytes: Uint8Array, options: JsonOptions = {}): Variables {
  return variablesOf(parseObject(bytes, options.limit), options);
}

export function pickJson(bytes: Uint8Array, key: string): Secret {
  const object = parseObject(bytes);
  for (const [name, value] of entriesOf(object)) {
    if (name === key) return new Secret(textOf(JSON.stringify(key.slice(0, 80)), value));
  }
  throw noKey(key);
}

function noKey(key: string): SealexecError {
  return new SealexecError("missing", `no key ${JSON.stringify(key.slice(0, 80))} in the JSON object`, {
    hint: "upper and lower case differ; the key is one of the outermost object",
  });
}

/** One JSON object of strings, in the order of the variables; `parseJson` reads it back. */
export function printJson(variables: Variables): string {
  return JSON.stringify(Object.fromEntries([...variables].map(([name, value]) => [name, value.reveal()])));
}

function parseObject(bytes: Uint8Array, limit?: SizeLimit): AnyObject {
  const value = scanJson(decodeUtf8(bytes).replace(/^\uFEFF/, ""), limit);
  if (isObject(value)) return value;
  throw new SealexecError("data", "not a JSON object", { hint: 'the form is {"NAME": "value", …}' });
}

/** An object of JSON, as scanned or as a program has it. */
type AnyObject = JsonObject | Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is AnyObject {
  return (
    typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof JsonLiteral)
  );
}

function entriesOf(object: AnyObject): Iterable<[string, unknown]> {
  return object instanceof Map ? object : Object.entries(object);
}

/** The same of an object that is there already. */
export function variablesOf(object: AnyObject, { flatten, key, limit }: JsonOptions = {}): Variables {
  const variables = new SizedVariables(limit);
  collect(key === undefined ? object : chosen(object, key), "", flatten, variables);
  return variables.all;
}

function chosen(object: AnyObject, key: string): AnyObject {
  for (const [name, value] of entriesOf(object)) {
    if (name === key) return isObject(value) ? value : new Map([[name, value]] as [string, never][]);
  }
  throw noKey(key);
}

function collect(
  object: AnyObject,
  prefix: string,
  flatten: string | undefined,
  variables: SizedVariables,
): void {
  for (const [key, value] of entriesOf(object)) {
    const name = prefix + key;
    if (isObject(value) && flatten !== undefined) {
      collect(value, name + flatten, flatten, variables);
      continue;
    }
    if (!isDotenvName(name)) {
      throw new SealexecError("data", `${JSON.stringify(name.slice(0, 80))} is not the name of a variable`, {
        hint: "letters, digits and _ only, not beginning with a digit",
      });
    }
    if (variables.has(name)) throw new SealexecError("data", `${name} is there twice`);
    variables.set(name, textOf(name, value));
  }
}

function textOf(name: string, value: unknown): string {
  if (value instanceof JsonLiteral) return value.text;
  // What JSON.parse could not keep: JSON.stringify would write another number, or null.
  const isKept = (number: number): boolean =>
    Number.isSafeInteger(number) || (number % 1 !== 0 && Number.isFinite(number));
  if (typeof value === "number" && !isKept(value)) {
    const hint = "make it a string";
    throw new SealexecError("data", `${name} is a number with more digits than are kept`, { hint });
  }
  if (typeof value === "number" || typeof value === "boolean") return JSON.stringify(value);
  if (typeof value !== "string") {
    throw new SealexecError("data", `${name} is ${value === null ? "null" : "a nested value"}, not a text`, {
      hint: "make it a string, or name one key with #KEY, or join nested names with ?flatten=_",
    });
  }
  return carriedText(name, value);
}

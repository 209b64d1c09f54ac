/** A flat JSON object as variables: what Secrets Manager, Vault and JSON files hold. */
import { isDotenvName } from "../dotenv/name.ts";
import { SealexecError } from "../errors.ts";
import { Secret } from "../secret.ts";
import type { Variables } from "../secret.ts";

export interface JsonOptions {
  /** joins the names of nested objects (`{"db":{"host":1}}` → `db_host`); absent: nested values are refused */
  readonly flatten?: string;
}

/**
 * Strings as they are, numbers and booleans as JSON writes them.
 *
 * @param bytes UTF-8 text of one JSON object
 * @throws SealexecError "data": not a JSON object, a name that no variable can have, a null, a nested value; names only
 */
export function parseJson(bytes: Uint8Array, options: JsonOptions = {}): Variables {
  return variablesOf(parseObject(bytes), options);
}

/** The same of an object that is there already. */
export function variablesOf(object: Readonly<Record<string, unknown>>, options: JsonOptions = {}): Variables {
  const variables = new Map<string, Secret>();
  collect(object, "", options, variables);
  return variables;
}

/**
 * The text of one key of a JSON object.
 *
 * @throws SealexecError "missing" where there is no such key; "data" as `parseJson`
 */
export function pickJson(bytes: Uint8Array, key: string): Secret {
  const object = parseObject(bytes);
  const shown = JSON.stringify(key.slice(0, 80));
  if (Object.hasOwn(object, key)) return new Secret(textOf(shown, object[key]));
  throw new SealexecError("missing", `no key ${shown} in the JSON object`, {
    hint: "check #KEY: names of keys are case-sensitive",
  });
}

/** One JSON object of strings, in the order of the variables; `parseJson` reads it back. */
export function printJson(variables: Variables): string {
  return JSON.stringify(Object.fromEntries([...variables].map(([name, value]) => [name, value.reveal()])));
}

function collect(
  object: Readonly<Record<string, unknown>>,
  prefix: string,
  { flatten }: JsonOptions,
  variables: Map<string, Secret>,
): void {
  for (const [key, value] of Object.entries(object)) {
    const name = prefix + key;
    if (typeof value === "object" && value !== null && !Array.isArray(value) && flatten !== undefined) {
      collect(value as Record<string, unknown>, name + flatten, { flatten }, variables);
      continue;
    }
    if (!isDotenvName(name)) {
      throw new SealexecError("data", `${JSON.stringify(name.slice(0, 80))} is not the name of a variable`, {
        hint: "letters, digits and _ only, not beginning with a digit",
      });
    }
    if (variables.has(name)) throw new SealexecError("data", `${name} is there twice`);
    variables.set(name, new Secret(textOf(name, value)));
  }
}

function textOf(name: string, value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean") return JSON.stringify(value);
  throw new SealexecError("data", `${name} is ${value === null ? "null" : "a nested value"}, not a text`, {
    hint: "make it a string, or name one key with #KEY, or join nested names with ?flatten=_",
  });
}

function parseObject(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      return value as Record<string, unknown>;
    }
  } catch {
    // Its message would quote the text.
  }
  throw new SealexecError("data", "not a JSON object", { hint: 'the form is {"NAME": "value", …}' });
}

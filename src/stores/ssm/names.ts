import { carriedText } from "../../text/carried.ts";
import { isDotenvName } from "../../text/dotenv/name.ts";
import { SealexecError } from "../../base/errors.ts";
import { Secret } from "../../base/secret.ts";
import type { Variables } from "../../base/secret.ts";

/** A parameter with its value in the clear. */
export interface Parameter {
  /** with its path */
  readonly name: string;
  readonly value: string;
}

/** The variable of a parameter, as chamber names it: its last part in upper case, with `_` for `-` and `.`. */
export function variableName(parameter: string): string {
  return lastPart({ name: parameter }).toUpperCase().replaceAll(/[-.]/g, "_");
}

export function lastPart({ name }: Pick<Parameter, "name">): string {
  return name.slice(name.lastIndexOf("/") + 1);
}

/** Variable → last part of its parameter. `pickOne`: of several, best the one spelled so; else "data". */
export function spellingsOf(
  parameters: readonly Pick<Parameter, "name">[],
  pickOne: boolean,
): ReadonlyMap<string, string> {
  const spellings = new Map<string, string>();
  for (const part of parameters.map(lastPart)) {
    const variable = variableName(part);
    const other = spellings.get(variable);
    if (other !== undefined && !pickOne) {
      const says = `${other} and ${part} both give ${variable}: nothing can read this path`;
      throw new SealexecError("data", says, {
        hint: "delete one of them, or push with --replace, which leaves only what the file has; nothing was written",
      });
    }
    if (other === undefined || part === variable) spellings.set(variable, part);
  }
  return spellings;
}

/** Parameters as variables, in their order. What cannot be one is "data", by name only. */
export function variablesOf(parameters: readonly Parameter[]): Variables {
  const variables = new Map<string, Secret>();
  const origins = new Map<string, string>();
  for (const { name: parameter, value } of parameters) {
    const name = variableName(parameter);
    if (!isDotenvName(name)) {
      throw new SealexecError("data", `${parameter}: ${JSON.stringify(name)} is not the name of a variable`, {
        hint: "its last part must begin with a letter: rename it, or move it to another path",
      });
    }
    const other = origins.get(name);
    if (other !== undefined) {
      throw new SealexecError("data", `${other} and ${parameter} both give ${name}`, {
        hint: "rename one of them, or read their paths one by one: a later --from wins",
      });
    }
    origins.set(name, parameter);
    variables.set(name, new Secret(carriedText(parameter, value)));
  }
  return variables;
}

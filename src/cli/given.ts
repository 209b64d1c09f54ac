/** What was given, before any of it is read: flags and variables of every command. */
import type { Environment } from "../base/env.ts";
import { SealexecError } from "../base/errors.ts";
import { SWITCHES, VARIABLES } from "./table.ts";

export const PREFIX = "SEALEXEC_";

/** What Kubernetes sets for each service of a namespace: one may have our name, or begin with it. */
const OF_SERVICE =
  /^SEALEXEC_(?:\w+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?)$/;

/** Nothing but what stands between the items of a list. */
const EMPTY = /^[\s,]*$/;

// What is given empty meant something: a pin or a list that silently goes missing weakens what was asked for.
/** @returns the variables that look like ours and are not */
export function checkGiven(flags: object, env: Environment): string[] {
  for (const [name, value] of Object.entries(flags)) {
    const texts: readonly unknown[] = Array.isArray(value) ? value : [value];
    if (!texts.some((text) => typeof text === "string" && EMPTY.test(text))) continue;
    throw new SealexecError("usage", `${optionOf(name)} is given empty`, {
      hint: "give it a value, or leave it out",
    });
  }
  const [known, unknown]: [string[], string[]] = [[], []];
  for (const name of ownVariables(env)) (VARIABLES.has(name) ? known : unknown).push(name);
  for (const name of known) {
    if (!EMPTY.test(env[name] ?? "")) continue;
    throw new SealexecError("usage", `${name} is set, but empty`, {
      hint: `unset it, or give it a value: "ENV ${name}=" in a Dockerfile sets it to nothing`,
    });
  }
  for (const { variable: name } of SWITCHES) {
    const value = env[name] ?? "0";
    if (value !== "1" && value !== "0") throw new SealexecError("usage", `${name} is neither 1 nor 0`);
  }
  return unknown;
}

/** What begins as our variables do, in either case. */
function ownVariables(env: Environment): string[] {
  return Object.keys(env).filter(
    (name) => name.slice(0, PREFIX.length).toUpperCase() === PREFIX && !OF_SERVICE.test(name),
  );
}

/** `minRevision` → `--min-revision` */
function optionOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

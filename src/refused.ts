/** Whether a source may set a name, by the table in refused-names.ts. */
import { SealexecError } from "./errors.ts";
import { ANY_CASE_NAMES, ORDINARY_NAMES, REFUSED_GROUPS } from "./refused-names.ts";
import type { Variables } from "./secret.ts";

const ordinary = new Set(ORDINARY_NAMES.split(" "));
const all = REFUSED_GROUPS.flatMap(({ names }) => names.split(/\s+/));
const exact = new Set(all.filter((name) => !name.endsWith("*")));
const prefixed = new RegExp(
  `^(?:${all.flatMap((name) => (name.endsWith("*") ? [name.slice(0, -1)] : [])).join("|")})`,
);
const anyCase = new RegExp(
  ANY_CASE_NAMES.split(" ")
    .map((name) => (name.endsWith("*") ? `^${name.slice(0, -1)}` : `^${name}$`))
    .join("|"),
  "i",
);

/** Whether a source may not set `name` unless it is allowed by name. */
export function isRefusedName(name: string): boolean {
  return exact.has(name) || ((prefixed.test(name) || anyCase.test(name)) && !ordinary.has(name));
}

/** What a refused name does, to follow "it"; undefined: it is not refused. */
export function reasonOf(name: string): string | undefined {
  if (!isRefusedName(name)) return undefined;
  const folded = anyCase.test(name) ? name.toUpperCase() : name;
  return REFUSED_GROUPS.find(({ names }) =>
    names
      .split(/\s+/)
      .some((known) => (known.endsWith("*") ? folded.startsWith(known.slice(0, -1)) : folded === known)),
  )?.reason;
}

/** @throws "data", naming the names */
export function refuseNames(variables: Variables, allow: ReadonlySet<string>): void {
  const refused = [...variables.keys()].filter((name) => isRefusedName(name) && !allow.has(name));
  const [first] = refused;
  if (first === undefined) return;
  throw new SealexecError(
    "data",
    `it sets ${refused.join(", ")}, which changes how programs load or run code, or whom they trust`,
    {
      hint: `${first} ${reasonOf(first)}; if that is meant, allow it by name: --allow ${refused.join(",")} (SEALEXEC_ALLOW)`,
    },
  );
}

/** What a push would change, by name. */
import type { Secret, Variables } from "../base/secret.ts";

/** Names of variables, each list sorted. */
export interface Changes {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
}

/** What a push would make of what is there. */
export interface Comparison {
  /** undefined: it could not be opened, or not be compared */
  readonly changes: Changes | undefined;
  /** why */
  readonly why?: string;
  /** what a push would change beside the variables, to follow "would" */
  readonly otherwise?: readonly string[];
  /** an old version in the place of a newer one */
  readonly isPutBack?: boolean;
}

/** A message shows no more names than this of each list. */
const MOST_NAMES = 50;

export function changesBetween(before: Variables, after: Variables): Changes {
  const names = [...after.keys()];
  return {
    added: names.filter((name) => !before.has(name)).toSorted(),
    changed: names.filter((name) => isChanged(before.get(name), after.get(name))).toSorted(),
    removed: [...before.keys()].filter((name) => !after.has(name)).toSorted(),
  };
}

function isChanged(before: Secret | undefined, after: Secret | undefined): boolean {
  return before !== undefined && after !== undefined && !before.equals(after);
}

/** For a message: `this push would add A, B; change C; remove D; seal it as v3, not v2`. */
export function describeChanges({ changes, why = "", otherwise = [], isPutBack }: Comparison): string {
  if (changes === undefined)
    return `what is there cannot be compared with the file${why === "" ? "" : `: ${why}`}`;
  const parts = Object.entries({ add: changes.added, change: changes.changed, remove: changes.removed });
  const said = parts.filter(([, names]) => names.length > 0).map(([verb, names]) => `${verb} ${list(names)}`);
  const all = [...(said.length === 0 ? ["change no variable"] : said), ...otherwise];
  return `${isPutBack === true ? "an old version that was put back; " : ""}this push would ${all.join("; ")}`;
}

/** Names for a message, not too many of them. */
export function list(names: readonly string[]): string {
  const more = names.length > MOST_NAMES ? ` and ${names.length - MOST_NAMES} more` : "";
  return `${names.slice(0, MOST_NAMES).join(", ")}${more}`;
}

export function isNoChange({ added, changed, removed }: Changes): boolean {
  return added.length + changed.length + removed.length === 0;
}

/** Variables that look like ours and are not. Loaded where there is one. */
import type { Logger } from "../logger.ts";
import { PREFIX, VARIABLES } from "../variables.ts";

/** More slips than that are another word: one in three letters, and never more than three. */
function mostSlips(word: string): number {
  return Math.min(3, Math.floor(word.length / 3));
}

/** Warns of each, by name: it could be meant for CMD, so it is no error. */
export function warnUnknown(names: readonly string[], command: string, log: Logger): void {
  for (const name of names) {
    const near = nearest(name);
    log.warn(
      `${name} is no variable of sealexec`,
      near === undefined ? `sealexec help ${command} names those that there are` : `did you mean ${near}?`,
      { code: "unknown-variable", target: name },
    );
  }
}

/** The variable of ours that a slip of the hand makes of `name`; undefined: none is near. */
export function nearest(name: string): string | undefined {
  const [best] = [...VARIABLES]
    .map((known) => ({ known, slips: distance(name.toUpperCase(), known) }))
    .filter(({ known, slips }) => slips <= mostSlips(known.slice(PREFIX.length)))
    .toSorted((a, b) => a.slips - b.slips);
  return best?.known;
}

/** How many letters are wrong, missing, too many or swapped with the next one (optimal string alignment). */
function distance(a: string, b: string): number {
  let [before, last]: [number[], number[]] = [[], Array.from({ length: b.length + 1 }, (_, at) => at)];
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1];
      const swapped = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      current[column] = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (same ? 0 : 1),
        swapped ? (before[column - 2] ?? 0) + 1 : Infinity,
      );
    }
    [before, last] = [last, current];
  }
  return last[b.length] ?? 0;
}

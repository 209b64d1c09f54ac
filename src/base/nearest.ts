/** The one of `known` that a slip makes `word` of, in any case of letters; undefined: none is near. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  if (word.length > 60) return undefined;
  const [best] = known
    .map((name) => ({ name, slips: distance(word.toLowerCase(), name.toLowerCase()) }))
    // More slips are another word: one in three letters, and never more than three.
    .filter(({ name, slips }) => slips <= Math.min(3, Math.floor(name.length / 3)))
    .toSorted((a, b) => a.slips - b.slips);
  return best?.name;
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

/** Names, and beginnings of names (`AWS_*`). */
export interface NamePatterns {
  readonly names: ReadonlySet<string>;
  readonly prefixes: readonly string[];
}

export function matchesName({ names, prefixes }: NamePatterns, name: string): boolean {
  return names.has(name) || prefixes.some((prefix) => name.startsWith(prefix));
}

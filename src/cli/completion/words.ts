/** What stands where on the command line, for the scripts of all shells. */
import { SOURCES } from "../help.ts";
import type { CommandName, CommandRow, OptionRow } from "../table.ts";

/** What a shell offers: one of these words, a file, a URI (to write), a program; or it cannot know. */
export type Offer = readonly string[] | "file" | "uri" | "target" | "program" | "anything";

/** The beginnings of URIs: `s3://`, `file:`. */
export const URIS: readonly string[] = SOURCES.map(({ uri }) => beginning(uri));
export const TARGETS: readonly string[] = SOURCES.filter(({ writable }) => writable).map(({ uri }) =>
  beginning(uri),
);

function beginning(uri: string): string {
  return /^[a-z0-9-]+:(?:\/\/)?/.exec(uri)?.[0] ?? uri;
}

/** @returns undefined: it takes no value */
export function offerOf({ value, choices, offers }: OptionRow): Offer | undefined {
  if (value === undefined) return undefined;
  const words = choices ?? offers;
  if (words !== undefined) return words;
  return value === "FILE" ? "file" : value === "URI" ? "uri" : "anything";
}

export function offerForArgument(
  command: CommandName,
  { name, choices }: CommandRow["arguments"][number],
): Offer {
  if (choices !== undefined) return choices;
  if (name === "<uri>") return command === "push" ? "target" : "uri";
  return name.includes("cmd") ? "program" : "file";
}

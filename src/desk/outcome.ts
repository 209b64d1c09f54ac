/** What a push that ended well says, for people or as one JSON document. Names and facts, never a value. */
import { list, type Changes } from "./changes.ts";
import type { Fact, Present, State, Written } from "./target.ts";

export type PushOutcome = {
  readonly target: string;
  /** the names in the file */
  readonly variables: readonly string[];
  /** what was there before */
  readonly present: Present;
} & (
  | { readonly status: "pushed"; readonly written: Written }
  /** there was nothing to do */
  | { readonly status: "unchanged" }
);

export function printText(outcome: PushOutcome): string {
  const lines = outcome.status === "pushed" ? outcome.written.facts : factsOfSame(outcome);
  const last: Fact = [outcome.status, shortly(stateOf(outcome))];
  return [...lines, ...factsOfChange(outcome), last]
    .map(([name, value]) => `${name.padEnd(10)}${value}\n`)
    .join("");
}

/** The fields are always the same; null stands for what the target has not, or nobody could tell. */
export function printJson(outcome: PushOutcome): string {
  const { status, target, variables } = outcome;
  const { version = null, etag = null, revision = null, format = null, key = null } = stateOf(outcome);
  const { added = null, changed = null, removed = null } = changesOf(outcome) ?? {};
  const kept = outcome.status === "pushed" ? (outcome.written.kept ?? []) : [];
  const state = { version, etag, revision, format, key, variables: variables.length };
  return `${JSON.stringify({ status, target, ...state, added, changed, removed, kept })}\n`;
}

function stateOf(outcome: PushOutcome): State {
  if (outcome.status === "pushed") return outcome.written.state;
  return outcome.present.kind === "there" ? outcome.present.state : {};
}

function changesOf({ present, variables }: PushOutcome): Changes | undefined {
  switch (present.kind) {
    case "absent":
      return { added: variables.toSorted(), changed: [], removed: [] };
    case "hidden":
      return undefined;
    case "there":
    case "parts":
      return present.changes;
  }
}

/** What was replaced, by name. */
function factsOfChange({ status, present }: PushOutcome): readonly Fact[] {
  if (status === "unchanged" || present.kind !== "there" || present.changes === undefined) return [];
  const { added, changed, removed } = present.changes;
  const rows = Object.entries({ added, changed, removed });
  return rows.flatMap(([name, names]): Fact[] => (names.length === 0 ? [] : [[name, list(names)]]));
}

function factsOfSame(outcome: PushOutcome): readonly Fact[] {
  const { etag, revision } = stateOf(outcome);
  return [
    ["target", outcome.target],
    ...(etag === undefined ? [] : ([["etag", etag]] as const)),
    ...(revision === undefined ? [] : ([["revision", String(revision)]] as const)),
    ["variables", String(outcome.variables.length)],
  ];
}

function shortly({ revision, version }: State): string {
  if (revision !== undefined) return `revision ${revision}`;
  return version === undefined ? "what the file holds" : `version ${version}`;
}

/** `sealexec check --format json`: its fields stay (docs/operations.md, "The report as JSON"). */
import type { Stage, StepReport } from "../base/context.ts";
import { printable } from "../base/logger.ts";
import type { OpenedSource } from "../sources/sources.ts";
import type { Warning } from "./warnings.ts";

/** All that a check has found. */
export interface Findings {
  readonly steps: readonly StepReport[];
  /** decides which stages are shown although they were not reached */
  readonly expected: Expectation;
  /** `opened`: undefined where it could not be */
  readonly sources: readonly { readonly uri: string; readonly opened: OpenedSource | undefined }[];
  readonly warnings: readonly Warning[];
  /** a warning is a failure */
  readonly strict: boolean;
  /** how many things failed */
  readonly failures: number;
  readonly status: number;
}

/** What the sources of a check are, as far as it decides which stages there are. */
export interface Expectation {
  readonly asksAws: boolean;
  readonly gives: readonly ("sealed" | "text" | "variables")[];
}

/** One step as it is shown: nothing in it drives a terminal. */
export interface Line {
  readonly stage: Stage;
  readonly mark: "ok" | "failed" | "skipped";
  readonly target?: string;
  readonly ms?: number;
  readonly detail?: string;
  readonly hint?: string;
  readonly status?: number;
}

/** The document as text. Whatever was not found out is null, so that every field is always there. */
export function formatDocument(lines: readonly Line[], findings: Findings): string {
  const { sources, warnings, strict, status } = findings;
  const document = {
    ok: status === 0,
    status,
    strict,
    names: namesOf(sources),
    sources: sources.map(sourceOf),
    warnings: warnings.map(({ code, target, message, hint }) => ({
      code: code ?? "warning",
      target: target ?? null,
      message,
      hint: hint ?? null,
    })),
    steps: lines,
  };
  return `${JSON.stringify(document, printableOnly, 2)}\n`;
}

/** Of all sources together, also if names are required that they have not; null: one could not be opened. */
function namesOf(sources: Findings["sources"]): string[] | null {
  const names = new Set<string>();
  for (const { opened } of sources) {
    if (opened === undefined) return null;
    for (const name of opened.variables.keys()) names.add(name);
  }
  return [...names].toSorted();
}

function sourceOf({ uri, opened }: Findings["sources"][number]) {
  const { object, format, keyArn, revision, isBound } = opened?.sealed ?? {};
  const written = object?.lastModified;
  return {
    uri,
    opened: opened !== undefined,
    format: format ?? null,
    key: keyArn ?? null,
    version: opened?.state.versionId ?? null,
    etag: opened?.state.etag ?? null,
    bound: isBound ?? null,
    revision: revision ?? null,
    lastModified: written === undefined ? null : new Date(written).toISOString(),
    names: opened === undefined ? null : [...opened.variables.keys()].toSorted(),
  };
}

/** JSON escapes only C0: what else drives a terminal goes as well. */
function printableOnly(_name: string, value: unknown): unknown {
  return typeof value === "string" ? printable(value) : value;
}

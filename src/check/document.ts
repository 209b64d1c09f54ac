/** `sealexec check --format json`: one document, whose fields stay (docs/operations.md, "The report as JSON"). */
import { printable } from "../logger.ts";
import type { Findings, Line } from "./findings.ts";

/** The document as text. Whatever was not found out is null, so that every field is always there. */
export function formatDocument(lines: readonly Line[], findings: Findings): string {
  const { sources, merged, warnings, strict, status } = findings;
  const document = {
    ok: status === 0,
    status,
    strict,
    names: merged === undefined ? null : [...merged.keys()].toSorted(),
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

function sourceOf({ uri, opened }: Findings["sources"][number]) {
  const { object, format, keyArn, revision, isBound } = opened?.sealed ?? {};
  const written = object?.lastModified;
  return {
    uri,
    opened: opened !== undefined,
    format: format ?? null,
    key: keyArn ?? null,
    version: object?.versionId ?? null,
    etag: object?.etag ?? null,
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

import type { Stage, StepReport } from "../base/context.ts";
import { exitStatus } from "../base/errors.ts";
import { printable } from "../base/logger.ts";
import { formatDocument, type Expectation, type Findings, type Line } from "./document.ts";

export type ReportFormat = "text" | "json" | "github";

/** The order of the report, whatever the order of the work. */
const ORDER: readonly Stage[] = [
  "configuration",
  "credentials",
  "role",
  "region",
  "object",
  "format",
  "key",
  "context",
  "decrypt",
  "dotenv",
  "required names",
  "refused names",
  "command",
];

const OF_AWS: readonly Stage[] = ["credentials", "region"];
const OF_SEALED: readonly Stage[] = ["format", "key", "context", "decrypt"];

/** The stages that a check of such sources goes through: one of them that is not reported was not reached. */
function expectedStages({ asksAws, gives }: Expectation): Set<Stage> {
  const isSealed = gives.includes("sealed");
  return new Set([
    ...(asksAws ? OF_AWS : []),
    "object",
    ...(isSealed ? OF_SEALED : []),
    ...(isSealed || gives.includes("text") ? (["dotenv"] as const) : []),
    "required names",
    "refused names",
  ]);
}

/** The report as text to print, ending in a newline. */
export function formatReport(format: ReportFormat, findings: Findings, colour: boolean): string {
  const expected = expectedStages(findings.expected);
  const lines = ORDER.flatMap((stage) => linesOf(stage, findings.steps, expected));
  switch (format) {
    case "text":
      return formatText(lines, findings, colour);
    case "json":
      return formatDocument(lines, findings);
    case "github":
      return formatGithub(lines, findings);
  }
}

function linesOf(stage: Stage, reports: readonly StepReport[], expected: ReadonlySet<Stage>): Line[] {
  const found = reports.filter((report) => report.stage === stage);
  if (found.length === 0) return expected.has(stage) ? [{ stage, mark: "skipped" }] : [];
  return found.map(({ target, ok, durationMs, detail, error }) => ({
    stage,
    mark: ok ? "ok" : "failed",
    target: printable(target),
    ms: Math.round(durationMs),
    ...(detail === undefined ? {} : { detail: printable(detail) }),
    ...(error === undefined ? {} : { detail: printable(error.message), status: exitStatus(error.kind) }),
    ...(error?.hint === undefined ? {} : { hint: printable(error.hint) }),
  }));
}

const MARKS = { ok: "✓", failed: "✗", skipped: "–" } as const;
// SGR codes (ECMA-48): green, red, dim.
const COLOURS = { ok: 32, failed: 31, skipped: 2 } as const;

function formatText(lines: readonly Line[], findings: Findings, colour: boolean): string {
  const width = Math.max(...lines.map(({ stage }) => stage.length));
  const text = lines.map((line) => {
    const mark = colour ? `\u001b[${COLOURS[line.mark]}m${MARKS[line.mark]}\u001b[0m` : MARKS[line.mark];
    const facts = line.mark === "skipped" ? "not reached" : textOf(line);
    const hint = line.hint === undefined ? "" : `\n  ${" ".repeat(width)}  hint: ${line.hint}`;
    return `${mark} ${line.stage.padEnd(width)}  ${facts}${hint}`;
  });
  return `${text.join("\n")}\n${verdict(findings)}\n`;
}

function textOf({ mark, target = "", detail, ms }: Line): string {
  // A failure's message begins with stage and target already.
  const said =
    mark === "failed" ? (detail ?? target) : detail === undefined ? target : `${target}: ${detail}`;
  return `${said} (${ms ?? 0} ms)`;
}

/** The warnings themselves are in the log, on standard error. */
function verdict({ failures, warnings, strict }: Findings): string {
  const warned = warnings.length === 1 ? "1 warning" : `${warnings.length} warnings`;
  const also = warnings.length === 0 ? "" : `; ${warned}${strict ? ", which --strict does not allow" : ""}`;
  const said = failures === 0 ? "a start would find its secrets" : `a start would fail: ${failures} failed`;
  return said + also;
}

/** GitHub's workflow commands: an annotation for each failure and each warning, the rest as plain text. */
function formatGithub(lines: readonly Line[], findings: Findings): string {
  const failed = lines.filter(({ mark }) => mark === "failed");
  const annotations = [
    ...failed.map(({ stage, detail = "", hint }) => annotation("error", `: ${stage}`, detail, hint)),
    ...findings.warnings.map(({ message, hint }) =>
      annotation(findings.strict ? "error" : "warning", "", message, hint),
    ),
  ];
  return `${formatText(lines, findings, false)}${annotations.join("")}`;
}

function annotation(level: "error" | "warning", where: string, message: string, hint?: string): string {
  const text = printable(message) + (hint === undefined ? "" : `\nhint: ${printable(hint)}`);
  return `::${level} title=${property(`sealexec check${where}`)}::${data(text)}\n`;
}

// github.com/actions/toolkit, packages/core/src/command.ts: what is escaped in data, and in properties.
function data(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function property(text: string): string {
  return data(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}

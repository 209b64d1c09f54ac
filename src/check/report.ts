import type { Stage, StepReport } from "../context.ts";
import { exitStatus } from "../errors.ts";
import { printable } from "../logger.ts";

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

/** What the sources of a check are, as far as it decides which stages there are. */
export interface Expectation {
  readonly asksAws: boolean;
  readonly gives: readonly ("sealed" | "text" | "variables")[];
}

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

interface Line {
  readonly stage: Stage;
  readonly mark: "ok" | "failed" | "skipped";
  readonly target?: string;
  readonly ms?: number;
  readonly detail?: string;
  readonly hint?: string;
  readonly status?: number;
}

/**
 * The report as text to print, ending in a newline.
 *
 * @param failures how many things failed: what the verdict is made of
 * @param expectation decides which stages are shown although they were not reached
 */
export function formatReport(
  format: ReportFormat,
  reports: readonly StepReport[],
  failures: number,
  colour: boolean,
  expectation: Expectation,
): string {
  const expected = expectedStages(expectation);
  const lines = ORDER.flatMap((stage) => linesOf(stage, reports, expected));
  switch (format) {
    case "text":
      return formatText(lines, failures, colour);
    case "json":
      return formatJson(lines, failures);
    case "github":
      return formatGithub(lines, failures);
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

function formatText(lines: readonly Line[], failures: number, colour: boolean): string {
  const width = Math.max(...lines.map(({ stage }) => stage.length));
  const text = lines.map((line) => {
    const mark = colour ? `\u001b[${COLOURS[line.mark]}m${MARKS[line.mark]}\u001b[0m` : MARKS[line.mark];
    const facts = line.mark === "skipped" ? "not reached" : textOf(line);
    const hint = line.hint === undefined ? "" : `\n  ${" ".repeat(width)}  hint: ${line.hint}`;
    return `${mark} ${line.stage.padEnd(width)}  ${facts}${hint}`;
  });
  return `${text.join("\n")}\n${verdict(failures)}\n`;
}

function textOf({ mark, target = "", detail, ms }: Line): string {
  // A failure's message begins with stage and target already.
  const said =
    mark === "failed" ? (detail ?? target) : detail === undefined ? target : `${target}: ${detail}`;
  return `${said} (${ms ?? 0} ms)`;
}

function verdict(failures: number): string {
  return failures === 0 ? "a start would find its secrets" : `a start would fail: ${failures} failed`;
}

function formatJson(lines: readonly Line[], failures: number): string {
  return `${JSON.stringify({ ok: failures === 0, steps: lines }, undefined, 2)}\n`;
}

/** GitHub's workflow commands: an annotation for each failure, the rest as plain text. */
function formatGithub(lines: readonly Line[], failures: number): string {
  const annotations = lines
    .filter(({ mark }) => mark === "failed")
    .map(({ stage, detail = "", hint }) => {
      const message = hint === undefined ? detail : `${detail}\nhint: ${hint}`;
      return `::error title=${property(`sealexec check: ${stage}`)}::${data(message)}\n`;
    });
  return `${formatText(lines, failures, false)}${annotations.join("")}`;
}

// github.com/actions/toolkit, packages/core/src/command.ts: what is escaped in data, and besides in properties.
function data(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function property(text: string): string {
  return data(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}

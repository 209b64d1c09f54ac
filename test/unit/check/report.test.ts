import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { formatReport } from "../../../src/check/report.ts";
import type { StepReport } from "../../../src/context.ts";
import { SealexecError } from "../../../src/errors.ts";

const good: StepReport[] = [
  { stage: "object", target: "s3://b/k", ok: true, durationMs: 12.4, detail: "20 bytes" },
  { stage: "region", target: "b", ok: true, durationMs: 0.2, detail: "us-east-1" },
  { stage: "credentials", target: "AWS", ok: true, durationMs: 3.5 },
];
const error = new SealexecError("data", "format: s3://b/k: bad\u001b[2J", { hint: "seal\nagain" });
const bad: StepReport = { stage: "format", target: "s3://b/k", ok: false, durationMs: 1, error };

const SEALED = { asksAws: true, gives: ["sealed"] } as const;

describe("the report", () => {
  test("as text: in the order of the stages, whatever the order of the work", () => {
    assert.deepEqual(formatReport("text", [bad, ...good], 1, false, SEALED).split("\n"), [
      "✓ credentials     AWS (4 ms)",
      "✓ region          b: us-east-1 (0 ms)",
      "✓ object          s3://b/k: 20 bytes (12 ms)",
      "✗ format          format: s3://b/k: bad?[2J (1 ms)",
      "                  hint: seal?again",
      "– key             not reached",
      "– context         not reached",
      "– decrypt         not reached",
      "– dotenv          not reached",
      "– required names  not reached",
      "– refused names   not reached",
      "a start would fail: 1 failed",
      "",
    ]);
  });
  test("stages that these sources do not have are not shown as missed", () => {
    const shown = (expectation: Parameters<typeof formatReport>[4]): string[] =>
      [...formatReport("text", [], 1, false, expectation).matchAll(/^– ([a-z ]+?) {2,}/gm)].map(
        ([, stage = ""]) => stage,
      );
    const last = ["required names", "refused names"];
    assert.deepEqual(shown({ asksAws: false, gives: ["variables"] }), ["object", ...last]);
    assert.deepEqual(shown({ asksAws: false, gives: ["text"] }), ["object", "dotenv", ...last]);
    assert.deepEqual(shown({ asksAws: true, gives: ["variables"] }), [
      "credentials",
      "region",
      "object",
      ...last,
    ]);
    assert.equal(shown({ asksAws: true, gives: ["variables", "sealed"] }).length, 10);
  });
  test("in colours, one for each mark", () => {
    const text = formatReport("text", [bad, ...good], 1, true, SEALED);
    for (const mark of ["\u001b[32m✓\u001b[0m", "\u001b[31m✗\u001b[0m", "\u001b[2m–\u001b[0m"]) {
      assert.ok(text.includes(mark));
    }
    for (const format of ["json", "github"] as const) {
      assert.ok(!formatReport(format, [bad, ...good], 1, true, SEALED).includes("\u001b"));
    }
  });
  test("as JSON", () => {
    const report = JSON.parse(formatReport("json", [bad, ...good], 1, false, SEALED)) as {
      ok: boolean;
      steps: object[];
    };
    assert.equal(report.ok, false);
    assert.deepEqual(report.steps.slice(2, 5), [
      { stage: "object", mark: "ok", target: "s3://b/k", ms: 12, detail: "20 bytes" },
      {
        stage: "format",
        mark: "failed",
        target: "s3://b/k",
        ms: 1,
        detail: "format: s3://b/k: bad?[2J",
        status: 65,
        hint: "seal?again",
      },
      { stage: "key", mark: "skipped" },
    ]);
    assert.equal((JSON.parse(formatReport("json", good, 0, false, SEALED)) as { ok: boolean }).ok, true);
  });
  test("for GitHub: nothing that is shown can begin a workflow command", () => {
    const hostile = new SealexecError("data", "x%0A::set-env name=A::b\n::add-mask::c", { hint: "50% ::x" });
    const step: StepReport = { ...bad, target: "\n::error::t", error: hostile };
    const lines = formatReport("github", [step, ...good], 1, false, SEALED).split("\n");
    const commands = lines.filter((line) => line.startsWith("::"));
    assert.deepEqual(commands, [
      "::error title=sealexec check%3A format::x%250A::set-env name=A::b?::add-mask::c%0Ahint: 50%25 ::x",
    ]);
  });
  test("the verdict is about failures, also those that no step shows", () => {
    assert.match(formatReport("text", good, 0, false, SEALED), /\na start would find its secrets\n$/);
    assert.match(formatReport("text", good, 2, false, SEALED), /\na start would fail: 2 failed\n$/);
    assert.equal((JSON.parse(formatReport("json", good, 1, false, SEALED)) as { ok: boolean }).ok, false);
  });
});

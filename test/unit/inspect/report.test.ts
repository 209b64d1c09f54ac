import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Findings } from "../../../src/inspect/document.ts";
import { formatReport } from "../../../src/inspect/report.ts";
import type { StepReport } from "../../../src/base/context.ts";
import { SealexecError } from "../../../src/base/errors.ts";
import { Secret } from "../../../src/base/secret.ts";

const good: StepReport[] = [
  { stage: "object", target: "s3://b/k", ok: true, durationMs: 12.4, detail: "20 bytes" },
  { stage: "region", target: "b", ok: true, durationMs: 0.2, detail: "us-east-1" },
  { stage: "credentials", target: "AWS", ok: true, durationMs: 3.5 },
];
const error = new SealexecError("data", "format: s3://b/k: bad\u001b[2J", { hint: "seal\nagain" });
const bad: StepReport = { stage: "format", target: "s3://b/k", ok: false, durationMs: 1, error };

const SEALED = { asksAws: true, gives: ["sealed"] } as const;

/** What a check has found: these steps of one sealed source in S3, unless more is said. */
function found(steps: readonly StepReport[], more: Partial<Findings> = {}): Findings {
  const failures = steps.filter(({ ok }) => !ok).length;
  return {
    steps,
    expected: SEALED,
    sources: [{ uri: "s3://b/k", opened: undefined }],
    warnings: [],
    strict: false,
    failures,
    status: failures === 0 ? 0 : 65,
    ...more,
  };
}

describe("the report", () => {
  test("as text: in the order of the stages, whatever the order of the work", () => {
    assert.deepEqual(formatReport("text", found([bad, ...good]), false).split("\n"), [
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
  test("a stage that nobody expects is shown if it reports itself, in its place", () => {
    const step = (stage: StepReport["stage"]): StepReport => ({
      stage,
      target: "t",
      ok: true,
      durationMs: 0,
    });
    const steps = [step("command"), step("role"), step("configuration"), step("credentials")];
    const text = formatReport("text", found(steps), false);
    const shown = [...text.matchAll(/^✓ ([a-z ]+?) {2,}t \(0 ms\)$/gmu)].map(([, stage]) => stage);
    assert.deepEqual(shown, ["configuration", "credentials", "role", "command"]);
    assert.match(text, /^✓ command .*\na start would find its secrets\n$/mu);
  });
  test("as JSON: what was opened, with all names of all sources, each once, and all that a warning says", () => {
    const at = (uri: string, ...names: string[]) => {
      const variables = new Map(names.map((name) => [name, new Secret("canary")]));
      return { uri, opened: { uri, variables, validator: undefined, state: {}, sealed: undefined } };
    };
    const sources = [at("file:a", "C", "A"), at("file:b", "B", "A")];
    const warnings = [{ message: "m" }, { message: "n", hint: "h", code: "c", target: "t" }];
    const text = formatReport("json", found(good, { sources, warnings }), false);
    const document = JSON.parse(text) as { sources: { names: unknown }[] } & Record<string, unknown>;
    assert.deepEqual(document["names"], ["A", "B", "C"]);
    assert.deepEqual(
      document.sources.map(({ names }) => names),
      [
        ["A", "C"],
        ["A", "B"],
      ],
    );
    assert.deepEqual(document["warnings"], [
      { code: "warning", target: null, message: "m", hint: null },
      { code: "c", target: "t", message: "n", hint: "h" },
    ]);
    assert.ok(!text.includes("canary"));
  });
  test("for GitHub: what has no hint is annotated without one", () => {
    const plain = new SealexecError("data", "bad");
    const step: StepReport = { ...bad, error: plain };
    const warnings = [{ message: "odd" }];
    const text = formatReport("github", found([step], { warnings }), true);
    assert.deepEqual(
      text.split("\n").filter((line) => line.startsWith("::")),
      ["::error title=sealexec check%3A format::bad", "::warning title=sealexec check::odd"],
    );
    assert.ok(!text.includes("\u001b"));
  });
  test("stages that these sources do not have are not shown as missed", () => {
    const shown = (expected: Findings["expected"]): string[] =>
      [
        ...formatReport("text", found([], { expected, failures: 1 }), false).matchAll(/^– ([a-z ]+?) {2,}/gm),
      ].map(([, stage = ""]) => stage);
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
    const text = formatReport("text", found([bad, ...good]), true);
    for (const mark of ["\u001b[32m✓\u001b[0m", "\u001b[31m✗\u001b[0m", "\u001b[2m–\u001b[0m"]) {
      assert.ok(text.includes(mark));
    }
    for (const format of ["json", "github"] as const) {
      assert.ok(!formatReport(format, found([bad, ...good]), true).includes("\u001b"));
    }
  });
  test("as JSON", () => {
    const report = JSON.parse(formatReport("json", found([bad, ...good]), false)) as {
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
    assert.equal((JSON.parse(formatReport("json", found(good), false)) as { ok: boolean }).ok, true);
  });
  test("for GitHub: nothing that is shown can begin a workflow command", () => {
    const hostile = new SealexecError("data", "x%0A::set-env name=A::b\n::add-mask::c", { hint: "50% ::x" });
    const step: StepReport = { ...bad, target: "\n::error::t", error: hostile };
    const lines = formatReport("github", found([step, ...good]), false).split("\n");
    const commands = lines.filter((line) => line.startsWith("::"));
    assert.deepEqual(commands, [
      "::error title=sealexec check%3A format::x%250A::set-env name=A::b?::add-mask::c%0Ahint: 50%25 ::x",
    ]);
  });
  test("the verdict is about failures, also those that no step shows", () => {
    assert.match(formatReport("text", found(good), false), /\na start would find its secrets\n$/);
    const more = found(good, { failures: 2, status: 78 });
    assert.match(formatReport("text", more, false), /\na start would fail: 2 failed\n$/);
    const { ok, status } = JSON.parse(formatReport("json", more, false)) as { ok: boolean; status: number };
    assert.deepEqual({ ok, status }, { ok: false, status: 78 });
  });
  test("warnings are counted in the verdict, and annotated for GitHub; with --strict as errors", () => {
    const warnings = [
      { message: "s3://b/k: old: 1%", hint: "push\nit", code: "put-back", target: "s3://b/k" },
    ];
    const lax = found(good, { warnings });
    assert.match(formatReport("text", lax, false), /\na start would find its secrets; 1 warning\n$/);
    const said = "title=sealexec check::s3://b/k: old: 1%25%0Ahint: push?it";
    assert.ok(formatReport("github", lax, false).endsWith(`\n::warning ${said}\n`));
    const strict = found(good, { warnings: [...warnings, ...warnings], strict: true, status: 65 });
    assert.match(formatReport("text", strict, false), /; 2 warnings, which --strict does not allow\n$/);
    assert.ok(formatReport("github", strict, false).endsWith(`\n::error ${said}\n::error ${said}\n`));
    const document = JSON.parse(formatReport("json", strict, false)) as Record<string, unknown>;
    assert.deepEqual([document["ok"], document["status"], document["strict"]], [false, 65, true]);
  });
  test("as JSON: every field is there, whatever was found", () => {
    const one = { uri: "file:a", variables: new Map([["B", new Secret("2")]]), validator: "v" };
    const opened = { ...one, state: {}, sealed: undefined };
    const sources = [
      { uri: "s3://b/k", opened: undefined },
      { uri: "file:a", opened },
    ];
    const document = JSON.parse(formatReport("json", found([], { sources }), false)) as object;
    const unknown = {
      format: null,
      key: null,
      version: null,
      etag: null,
      bound: null,
      revision: null,
      lastModified: null,
    };
    assert.deepEqual(
      { ...document, steps: [] },
      {
        ok: true,
        status: 0,
        strict: false,
        names: null,
        sources: [
          { uri: "s3://b/k", opened: false, ...unknown, names: null },
          { uri: "file:a", opened: true, ...unknown, names: ["B"] },
        ],
        warnings: [],
        steps: [],
      },
    );
  });
  test("nothing that a stranger wrote drives a terminal: a version, an ARN, the name of a source", () => {
    // ESC, CSI of C1, and what turns the direction of writing.
    const hostile = "x\u001b[2J\u009b2J\u202e";
    const steps: StepReport[] = [
      { stage: "object", target: `s3://b/${hostile}`, ok: true, durationMs: 1, detail: `version ${hostile}` },
      { stage: "key", target: hostile, ok: true, durationMs: 1, detail: `arn:aws:kms:${hostile}` },
      { ...bad, error: new SealexecError("data", hostile, { hint: hostile }) },
    ];
    const object = { metadata: {}, body: Buffer.alloc(0), place: hostile, located: { home: "b" } };
    const known = { format: "v3", keyArn: hostile, revision: 1, isBound: true } as const;
    const state = { versionId: hostile, etag: hostile };
    const sealed = { ...known, object: { ...object, ...state } };
    const opened = { uri: hostile, variables: new Map(), validator: undefined, state, sealed };
    const findings = found(steps, {
      sources: [{ uri: hostile, opened }],
      warnings: [{ message: hostile, hint: hostile, code: hostile, target: hostile }],
    });
    for (const format of ["text", "json", "github"] as const) {
      const text = formatReport(format, findings, false);
      assert.ok(text.includes("x?[2J?2J?"));
      const shown = format === "json" ? `${text}${JSON.stringify(JSON.parse(text))}` : text;
      for (const control of ["\u001b", "\u009b", "\u202e", "\\u00"]) assert.ok(!shown.includes(control));
    }
  });
});

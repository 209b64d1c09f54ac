import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createLogger } from "../../../src/base/logger.ts";
import { collecting, warnOfSource } from "../../../src/inspect/warnings.ts";
import type { Warning } from "../../../src/inspect/warnings.ts";
import type { OpenedSource } from "../../../src/sources/sources.ts";

/** What is collected, and what the log says of it. */
function heard(work: (log: ReturnType<typeof collecting>) => void): { warnings: Warning[]; lines: string[] } {
  const [warnings, lines]: [Warning[], string[]] = [[], []];
  work(
    collecting(
      createLogger("json", true, (line) => lines.push(line)),
      warnings,
    ),
  );
  return { warnings, lines };
}

describe("what a check warns of", () => {
  test("is collected as it was said, and said all the same, with its code and its target", () => {
    const { warnings, lines } = heard((log) => {
      log.warn("all of it", "do that", { code: "c", target: "t", attempt: 1 });
      log.warn("no more than this");
      log.info("no warning");
    });
    assert.deepEqual(warnings, [
      { message: "all of it", hint: "do that", code: "c", target: "t" },
      { message: "no more than this" },
    ]);
    assert.deepEqual(
      lines.map((line) => ({ ...(JSON.parse(line) as object), time: "" })),
      [
        {
          time: "",
          level: "warning",
          code: "c",
          target: "t",
          message: "all of it",
          hint: "do that",
          attempt: 1,
        },
        { time: "", level: "warning", code: "warning", message: "no more than this" },
        { time: "", level: "info", code: "info", message: "no warning" },
      ],
    );
  });

  const uri = "s3://b/k";
  const REVISION = 1_795_200_000_000;
  /** The codes of what is said of such a source. */
  function codesOf(sealed: { isBound?: boolean; lagMs?: number; revision?: number } | undefined): unknown[] {
    const { isBound = true, lagMs, revision = REVISION } = sealed ?? {};
    const times = lagMs === undefined ? {} : { lastModified: REVISION + lagMs };
    const object = { metadata: {}, body: Buffer.alloc(0), place: uri, located: { home: "b" }, ...times };
    const found = { format: "v3", keyArn: "arn", revision, isBound, object } as const;
    const source = { uri, variables: new Map(), validator: undefined, state: {} };
    const opened: OpenedSource = { ...source, sealed: sealed === undefined ? undefined : found };
    const { warnings } = heard((log) => warnOfSource(opened, log));
    for (const { target, message, hint } of warnings) {
      assert.equal(target, uri);
      assert.ok(message.startsWith(`${uri}: `));
      assert.ok((hint ?? "").length > 0);
    }
    return warnings.map(({ code }) => code);
  }

  test("an object that is not bound; what is not sealed has no place to be bound to", () => {
    assert.deepEqual(codesOf({ isBound: false }), ["not-bound"]);
    assert.deepEqual(codesOf({}), []);
    assert.deepEqual(codesOf(undefined), []);
  });
  test("an object that was written more than an hour after its revision", () => {
    assert.deepEqual(codesOf({ lagMs: 3_600_001 }), ["put-back"]);
    for (const lagMs of [3_600_000, 0, -1]) assert.deepEqual(codesOf({ lagMs }), []);
    assert.deepEqual(codesOf({ lagMs: 3_600_001, isBound: false }), ["not-bound", "put-back"]);
  });
});

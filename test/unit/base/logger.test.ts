import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SealexecError, exitStatus } from "../../../src/base/errors.ts";
import type { ErrorKind } from "../../../src/base/errors.ts";
import { counted, createLogger, printable, sayingOnce } from "../../../src/base/logger.ts";
import type { LogFormat } from "../../../src/base/logger.ts";
import { Secret } from "../../../src/base/secret.ts";
import { inspect } from "node:util";

function logged(format: LogFormat, verbose: boolean, use: (log: ReturnType<typeof createLogger>) => void) {
  let text = "";
  use(createLogger(format, verbose, (line) => (text += line)));
  return text;
}

describe("the log", () => {
  const failure = new SealexecError("missing", "object: s3://b/k: gone", { hint: "push it" });

  test("as text: error, then hint", () => {
    assert.equal(
      logged("text", false, (log) => log.failure(failure)),
      "sealexec: error: object: s3://b/k: gone\nsealexec: hint: push it\n",
    );
  });
  test("as JSON: one object", () => {
    const line = logged("json", false, (log) => log.failure(failure));
    assert.equal(line.indexOf("\n"), line.length - 1);
    const { time, ...event } = JSON.parse(line) as Record<string, unknown>;
    assert.ok(Math.abs(Date.parse(String(time)) - Date.now()) < 3_600_000);
    assert.deepEqual(event, {
      level: "error",
      code: "missing",
      message: "object: s3://b/k: gone",
      kind: "missing",
      status: 66,
      hint: "push it",
    });
  });
  test("tells steps only when asked, warnings always", () => {
    const both = (log: ReturnType<typeof createLogger>) => {
      log.info("step");
      log.warn("careful");
    };
    assert.equal(logged("text", false, both), "sealexec: warning: careful\n");
    assert.equal(logged("text", true, both), "sealexec: info: step\nsealexec: warning: careful\n");
  });
  test("is one line, whatever a name holds", () => {
    const hostile = "a\nsealexec: error: made up\r\u001b[2J\u2028\u202e\u0085\u0000b";
    const error = new SealexecError("data", hostile, { hint: hostile });
    const text = logged("text", false, (log) => log.failure(error));
    assert.equal(text.split("\n").length, 3);
    assert.doesNotMatch(text.replaceAll("\n", ""), /[\p{Cc}\p{Zl}\p{Zp}\u202e]/u);
    const json = logged("json", false, (log) => log.failure(error));
    assert.doesNotMatch(`${(JSON.parse(json) as { message: string }).message}`, /[\p{Cc}\u202e]/u);
  });
  test("shows no cause", () => {
    const error = new SealexecError("data", "message", { cause: new Error("canary") });
    for (const format of ["text", "json"] as const) {
      assert.doesNotMatch(
        logged(format, true, (log) => log.failure(error)),
        /canary/,
      );
    }
  });
});

test("printable keeps letters of every script and takes every control", () => {
  assert.equal(printable("zażółć 🙂 日本\tx"), "zażółć 🙂 日本?x");
  assert.equal(printable("\u061c\u200e\u2066x"), "???x");
});

test("kind and exit status are the contract's", () => {
  const statuses: Record<ErrorKind, number> = {
    usage: 64,
    data: 65,
    missing: 66,
    unavailable: 69,
    internal: 70,
    timeout: 75,
    denied: 77,
    config: 78,
    changed: 79,
    conflict: 80,
    "cannot-execute": 126,
    "not-found": 127,
  };
  for (const [kind, status] of Object.entries(statuses) as [ErrorKind, number][]) {
    assert.equal(exitStatus(kind), status);
  }
});

test("as JSON: no fact takes the place of what every line has, and none is more than one line", () => {
  const facts = { level: "x", time: "x", message: "x", stage: "a\nb", code: "c", n: 1 };
  const line = logged("json", false, (log) => log.warn("careful", "look", { ...facts, time: "x" }));
  const event = JSON.parse(line) as Record<string, unknown>;
  assert.notEqual(event["time"], "x");
  assert.deepEqual(
    { ...event, time: "" },
    { time: "", level: "warning", code: "c", stage: "a?b", message: "careful", hint: "look", n: 1 },
  );
});

test("an error in other words keeps its code, its facts and its place", () => {
  const facts = { operation: "GetObject", httpStatus: 403 };
  const error = new SealexecError("denied", "no", { code: "access-denied", facts, hint: "first" })
    .at("object", "s3://b/k")
    .reworded("never", "second");
  assert.deepEqual(
    [error.message, error.hint, error.kind, error.located],
    ["never", "second", "denied", true],
  );
  assert.deepEqual(error.particulars, {
    code: "access-denied",
    stage: "object",
    target: "s3://b/k",
    ...facts,
  });
});

test("an error that is led by its place keeps kind, hint and cause", () => {
  const cause = new Error("cause");
  const error = new SealexecError("data", "what", { hint: "way out", cause }).at("object", "s3://b/k");
  assert.equal(error.message, "object: s3://b/k: what");
  assert.deepEqual([error.kind, error.hint, error.cause, error.located], ["data", "way out", cause, true]);
});

test("a secret does not print", () => {
  const secret = new Secret("canary żółw");
  const shown = [
    String(secret),
    `${secret}`,
    JSON.stringify({ secret }),
    inspect(secret),
    inspect({ deep: { er: secret } }, { showHidden: true, depth: 9 }),
    JSON.stringify([...new Map([["A", secret]])]),
  ];
  for (const text of shown) {
    assert.match(text, /\[secret\]/);
    assert.doesNotMatch(text, /canary/);
  }
  assert.equal(secret.reveal(), "canary żółw");
  assert.equal(secret.sizeBytes, 14);
});

describe("each way to say something", () => {
  const use = (log: ReturnType<typeof createLogger>): void => {
    log.info("i", { stage: "key", target: "t", durationMs: 3 });
    log.warn("w", "h", { code: "careful" });
    log.notice("n", { code: "waiting" });
    log.explain("e");
  };

  test("is a line of its level, and its facts are for JSON alone", () => {
    const told = ["warning: w", "hint: h", "notice: n", "explain: e"].map((line) => `sealexec: ${line}\n`);
    assert.equal(logged("text", false, use), told.join(""));
    assert.equal(logged("text", true, use), ["sealexec: info: i\n", ...told].join(""));
  });

  test("is called by its level in JSON unless it has a code, and its hint is with it", () => {
    const events = logged("json", true, use)
      .trimEnd()
      .split("\n")
      .map((line) => {
        const { time, ...event } = JSON.parse(line) as Record<string, unknown>;
        assert.equal(new Date(String(time)).toISOString(), time);
        return event;
      });
    assert.deepEqual(events, [
      { level: "info", code: "info", stage: "key", target: "t", message: "i", durationMs: 3 },
      { level: "warning", code: "careful", message: "w", hint: "h" },
      { level: "notice", code: "waiting", message: "n" },
      { level: "explain", code: "explain", message: "e" },
    ]);
    assert.equal(
      logged("json", false, (log) => log.info("i")),
      "",
    );
  });

  test("an error's own facts are beside its kind and status, and cannot be them", () => {
    const facts = { operation: "GetObject", status: 1, kind: "x" };
    const error = new SealexecError("denied", "no", { code: "c", facts }).at("object", "t");
    const { time: _, ...event } = JSON.parse(logged("json", false, (log) => log.failure(error))) as {
      readonly time: string;
    };
    assert.deepEqual(event, {
      level: "error",
      code: "c",
      stage: "object",
      target: "t",
      message: "object: t: no",
      operation: "GetObject",
      kind: "denied",
      status: 77,
    });
  });
});

test("a warning is said once, and is for -v from then on; all else is said as often as it is", () => {
  const lines = (verbose: boolean, use: (log: ReturnType<typeof createLogger>) => void): string[] =>
    logged("text", verbose, (log) => use(sayingOnce(log)))
      .trimEnd()
      .split("\n");
  const twice = (log: ReturnType<typeof createLogger>): void => {
    for (const message of ["w", "w", "other"]) log.warn(message, "h");
    for (let times = 0; times < 2; times += 1) log.notice("n");
  };
  const [said, again] = [
    ["sealexec: warning: w", "sealexec: hint: h"],
    ["sealexec: warning: other", "sealexec: hint: h", "sealexec: notice: n", "sealexec: notice: n"],
  ];
  assert.deepEqual(lines(false, twice), [...said, ...again]);
  assert.deepEqual(lines(true, twice), [...said, "sealexec: info: w", ...again]);
  // A stream of different ones takes no memory for ever: those after the first hundred are said each time.
  const many = (log: ReturnType<typeof createLogger>): void => {
    for (let round = 0; round < 2; round += 1)
      for (let number = 1; number <= 101; number += 1) log.warn(String(number));
  };
  assert.equal(lines(false, many).length, 102);
  const facts = { code: "c" };
  const json = logged("json", true, (log) => {
    const once = sayingOnce(log);
    once.warn("w", "h", facts);
    once.warn("w", "h", facts);
  });
  assert.equal(json.split('"code":"c"').length, 3);
});

test("one, and more", () => {
  assert.deepEqual(
    [0, 1, 2].map((count) => counted(count, "byte")),
    ["0 bytes", "1 byte", "2 bytes"],
  );
});

test("two secrets are the same if their values are", () => {
  const secret = new Secret("a");
  assert.deepEqual([secret.equals(new Secret("a")), secret.equals(new Secret("b"))], [true, false]);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { SealexecError } from "../../../src/base/errors.ts";
import type { ErrorKind } from "../../../src/base/errors.ts";
import { createLogger } from "../../../src/base/logger.ts";
import { Trouble } from "../../../src/watch/trouble.ts";

function said(work: (trouble: Trouble) => void): string[] {
  const lines: string[] = [];
  const log = createLogger("text", false, (line) => lines.push(line.trimEnd()));
  work(new Trouble(log, { message: "the sources can be read again", code: "again" }));
  return lines;
}

const error = (kind: ErrorKind, says: string, detail?: string): SealexecError =>
  new SealexecError(kind, says, { hint: "wait", detail });

test("being away is one trouble, whatever its face; then it is over, and may begin again", () => {
  const lines = said((trouble) => {
    trouble.over();
    trouble.report(error("unavailable", "cannot be reached", "ECONNREFUSED"));
    trouble.report(error("timeout", "no answer in time"));
    trouble.report(error("unavailable", "the service kept failing", "503"));
    trouble.over();
    trouble.over();
    trouble.report(error("timeout", "no answer in time"));
  });
  assert.deepEqual(lines, [
    "sealexec: warning: cannot be reached (ECONNREFUSED); CMD goes on as it is",
    "sealexec: hint: wait",
    "sealexec: notice: the sources can be read again",
    "sealexec: warning: no answer in time; CMD goes on as it is",
    "sealexec: hint: wait",
  ]);
});

test("of one refusal the request ids do not count; another refusal is another trouble", () => {
  const lines = said((trouble) => {
    trouble.report(error("denied", "access denied", "GetObject: AccessDenied, 403, request id A"));
    trouble.report(error("denied", "access denied", "GetObject: AccessDenied, 403, request id B"));
    trouble.report(error("missing", "no such object", "GetObject: NoSuchKey, 404, request id C"));
    trouble.report(error("denied", "access denied", "GetObject: AccessDenied, 403, request id D"));
  });
  const warnings = lines
    .filter((line) => line.includes("warning"))
    .map((line) => /request id ./.exec(line)?.[0]);
  assert.deepEqual(warnings, ["request id A", "request id C", "request id D"]);
});

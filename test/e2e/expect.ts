/** What the black-box suites assert alike, and the folders and objects that they work with. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Aws } from "../aws/server.ts";
import { sealBlob } from "../aws/kms-blob.ts";
import { BUCKET, KEY } from "./harness.ts";
import type { Outcome } from "./harness.ts";

/** What CMD prints in these suites, so that nobody can miss that it ran. */
export const RAN = "CMD-RAN";
export const SAY = ["sh", "-c", `echo ${RAN}`] as const;

const MESSAGE = /^sealexec: error: \S[^\n]*[^.\s]\nsealexec: hint: \S[^\n]*[^.\s]\n$/;

/** It ended with this status, said why and what to do in two lines, and CMD did not run. */
export function assertFailed(outcome: Outcome, status: number, error: RegExp, hint: RegExp = /./): void {
  const shown = JSON.stringify(outcome);
  assert.equal(outcome.status, status, shown);
  assert.equal(outcome.stdout, "", shown);
  assert.match(outcome.stderr, MESSAGE, shown);
  const [first = "", second = ""] = outcome.stderr.split("\n");
  assert.match(first.replace("sealexec: error: ", ""), error, shown);
  assert.match(second.replace("sealexec: hint: ", ""), hint, shown);
}

/** It ended with 0, printed exactly this, and was silent otherwise. */
export function assertPrinted(outcome: Outcome, stdout: string): void {
  assert.deepEqual(outcome, { status: 0, signal: null, stdout, stderr: "" });
}

/** A folder of its own for the time of `work`. */
export async function withFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "sealexec-test-"));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Puts text that `push` would refuse: as KMS Encrypt makes it, for `--accept kms-direct`. At most 4,096 bytes. */
export function putDirect(aws: Aws, name: string, text: string | Buffer): string {
  const key = aws.kms.find(KEY, aws.region);
  aws.s3.put(BUCKET, name, sealBlob(key, aws.kms.macKey, Buffer.from(text), {}));
  return `s3://${BUCKET}/${name}`;
}

/** Changes one bit of the newest version of an object, its metadata as before. */
export function flipBodyBit(aws: Aws, name: string): void {
  const object = aws.s3.get(BUCKET, name);
  assert.ok(object !== undefined);
  const body = Buffer.from(object.body);
  body.writeUInt8(body.readUInt8(3) ^ 1, 3);
  aws.s3.put(BUCKET, name, body, object.metadata);
}

/** Resolves when `condition` holds; asks again in short steps, and gives up after a long time. */
export async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 2_000; tries += 1) {
    if (condition()) return;
    await new Promise((resolve) => {
      setTimeout(resolve, 10);
    });
  }
  throw new Error("what was waited for never came");
}

/** A line of `--log json`: its fields as docs/operations.md describes them. */
export type LogEvent = Readonly<Record<string, string | number>>;

const IS_TEXT = (value: unknown): boolean => typeof value === "string" && value !== "";
const IS_NUMBER = (value: unknown): boolean => typeof value === "number" && Number.isFinite(value);

/** Every field that a line may have, and what it is. */
export const LOG_FIELDS: Readonly<Record<string, (value: unknown) => boolean>> = {
  time: (value) => typeof value === "string" && new Date(value).toISOString() === value,
  level: (value) => ["error", "warning", "notice", "info", "explain"].includes(String(value)),
  code: (value) => typeof value === "string" && /^[a-z]+(-[a-z]+)*$/.test(value),
  stage: IS_TEXT,
  target: IS_TEXT,
  message: IS_TEXT,
  hint: IS_TEXT,
  kind: IS_TEXT,
  status: IS_NUMBER,
  operation: IS_TEXT,
  awsCode: IS_TEXT,
  httpStatus: IS_NUMBER,
  requestId: IS_TEXT,
  systemCode: IS_TEXT,
  attempt: IS_NUMBER,
  durationMs: IS_NUMBER,
};

/** What `--log json` wrote: each line whole, with nothing in it but the fields that it may have. */
export function eventsOf(stderr: string): readonly LogEvent[] {
  return stderr
    .trimEnd()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const event = JSON.parse(line) as LogEvent;
      for (const name of ["time", "level", "code", "message"]) assert.ok(name in event, `${name}: ${line}`);
      for (const [name, value] of Object.entries(event))
        assert.ok(LOG_FIELDS[name]?.(value) === true, `${name}: ${line}`);
      const isError = event["level"] === "error";
      assert.equal("kind" in event && "status" in event, isError, line);
      return event;
    });
}

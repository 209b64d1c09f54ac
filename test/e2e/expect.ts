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

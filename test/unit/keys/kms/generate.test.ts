import { test } from "node:test";
import type { Context } from "../../../../src/base/context.ts";
import { generateDataKey } from "../../../../src/keys/kms/data-key.ts";
import assert from "node:assert/strict";
import { makeContext } from "../../refuses.ts";
import { kmsThatAnswers } from "./answering.ts";

const ARN = "arn:aws:kms:us-east-1:111122223333:key/11111111-2222-3333-4444-555555555555";

/** Its deadline's timer would keep the tests waiting. */
function contextOf(): Context {
  const { context } = makeContext();
  context.deadline.clear();
  return context;
}

function generate(answer: object): ReturnType<typeof generateDataKey> {
  const asking = { session: kmsThatAnswers(answer), context: contextOf() };
  return generateDataKey("alias/app", {}, { home: "bucket" }, asking);
}

function base64(length: number): string {
  return Buffer.alloc(length, 7).toString("base64");
}

test("a data key is 32 bytes, wrapped, and of a key that is named; nothing is sealed under any other", async () => {
  const wrapped = { CiphertextBlob: base64(100), KeyId: ARN };
  const made = await generate({ ...wrapped, Plaintext: base64(32) });
  assert.deepEqual([made.plaintext.length, made.keyArn], [32, ARN]);
  for (const length of [0, 16, 24, 31, 33, 64]) {
    const answer = generate({ ...wrapped, Plaintext: base64(length) });
    await assert.rejects(
      answer,
      { kind: "unavailable", message: /holds no data key of 32 bytes$/ },
      `${length}`,
    );
  }
  const plaintext = { Plaintext: base64(32) };
  for (const answer of [
    {},
    plaintext,
    wrapped,
    { ...plaintext, KeyId: ARN },
    { ...plaintext, ...wrapped, KeyId: undefined },
    { ...plaintext, ...wrapped, CiphertextBlob: "not base64" },
  ]) {
    await assert.rejects(generate(answer), { kind: "unavailable" });
  }
});

/**
 * Every bit flip and every truncation of everything that is authenticated: none opens.
 * s3-encryption/decryption.md, Decrypting With Commitment; s3-encryption/materials/s3-kms-keyring.md,
 * DecryptDataKey.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { StoredObject } from "../../../src/envelope/index.ts";
import { openEnvelope, readEnvelope } from "../../../src/envelope/index.ts";
import { assertBytes, assertRefused, base64, flipBit, fromBase64, refusal } from "./expect.ts";
import { ModelKms } from "./model-kms.ts";
import { EVERYTHING, open, PLAINTEXT, type Sample, sample, valueOf } from "./samples.ts";

const kms = new ModelKms();
const TAG = /^authentication tag does not match/;
const COMMITMENT = /^commitment does not match/;
const KMS = /^model KMS/;

const CASES = [
  { format: "v3", fields: { "x-amz-3": KMS, "x-amz-i": COMMITMENT, "x-amz-d": COMMITMENT } },
  { format: "v2", fields: { "x-amz-key-v2": KMS, "x-amz-iv": TAG } },
  { format: "kms-gcm", fields: { "x-amz-key-v2": KMS, "x-amz-iv": TAG } },
] as const;

for (const { format, fields } of CASES) {
  const genuine = sample(format, kms);

  test(`${format}: the object that is tampered with below opens`, () => {
    assert.equal(PLAINTEXT.length, 64);
    assertBytes(open(genuine, { kms }), PLAINTEXT);
  });

  test(`${format}: every bit of body and tag`, () => {
    const bits = genuine.body.length * 8;
    assert.equal(bits, (64 + 16) * 8);
    for (let bit = 0; bit < bits; bit += 1) {
      const body = flipBit(genuine.body, bit);
      assertRefused(() => open({ metadata: genuine.metadata, body }, { kms }), TAG, `bit ${bit}`);
    }
  });

  test(`${format}: every truncation of the body, at its end and at its start, and every extension`, () => {
    for (let length = 0; length < genuine.body.length; length += 1) {
      const expected = length < 16 ? new RegExp(`^body is ${length} bytes, too short`) : TAG;
      for (const body of [genuine.body.slice(0, length), genuine.body.slice(genuine.body.length - length)]) {
        const cut = length === 0 ? new Uint8Array(0) : body;
        assertRefused(
          () => open({ metadata: genuine.metadata, body: cut }, { kms }),
          expected,
          `${length} bytes`,
        );
      }
    }
    for (let more = 1; more <= 32; more += 1) {
      const zeros = new Uint8Array(more);
      for (const parts of [
        [genuine.body, zeros],
        [zeros, genuine.body],
      ]) {
        const body = Buffer.concat(parts);
        assertRefused(() => open({ metadata: genuine.metadata, body }, { kms }), TAG, `${more} more`);
      }
    }
  });

  test(`${format}: a body that is shorter than a tag is refused before KMS is asked, and after`, () => {
    const { metadata } = genuine;
    const read = readEnvelope(genuine, EVERYTHING);
    assert.ok(read.kind === "envelope");
    for (const length of [0, 15]) {
      const body = new Uint8Array(length);
      const expected = new RegExp(`^body is ${length} bytes, too short for its authentication tag$`);
      assertRefused(() => readEnvelope({ metadata, body }, EVERYTHING), expected);
      if (format !== "v3")
        assertRefused(() => openEnvelope(read.envelope, new Uint8Array(32), body), expected);
    }
    assert.equal(readEnvelope({ metadata, body: new Uint8Array(16) }, EVERYTHING).kind, "envelope");
  });

  for (const [name, expected] of Object.entries(fields)) {
    test(`${format}: every bit of ${name}`, () => {
      const data = fromBase64(valueOf(genuine.metadata, name));
      for (let bit = 0; bit < data.length * 8; bit += 1) {
        const object = withField(genuine, name, base64(flipBit(data, bit)));
        assertRefused(() => open(object, { kms }), expected, `bit ${bit}`);
      }
    });

    test(`${format}: every truncation of ${name}, and one byte more`, () => {
      const data = fromBase64(valueOf(genuine.metadata, name));
      for (let length = 0; length <= data.length + 1; length += 1) {
        if (length === data.length) continue;
        const changed = Buffer.concat([data, Uint8Array.of(0)]).subarray(0, length);
        const byLength =
          length === 0 ? `^${name} is empty$` : `^${name} is ${length} bytes, not ${data.length}$`;
        const message = expected === KMS && length > 0 ? KMS : new RegExp(byLength);
        assertRefused(
          () => open(withField(genuine, name, base64(changed)), { kms }),
          message,
          `${length} bytes`,
        );
      }
    });
  }

  test(`${format}: every bit of the text of the metadata`, () => {
    let tried = 0;
    for (const [name, value] of Object.entries(genuine.metadata)) {
      for (let bit = 0; bit < value.length * 8; bit += 1) {
        const text = Buffer.from(flipBit(Buffer.from(value, "latin1"), bit)).toString("latin1");
        refusal(() => open(withField(genuine, name, text), { kms }), `${name} bit ${bit}`);
        tried += 1;
      }
    }
    assert.ok(tried > 1000, `${tried}`);
  });

  test(`${format}: a KMS that gives another key`, () => {
    const other = { decrypt: () => new Uint8Array(32).fill(7) };
    assertRefused(() => open(genuine, { kms: other }), format === "v3" ? COMMITMENT : TAG);
  });

  test(`${format}: a key that is not 32 bytes`, () => {
    for (const length of [0, 16, 24, 31, 33, 64]) {
      const short = { decrypt: () => new Uint8Array(length) };
      assertRefused(() => open(genuine, { kms: short }), new RegExp(`^data key is ${length} bytes, not 32$`));
    }
  });
}

test("kms-cbc: every truncation, and every bit of the wrapped key", () => {
  const genuine = sample("kms-cbc", kms);
  assertBytes(open(genuine, { kms }), PLAINTEXT);
  for (let length = 0; length < genuine.body.length; length += 1) {
    const object = { metadata: genuine.metadata, body: genuine.body.slice(0, length) };
    if (length === 0 || length % 16 !== 0) {
      assertRefused(
        () => open(object, { kms }),
        new RegExp(`^body is ${length} bytes, not whole blocks of 16$`),
      );
    }
  }
  const wrapped = fromBase64(valueOf(genuine.metadata, "x-amz-key-v2"));
  for (let bit = 0; bit < wrapped.length * 8; bit += 1) {
    const object = withField(genuine, "x-amz-key-v2", base64(flipBit(wrapped, bit)));
    assertRefused(() => open(object, { kms }), KMS, `bit ${bit}`);
  }
});

test("kms-cbc: all failures of the key or the padding are one message, with nothing to tell them apart", () => {
  const genuine = sample("kms-cbc", kms);
  const reading = readEnvelope(genuine, EVERYTHING);
  assert.ok(reading.kind === "envelope");
  const dataKey = kms.decrypt(reading.envelope.wrappedKey, reading.envelope.encryptionContext);
  const messages = new Set<string>();
  let refused = 0;
  // The last block but one decides the padding: bits of its last bytes make every kind of bad padding.
  const attempts: Uint8Array[] = [genuine.body.slice(0, 17), new Uint8Array(0)];
  for (let bit = 8 * 48; bit < 8 * 64; bit += 1) attempts.push(flipBit(genuine.body, bit));
  for (const body of attempts) {
    const error = refusal(() => openEnvelope(reading.envelope, dataKey, body));
    messages.add(`${error.message} ${error.hint} ${String(error.cause)}`);
    refused += 1;
  }
  assert.equal(refused, 130);
  assert.equal(messages.size, 1);
});

function withField(genuine: Sample, name: string, value: string): StoredObject {
  return { metadata: { ...genuine.metadata, [name]: value }, body: genuine.body };
}

/**
 * What is written: s3-encryption/encryption.md, Cipher Initialization; s3-encryption/data-format/content-
 * metadata.md, Content Metadata MapKeys; s3-encryption/key-commitment.md, Commitment Policy.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { seal, writerContext } from "../../../src/envelope/index.ts";
import { assertBytes, assertRefused, base64, bytes, fromBase64 } from "./expect.ts";
import { ModelKms } from "./model-kms.ts";
import { open, PLACE, PLAINTEXT, sample, valueOf } from "./samples.ts";

const kms = new ModelKms();

test("v3: the keys of the metadata, and no more", () => {
  const { metadata, body } = sample("v3", kms);
  assert.deepEqual(Object.keys(metadata).sort(), [
    "x-amz-3",
    "x-amz-c",
    "x-amz-d",
    "x-amz-i",
    "x-amz-t",
    "x-amz-w",
  ]);
  assert.equal(metadata["x-amz-c"], "115");
  assert.equal(metadata["x-amz-w"], "12");
  assert.deepEqual(JSON.parse(valueOf(metadata, "x-amz-t")), {
    "aws:x-amz-cek-alg": "115",
    stage: "prod",
    "sealexec:object": PLACE,
  });
  assert.equal(body.length, PLAINTEXT.length + 16);
});

test("v2: the keys of the metadata, and no more", () => {
  const { metadata, body } = sample("v2", kms);
  assert.deepEqual(Object.keys(metadata).sort(), [
    "x-amz-cek-alg",
    "x-amz-iv",
    "x-amz-key-v2",
    "x-amz-matdesc",
    "x-amz-tag-len",
    "x-amz-wrap-alg",
  ]);
  assert.equal(metadata["x-amz-tag-len"], "128");
  assert.equal(metadata["x-amz-wrap-alg"], "kms+context");
  assert.equal(metadata["x-amz-cek-alg"], "AES/GCM/NoPadding");
  assert.equal(body.length, PLAINTEXT.length + 16);
});

test("the same plaintext under the same key twice shares nothing", () => {
  for (const [format, id] of [
    ["v3", "x-amz-i"],
    ["v2", "x-amz-iv"],
  ] as const) {
    const encryptionContext = writerContext(format, {});
    const input = { plaintext: PLAINTEXT, encryptionContext, ...kms.generate(encryptionContext) };
    const [one, two] = [seal(format, input), seal(format, input)];
    assert.notEqual(valueOf(one.metadata, id), valueOf(two.metadata, id));
    assert.notEqual(base64(one.body), base64(two.body));
  }
});

test("neither the plaintext nor the data key is in what is uploaded", () => {
  for (const format of ["v3", "v2"] as const) {
    const encryptionContext = writerContext(format, {});
    const { dataKey, wrappedKey } = kms.generate(encryptionContext);
    const { metadata, body } = seal(format, { plaintext: PLAINTEXT, dataKey, wrappedKey, encryptionContext });
    const uploaded = JSON.stringify(metadata) + Buffer.from(body).toString("latin1");
    for (const secret of [dataKey, PLAINTEXT.subarray(0, 12)]) {
      for (const encoding of ["base64", "hex", "latin1"] as const) {
        assert.ok(!uploaded.includes(Buffer.from(secret).toString(encoding)), encoding);
      }
    }
  }
});

test("seal leaves its input as it is", () => {
  const encryptionContext = writerContext("v3", { a: "1" }, PLACE);
  const input = {
    plaintext: Uint8Array.from(PLAINTEXT),
    encryptionContext,
    ...kms.generate(encryptionContext),
  };
  const before = {
    ...input,
    dataKey: Uint8Array.from(input.dataKey),
    wrappedKey: Uint8Array.from(input.wrappedKey),
  };
  seal("v3", input);
  assertBytes(input.dataKey, before.dataKey);
  assertBytes(input.wrappedKey, before.wrappedKey);
  assertBytes(input.plaintext, PLAINTEXT);
});

test("a view into a larger buffer is sealed as what it shows", () => {
  const buffer = bytes(`----${"A=1\n"}----`);
  const encryptionContext = writerContext("v3", {}, PLACE);
  const { dataKey, wrappedKey } = kms.generate(encryptionContext);
  const padded = new Uint8Array([1, 2, 3, ...wrappedKey, 4, 5]);
  const sealed = seal("v3", {
    plaintext: buffer.subarray(4, 8),
    dataKey,
    wrappedKey: padded.subarray(3, 3 + wrappedKey.length),
    encryptionContext,
  });
  assertBytes(open(sealed, { kms }), bytes("A=1\n"));
});

test("metadata is printable ASCII that no reader takes for RFC 2047", () => {
  const user = { café: "\u007f\u0000\u202e🔑", word: "=?UTF-8?Q?=41?=", "": "" };
  for (const format of ["v3", "v2"] as const) {
    const object = sample(format, kms, user);
    for (const value of Object.values(object.metadata)) assert.match(value, /^[ -~]+$/);
    assert.ok(!JSON.stringify(object.metadata).includes("=?"));
    assertBytes(open(object, { kms, context: user }), PLAINTEXT);
  }
});

test("what cannot be sealed", () => {
  const encryptionContext = writerContext("v3", {});
  const good = { plaintext: PLAINTEXT, encryptionContext, ...kms.generate(encryptionContext) };
  for (const length of [0, 16, 31, 33]) {
    const dataKey = new Uint8Array(length);
    assertRefused(
      () => seal("v3", { ...good, dataKey }),
      new RegExp(`^data key is ${length} bytes, not 32$`),
    );
  }
  for (const length of [0, 6145]) {
    const wrappedKey = new Uint8Array(length);
    assertRefused(
      () => seal("v3", { ...good, wrappedKey }),
      new RegExp(`^wrapped data key is ${length} bytes`),
    );
  }
  // API_Decrypt, CiphertextBlob: from 1 to 6,144 bytes.
  for (const length of [1, 6144]) {
    const { metadata } = seal("v3", { ...good, wrappedKey: new Uint8Array(length) });
    assert.equal(fromBase64(valueOf(metadata, "x-amz-3")).length, length);
  }
  assertRefused(
    () => seal("v2", good),
    /aws:x-amz-cek-alg is "115", but x-amz-cek-alg is "AES\/GCM\/NoPadding"$/,
  );
  assertRefused(() => seal("v3", { ...good, encryptionContext: {} }), /aws:x-amz-cek-alg is missing$/);
  assertRefused(
    () => seal("v3", { ...good, encryptionContext: writerContext("v2", {}) }),
    /but x-amz-c is "115"$/,
  );
});

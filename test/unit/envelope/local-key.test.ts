/**
 * Data keys that a local key wraps, code 02 of s3-encryption/data-format/content-metadata.md, V3 Only. What the wrap
 * authenticates is ours: docs/envelope.md, Under a local key.
 */
import assert from "node:assert/strict";
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { test } from "node:test";
import {
  type Acceptance,
  checkContext,
  type EncryptionContext,
  generateLocalDataKey,
  LOCAL_KEY_BYTES,
  openEnvelope,
  readEnvelope,
  seal,
  type StoredObject,
  unwrapLocalDataKey,
  writerContext,
} from "../../../src/envelope/index.ts";
import { assertBytes, assertRefused, bytes, flipBit } from "./expect.ts";
import { ModelKms } from "./model-kms.ts";
import { PLACE, PLAINTEXT, sample, valueOf, without } from "./samples.ts";

const LOCAL_KEY = bytes("0123456789abcdef0123456789abcdef");
const LOCAL = ["local-key"] as const;
const CHANGED = /^the data key does not open: sealed under another local key, or changed$/;

/** Contexts, and the text that the wrap authenticates for each. */
const CONTEXTS: readonly (readonly [EncryptionContext, string])[] = [
  [{}, "115"],
  [{ a: "1" }, 'sealexec local key\n[["a","1"]]'],
  [{ b: "2", a: "1", B: "" }, 'sealexec local key\n[["B",""],["a","1"],["b","2"]]'],
  [{ a: "2", aa: "1" }, 'sealexec local key\n[["a","2"],["aa","1"]]'],
  // By UTF-16 code units: the first half of the surrogate pair comes before U+FF00, and 10 before 9.
  [
    { "\uff00": "1", "🔑": "2", "9": "3", "10": "4" },
    'sealexec local key\n[["10","4"],["9","3"],["🔑","2"],["\uff00","1"]]',
  ],
  [{ 'q"\\': "é\n" }, 'sealexec local key\n[["q\\"\\\\","é\\n"]]'],
];

for (const [context, aad] of CONTEXTS) {
  test(`what is wrapped under ${JSON.stringify(context)} authenticates ${JSON.stringify(aad)}`, () => {
    const { dataKey, wrappedKey } = generateLocalDataKey(LOCAL_KEY, context);
    assert.equal(dataKey.length, 32);
    assert.equal(wrappedKey.length, 12 + 32 + 16);
    const decipher = createDecipheriv("aes-256-gcm", LOCAL_KEY, wrappedKey.subarray(0, 12));
    decipher.setAAD(Buffer.from(aad)).setAuthTag(wrappedKey.subarray(44));
    assertBytes(Buffer.concat([decipher.update(wrappedKey.subarray(12, 44)), decipher.final()]), dataKey);
  });

  test(`what another has wrapped with ${JSON.stringify(aad)} opens, in any order of the pairs`, () => {
    const [dataKey, nonce] = [randomBytes(32), randomBytes(12)];
    const cipher = createCipheriv("aes-256-gcm", LOCAL_KEY, nonce).setAAD(Buffer.from(aad));
    const parts = [nonce, cipher.update(dataKey), cipher.final(), cipher.getAuthTag()];
    for (const pairs of [Object.entries(context), Object.entries(context).toReversed()])
      assertBytes(unwrapLocalDataKey(LOCAL_KEY, Buffer.concat(parts), Object.fromEntries(pairs)), dataKey);
  });
}

test("a local key is one of AES-256, and no data key or nonce is there twice", () => {
  assert.equal(LOCAL_KEY_BYTES, 32);
  const made = Array.from({ length: 20 }, () => generateLocalDataKey(LOCAL_KEY, {}));
  assert.equal(new Set(made.map(({ dataKey }) => Buffer.from(dataKey).toString("hex"))).size, 20);
  assert.equal(
    new Set(made.map((one) => Buffer.from(one.wrappedKey.subarray(0, 12)).toString("hex"))).size,
    20,
  );
});

test("another key, a changed context, any changed bit and any other length open nothing", () => {
  const context = { a: "1", b: "2" };
  const { dataKey, wrappedKey } = generateLocalDataKey(LOCAL_KEY, context);
  const unwrap = (wrapped: Uint8Array, key = LOCAL_KEY, map: EncryptionContext = context): Uint8Array =>
    unwrapLocalDataKey(key, wrapped, map);
  assertBytes(unwrap(wrappedKey), dataKey);
  assertRefused(() => unwrap(wrappedKey, flipBit(LOCAL_KEY, 0)), CHANGED);
  for (const other of [{}, { a: "1" }, { ...context, c: "" }, { a: "2", b: "1" }, { a: "1", B: "2" }])
    assertRefused(() => unwrap(wrappedKey, LOCAL_KEY, other), CHANGED, JSON.stringify(other));
  for (let bit = 0; bit < wrappedKey.length * 8; bit += 1)
    assertRefused(() => unwrap(flipBit(wrappedKey, bit)), CHANGED, `bit ${bit}`);
  for (let length = 0; length <= 64; length += 1) {
    if (length === 60) continue;
    const changed = Buffer.concat([wrappedKey, new Uint8Array(4)]).subarray(0, length);
    assertRefused(() => unwrap(changed), new RegExp(`^x-amz-3 is ${length} bytes, not 60$`));
  }
});

const kms = new ModelKms();

function sealed(encryptionContext: EncryptionContext = writerContext("v3", { stage: "prod" }, PLACE)) {
  const key = generateLocalDataKey(LOCAL_KEY, encryptionContext);
  return seal("v3", { plaintext: PLAINTEXT, ...key, wrap: "local", encryptionContext });
}

function open(object: StoredObject, ...accept: readonly Acceptance[]): Uint8Array {
  const reading = readEnvelope(object, new Set([...LOCAL, ...accept]));
  assert.ok(reading.kind === "envelope");
  const { envelope } = reading;
  assert.ok(envelope.format === "v3" && envelope.wrap === "local");
  checkContext(envelope, { object: PLACE, unbound: accept.includes("unbound") });
  const dataKey = unwrapLocalDataKey(LOCAL_KEY, envelope.wrappedKey, envelope.encryptionContext);
  return openEnvelope(envelope, dataKey, object.body);
}

test("what a local key has sealed: wrap code 02, its context in x-amz-m and no x-amz-t; it opens", () => {
  const object = sealed();
  assert.equal(object.metadata["x-amz-w"], "02");
  assert.equal("x-amz-t" in object.metadata, false);
  assert.deepEqual(JSON.parse(valueOf(object.metadata, "x-amz-m")), {
    "aws:x-amz-cek-alg": "115",
    stage: "prod",
    "sealexec:object": PLACE,
  });
  assertBytes(open(object), PLAINTEXT);
});

test("without a context it is what Amazon's AES keyring wraps: unbound, and with nothing to check", () => {
  const { metadata, body } = sealed({});
  for (const bare of [{ ...metadata, "x-amz-m": "{}" }, without(metadata, "x-amz-m")]) {
    assertBytes(open({ metadata: bare, body }, "unbound"), PLAINTEXT);
    assertRefused(() => open({ metadata: bare, body }), /^not bound to its place/);
  }
});

test("a context of its own names the content algorithm", () => {
  assertRefused(() => sealed({ stage: "prod" }), /^encryption context: aws:x-amz-cek-alg is missing$/);
  assertRefused(() => sealed(writerContext("v2", {})), /but x-amz-c is "115"$/);
});

test("where a local key is named, its wrap alone is read", () => {
  const { metadata, body } = sealed();
  const read = (changes: Readonly<Record<string, string>>) =>
    readEnvelope({ metadata: { ...metadata, ...changes }, body }, new Set(LOCAL));
  for (const [changes, expected] of [
    [{ "x-amz-w": "12" }, /^x-amz-w is 12: its data key is wrapped by KMS, not with a local key$/],
    [{ "x-amz-w": "22" }, /^x-amz-w is "22", not 02 \(AES-GCM\)$/],
    [{ "x-amz-w": "2" }, /^x-amz-w is "2", not 02 \(AES-GCM\)$/],
    [{ "x-amz-t": "{}" }, /^x-amz-t is there, but the context of a local key is in x-amz-m$/],
    [{ "x-amz-m": '{"stage":"prod"}' }, /^encryption context: aws:x-amz-cek-alg is missing$/],
    [{ "x-amz-m": '{"aws:x-amz-cek-alg":"114"}' }, /aws:x-amz-cek-alg is "114", but x-amz-c is "115"$/],
    [{ "x-amz-m": "" }, /^x-amz-m is empty$/],
  ] as const)
    assertRefused(() => read(changes), expected, JSON.stringify(changes));
});

test("where a local key is named, nothing of KMS is read, whatever is accepted beside it", () => {
  for (const format of ["v2", "kms-gcm", "kms-cbc"] as const) {
    const error = assertRefused(
      () => readEnvelope(sample(format, kms), new Set([...LOCAL, format])),
      new RegExp(`^sealed in the older format ${format}, by KMS and not with a local key$`),
    );
    assert.match(error.hint ?? "", /--key KEY/);
  }
  const direct = { metadata: {}, body: new Uint8Array(32) };
  assertRefused(
    () => readEnvelope(direct, new Set([...LOCAL, "kms-direct"])),
    /^sealed in .* kms-direct, by KMS/,
  );
  const { metadata, body } = sample("v3", kms);
  const split = { metadata: without(metadata, "x-amz-3", "x-amz-w", "x-amz-t"), body };
  const accept = new Set([...LOCAL, "instruction-file"] as const);
  assertRefused(
    () => readEnvelope(split, accept, JSON.stringify(metadata)),
    /^its data key is in an instruction file, not wrapped with a local key$/,
  );
});

test("what KMS has wrapped is said to be that", () => {
  const reading = readEnvelope(sample("v3", kms), new Set());
  assert.ok(reading.kind === "envelope" && reading.envelope.format === "v3");
  assert.equal(reading.envelope.wrap, "kms");
});

test("v2 has no form for it", () => {
  const encryptionContext = writerContext("v2", {});
  const key = generateLocalDataKey(LOCAL_KEY, encryptionContext);
  assert.throws(() => seal("v2", { plaintext: PLAINTEXT, ...key, wrap: "local", encryptionContext }), {
    kind: "usage",
    message: "v2 is for KMS keys: a local key seals v3 only",
  });
});

/**
 * Which format an object is: s3-encryption/data-format/content-metadata.md, Determining S3EC Object Status;
 * s3-encryption/materials/s3-keyring.md, OnDecrypt.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Acceptance, type Metadata, openEnvelope, readEnvelope } from "../../../src/envelope/index.ts";
import { assertBytes, assertRefused, bytes } from "./expect.ts";
import { ModelKms } from "./model-kms.ts";
import { open, PLACE, sample, V3_ONLY, without } from "./samples.ts";

const kms = new ModelKms();
const body = new Uint8Array(32);
const DIRECT = new Set<Acceptance>(["kms-direct"]);
const FILE = new Set<Acceptance>(["instruction-file"]);

test("no envelope: refused, and the hint names what may be accepted", () => {
  for (const metadata of [{}, { owner: "me" }, { "x-amz-unencrypted-content-length": "3" }]) {
    const error = assertRefused(
      () => readEnvelope({ metadata, body }, V3_ONLY),
      /^no envelope in its metadata/,
    );
    assert.match(error.hint ?? "", /--accept instruction-file or kms-direct/);
  }
  assertRefused(
    () => readEnvelope({ metadata: {}, body }, new Set(["v2", "kms-gcm", "kms-cbc"])),
    /^no envelope/,
  );
});

test("no envelope: names on the prototype of the metadata are not in it", () => {
  const metadata: Metadata = Object.create(sample("v3", kms).metadata);
  assertRefused(() => readEnvelope({ metadata, body }, V3_ONLY), /^no envelope/);
  const genuine = sample("v3", kms).metadata;
  const partly: Metadata = Object.assign(Object.create(genuine), without(genuine, "x-amz-t"));
  assert.equal(partly["x-amz-t"], genuine["x-amz-t"]);
  assertRefused(() => readEnvelope({ metadata: partly, body }, V3_ONLY), /aws:x-amz-cek-alg is missing$/);
});

test("kms-direct: the body is the wrapped key, and what KMS makes of it the plaintext", () => {
  const plaintext = bytes("TOKEN=1\n");
  const object = { metadata: {}, body: kms.encrypt(plaintext, {}) };
  const reading = readEnvelope(object, DIRECT);
  assert.ok(reading.kind === "envelope");
  assert.equal(reading.envelope.format, "kms-direct");
  assertBytes(reading.envelope.wrappedKey, object.body);
  assert.deepEqual({ ...reading.envelope.encryptionContext }, {});
  assertBytes(open(object, { kms, accept: DIRECT }), plaintext);
});

test("kms-direct: the plaintext outlives the wiping of the key buffer", () => {
  const dataKey = bytes("TOKEN=1\n");
  const reading = readEnvelope({ metadata: {}, body }, DIRECT);
  assert.ok(reading.kind === "envelope");
  const plaintext = openEnvelope(reading.envelope, dataKey, body);
  dataKey.fill(0);
  assertBytes(plaintext, bytes("TOKEN=1\n"));
});

test("kms-direct: a context that is expected is not there", () => {
  const object = { metadata: {}, body: kms.encrypt(bytes("A=1"), {}) };
  assertRefused(
    () => open(object, { kms, accept: DIRECT, context: { stage: "prod" } }),
    /"stage" is missing$/,
  );
  assertBytes(open(object, { kms, accept: DIRECT, context: {} }), bytes("A=1"));
});

test("kms-direct: a body that no KMS ciphertext can be", () => {
  for (const length of [0, 6145]) {
    const object = { metadata: {}, body: new Uint8Array(length) };
    assertRefused(() => readEnvelope(object, DIRECT), new RegExp(`^body is ${length} bytes, which no KMS`));
  }
  assert.equal(readEnvelope({ metadata: {}, body: new Uint8Array(6144) }, DIRECT).kind, "envelope");
});

test("kms-direct: never for an object with any part of an envelope", () => {
  for (const format of ["v3", "v2", "kms-cbc"] as const) {
    for (const [name, value] of Object.entries(sample(format, kms).metadata)) {
      assertRefused(() => readEnvelope({ metadata: { [name]: value }, body }, DIRECT), /missing$/, name);
    }
  }
  assertRefused(() => readEnvelope({ metadata: { "x-amz-m": "{}" }, body }, DIRECT), /^x-amz-3 is missing$/);
});

test("kms-direct comes before an instruction file, so that the file is not asked for", () => {
  const reading = readEnvelope({ metadata: {}, body }, new Set(["kms-direct", "instruction-file"]));
  assert.equal(reading.kind, "envelope");
  assert.equal(readEnvelope({ metadata: {}, body }, FILE).kind, "instruction-file-needed");
});

test("parts of v1 or v2 without their key: refused, not looked for in an instruction file", () => {
  for (const name of ["x-amz-iv", "x-amz-cek-alg", "x-amz-wrap-alg", "x-amz-matdesc", "x-amz-tag-len"]) {
    const object = { metadata: { [name]: "x" }, body };
    assertRefused(() => readEnvelope(object, FILE, "{}"), /^x-amz-key-v2 is missing$/, name);
  }
});

test("every pair of keys of different versions is refused as mixed", () => {
  const v3 = ["x-amz-3", "x-amz-c", "x-amz-d", "x-amz-i", "x-amz-w", "x-amz-t", "x-amz-m"];
  const older = [
    "x-amz-key",
    "x-amz-key-v2",
    "x-amz-iv",
    "x-amz-cek-alg",
    "x-amz-wrap-alg",
    "x-amz-matdesc",
    "x-amz-tag-len",
  ];
  for (const one of v3) {
    for (const other of older) {
      const object = { metadata: { [one]: "x", [other]: "y" }, body };
      const { message } = assertRefused(() => readEnvelope(object, DIRECT), /formats are mixed$/);
      assert.ok(
        message.startsWith(`${one} and ${other} `) || message.startsWith(`${other} and ${one} `),
        message,
      );
    }
  }
  const keys = { "x-amz-key": "AAAA", "x-amz-key-v2": "AAAA" };
  assertRefused(
    () => readEnvelope({ metadata: keys, body }, DIRECT),
    /^x-amz-key and x-amz-key-v2 are both there/,
  );
});

test("x-amz-m beside a v3 envelope of KMS is ignored: it describes raw keys", () => {
  const genuine = sample("v3", kms);
  const metadata = { ...genuine.metadata, "x-amz-m": "not JSON" };
  assertBytes(open({ metadata, body: genuine.body }, { kms, place: PLACE }), genuine.plaintext);
});

/**
 * Objects of other clients: s3-encryption/data-format/content-metadata.md, Content Metadata Values;
 * s3-encryption/decryption.md, CBC Decryption; s3-encryption/materials/s3-kms-keyring.md, OnDecrypt.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Acceptance,
  checkContext,
  type Format,
  openEnvelope,
  readEnvelope,
} from "../../../src/envelope/index.ts";
import type { Metadata, StoredObject } from "../../../src/envelope/index.ts";
import { assertBytes, assertRefused, fromBase64 } from "./expect.ts";
import { VectorKms } from "./model-kms.ts";
import { EVERYTHING, open, V3_ONLY, valueOf } from "./samples.ts";
import { type GoVector, official, OFFICIAL_MISSING, peers, type PeerVector } from "./vectors.ts";

const PEERS: Readonly<Record<string, { format: Format; accept: readonly Acceptance[] }>> = {
  "rb-v1-sample": { format: "kms-cbc", accept: ["kms-cbc"] },
  "rb-v2-sample": { format: "v2", accept: ["v2"] },
  "py-v3-sample": { format: "v3", accept: [] },
  "py-v3-empty": { format: "v3", accept: [] },
  "rb-v1i-sample": { format: "kms-cbc", accept: ["kms-cbc", "instruction-file"] },
  "rb-v2c-sample": { format: "v2", accept: ["v2"] },
};

test("peers.json: the vectors are the ones that this test knows", () => {
  assert.deepEqual(peers.map(({ name }) => name).sort(), Object.keys(PEERS).sort());
});

for (const vector of peers) {
  const expected = PEERS[vector.name];
  if (expected === undefined) continue;
  const object = { metadata: vector.object_metadata, body: fromBase64(vector.body_base64) };
  const file = vector.instruction_file ?? undefined;

  test(`${vector.name} opens, as ${expected.format}`, () => {
    const accept = new Set<Acceptance>([...expected.accept, "unbound"]);
    const reading = readEnvelope(object, accept, file);
    assert.ok(reading.kind === "envelope");
    assert.equal(reading.envelope.format, expected.format);
    assert.deepEqual({ ...reading.envelope.encryptionContext }, vector.encryption_context);
    const plaintext = open(object, { kms: peerKms(vector), accept, instructionFile: file });
    assertBytes(plaintext, fromBase64(vector.plaintext_base64));
  });

  test(`${vector.name} opens with everything else accepted too, but for a bare object as kms-direct`, () => {
    const accept = new Set(EVERYTHING);
    if (file !== undefined) accept.delete("kms-direct");
    const plaintext = open(object, { kms: peerKms(vector), accept, instructionFile: file });
    assertBytes(plaintext, fromBase64(vector.plaintext_base64));
  });

  for (const missing of expected.accept) {
    test(`${vector.name} is refused when ${missing} is not accepted`, () => {
      const accept = new Set(expected.accept.filter((name) => name !== missing));
      const error = assertRefused(
        () => readEnvelope(object, accept, file),
        missing === "instruction-file"
          ? /^no envelope in its metadata/
          : new RegExp(`older format ${missing}, which is not`),
      );
      assert.match(error.hint ?? "", new RegExp(`--accept ${missing}`));
    });
  }
}

test("what no client bound is refused, unless that is accepted, or goes with its format", () => {
  for (const vector of peers) {
    const object = { metadata: vector.object_metadata, body: fromBase64(vector.body_base64) };
    const accept = new Set(EVERYTHING);
    for (const name of ["unbound", "kms-direct"] as const) accept.delete(name);
    const attempt = (): Uint8Array =>
      open(object, { kms: peerKms(vector), accept, instructionFile: vector.instruction_file ?? undefined });
    const { format } = PEERS[vector.name] ?? assert.fail(vector.name);
    if (format === "kms-cbc") assertBytes(attempt(), fromBase64(vector.plaintext_base64));
    else assertRefused(attempt, /^not bound to its place/);
  }
});

test("rb-v2c-sample: the user's context is compared as a map", () => {
  const vector = peers.find(({ name }) => name === "rb-v2c-sample");
  assert.ok(vector !== undefined);
  const object = { metadata: vector.object_metadata, body: fromBase64(vector.body_base64) };
  const kms = peerKms(vector);
  const plaintext = open(object, { kms, context: { app: "web", stage: "prod" } });
  assertBytes(plaintext, fromBase64(vector.plaintext_base64));
  assertRefused(() => open(object, { kms, context: { stage: "prod" } }), /"app" was not expected/);
});

const goSkip = official === undefined ? { skip: OFFICIAL_MISSING } : {};

test("official Go: v3 opens as published", goSkip, () => {
  const vector = go("GetMockV3Object");
  assertOpens(vector, goObject(vector), V3_ONLY);
});

test("official Go: kms-cbc opens as published", goSkip, () => {
  const vector = go("GetMockV2Object_V1Interop_KMS_AESCBC");
  assertOpens(vector, goObject(vector), new Set(["kms-cbc"]));
});

for (const [name, accept] of [
  ["GetMockV2Object", "v2"],
  ["GetMockV2Object_V1Interop_KMS_AESGCM", "kms-gcm"],
] as const) {
  test(
    `official Go: ${accept} is refused as published, for its missing tag length, and opens with it`,
    goSkip,
    () => {
      const vector = go(name);
      assertRefused(() => openGo(goObject(vector), vector), /^x-amz-tag-len is missing$/);
      assertOpens(vector, goObject(vector, { "x-amz-tag-len": "128" }), new Set([accept]));
      assertRefused(
        () => openGo(goObject(vector, { "x-amz-tag-len": "96" }), vector),
        /^x-amz-tag-len is "96", not 128$/,
      );
    },
  );
}

test("official Go: a commitment to another key is refused", goSkip, () => {
  const vector = go("GetMockV3ObjectWithIncorrectKCValue");
  assertRefused(() => openGo(goObject(vector), vector), /^commitment does not match/);
});

test("official Go: a commitment that is not base64 is refused", goSkip, () => {
  const vector = go("GetMockV3ObjectWithInvalidKCValue");
  assertRefused(() => openGo(goObject(vector), vector), /^x-amz-d is not valid base64$/);
});

test("official Go: v2 without a context is refused, with a tag length as well", goSkip, () => {
  const vector = go("EncryptionContextValidation_MockV2Object");
  assertRefused(() => openGo(goObject(vector), vector), /aws:x-amz-cek-alg is missing$/);
  const tagged = goObject(vector, { "x-amz-tag-len": "128" });
  assertRefused(() => openGo(tagged, vector), /aws:x-amz-cek-alg is missing$/);
});

test(
  "official Go: the v2 object with kms_cmk_id is refused as published, and under a context that it has not",
  goSkip,
  () => {
    // What the published test refuses is the type of its caller's argument; the rest of it is a v2 object.
    const vector = go("EncryptionContextValidation_InvalidContextType");
    assertRefused(() => openGo(goObject(vector), vector), /^x-amz-tag-len is missing$/);
    const tagged = goObject(vector, { "x-amz-tag-len": "128" });
    const reading = readEnvelope(tagged, EVERYTHING);
    assert.ok(reading.kind === "envelope");
    const { envelope } = reading;
    assertRefused(
      () => checkContext(envelope, { object: "s3://test/test", unbound: true, context: { stage: "prod" } }),
      /^encryption context does not match: "stage" is missing$/,
    );
    checkContext(envelope, { object: "s3://test/test", unbound: true, context: {} });
  },
);

test("official Go: all vectors are covered", goSkip, () => {
  assert.equal(official?.length, 8);
});

function peerKms(vector: PeerVector): VectorKms {
  const file: Metadata = vector.instruction_file === null ? {} : JSON.parse(vector.instruction_file);
  const all = { ...vector.object_metadata, ...file };
  const wrapped = all["x-amz-3"] ?? valueOf(all, "x-amz-key-v2");
  return new VectorKms(fromBase64(wrapped), vector.encryption_context, fromBase64(vector.data_key_base64));
}

function go(name: string): GoVector {
  const vector = official?.find(({ source }) => source.endsWith(`TestDecryptionClientV4_${name}`));
  assert.ok(vector !== undefined, name);
  return vector;
}

function goObject(vector: GoVector, more: Metadata = {}): StoredObject {
  return {
    metadata: { ...vector.metadata, ...more },
    body: new Uint8Array(Buffer.from(vector.body_hex, "hex")),
  };
}

/** The published tests have a KMS that returns the key whatever it is asked. */
function openGo(object: StoredObject, vector: GoVector, accept = EVERYTHING): Uint8Array {
  const reading = readEnvelope(object, accept);
  assert.ok(reading.kind === "envelope");
  checkContext(reading.envelope, { object: "s3://test/test", unbound: true });
  return openEnvelope(reading.envelope, fromBase64(vector.data_key_base64), object.body);
}

function assertOpens(vector: GoVector, object: StoredObject, accept: ReadonlySet<Acceptance>): void {
  assert.ok(vector.plaintext_hex !== null);
  assertBytes(openGo(object, vector, accept), new Uint8Array(Buffer.from(vector.plaintext_hex, "hex")));
}

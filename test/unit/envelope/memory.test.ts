/** The order of the checks, and what is left in memory: s3-encryption/decryption.md, Decrypting With Commitment; s3-encryption/encryption.md, Cipher Initialization. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { openV3 } from "../../../src/envelope/v3.ts";
import { readEnvelope, seal, writerContext } from "../../../src/envelope/index.ts";
import type { Envelope } from "../../../src/envelope/index.ts";
import { cryptoCallsOf, withoutRandomness } from "./crypto-calls.ts";
import { assertBytes, flipBit } from "./expect.ts";
import { ModelKms } from "./model-kms.ts";
import { EVERYTHING, open, PLAINTEXT, PLACE, sample } from "./samples.ts";

const kms = new ModelKms();
const v3 = sample("v3", kms);
const COMMITMENT_BYTES = 28;
const KEY_BYTES = 32;

function envelopeOf(object: typeof v3): Extract<Envelope, { format: "v3" }> {
  const reading = readEnvelope(object, EVERYTHING);
  assert.ok(reading.kind === "envelope" && reading.envelope.format === "v3");
  return reading.envelope;
}

function isWiped(memory: Uint8Array | undefined): void {
  assert.ok(memory !== undefined && memory.length > 0);
  assertBytes(memory, new Uint8Array(memory.length));
}

test("a commitment is compared in constant time, and before the encryption key is derived", () => {
  const dataKey = kms.decrypt(envelopeOf(v3).wrappedKey, envelopeOf(v3).encryptionContext);
  const good = cryptoCallsOf(() => openV3(envelopeOf(v3), dataKey, v3.body));
  assert.equal(good.compared, 1);
  assert.deepEqual(
    good.derived.map(({ length }) => length),
    [COMMITMENT_BYTES, KEY_BYTES],
  );
  const envelope = { ...envelopeOf(v3), commitment: flipBit(envelopeOf(v3).commitment, 5) };
  const bad = cryptoCallsOf(() => openV3(envelope, dataKey, v3.body));
  assert.equal(bad.compared, 1);
  assert.deepEqual(
    bad.derived.map(({ length }) => length),
    [COMMITMENT_BYTES],
  );
  assert.equal(bad.decrypted.length, 0);
});

test("the derived key is wiped: after opening, after a bad tag, and after sealing", () => {
  isWiped(cryptoCallsOf(() => open(v3, { kms })).derived[1]);
  const body = flipBit(v3.body, 3);
  isWiped(cryptoCallsOf(() => open({ ...v3, body }, { kms })).derived[1]);
  const sealing = cryptoCallsOf(() => sample("v3", kms));
  assert.equal(sealing.derived.length, 2);
  isWiped(sealing.derived.find(({ length }) => length === KEY_BYTES));
});

test("what was decrypted before its tag was found wrong is wiped, and what is returned is not", () => {
  for (const format of ["v3", "v2", "kms-gcm"] as const) {
    const object = sample(format, kms);
    const body = flipBit(object.body, object.body.length * 8 - 1);
    // The model's own decipher of the data key comes first.
    isWiped(cryptoCallsOf(() => open({ ...object, body }, { kms })).decrypted.at(-1));
    const { decrypted } = cryptoCallsOf(() => open(object, { kms }));
    assertBytes(decrypted.at(-1) ?? new Uint8Array(), PLAINTEXT);
  }
});

test("blocks of CBC that were copied out are wiped, whether the padding was right or not", () => {
  const object = sample("kms-cbc", kms);
  isWiped(cryptoCallsOf(() => open(object, { kms })).decrypted.at(-1));
  const body = flipBit(object.body, object.body.length * 8 - 1);
  isWiped(cryptoCallsOf(() => open({ ...object, body }, { kms })).decrypted.at(-1));
});

test("a message id or an IV of zeros is not written: nothing was generated", () => {
  for (const format of ["v3", "v2"] as const) {
    const encryptionContext = writerContext(format, {}, PLACE);
    const input = { plaintext: PLAINTEXT, encryptionContext, ...kms.generate(encryptionContext) };
    assert.throws(() => withoutRandomness(() => seal(format, input)), {
      kind: "internal",
      message: "the random source gave only zeros",
    });
  }
});

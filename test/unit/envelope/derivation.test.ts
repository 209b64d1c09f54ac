/**
 * Both keys of v3: s3-encryption/key-derivation.md, HKDF Operation; s3-encryption/encryption.md,
 * ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY.
 */
import assert from "node:assert/strict";
import { createHmac, randomBytes } from "node:crypto";
import { test } from "node:test";
import { deriveCommitment, deriveEncryptionKey } from "../../../src/envelope/v3.ts";
import { sealV3 } from "../../../src/envelope/v3.ts";
import { assertBytes, fromBase64 } from "./expect.ts";
import { valueOf } from "./samples.ts";
import { official, OFFICIAL_MISSING, peers } from "./vectors.ts";

const pythonV3 = peers.filter(({ name }) => name.startsWith("py-v3"));

test("the commitment is the one that Python wrote", () => {
  assert.equal(pythonV3.length, 2);
  for (const vector of pythonV3) {
    const messageId = fromBase64(valueOf(vector.object_metadata, "x-amz-i"));
    assertBytes(
      deriveCommitment(fromBase64(vector.data_key_base64), messageId),
      fromBase64(valueOf(vector.object_metadata, "x-amz-d")),
    );
  }
});

test("sealing what Python sealed, with its message id, gives its object byte for byte", () => {
  for (const vector of pythonV3) {
    const metadata = vector.object_metadata;
    const sealed = sealV3(
      {
        plaintext: fromBase64(vector.plaintext_base64),
        dataKey: fromBase64(vector.data_key_base64),
        wrappedKey: fromBase64(valueOf(metadata, "x-amz-3")),
        encryptionContext: vector.encryption_context,
      },
      fromBase64(valueOf(metadata, "x-amz-i")),
    );
    assertBytes(sealed.body, fromBase64(vector.body_base64));
    // Python writes a space into its JSON; the map is the same.
    assert.deepEqual(sealed.metadata, { ...metadata, "x-amz-t": '{"aws:x-amz-cek-alg":"115"}' });
  }
});

test(
  "the commitment is the one that Amazon published",
  official === undefined ? { skip: OFFICIAL_MISSING } : {},
  () => {
    const vector = official?.find(({ source }) => source.endsWith("_GetMockV3Object"));
    assert.ok(vector !== undefined);
    assertBytes(
      deriveCommitment(fromBase64(vector.data_key_base64), fromBase64(valueOf(vector.metadata, "x-amz-i"))),
      fromBase64(valueOf(vector.metadata, "x-amz-d")),
    );
  },
);

test("both keys are HKDF as RFC 5869 has it, written out in HMACs", () => {
  for (let round = 0; round < 50; round += 1) {
    const dataKey = new Uint8Array(randomBytes(32));
    const messageId = new Uint8Array(randomBytes(28));
    assertBytes(deriveCommitment(dataKey, messageId), hkdf(dataKey, messageId, "\0sCOMMITKEY", 28));
    assertBytes(deriveEncryptionKey(dataKey, messageId), hkdf(dataKey, messageId, "\0sDERIVEKEY", 32));
  }
});

/** Up to 64 bytes: a single block of the expand step, T(1) = HMAC(PRK, info ‖ 0x01). */
function hkdf(ikm: Uint8Array, salt: Uint8Array, info: string, lengthBytes: number): Uint8Array {
  const prk = createHmac("sha512", salt).update(ikm).digest();
  const block = createHmac("sha512", prk).update(info, "latin1").update(Uint8Array.of(1)).digest();
  return new Uint8Array(block.subarray(0, lengthBytes));
}

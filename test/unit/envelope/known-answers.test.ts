/**
 * The primitives, by answers that others published. s3-encryption/key-derivation.md, HKDF Operation; s3-encryption/encryption.md, the two
 * suites of AES-GCM.
 */
import assert from "node:assert/strict";
import { hkdfSync } from "node:crypto";
import { test } from "node:test";
import { decryptGcm, encryptGcm } from "../../../src/envelope/gcm.ts";
import { assertBytes, assertRefused, flipBit } from "./expect.ts";

/**
 * The inputs of RFC 5869, appendix A.1 to A.3, with SHA-512 in the place of SHA-256.
 */
const HKDF = [
  {
    ikm: "0b".repeat(22),
    salt: "000102030405060708090a0b0c",
    info: "f0f1f2f3f4f5f6f7f8f9",
    okm: "832390086cda71fb47625bb5ceb168e4c8e26a1a16ed34d9fc7fe92c1481579338da362cb8d9f925d7cb",
  },
  {
    ikm: sequence(0x00, 80),
    salt: sequence(0x60, 80),
    info: sequence(0xb0, 80),
    okm:
      "ce6c97192805b346e6161e821ed165673b84f400a2b514b2fe23d84cd189ddf1b695b48cbd1c8388441137b3ce28f16a" +
      "a64ba33ba466b24df6cfcb021ecff235f6a2056ce3af1de44d572097a8505d9e7a93",
  },
  {
    ikm: "0b".repeat(22),
    salt: "",
    info: "",
    okm: "f5fa02b18298a72a8c23898a8703472c6eb179dc204c03425c970e3b164bf90fff22d04836d0e2343bac",
  },
];

test("HKDF-SHA512", () => {
  for (const { ikm, salt, info, okm } of HKDF) {
    assertBytes(new Uint8Array(hkdfSync("sha512", hex(ikm), hex(salt), hex(info), okm.length / 2)), hex(okm));
  }
});

const PLAINTEXT =
  "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72" +
  "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255";
const CIPHERTEXT =
  "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa" +
  "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad";
const KEY = "feffe9928665731c6d6a8f9467308308".repeat(2);

/** NIST CAVP, gcmEncryptExtIV256.rsp (the first of a group), and McGrew and Viega, "The Galois/Counter Mode", cases 13 to 16. */
const GCM = [
  {
    key: "b52c505a37d78eda5dd34f20c22540ea1b58963cf8e5bf8ffa85f9f2492505b4",
    iv: "516c33929df5a3284ff463d7",
    tag: "bdc1ac884d332457a1d2664f168c76f0",
  },
  {
    key: "78dc4e0aaf52d935c3c01eea57428f00ca1fd475f5da86a49c8dd73d68c8e223",
    iv: "d79cf22d504cc793c3fb6c8a",
    aad: "b96baa8c1c75a671bfb2d08d06be5f36",
    tag: "3e5d486aa2e30b22e040b85723a06e76",
  },
  {
    key: "31bdadd96698c204aa9ce1448ea94ae1fb4a9a0b3c9d773b51bb1822666b8f22",
    iv: "0d18e06c7c725ac9e362e1ce",
    plaintext: "2db5168e932556f8089a0622981d017d",
    ciphertext: "fa4362189661d163fcd6a56d8bf0405a",
    tag: "d636ac1bbedd5cc3ee727dc2ab4a9489",
  },
  { key: "00".repeat(32), iv: "00".repeat(12), tag: "530f8afbc74536b9a963b4f1c4cb738b" },
  {
    key: "00".repeat(32),
    iv: "00".repeat(12),
    plaintext: "00".repeat(16),
    ciphertext: "cea7403d4d606b6e074ec5d3baf39d18",
    tag: "d0d1c8a799996bf0265b98b5d48ab919",
  },
  {
    key: KEY,
    iv: "cafebabefacedbaddecaf888",
    plaintext: PLAINTEXT,
    ciphertext: CIPHERTEXT,
    tag: "b094dac5d93471bdec1a502270e3cc6c",
  },
  {
    key: KEY,
    iv: "cafebabefacedbaddecaf888",
    aad: "feedfacedeadbeeffeedfacedeadbeefabaddad2",
    plaintext: PLAINTEXT.slice(0, 120),
    ciphertext: CIPHERTEXT.slice(0, 120),
    tag: "76fc6ece0f4e1768cddf8853bb2d551b",
  },
];

test("AES-256-GCM, both ways, and no other tag", () => {
  for (const { key, iv, aad = "", plaintext = "", ciphertext = "", tag } of GCM) {
    const body = hex(ciphertext + tag);
    assertBytes(encryptGcm(hex(key), hex(iv), hex(plaintext), hex(aad)), body, tag);
    assertBytes(decryptGcm(hex(key), hex(iv), body, hex(aad)), hex(plaintext), tag);
    for (let bit = 0; bit < 128; bit += 1) {
      const forged = flipBit(body, (body.length - 16) * 8 + bit);
      assertRefused(
        () => decryptGcm(hex(key), hex(iv), forged, hex(aad)),
        /^authentication tag does not match/,
      );
    }
    assert.equal(body.length, hex(plaintext).length + 16);
  }
});

function hex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "hex"));
}

function sequence(from: number, count: number): string {
  return Buffer.from(Array.from({ length: count }, (_, index) => from + index)).toString("hex");
}

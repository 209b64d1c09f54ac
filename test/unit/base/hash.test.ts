import assert from "node:assert/strict";
import { test } from "node:test";
import { hmacSha256, sha256 } from "../../../src/base/hash.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

test("SHA-256 of FIPS 180-2, appendix B.1, and of a text's UTF-8", () => {
  const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  assert.deepEqual([hex(sha256("abc")), hex(sha256(Buffer.from("abc")))], [abc, abc]);
  assert.equal(hex(sha256("ż")), hex(sha256(Buffer.from("ż", "utf8"))));
});

test("HMAC-SHA-256 of RFC 4231, sections 4.2 and 4.3", () => {
  assert.equal(
    hex(hmacSha256(Buffer.alloc(20, 0x0b), "Hi There")),
    "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
  );
  assert.equal(
    hex(hmacSha256("Jefe", Buffer.from("what do ya want for nothing?"))),
    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
  );
});

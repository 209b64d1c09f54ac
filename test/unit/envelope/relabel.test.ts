/**
 * Formats accepted by name; algorithms, wrappings and lengths relabelled; raw keys; what messages may hold.
 * s3-encryption/client.md, Enable Legacy Wrapping Algorithms and Enable Legacy Unauthenticated Modes;
 * s3-encryption/decryption.md, Legacy Decryption; s3-encryption/key-commitment.md, Commitment Policy.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ACCEPTANCES, type Metadata, quote } from "../../../src/envelope/index.ts";
import { assertBytes, assertRefused } from "./expect.ts";
import { ModelKms } from "./model-kms.ts";
import {
  EVERYTHING,
  open,
  PLAINTEXT,
  type SealedFormat,
  sample,
  V3_ONLY,
  valueOf,
  without,
} from "./samples.ts";

const kms = new ModelKms();
const samples = {
  v3: sample("v3", kms),
  v2: sample("v2", kms),
  "kms-gcm": sample("kms-gcm", kms),
  "kms-cbc": sample("kms-cbc", kms),
};

const KMS = /^model KMS/;
const NO_ALGORITHM = /^encryption context: aws:x-amz-cek-alg is missing$/;

test("only v3 opens where only v3 is accepted", () => {
  assertBytes(open(samples.v3, { kms, accept: V3_ONLY }), PLAINTEXT);
  for (const format of ["v2", "kms-gcm", "kms-cbc"] as const) {
    const error = assertRefused(
      () => open(samples[format], { kms, accept: V3_ONLY }),
      new RegExp(`^sealed in the older format ${format}, which is not accepted$`),
    );
    assert.match(error.hint ?? "", new RegExp(`--accept ${format}$`));
    // One name does not let in another.
    const accept = new Set([...EVERYTHING].filter((name) => name !== format));
    assertRefused(() => open(samples[format], { kms, accept }), /which is not accepted$/);
  }
});

test("an invalid envelope of a format that is not accepted is invalid first of all", () => {
  const metadata = { ...samples.v2.metadata, "x-amz-tag-len": "64" };
  assertRefused(
    () => open({ metadata, body: samples.v2.body }, { kms, accept: V3_ONLY }),
    /^x-amz-tag-len is "64"/,
  );
});

test("v3: another content algorithm", () => {
  for (const c of [
    "0",
    "20",
    "112",
    "114",
    "116",
    "0115",
    "115.0",
    " 115",
    "0x73",
    "AES/GCM/NoPadding",
    "AES/CTR/NoPadding",
  ]) {
    assertRefused(
      () => openWith("v3", { ...samples.v3.metadata, "x-amz-c": c }),
      /^x-amz-c is ".*", not 115$/,
      c,
    );
  }
});

test("v3: another content algorithm in the context", () => {
  const context = JSON.stringify({ "aws:x-amz-cek-alg": "114", stage: "prod" });
  assertRefused(
    () => openWith("v3", { ...samples.v3.metadata, "x-amz-t": context }),
    /^encryption context: aws:x-amz-cek-alg is "114", but x-amz-c is "115"$/,
  );
});

test("v3: another wrapping", () => {
  for (const [w, expected] of [
    ["02", /^x-amz-w is 02 \(AES-GCM\): the data key is wrapped with a raw key, not by KMS$/],
    ["22", /^x-amz-w is 22 \(RSA-OAEP-SHA1\): the data key is wrapped with a raw key, not by KMS$/],
    ["11", /^x-amz-w is "11", not 12 \(kms\+context\)$/],
    ["012", /^x-amz-w is "012", not 12/],
    ["kms", /^x-amz-w is "kms", not 12/],
    ["kms+context", /^x-amz-w is "kms\+context", not 12/],
    ["constructor", /^x-amz-w is "constructor", not 12/],
  ] as const) {
    assertRefused(() => openWith("v3", { ...samples.v3.metadata, "x-amz-w": w }), expected, w);
  }
});

test("v3: a message id of zeros", () => {
  const metadata = { ...samples.v3.metadata, "x-amz-i": Buffer.alloc(28).toString("base64") };
  assertRefused(() => openWith("v3", metadata), /^x-amz-i is all zeros$/);
});

test("v2: content relabelled GCM → CBC or CTR, in the metadata and in the context", () => {
  for (const algorithm of [
    "AES/CBC/PKCS5Padding",
    "AES/CBC/PKCS7Padding",
    "AES/CTR/NoPadding",
    "AES/GCM/NOPADDING",
  ]) {
    const relabelled = { ...samples.v2.metadata, "x-amz-cek-alg": algorithm };
    assertRefused(
      () => openWith("v2", relabelled),
      /^x-amz-cek-alg is ".*", which does not go with kms\+context$/,
    );
    assertRefused(
      () => openWith("v2", without(relabelled, "x-amz-tag-len")),
      /does not go with kms\+context$/,
    );
    const matdesc = JSON.stringify({ "aws:x-amz-cek-alg": algorithm, stage: "prod" });
    assertRefused(
      () => openWith("v2", { ...samples.v2.metadata, "x-amz-matdesc": matdesc }),
      /^encryption context: aws:x-amz-cek-alg is ".*", but x-amz-cek-alg is "AES\/GCM\/NoPadding"$/,
    );
    assertRefused(
      () => openWith("v2", { ...relabelled, "x-amz-matdesc": matdesc }),
      /does not go with kms\+context$/,
    );
  }
});

test("v2: wrap relabelled kms+context → kms is seen by the context, whatever the content is called", () => {
  const relabelled = { ...samples.v2.metadata, "x-amz-wrap-alg": "kms" };
  const downgraded = /^x-amz-wrap-alg is kms, but the encryption context is one of kms\+context/;
  assertRefused(() => openWith("v2", relabelled), downgraded);
  const cbc = {
    ...relabelled,
    "x-amz-cek-alg": "AES/CBC/PKCS5Padding",
    "x-amz-iv": "AAAAAAAAAAAAAAAAAAAAAA==",
  };
  assertRefused(() => openWith("v2", cbc), downgraded);
  assertRefused(() => openWith("v2", without(cbc, "x-amz-tag-len")), downgraded);
  // With the context gone as well, KMS does not open the key.
  assertRefused(() => openWith("v2", without(relabelled, "x-amz-matdesc")), KMS);
  assertRefused(() => openWith("v2", without(cbc, "x-amz-tag-len", "x-amz-matdesc")), KMS);
});

test("kms-gcm relabelled kms+context, or CBC or CTR", () => {
  const { metadata } = samples["kms-gcm"];
  assertRefused(() => openWith("kms-gcm", { ...metadata, "x-amz-wrap-alg": "kms+context" }), NO_ALGORITHM);
  assertRefused(
    () => openWith("kms-gcm", { ...metadata, "x-amz-cek-alg": "AES/CTR/NoPadding" }),
    /^x-amz-cek-alg is "AES\/CTR\/NoPadding", which does not go with kms$/,
  );
  const cbc = { ...metadata, "x-amz-cek-alg": "AES/CBC/PKCS5Padding" };
  assertRefused(() => openWith("kms-gcm", cbc), /^x-amz-tag-len is there, but x-amz-cek-alg is CBC/);
  assertRefused(() => openWith("kms-gcm", without(cbc, "x-amz-tag-len")), /^x-amz-iv is 12 bytes, not 16$/);
});

test("kms-cbc: both names of its padding are read, and no tag length", () => {
  const { metadata, body } = samples["kms-cbc"];
  const pkcs7 = { ...metadata, "x-amz-cek-alg": "AES/CBC/PKCS7Padding" };
  assertBytes(open({ metadata: pkcs7, body }, { kms }), PLAINTEXT);
  // Go writes an empty one, and C++ writes 0: CBC has no tag.
  for (const bits of ["0", ""]) {
    assertBytes(open({ metadata: { ...metadata, "x-amz-tag-len": bits }, body }, { kms }), PLAINTEXT);
  }
  for (const bits of ["128", "16", "00", " ", "0 ", "-0", "null"]) {
    assertRefused(
      () => openWith("kms-cbc", { ...metadata, "x-amz-tag-len": bits }),
      /^x-amz-tag-len is there/,
    );
  }
});

test("kms-cbc is not authenticated: another iv changes the first block, and nothing can tell", () => {
  // Not a promise but a fact of the format, and why it is read only when accepted by name.
  const { metadata, body } = samples["kms-cbc"];
  const iv = valueOf(sample("kms-cbc", kms).metadata, "x-amz-iv");
  const opened = open({ metadata: { ...metadata, "x-amz-iv": iv }, body }, { kms });
  assertBytes(opened.subarray(16), PLAINTEXT.subarray(16));
  assert.notDeepEqual(Buffer.from(opened.subarray(0, 16)), Buffer.from(PLAINTEXT.subarray(0, 16)));
});

test("tag length: 128 only", () => {
  for (const format of ["v2", "kms-gcm"] as const) {
    for (const bits of ["0", "32", "96", "120", "127", "0128", "128.0", "16", "1280"]) {
      const metadata = { ...samples[format].metadata, "x-amz-tag-len": bits };
      assertRefused(() => openWith(format, metadata), /^x-amz-tag-len is ".*", not 128$/, bits);
    }
  }
});

test("raw keys are refused, and said to be that", () => {
  const v1 = { "x-amz-key": "AAAA", "x-amz-iv": "AAAAAAAAAAAAAAAAAAAAAA==", "x-amz-matdesc": "{}" };
  assertRefused(
    () => openWith("v2", v1),
    /^x-amz-key: the data key is wrapped with a raw key \(format v1\), not by KMS$/,
  );
  for (const wrap of ["AES/GCM", "AESWrap", "RSA/ECB/OAEPWithSHA-256AndMGF1Padding", "RSA-OAEP-SHA1"]) {
    const error = assertRefused(
      () => openWith("v2", { ...samples.v2.metadata, "x-amz-wrap-alg": wrap }),
      /^x-amz-wrap-alg is .*: the data key is wrapped with a raw key, not by KMS$/,
    );
    assert.ok(error.message.includes(wrap));
  }
});

test("lengths: iv and wrapped key", () => {
  for (const [format, iv] of [
    ["v2", "AAAAAAAAAAAAAAAAAAAAAA=="],
    ["kms-gcm", "AAAAAAAAAAAAAAAAAAAAAA=="],
    ["kms-cbc", "AAAAAAAAAAAAAAAA"],
  ] as const) {
    assertRefused(
      () => openWith(format, { ...samples[format].metadata, "x-amz-iv": iv }),
      /^x-amz-iv is \d+ bytes, not \d+$/,
    );
  }
  const wrapped = (sizeBytes: number) => Buffer.alloc(sizeBytes, 1).toString("base64");
  assertRefused(
    () => openWith("v3", { ...samples.v3.metadata, "x-amz-3": wrapped(6145) }),
    /^x-amz-3 is 6145 bytes, more than/,
  );
  assertRefused(() => openWith("v3", { ...samples.v3.metadata, "x-amz-3": wrapped(6144) }), KMS);
});

test("what a message takes from the metadata is short and without control characters", () => {
  const hostile = `\u001b[31m\nsealexec: error: fake\r\u202e"${"x".repeat(5000)}`;
  const error = assertRefused(
    () => openWith("v3", { ...samples.v3.metadata, "x-amz-w": hostile }),
    /^x-amz-w is "\?\[31m\?sealexec: error: fake\?\?\?x+…", not 12 \(kms\+context\)$/,
  );
  assert.ok(error.message.length < 120);
  for (const name of ["x-amz-c", "x-amz-t"]) {
    assertRefused(() => openWith("v3", { ...samples.v3.metadata, [name]: hostile }), /^x-amz-/, name);
  }
  for (const name of ["x-amz-wrap-alg", "x-amz-cek-alg", "x-amz-tag-len", "x-amz-matdesc"]) {
    assertRefused(() => openWith("v2", { ...samples.v2.metadata, [name]: hostile }), /^x-amz-/, name);
  }
});

test("a text in a message: sixty characters of any size, and a sign that there are more", () => {
  for (const character of ["x", "é", "🔑"]) {
    const [all, shown] = [character.repeat(61), character.repeat(60)];
    assert.equal(quote(shown), `"${shown}"`);
    assert.equal(quote(all), `"${shown}…"`);
    assert.equal(quote(all, 61), `"${all}"`);
  }
});

test("what can be accepted by name is what the clause on legacy formats has, an instruction file, and no binding", () => {
  const names = ["instruction-file", "kms-cbc", "kms-direct", "kms-gcm", "unbound", "v2"];
  assert.deepEqual(ACCEPTANCES.toSorted(), names);
});

function openWith(format: SealedFormat, metadata: Metadata): Uint8Array {
  return open({ metadata, body: samples[format].body }, { kms });
}

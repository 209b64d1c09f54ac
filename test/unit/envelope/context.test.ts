/**
 * What the encryption context must say: s3-encryption/materials/s3-kms-keyring.md, EncryptDataKey and
 * Kms+Context; the binding is ours.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  BINDING_NAME,
  checkContext,
  type EncryptionContext,
  type Envelope,
  readEnvelope,
  RESERVED_CONTEXT_NAMES,
  writerContext,
} from "../../../src/envelope/index.ts";
import { assertRefused } from "./expect.ts";
import { ModelKms } from "./model-kms.ts";
import { EVERYTHING, open, PLACE, sample, SEALED_FORMATS } from "./samples.ts";

const ALGORITHM = { "aws:x-amz-cek-alg": "115" };
const MISMATCH = /^encryption context does not match: /;

test("writerContext: algorithm, user's pairs and binding, for each format", () => {
  assert.deepEqual(
    { ...writerContext("v3", { stage: "prod" }, PLACE) },
    { ...ALGORITHM, stage: "prod", [BINDING_NAME]: PLACE },
  );
  assert.deepEqual({ ...writerContext("v2", {}) }, { "aws:x-amz-cek-alg": "AES/GCM/NoPadding" });
  assert.equal(BINDING_NAME, "sealexec:object");
});

test("writerContext: reserved names are refused, with and without a binding", () => {
  assert.deepEqual(RESERVED_CONTEXT_NAMES.toSorted(), [
    "aws:x-amz-cek-alg",
    "kms_cmk_id",
    "sealexec:format",
    "sealexec:object",
    "sealexec:revision",
  ]);
  for (const name of RESERVED_CONTEXT_NAMES) {
    for (const object of [PLACE, undefined]) {
      for (const value of ["115", PLACE, ""]) {
        assertRefused(
          () => writerContext("v3", { [name]: value }, object),
          new RegExp(`^encryption context: ${name} is a reserved name$`),
        );
      }
    }
  }
  assert.equal(writerContext("v3", { kms_cmk_idx: "1", "AWS:x-amz-cek-alg": "2" })["kms_cmk_idx"], "1");
});

test("writerContext: text that has no UTF-8 form is refused", () => {
  assertRefused(
    () => writerContext("v3", { stage: "\ud800" }),
    /^encryption context: "stage" is not valid Unicode$/,
  );
  assertRefused(() => writerContext("v3", { "\udc00": "x" }), /is not valid Unicode$/);
});

test("writerContext: __proto__ is a name like any other, and changes nothing else", () => {
  const user: EncryptionContext = JSON.parse('{"__proto__":"x"}');
  const context = writerContext("v3", user);
  assert.deepEqual(Object.entries(context).sort(), [
    ["__proto__", "x"],
    ["aws:x-amz-cek-alg", "115"],
  ]);
  assert.equal(Object.getPrototypeOf({}), Object.prototype);
  const kms = new ModelKms();
  open(sample("v3", kms, user), { kms, context: user });
  assertRefused(() => open(sample("v3", kms, user), { kms, context: {} }), /"__proto__" was not expected$/);
  assertRefused(() => open(sample("v3", kms, {}), { kms, context: user }), /"__proto__" is missing$/);
});

test("checkContext: a context that is expected must be there exactly, in any order", () => {
  const stored = { b: "2", ...ALGORITHM, a: "1", [BINDING_NAME]: PLACE };
  check(stored, { a: "1", b: "2" });
  check(stored, { b: "2", a: "1" });
  refused(stored, { a: "1" }, /: "b" was not expected$/);
  refused(stored, { a: "1", b: "2", c: "3" }, /: "c" is missing$/);
  refused(stored, { a: "1", b: "3" }, /: "b" differs$/);
  refused(stored, { a: "1", b: "" }, /: "b" differs$/);
  refused(stored, { a: "1", B: "2" }, /: "B" is missing, "b" was not expected$/);
  refused(stored, { a: "2", b: "1" }, /: "a" differs, "b" differs$/);
  refused(stored, {}, /: "b" was not expected, "a" was not expected$/);
});

test("checkContext: values are not compared as JSON text, nor normalised", () => {
  check({ ...ALGORITHM, city: "Zu\u0308rich" }, { city: "Zu\u0308rich" });
  refused({ ...ALGORITHM, city: "Zu\u0308rich" }, { city: "Z\u00fcrich" }, /"city" differs$/);
  refused({ ...ALGORITHM, a: "1 " }, { a: "1" }, /"a" differs$/);
});

test("checkContext: names of Object.prototype are not there by themselves", () => {
  refused(ALGORITHM, { constructor: "x" }, /"constructor" is missing$/);
  refused({ ...ALGORITHM, toString: "x" }, {}, /"toString" was not expected$/);
});

test("checkContext: none expected accepts any but a wrong binding", () => {
  check({ ...ALGORITHM, a: "1" }, undefined);
  check(ALGORITHM, undefined);
  check({ ...ALGORITHM, a: "1", [BINDING_NAME]: PLACE }, undefined);
  refused(
    { ...ALGORITHM, [BINDING_NAME]: "s3://bucket/other" },
    undefined,
    /^sealed for "s3:\/\/bucket\/other", not for this object$/,
  );
});

test("checkContext: {} expects that there is none of the user's", () => {
  check(ALGORITHM, {});
  check({ ...ALGORITHM, kms_cmk_id: "alias/env" }, {});
  check({ ...ALGORITHM, [BINDING_NAME]: PLACE }, {});
  refused({ ...ALGORITHM, stage: "prod" }, {}, /"stage" was not expected$/);
  // Of the names that AWS keeps for itself, only that of the algorithm is expected.
  refused({ ...ALGORITHM, "aws:other": "x" }, {}, /"aws:other" was not expected$/);
  refused({ ...ALGORITHM, "aws:x-amz-cek-algo": "115" }, {}, /"aws:x-amz-cek-algo" was not expected$/);
  refused({ ...ALGORITHM, "sealexec:other": "x" }, {}, /"sealexec:other" was not expected$/);
});

test("checkContext: a binding is refused wherever it does not match, to the letter", () => {
  for (const wrong of [
    "",
    "s3://bucket/app/.ENV",
    "s3://bucket/app/.env ",
    "s3://other/app/.env",
    "s3://bucket/app/.env/",
    "bucket/app/.env",
  ]) {
    for (const context of [undefined, {}]) {
      refused({ ...ALGORITHM, [BINDING_NAME]: wrong }, context, /^sealed for ".*", not for this object$/);
    }
  }
});

test("checkContext: a missing binding is refused, unless that is accepted", () => {
  const unbound = { ...ALGORITHM, a: "1" };
  for (const context of [{ a: "1" }, undefined]) {
    assert.equal(check(unbound, context), false);
    const error = assertRefused(() => check(unbound, context, false), /^not bound to its place/);
    assert.match(error.hint ?? "", /push.*--accept unbound.*\?accept=unbound/);
  }
  assert.equal(check({ ...unbound, [BINDING_NAME]: PLACE }, { a: "1" }, false), true);
});

test("checkContext: what wrote the older formats knew of no binding", () => {
  const wrapped = { wrappedKey: new Uint8Array(1), encryptionContext: {} };
  const older: readonly Envelope[] = [
    { format: "kms-gcm", iv: new Uint8Array(12), ...wrapped },
    { format: "kms-cbc", iv: new Uint8Array(16), ...wrapped },
    { format: "kms-direct", ...wrapped },
  ];
  for (const envelope of older) {
    assert.equal(checkContext(envelope, { object: PLACE }), false);
    const elsewhere = { ...envelope, encryptionContext: { [BINDING_NAME]: "s3://bucket/other" } };
    assertRefused(() => checkContext(elsewhere, { object: PLACE, unbound: true }), /^sealed for/);
  }
  const v2: Envelope = { format: "v2", iv: new Uint8Array(12), ...wrapped };
  assertRefused(() => checkContext(v2, { object: PLACE }), /^not bound to its place/);
});

test("checkContext: a caller may not expect reserved names", () => {
  for (const name of RESERVED_CONTEXT_NAMES) {
    refused({ ...ALGORITHM, [name]: PLACE }, { [name]: PLACE }, /is a reserved name$|^sealed for/);
  }
});

test("checkContext: of many differences a few are named, each short", () => {
  const stored = Object.fromEntries(
    Array.from({ length: 30 }, (_, index) => [`${index}${"n\n".repeat(500)}`, "x"]),
  );
  const error = assertRefused(() => check(stored, {}), MISMATCH);
  assert.match(error.message, /, and 25 more$/);
  assert.ok(error.message.length < 600);
});

test("checkContext: five differences are named, and of six one is not", () => {
  const wanted = (count: number): EncryptionContext =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`n${index}`, "x"]));
  refused(ALGORITHM, wanted(5), /: "n0" is missing, .*, "n4" is missing$/);
  refused(ALGORITHM, wanted(6), /: "n0" is missing, .*, "n4" is missing, and 1 more$/);
});

test("checkContext: for a file that has another name, the way out is to give its name", () => {
  const envelope = (bound: string): Envelope => ({
    format: "kms-direct",
    wrappedKey: new Uint8Array(1),
    encryptionContext: { [BINDING_NAME]: bound },
  });
  for (const [object, names] of [
    ["file:app.env", true],
    ["file:/app.env", false],
    ["s3://bucket/app.env", false],
    ["s3://bucket/file:app.env", false],
  ] as const) {
    const error = assertRefused(
      () => checkContext(envelope("file:other"), { object }),
      /^sealed for "file:other"/,
    );
    const way =
      "it was copied or moved here: seal the right content again: sealexec push FILE URI --key KEY --replace --force";
    assert.equal(error.hint, names ? `${way}, or name what it was sealed for: ?name=NAME` : way, object);
  }
});

test("checkContext: of a place of 120 characters a message shows all, and of one more it shows the first 120", () => {
  const place = `s3://b/${"k".repeat(113)}`;
  refused({ ...ALGORITHM, [BINDING_NAME]: place }, undefined, new RegExp(`^sealed for "${place}", not`));
  refused(
    { ...ALGORITHM, [BINDING_NAME]: `${place}k` },
    undefined,
    new RegExp(`^sealed for "${place}…", not`),
  );
});

test("checkContext: a binding in a message is short and without control characters", () => {
  const bound = `s3://bucket/\u001b]0;x\u0007\n${"a".repeat(2000)}`;
  const error = assertRefused(
    () => check({ ...ALGORITHM, [BINDING_NAME]: bound }, undefined),
    /^sealed for "s3:\/\/bucket\/\?\]0;x\?\?a+…"/,
  );
  assert.ok(error.message.length < 200);
});

test("an object of another place, bound or not, through the whole way", () => {
  const kms = new ModelKms();
  for (const format of SEALED_FORMATS) {
    const object = sample(format, kms);
    if (format === "v3" || format === "v2") {
      assertRefused(
        () => open(object, { kms, place: "s3://bucket/staging/.env" }),
        /^sealed for "s3:\/\/bucket\/app\/.env"/,
      );
      assertRefused(() => open(object, { kms, context: { stage: "dev" } }), /"stage" differs$/);
      open(object, { kms, context: { stage: "prod" } });
      continue;
    }
    // Clients before v2 have no context of the user's, and no binding.
    open(object, { kms, place: "s3://bucket/staging/.env", context: {} });
    assertRefused(() => open(object, { kms, context: { stage: "prod" } }), /"stage" is missing$/);
  }
});

test("what KMS is given is the stored map exactly", () => {
  const kms = new ModelKms();
  const object = sample("v3", kms, { b: "2", a: "1" });
  const reading = readEnvelope(object, EVERYTHING);
  assert.ok(reading.kind === "envelope");
  assert.deepEqual(
    { ...reading.envelope.encryptionContext },
    { ...ALGORITHM, b: "2", a: "1", [BINDING_NAME]: PLACE },
  );
});

/** Whether it is bound, where it may be without. */
function check(stored: EncryptionContext, context: EncryptionContext | undefined, unbound = true): boolean {
  const envelope: Envelope = {
    format: "v3",
    wrap: "kms",
    wrappedKey: new Uint8Array(1),
    messageId: new Uint8Array(28).fill(1),
    commitment: new Uint8Array(28),
    encryptionContext: stored,
  };
  return checkContext(envelope, { context, object: PLACE, unbound });
}

function refused(stored: EncryptionContext, context: EncryptionContext | undefined, message: RegExp): void {
  assertRefused(() => check(stored, context), message);
}

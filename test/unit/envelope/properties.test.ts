/**
 * Whatever is sealed opens, and nothing else does: s3-encryption/encryption.md, Content Encryption;
 * s3-encryption/decryption.md, Decrypting With Commitment.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  type Metadata,
  RESERVED_CONTEXT_NAMES,
  checkRevision,
  parseRevision,
  readEnvelope,
  seal,
  writerContext,
} from "../../../src/envelope/index.ts";
import { SealexecError } from "../../../src/base/errors.ts";
import { decodeBase64 } from "../../../src/envelope/base64.ts";
import { decodeHeaderText } from "../../../src/envelope/mime.ts";
import { quote } from "../../../src/envelope/invalid.ts";
import { parseStringMap, stringifyAscii } from "../../../src/envelope/string-map.ts";
import { assertBytes, flipBit, refusal } from "./expect.ts";
import { ModelKms } from "./model-kms.ts";
import { EVERYTHING, open, PLACE, type Sample, sample, SEALED_FORMATS, valueOf } from "./samples.ts";

const kms = new ModelKms();
const format = fc.constantFrom("v3" as const, "v2" as const);
const plaintext = fc.uint8Array({ maxLength: 5000 });
const text = fc.oneof(fc.string({ unit: "grapheme" }), fc.string({ unit: "binary" }), fc.string());
const name = text.filter((candidate) => !RESERVED_CONTEXT_NAMES.includes(candidate));
const context = fc.dictionary(name, text, { maxKeys: 8 });

test("what was sealed opens to the same bytes, under any context", () => {
  fc.assert(
    fc.property(format, plaintext, context, fc.boolean(), (format, plaintext, user, bound) => {
      const encryptionContext = writerContext(format, user, bound ? PLACE : undefined);
      const sealed = seal(format, { plaintext, encryptionContext, ...kms.generate(encryptionContext) });
      assertBytes(open(sealed, { kms, context: user }), plaintext);
      assertBytes(open(sealed, { kms }), plaintext);
    }),
    { numRuns: 300 },
  );
});

test("a context with anything added, removed or changed is refused", () => {
  fc.assert(
    fc.property(context, context, (stored, expected) => {
      const same = canonical(stored) === canonical(expected);
      const object = sample("v3", kms, stored);
      if (same) open(object, { kms, context: expected });
      else refusal(() => open(object, { kms, context: expected }));
    }),
    { numRuns: 300 },
  );
});

test("any flipped bit of the body never opens", () => {
  fc.assert(
    fc.property(format, plaintext, fc.nat(), (format, plaintext, seed) => {
      const sealed = sample(format, kms, {}, plaintext);
      const body = flipBit(sealed.body, seed % (sealed.body.length * 8));
      const { message } = refusal(() => open({ metadata: sealed.metadata, body }, { kms }));
      assert.match(message, /^authentication tag/);
    }),
    { numRuns: 300 },
  );
});

test("any flipped byte of the metadata never opens", () => {
  const genuine = { v3: sample("v3", kms), v2: sample("v2", kms) };
  fc.assert(
    fc.property(
      format,
      fc.nat(),
      fc.nat(),
      fc.integer({ min: 1, max: 0xffff }),
      (format, which, at, mask) => {
        const { metadata, body } = genuine[format];
        const names = Object.keys(metadata);
        const name = names[which % names.length] ?? "";
        const value = valueOf(metadata, name);
        const index = at % value.length;
        const changed = String.fromCharCode(value.charCodeAt(index) ^ mask);
        const text = value.slice(0, index) + changed + value.slice(index + 1);
        refusal(
          () => open({ metadata: { ...metadata, [name]: text }, body }, { kms }),
          `${name} ${index} ${mask}`,
        );
      },
    ),
    { numRuns: 2000 },
  );
});

test("metadata pieced together from many objects opens nothing but what belongs to the body", () => {
  const pool: readonly Sample[] = SEALED_FORMATS.flatMap((format) => [
    sample(format, kms, { stage: "prod" }, new TextEncoder().encode(`${format} one`)),
    sample(format, kms, { stage: "dev" }, new TextEncoder().encode(`${format} two`)),
  ]).filter(({ format }) => format !== "kms-cbc");
  const any = fc.constantFrom(...pool);
  const pieces = fc.array(fc.record({ from: any, keep: fc.nat() }), { minLength: 1, maxLength: 4 });
  const accept = new Set([...EVERYTHING].filter((accepted) => accepted !== "instruction-file"));
  let opened = 0;
  let refused = 0;
  fc.assert(
    fc.property(any, fc.boolean(), pieces, (target, whole, pieces) => {
      const metadata: Record<string, string> = whole ? { ...target.metadata } : {};
      for (const { from, keep } of pieces) {
        for (const [index, [name, value]] of Object.entries(from.metadata).entries()) {
          if (((keep >> index) & 1) === 1) metadata[name] = value;
        }
      }
      let plaintext: Uint8Array;
      try {
        plaintext = open({ metadata, body: target.body }, { kms, accept });
      } catch (error) {
        assert.ok(error instanceof SealexecError && error.kind === "data", String(error));
        refused += 1;
        return;
      }
      opened += 1;
      assertBytes(plaintext, target.plaintext);
      assert.deepEqual(sorted(metadata), sorted(target.metadata));
    }),
    { numRuns: 3000 },
  );
  assert.ok(opened > 0 && refused > 1000, `${opened} opened, ${refused} refused`);
});

test("any metadata at all is an envelope or an error about the data", () => {
  const known = Object.keys({
    ...sample("v3", kms).metadata,
    ...sample("v2", kms).metadata,
    "x-amz-key": "",
    "x-amz-m": "",
  });
  const value = fc.oneof(
    text,
    fc.constantFrom(
      "115",
      "12",
      "128",
      "kms",
      "kms+context",
      "AES/GCM/NoPadding",
      "AES/CBC/PKCS5Padding",
      "{}",
    ),
    fc.base64String(),
    fc.constant(Buffer.alloc(28, 1).toString("base64")),
    fc.json(),
  );
  const metadata = fc.dictionary(fc.oneof(fc.constantFrom(...known), name), value);
  fc.assert(
    fc.property(metadata, fc.uint8Array({ maxLength: 40 }), fc.option(fc.json()), (metadata, body, file) => {
      dataOrValue(() => readEnvelope({ metadata, body }, EVERYTHING, file ?? undefined));
      const withoutDirect = new Set([...EVERYTHING].filter((accepted) => accepted !== "kms-direct"));
      dataOrValue(() => readEnvelope({ metadata, body }, withoutDirect, file ?? undefined));
    }),
    { numRuns: 2000 },
  );
});

test("hostile JSON in the context is a map of strings or an error about the data", () => {
  const genuine = sample("v2", kms);
  const hostile = fc.oneof(
    fc.json(),
    text,
    fc.string().map((inner) => `{"aws:x-amz-cek-alg":"AES/GCM/NoPadding","a":${inner}}`),
    fc.string().map((inner) => `{"aws:x-amz-cek-alg":"AES/GCM/NoPadding",${inner}:"b"}`),
    fc.json().map((inner) => `{"aws:x-amz-cek-alg":"AES/GCM/NoPadding","__proto__":${inner}}`),
    fc.nat({ max: 30_000 }).map((depth) => '{"a":'.repeat(depth)),
    fc.string().map((inner) => `=?UTF-8?Q?${inner}?=`),
    fc.string().map((inner) => `=?${inner}?B?e30=?=`),
  );
  fc.assert(
    fc.property(hostile, (matdesc) => {
      const metadata: Metadata = { ...genuine.metadata, "x-amz-matdesc": matdesc };
      dataOrValue(() => readEnvelope({ metadata, body: genuine.body }, EVERYTHING));
      refusal(() => open({ metadata, body: genuine.body }, { kms }));
      dataOrValue(() => decodeHeaderText(matdesc, "x"));
    }),
    { numRuns: 2000 },
  );
  const polluted: Record<string, unknown> = {};
  assert.equal(polluted["a"], undefined);
});

test("string maps: read back as written, and a name twice is refused", () => {
  fc.assert(
    fc.property(context, (map) => {
      const json = stringifyAscii(map);
      assert.match(json, /^[ -~]+$/);
      assert.equal(canonical(parseStringMap(json, "x")), canonical(map));
      assert.equal(decodeHeaderText(json, "x"), json);
      for (const name of Object.keys(map)) {
        const member = `${JSON.stringify(name)} : ${JSON.stringify(name)}`;
        const twice = json === "{}" ? `{${member},${member}}` : `{ ${member} ,${json.slice(1)}`;
        assert.match(refusal(() => parseStringMap(twice, "x")).message, /^x holds a name twice$/);
      }
    }),
    { numRuns: 500 },
  );
});

test("string maps: a name twice in two spellings, or with a value that is hidden behind the second", () => {
  for (const json of [
    '{"a":"1","\\u0061":"2"}',
    '{"a":1,"a":"2"}',
    '{"a":{"b":"c"},"a":"2"}',
    '{"a":["x"],"a":"2"}',
    '{"a\\"":"1","a\\"":"1"}',
    '{"\\\\":"1","\\\\":"\\\\\\""}',
  ]) {
    assert.match(refusal(() => parseStringMap(json, "x")).message, /^x holds a name twice$/, json);
  }
  assert.deepEqual({ ...parseStringMap('{"a\\"":"1","\\\\":"\\\\\\""}', "x") }, { 'a"': "1", "\\": '\\"' });
  assert.match(
    refusal(() => parseStringMap('{"a":"\\ud800"}', "x")).message,
    /^x holds text that is not valid/,
  );
});

test("base64: only what encoding gives is decoded", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        text,
        fc.base64String(),
        fc.uint8Array().map((b) => Buffer.from(b).toString("base64")),
      ),
      (value) => {
        const decoded = decodeBase64(value);
        const strict =
          /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$/.test(value);
        assert.equal(decoded !== undefined, strict, value);
      },
    ),
    { numRuns: 1000 },
  );
});

test("quote: one short line without control, invisible or direction-changing characters", () => {
  fc.assert(
    fc.property(fc.oneof(text, fc.string({ unit: "binary", maxLength: 500 })), (value) => {
      const quoted = quote(value, 20);
      assert.match(quoted, /^"[^\p{C}\p{Zl}\p{Zp}"]*"$/u);
      assert.ok(Array.from(quoted).length <= 20 + 3);
    }),
    { numRuns: 500 },
  );
  assert.equal(quote("a".repeat(20), 20), `"${"a".repeat(20)}"`);
  assert.equal(quote("🔑".repeat(21), 20), `"${"🔑".repeat(20)}…"`);
  assert.equal(quote("\ud800"), '"\ufffd"');
});

function dataOrValue(action: () => unknown): void {
  try {
    action();
  } catch (error) {
    assert.ok(error instanceof SealexecError && error.kind === "data", String(error));
  }
}

function canonical(map: Readonly<Record<string, string>>): string {
  return JSON.stringify(sorted(map));
}

function sorted(map: Readonly<Record<string, string>>): readonly (readonly [string, string])[] {
  return Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1));
}

test("any revision that is written is read, and opens for whoever wants one as old", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 999_999_999_999_999 }), (revision) =>
      assert.equal(parseRevision(String(revision)), revision),
    ),
  );
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 0, max: 1000 }), (revision, least) => {
      const written = writerContext("v3", {}, "s3://b/k", revision);
      if (revision >= least) assert.equal(checkRevision(written, least), revision);
      else
        assert.match(
          refusal(() => checkRevision(written, least)).message,
          /it is revision \d+, and \d+ is the oldest/,
        );
    }),
  );
});

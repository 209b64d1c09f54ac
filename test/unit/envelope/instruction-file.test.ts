/**
 * Envelopes beside the object: s3-encryption/data-format/metadata-strategy.md, V1/V2 Instruction Files and
 * V3 Instruction Files.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Acceptance, type Metadata, readEnvelope } from "../../../src/envelope/index.ts";
import { assertBytes, assertRefused, bytes } from "./expect.ts";
import { ModelKms } from "./model-kms.ts";
import { open, PLAINTEXT, sample, V3_ONLY, valueOf, without } from "./samples.ts";

const kms = new ModelKms();
const FILE = new Set<Acceptance>(["instruction-file"]);
const WRAP = ["x-amz-3", "x-amz-w", "x-amz-t"];
const CONTENT = ["x-amz-c", "x-amz-d", "x-amz-i"];

const v3 = sample("v3", kms);
const v3Object = { metadata: without(v3.metadata, ...WRAP), body: v3.body };
const v3File = without(v3.metadata, ...CONTENT);
const v2 = sample("v2", kms);
const v2Object = { metadata: { "x-amz-unencrypted-content-length": "64" }, body: v2.body };
const V2_FILE = new Set<Acceptance>(["instruction-file", "v2"]);

test("v3 split: asked for, then opened, from text and from bytes", () => {
  assert.deepEqual(readEnvelope(v3Object, FILE), { kind: "instruction-file-needed" });
  for (const instructionFile of [json(v3File), bytes(json(v3File)), ` ${json(v3File)}\n`]) {
    assertBytes(open(v3Object, { kms, accept: FILE, instructionFile }), PLAINTEXT);
  }
});

test("v3 split: refused where instruction files are not accepted, even when one is handed in", () => {
  for (const file of [undefined, json(v3File)]) {
    const error = assertRefused(
      () => readEnvelope(v3Object, new Set(["v2", "kms-gcm", "kms-cbc", "kms-direct"]), file),
      /^x-amz-3 is missing: its data key would be in an instruction file$/,
    );
    assert.match(error.hint ?? "", /--accept instruction-file/);
  }
});

test("v3 split: what is left in the object is checked before the file is asked for", () => {
  for (const [name, value, expected] of [
    ["x-amz-c", "114", /^x-amz-c is "114", not 115$/],
    ["x-amz-d", "AAAA", /^x-amz-d is 3 bytes, not 28$/],
    ["x-amz-i", "AAAA", /^x-amz-i is 3 bytes, not 28$/],
  ] as const) {
    const metadata = { ...v3Object.metadata, [name]: value };
    assertRefused(() => readEnvelope({ metadata, body: v3.body }, FILE), expected);
  }
  for (const name of CONTENT) {
    const metadata = without(v3Object.metadata, name);
    assertRefused(() => readEnvelope({ metadata, body: v3.body }, FILE), new RegExp(`^${name} is missing$`));
  }
});

test("v3 split: w, t or m left in the object without x-amz-3 are a damaged envelope", () => {
  for (const name of ["x-amz-w", "x-amz-t", "x-amz-m"]) {
    const metadata = { ...v3Object.metadata, [name]: v3.metadata[name] ?? "{}" };
    assertRefused(
      () => readEnvelope({ metadata, body: v3.body }, FILE, json(v3File)),
      /^x-amz-3 is missing$/,
    );
  }
});

test("v3 file: anything but x-amz-3, w, t and m is refused", () => {
  assertBytes(
    open(v3Object, { kms, accept: FILE, instructionFile: json({ ...v3File, "x-amz-m": "{}" }) }),
    PLAINTEXT,
  );
  const strays = { ...v3.metadata, ...v2.metadata, "x-amz-key": "AAAA", owner: "me", __proto__x: "" };
  for (const [name, value] of Object.entries(strays)) {
    if (WRAP.includes(name)) continue;
    assertRefused(
      () => readEnvelope(v3Object, FILE, json({ ...v3File, [name]: value })),
      new RegExp(`^instruction file holds "${name}", which does not belong there$`),
    );
  }
});

test("v3 file: every key dropped, emptied, or of another object", () => {
  const other = sample("v3", kms, { stage: "dev" });
  for (const [name, missing, swapped] of [
    ["x-amz-3", /^x-amz-3 is missing$/, /^model KMS/],
    ["x-amz-w", /^x-amz-w is missing$/, undefined],
    ["x-amz-t", /^encryption context: aws:x-amz-cek-alg is missing$/, /^model KMS/],
  ] as const) {
    const openFile = (file: Metadata) => open(v3Object, { kms, accept: FILE, instructionFile: json(file) });
    assertRefused(() => openFile(without(v3File, name)), missing, name);
    assertRefused(() => openFile({ ...v3File, [name]: "" }), new RegExp(`^${name} is empty$`), name);
    if (swapped === undefined) continue;
    assertRefused(() => openFile({ ...v3File, [name]: valueOf(other.metadata, name) }), swapped, name);
  }
});

test("v3 file: a data key that another wrapped under the same context fails the commitment", () => {
  const other = sample("v3", kms);
  const instructionFile = json(without(other.metadata, ...CONTENT));
  assertRefused(() => open(v3Object, { kms, accept: FILE, instructionFile }), /^commitment does not match/);
});

test("v2 in a file: both must be accepted", () => {
  assert.deepEqual(readEnvelope(v2Object, FILE), { kind: "instruction-file-needed" });
  const instructionFile = json(v2.metadata);
  assertBytes(open(v2Object, { kms, accept: V2_FILE, instructionFile }), PLAINTEXT);
  assertRefused(
    () => open(v2Object, { kms, accept: FILE, instructionFile }),
    /older format v2, which is not accepted/,
  );
  assertRefused(
    () => open(v2Object, { kms, accept: new Set(["v2"]), instructionFile }),
    /^no envelope in its metadata/,
  );
});

test("v2 in a file: any key of v3 in it is refused, a whole v3 envelope too", () => {
  for (const file of [
    v3.metadata,
    v3File,
    ...Object.entries(v3.metadata).map(([name, value]) => ({ ...v2.metadata, [name]: value })),
  ]) {
    assertRefused(
      () => readEnvelope(v2Object, V2_FILE, json(file)),
      /^instruction file holds x-amz-. of format v3/,
    );
  }
});

test("v2 in a file: raw keys, two keys, none", () => {
  const raw = { "x-amz-key": "AAAA", "x-amz-iv": "AAAA" };
  assertRefused(() => readEnvelope(v2Object, V2_FILE, json(raw)), /raw key \(format v1\)/);
  assertRefused(
    () => readEnvelope(v2Object, V2_FILE, json({ ...v2.metadata, ...raw })),
    /formats are mixed$/,
  );
  assertRefused(() => readEnvelope(v2Object, V2_FILE, "{}"), /^instruction file holds no envelope$/);
  for (const name of Object.keys(v2.metadata)) {
    const missing =
      name === "x-amz-matdesc" ? /aws:x-amz-cek-alg is missing$/ : new RegExp(`^${name} is missing$`);
    assertRefused(() => readEnvelope(v2Object, V2_FILE, json(without(v2.metadata, name))), missing);
  }
});

test("PHP writes two numbers into files of V1 and V2: an integer is taken for these two, and nothing else for any", () => {
  const text = json({ ...v2.metadata, "x-amz-unencrypted-content-length": "64" });
  const opened = (file: string): Uint8Array =>
    open(v2Object, { kms, accept: V2_FILE, instructionFile: file });
  const [tag, length] = ['"x-amz-tag-len":"128"', '"x-amz-unencrypted-content-length":"64"'];
  assert.ok(text.includes(tag) && text.includes(length));
  assertBytes(opened(text.replace(tag, '"x-amz-tag-len":128')), PLAINTEXT);
  assertBytes(opened(text.replace(tag, '"x-amz-tag-len" : 128 ').replace(/:"64"/, ":64")), PLAINTEXT);
  for (const [number, expected] of [
    ["96", /^x-amz-tag-len is "96", not 128$/],
    ["0", /^x-amz-tag-len is "0", not 128$/],
    ["128.0", /^instruction file holds something not a string$/],
    ["128.5", /^instruction file holds something not a string$/],
    ["1.28e2", /^instruction file holds something not a string$/],
    ["-128", /^instruction file holds something not a string$/],
    ["99999999999999999999", /^instruction file holds something not a string$/],
    ["true", /^instruction file holds something not a string$/],
    ["null", /^instruction file holds something not a string$/],
    ["[128]", /^instruction file holds something not a string$/],
    ["0128", /^instruction file is not JSON$/],
  ] as const) {
    assertRefused(() => opened(text.replace(tag, `"x-amz-tag-len":${number}`)), expected, number);
  }
  for (const twice of [
    `"x-amz-tag-len":128,${tag}`,
    `${tag},"x-amz-tag-len":128`,
    '"x-amz-tag-len":96,"x-amz-tag-len":128',
  ]) {
    assertRefused(() => opened(text.replace(tag, twice)), /holds a name twice$/, twice);
  }
  for (const name of [
    "x-amz-key-v2",
    "x-amz-iv",
    "x-amz-matdesc",
    "x-amz-wrap-alg",
    "x-amz-cek-alg",
    "owner",
  ]) {
    const file = JSON.stringify({ ...v2.metadata, [name]: 128 });
    assertRefused(() => opened(file), /^instruction file holds something not a string$/, name);
  }
});

test("quotes and backslashes in a text do not hide a name that is there twice, nor make one", () => {
  const opened = (file: string): Uint8Array =>
    open(v2Object, { kms, accept: V2_FILE, instructionFile: file });
  for (const text of ['"', 'a"', '""', '\\"', "\\", "\\\\", '"\\', '"a"', '","b":"', ""]) {
    for (const file of [
      json({ ...v2.metadata, owner: text }),
      json({ owner: text, ...v2.metadata, [text]: text }),
    ]) {
      assertBytes(opened(file), PLAINTEXT, text);
      const twice = file.replace(/\}$/, `,"owner":${JSON.stringify(text)}}`);
      assertRefused(() => opened(twice), /^instruction file holds a name twice$/, text);
    }
  }
});

test("CBC in a file: no tag length, or what Go and C++ write in its place", () => {
  const cbc = sample("kms-cbc", kms);
  const bare = { metadata: {}, body: cbc.body };
  const accept = new Set<Acceptance>(["instruction-file", "kms-cbc"]);
  const opened = (more: Readonly<Record<string, unknown>>): Uint8Array =>
    open(bare, { kms, accept, instructionFile: JSON.stringify({ ...cbc.metadata, ...more }) });
  for (const more of [{}, { "x-amz-tag-len": "" }, { "x-amz-tag-len": "0" }, { "x-amz-tag-len": 0 }]) {
    assertBytes(opened(more), PLAINTEXT);
  }
  for (const bits of [128, "128", 1, "00"]) {
    assertRefused(
      () => opened({ "x-amz-tag-len": bits }),
      /^x-amz-tag-len is there, but x-amz-cek-alg is CBC/,
    );
  }
});

test("a file that is not a JSON object of strings", () => {
  const wrapped = valueOf(v3.metadata, "x-amz-3");
  for (const [file, expected] of [
    ["", /^instruction file is not JSON$/],
    ["x-amz-3", /^instruction file is not JSON$/],
    ["[]", /^instruction file is not a JSON object$/],
    ["null", /^instruction file is not a JSON object$/],
    ['"x-amz-3"', /^instruction file is not a JSON object$/],
    ['{"x-amz-w":12}', /^instruction file holds something not a string$/],
    ['{"x-amz-t":{}}', /^instruction file holds something not a string$/],
    [`{"x-amz-3":"AAAA","x-amz-3":"${wrapped}","x-amz-w":"12"}`, /^instruction file holds a name twice$/],
    [`\ufeff${json(v3File)}`, /^instruction file is not JSON$/],
    [json({ "x-amz-3": "A".repeat(70_000) }), /^instruction file is too long$/],
    ["[".repeat(60_000), /^instruction file is not JSON$/],
    [`{}${" ".repeat(65_534)}`, /^x-amz-3 is missing$/],
    [`{}${" ".repeat(65_535)}`, /^instruction file is too long$/],
    [bytes(`\ufeff${json(v3File)}`), /^instruction file is not JSON$/],
    ['{"x-amz-w":"\\ud800"}', /^instruction file holds text that is not valid Unicode$/],
    ['{"\\udc00":"12"}', /^instruction file holds text that is not valid Unicode$/],
    [Uint8Array.of(0x7b, 0xff, 0x7d), /^instruction file is not UTF-8$/],
  ] as const) {
    assertRefused(() => readEnvelope(v3Object, FILE, file), expected);
  }
});

test("a file never overrides the object's own envelope", () => {
  const other = json(without(sample("v3", kms).metadata, ...CONTENT));
  assertBytes(open(v3, { kms, accept: FILE, instructionFile: other }), PLAINTEXT);
  assertBytes(open(v3, { kms, accept: V3_ONLY, instructionFile: "not JSON" }), PLAINTEXT);
});

test("the context in a file is not MIME decoded: it never was in a header", () => {
  const user = { note: "=?UTF-8?Q?=41?=" };
  const split = sample("v3", kms, user);
  // JSON without our escape of "=?", as another client would write it.
  const context: Metadata = JSON.parse(valueOf(split.metadata, "x-amz-t"));
  const file = { ...without(split.metadata, ...CONTENT), "x-amz-t": JSON.stringify(context) };
  const object = { metadata: without(split.metadata, ...WRAP), body: split.body };
  assertBytes(open(object, { kms, accept: FILE, instructionFile: json(file), context: user }), PLAINTEXT);
});

function json(map: Metadata): string {
  return JSON.stringify(map);
}

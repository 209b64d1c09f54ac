/**
 * What S3 makes of metadata that is not ASCII: s3-encryption/data-format/metadata-strategy.md, Object
 * Metadata.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { EncryptionContext } from "../../../src/envelope/index.ts";
import { seal } from "../../../src/envelope/index.ts";
import { decodeHeaderText } from "../../../src/envelope/mime.ts";
import { assertBytes, assertRefused } from "./expect.ts";
import { ModelKms } from "./model-kms.ts";
import { open, PLAINTEXT } from "./samples.ts";

test("the example of the S3 user guide", () => {
  assert.equal(decodeHeaderText("=?UTF-8?B?w4PChE3Dg8KEWsODwpXDg8KRIFMz?=", "x"), "ÄMÄZÕÑ S3");
});

test("what is decoded", () => {
  for (const [value, expected] of [
    ["", ""],
    ['{"a":"b"}', '{"a":"b"}'],
    ["=?UTF-8?Q?a_b=3D=3F?=", "a b=?"],
    ["=?utf-8?q?=C3=83=C2=A9?=", "é"],
    // Encoders that leave spaces in Q text.
    ['=?UTF-8?Q?{"a": "=C3=83=C2=A9"}?=', '{"a": "é"}'],
    // White space between encoded words is dropped; a character may be cut by it.
    ["=?UTF-8?Q?ab?= =?UTF-8?Q?cd?=", "abcd"],
    ["=?UTF-8?B?ww==?=\t =?UTF-8?B?qQ==?=", "é"],
    ["=?UTF-8?Q?=C3=83?= =?UTF-8?B?wqk=?=", "é"],
    // RFC 2231 language, other charsets.
    ["=?UTF-8*en?Q?a?=", "a"],
    ["=?ISO-8859-1?Q?=C3=A9?=", "é"],
    ["=?US-ASCII?Q?abc?=", "abc"],
    // Words within text.
    ['{"a":"=?UTF-8?B?w4PCqQ==?="}', '{"a":"é"}'],
    ['{"a":"=?UTF-8?Q?b?=","c":"=?UTF-8?Q?d?="}', '{"a":"b","c":"d"}'],
    // A store that encodes once, and text that is no Latin-1: its low bytes alone would be other text.
    ["=?UTF-8?Q?=C5=82?=", "ł"],
    ["=?UTF-8?Q?a=C5=82a?=", "ała"],
    ["=?UTF-8?Q?=EF=BB=BFa?=", "\ufeffa"],
    // Stores that send the bytes as they are, and ones that encode once.
    [Buffer.from("日本é").toString("latin1"), "日本é"],
    ["=?UTF-8?B?5pel5pys?=", "日本"],
    ["=?UTF-8?Q?=C3=A9?=", "é"],
    // Not encoded words.
    ["=?UTF-8?X?abc?=", "=?UTF-8?X?abc?="],
    ["a=?b", "a=?b"],
  ] as const) {
    assert.equal(decodeHeaderText(value, "x"), expected, value);
  }
});

test("what is refused", () => {
  for (const value of [
    "=?UTF-8?B?w4P?=",
    "=?UTF-8?B?@@@@?=",
    "=?UTF-8?Q?=C3=8?=",
    "=?UTF-8?Q?=XY?=",
    "=?UTF-8?Q?\u00e9?=",
    "=?UTF-8?Q?=FF?=",
    "=?US-ASCII?Q?=FF?=",
    "=?UTF-7?Q?abc?=",
    "=?UTF-8?Q?a?= =?ISO-8859-1?Q?b?=",
  ]) {
    assertRefused(() => decodeHeaderText(value, "x-amz-t"), /^x-amz-t is not valid RFC 2047 text$/, value);
  }
});

test("long text: what is almost an encoded word is left, and what is one is decoded", () => {
  const almost = "=?".repeat(30_000);
  assert.equal(decodeHeaderText(almost, "x"), almost);
  assert.equal(decodeHeaderText("=?UTF-8?Q?a?= ".repeat(5000), "x"), `${"a".repeat(5000)} `);
});

test("an object of another client with a context that is not ASCII, as S3 gives it back", () => {
  const kms = new ModelKms();
  const user = { stadt: "Zürich", 名: "資源 🔑", quoted: '_=?"\\' };
  const context: EncryptionContext = { "aws:x-amz-cek-alg": "115", ...user };
  const sealed = seal("v3", { plaintext: PLAINTEXT, encryptionContext: context, ...kms.generate(context) });
  // The other client writes UTF-8, and S3 takes each byte for a Latin-1 character.
  const seen = Buffer.from(JSON.stringify(context)).toString("latin1");
  for (const value of [seen, encodeB(seen), encodeQ(seen), encodeB(seen, 9), encodeQ(seen, 11)]) {
    const object = { metadata: { ...sealed.metadata, "x-amz-t": value }, body: sealed.body };
    assertBytes(open(object, { kms, context: user }), PLAINTEXT);
  }
});

function encodeB(text: string, wordBytes = 1000): string {
  return words(text, wordBytes, (chunk) => `=?UTF-8?B?${chunk.toString("base64")}?=`);
}

function encodeQ(text: string, wordBytes = 1000): string {
  return words(text, wordBytes, (chunk) => {
    const hex = [...chunk].map((byte) => `=${byte.toString(16).toUpperCase().padStart(2, "0")}`);
    return `=?UTF-8?Q?${hex.join("")}?=`;
  });
}

function words(text: string, wordBytes: number, encode: (chunk: Buffer) => string): string {
  const data = Buffer.from(text);
  const chunks: string[] = [];
  for (let at = 0; at < data.length; at += wordBytes) chunks.push(encode(data.subarray(at, at + wordBytes)));
  return chunks.join(" ");
}

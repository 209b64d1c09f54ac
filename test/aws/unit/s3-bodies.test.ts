import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { checksum } from "../checksums.ts";
import { encodeHeaderValue } from "../rfc2047.ts";
import { startAws } from "../server.ts";
import type { Aws } from "../server.ts";
import { s3, xmlText } from "./client.ts";

/** The check values of the CRC catalogues: each algorithm over the ASCII digits 1 to 9. */
const CHECK = {
  crc32: "cbf43926",
  crc32c: "e3069283",
  crc64nvme: "ae8b14860a799888",
} as const;

describe("checksums", () => {
  for (const algorithm of ["crc32", "crc32c", "crc64nvme"] as const)
    it(`${algorithm} has its catalogue's check value`, () => {
      const value = checksum(algorithm, Buffer.from("123456789"));
      assert.equal(Buffer.from(value, "base64").toString("hex"), CHECK[algorithm]);
    });
});

describe("bodies of PutObject", () => {
  let aws: Aws;

  before(async () => {
    aws = await startAws();
    aws.s3.createBucket("b");
  });
  after(async () => aws.close());

  async function put(headers: Record<string, string>, body: string | Buffer = "hello", payload?: string) {
    const ask = { method: "PUT", path: "/b/k", body, headers };
    const answer = await s3(aws, ask, payload === undefined ? {} : { payload });
    return [answer.status, xmlText(answer, "Code")];
  }

  /** An aws-chunked body of two chunks and a trailer. */
  function chunked(trailer: string): string {
    return `3\r\nhel\r\n2\r\nlo\r\n0\r\n${trailer}\r\n\r\n`;
  }

  const STREAMING = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
  const streamed = {
    "content-encoding": "aws-chunked",
    "x-amz-decoded-content-length": "5",
    "x-amz-trailer": "x-amz-checksum-crc32",
  };
  const crc32 = checksum("crc32", Buffer.from("hello"));

  it("verifies each kind of checksum header", async () => {
    for (const algorithm of ["crc32", "crc32c", "crc64nvme", "sha1", "sha256", "sha512"] as const) {
      const name = `x-amz-checksum-${algorithm}`;
      assert.deepEqual(await put({ [name]: checksum(algorithm, Buffer.from("hello")) }), [200, undefined]);
      assert.deepEqual(await put({ [name]: checksum(algorithm, Buffer.from("HELLO")) }), [400, "BadDigest"]);
      assert.deepEqual(await put({ [name]: "AAAA" }), [400, "InvalidRequest"]);
    }
    assert.deepEqual(await put({ "x-amz-checksum-xxhash64": "AAAA" }), [501, "NotImplemented"]);
  });

  it("verifies Content-MD5", async () => {
    const md5 = (text: string): string => createHash("md5").update(text).digest("base64");
    assert.deepEqual(await put({ "content-md5": md5("hello") }), [200, undefined]);
    assert.deepEqual(await put({ "content-md5": md5("other") }), [400, "BadDigest"]);
    assert.deepEqual(await put({ "content-md5": "AAAA" }), [400, "InvalidDigest"]);
  });

  it("takes aws-chunked bodies apart and verifies the trailer", async () => {
    assert.deepEqual(await put(streamed, chunked(`x-amz-checksum-crc32:${crc32}`), STREAMING), [
      200,
      undefined,
    ]);
    assert.equal(aws.s3.get("b", "k")?.body.toString(), "hello");
    assert.deepEqual(await put(streamed, chunked("x-amz-checksum-crc32:AAAAAA=="), STREAMING), [
      400,
      "BadDigest",
    ]);
    assert.deepEqual(await put(streamed, chunked("x-other:1"), STREAMING), [400, "MalformedTrailerError"]);
  });

  it("refuses aws-chunked bodies that are cut or of another length", async () => {
    const whole = chunked(`x-amz-checksum-crc32:${crc32}`);
    assert.deepEqual(await put(streamed, whole.slice(0, 9), STREAMING), [400, "IncompleteBody"]);
    const longer = { ...streamed, "x-amz-decoded-content-length": "6" };
    assert.deepEqual(await put(longer, whole, STREAMING), [400, "IncompleteBody"]);
  });

  it("gives checksums back where they are asked for", async () => {
    await put({ "x-amz-checksum-crc32": crc32 });
    const asked = await s3(aws, { path: "/b/k", headers: { "x-amz-checksum-mode": "ENABLED" } });
    assert.equal(asked.headers["x-amz-checksum-crc32"], crc32);
    assert.equal((await s3(aws, { path: "/b/k" })).headers["x-amz-checksum-crc32"], undefined);
    await put({});
    const own = await s3(aws, { path: "/b/k", headers: { "x-amz-checksum-mode": "ENABLED" } });
    assert.equal(own.headers["x-amz-checksum-crc64nvme"], checksum("crc64nvme", Buffer.from("hello")));
  });

  it("takes 2 KB of metadata and not a byte more", async () => {
    assert.deepEqual(await put({ "x-amz-meta-ab": "x".repeat(2046) }), [200, undefined]);
    assert.deepEqual(await put({ "x-amz-meta-ab": "x".repeat(2047) }), [400, "MetadataTooLarge"]);
  });

  it("gives metadata that is not ASCII back in RFC 2047 form", async () => {
    const bytes = Buffer.from("é").toString("latin1");
    assert.deepEqual(await put({ "x-amz-meta-name": `a${bytes}b c=` }), [200, undefined]);
    const answer = await s3(aws, { path: "/b/k" });
    assert.equal(answer.headers["x-amz-meta-name"], "=?UTF-8?Q?a=C3=83=C2=A9b_c=3D?=");
    assert.equal(aws.s3.get("b", "k")?.metadata["name"], "aéb c=");
  });

  it("keeps encoded words within 75 characters", () => {
    const words = encodeHeaderValue(Buffer.from("é".repeat(100)).toString("latin1")).split(" ");
    assert.ok(words.length > 1);
    for (const word of words) assert.ok(word.length <= 75 && /^=\?UTF-8\?B\?[\w+/=]+\?=$/u.test(word), word);
    const bytes = words.map((word) => Buffer.from(word.slice(10, -2), "base64").toString("utf8")).join("");
    assert.equal(Buffer.from(bytes, "latin1").toString("utf8"), "é".repeat(100));
  });
});

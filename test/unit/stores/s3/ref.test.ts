import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { formatS3Uri, placeOf } from "../../../../src/stores/s3/ref.ts";
import { parseS3Uri } from "../parse.ts";
import { refuses } from "../../refuses.ts";

describe("s3:// URIs", () => {
  for (const [uri, ref] of [
    ["s3://bucket/key", { bucket: "bucket", key: "key" }],
    ["s3://my.bucket-1/a/b/.env", { bucket: "my.bucket-1", key: "a/b/.env" }],
    ["s3://bucket//a//b", { bucket: "bucket", key: "/a//b" }],
    ["s3://bucket/a b+c%20d", { bucket: "bucket", key: "a b+c%20d" }],
    ["s3://bucket/zażółć/🙂", { bucket: "bucket", key: "zażółć/🙂" }],
    ["s3://bucket/a#b&c=d", { bucket: "bucket", key: "a#b&c=d" }],
    ["s3://bucket/...", { bucket: "bucket", key: "..." }],
    ["s3://bucket/what?.env?", { bucket: "bucket", key: "what?.env" }],
    ["s3://bucket/key?versionId=a.b_c-d", { bucket: "bucket", key: "key", versionId: "a.b_c-d" }],
    ["s3://bucket/key?versionId=a=", { bucket: "bucket", key: "key", versionId: "a=" }],
    [
      "s3://bucket/key?region=eu-west-1&versionId=x",
      { bucket: "bucket", key: "key", region: "eu-west-1", versionId: "x" },
    ],
    ["s3://bucket/key?format=docker", { bucket: "bucket", key: "key", dialect: "docker" }],
    [
      "s3://bucket/key?format=yaml&versionId=x&region=eu-west-1",
      { bucket: "bucket", key: "key", dialect: "yaml", versionId: "x", region: "eu-west-1" },
    ],
    [`s3://bucket/${"k".repeat(1_024)}`, { bucket: "bucket", key: "k".repeat(1_024) }],
  ] as const) {
    test(`takes ${uri.slice(0, 60)}`, () => assert.deepEqual(parseS3Uri(uri), ref));
  }

  for (const uri of [
    "",
    "s3:",
    "s3://",
    "s3:/bucket/key",
    "S3://bucket/key",
    "https://bucket/key",
    " s3://bucket/key",
    "s3://bucket",
    "s3://bucket/",
    "s3://bucket/folder/",
    "s3:///key",
    "s3://ab/key",
    "s3://bucket/key?format=",
    "s3://bucket/key?format",
    "s3://bucket/key?format=env",
    "s3://bucket/key?format=toString",
    "s3://bucket/key?format=json&format=json",
    "s3://bucket/key?format=json?versionId=x",
    "s3://Bucket/key",
    "s3://buck_et/key",
    "s3://-bucket/key",
    "s3://bucket./key",
    "s3://a..b/key",
    `s3://${"b".repeat(64)}/key`,
    `s3://bucket/${"ż".repeat(513)}`,
    "s3://user@bucket/key",
    "s3://user:pass@bucket/key",
    "s3://bucket:443/key",
    "s3://bucket\\@evil.example.com/key",
    "s3://[::1]/key",
    "s3://bucket%2f@evil/key",
    "s3://büecket/key",
    "s3://arn:aws:s3:us-east-1:1:accesspoint/x/key",
    "s3://bucket/../other/key",
    "s3://bucket/a/./b",
    "s3://bucket/..",
    "s3://bucket/key\r\nx-evil: 1",
    "s3://bucket/key\u0000",
    "s3://bucket/\u0085key",
    "s3://bucket/key?x=y",
    "s3://bucket/key?versionid=x",
    "s3://bucket/key?versionId",
    "s3://bucket/key?versionId=",
    "s3://bucket/key?versionId=a&versionId=b",
    "s3://bucket/key?versionId=a&",
    "s3://bucket/key?owner=",
    "s3://bucket/key?owner=me",
    "s3://bucket/key?owner=11112222333",
    "s3://bucket/key?owner=1111222233334",
    "s3://bucket/key?owner=1111-2222-3333",
    "s3://bucket/key?owner=１１１１２２２２３３３３",
    "s3://bucket/key?owner=111122223333&owner=111122223333",
    "s3://bucket/key?owner=111122223333?format=json",
    "s3://bucket/a s3://bucket/b",
  ]) {
    test(`refuses ${JSON.stringify(uri.slice(0, 60))}`, () => {
      const { message } = refuses(() => parseS3Uri(uri), "usage");
      assert.doesNotMatch(message, /[\p{Cc}]/u);
      assert.ok(message.length < 400);
    });
  }

  // What stands for a region becomes a part of a host name.
  for (const region of [
    "evil.example.com",
    "us-east-1.evil.example.com/",
    "us-east-1/",
    "us-east-1#",
    "us-east-1@evil",
    "us-east-1:443",
    "us_east_1",
    "US-EAST-1",
    "-us-east-1",
    "us-east-1-",
    "us--east-1",
    "żż-east-1",
    "us-east-1%2e",
    "x".repeat(33),
    " us-east-1",
    "..",
  ]) {
    test(`refuses the region ${JSON.stringify(region)}`, () => {
      assert.throws(() => parseS3Uri(`s3://bucket/key?region=${region}`), { name: "SealexecError" });
    });
  }

  test("are printed back, and their place is without version and region", () => {
    for (const uri of ["s3://bucket/a b", "s3://bucket/key?versionId=x"]) {
      assert.equal(formatS3Uri(parseS3Uri(uri)), uri);
    }
    const ref = parseS3Uri("s3://bucket/key?versionId=x&region=eu-west-1");
    assert.equal(placeOf(ref), "s3://bucket/key");
    assert.equal(formatS3Uri(ref), "s3://bucket/key?versionId=x");
  });
});

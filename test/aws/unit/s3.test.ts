import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { startAws } from "../server.ts";
import type { Aws } from "../server.ts";
import { s3, send, sign, xmlText } from "./client.ts";
import type { Answer } from "./client.ts";

describe("the loopback S3", () => {
  let aws: Aws;

  before(async () => {
    aws = await startAws();
    aws.s3.createBucket("b");
  });
  after(async () => aws.close());

  function put(key: string, body: string, headers: Record<string, string> = {}): Promise<Answer> {
    return s3(aws, { method: "PUT", path: `/b/${key}`, body, headers });
  }

  function get(key: string, headers: Record<string, string> = {}, query = ""): Promise<Answer> {
    return s3(aws, { path: `/b/${key}`, query, headers });
  }

  async function code(answer: Promise<Answer>): Promise<[number, string | undefined]> {
    const { status, ...rest } = await answer;
    return [status, xmlText({ status, ...rest }, "Code")];
  }

  describe("objects", () => {
    it("gives back what was put: body, type, metadata, ETag, version", async () => {
      const stored = await put("a%20b/c", "hello", { "content-type": "text/x", "x-amz-meta-One": "1" });
      const answer = await get("a%20b/c");
      assert.equal(stored.status, 200);
      assert.equal(answer.text, "hello");
      assert.equal(answer.headers["content-type"], "text/x");
      assert.equal(answer.headers["x-amz-meta-one"], "1");
      // The MD5 of "hello".
      assert.equal(answer.headers.etag, '"5d41402abc4b2a76b9719d911017c592"');
      assert.equal(answer.headers["x-amz-version-id"], stored.headers["x-amz-version-id"]);
      assert.equal(aws.s3.get("b", "a b/c")?.body.toString(), "hello");
    });

    it("takes the bucket from the Host as well", async () => {
      aws.s3.put("b", "hosted", "x");
      const headers = { host: "b.s3.us-east-1.amazonaws.com" };
      assert.equal((await s3(aws, { path: "/hosted", headers })).text, "x");
    });

    it("HEAD has the headers and no body, also when it fails", async () => {
      aws.s3.put("b", "head", "four");
      const found = await s3(aws, { method: "HEAD", path: "/b/head" });
      assert.deepEqual([found.status, found.headers["content-length"], found.text], [200, "4", ""]);
      const missing = await s3(aws, { method: "HEAD", path: "/b/none" });
      assert.deepEqual([missing.status, missing.text], [404, ""]);
    });

    it("says what is missing, or hides it", async () => {
      assert.deepEqual(await code(get("none")), [404, "NoSuchKey"]);
      assert.deepEqual(await code(s3(aws, { path: "/nobucket/k" })), [404, "NoSuchBucket"]);
      aws.s3.listAllowed = false;
      assert.deepEqual(await code(get("none")), [403, "AccessDenied"]);
      aws.s3.listAllowed = true;
    });

    it("names the request in every answer", async () => {
      const answer = await get("none");
      assert.match(String(answer.headers["x-amz-request-id"]), /^[0-9A-F]{16}$/u);
      assert.equal(xmlText(answer, "RequestId"), answer.headers["x-amz-request-id"]);
      assert.ok(answer.headers["x-amz-id-2"]);
    });

    it("gives ranges", async () => {
      aws.s3.put("b", "range", "0123456789");
      const middle = await get("range", { range: "bytes=2-4" });
      assert.deepEqual(
        [middle.status, middle.text, middle.headers["content-range"]],
        [206, "234", "bytes 2-4/10"],
      );
      assert.equal((await get("range", { range: "bytes=-3" })).text, "789");
      assert.equal((await get("range", { range: "bytes=8-" })).text, "89");
      assert.deepEqual(await code(get("range", { range: "bytes=10-" })), [416, "InvalidRange"]);
    });

    it("denies operations by name", async () => {
      aws.s3.deny("GetObject");
      const answer = await get("a");
      aws.s3.allow("GetObject");
      assert.equal(answer.status, 403);
      assert.match(
        String(xmlText(answer, "Message")),
        /is not authorized to perform: s3:GetObject on resource/u,
      );
    });

    it("refuses what it does not know instead of doing something else", async () => {
      aws.s3.put("b", "tagged", "before");
      for (const ask of [
        { method: "PUT", path: "/b/tagged", query: "tagging", body: "<Tagging/>" },
        { method: "PUT", path: "/b/tagged", headers: { "x-amz-copy-source": "/b/other" } },
        { method: "POST", path: "/b/tagged", query: "uploads" },
      ])
        assert.deepEqual(await code(s3(aws, ask)), [501, "NotImplemented"]);
      assert.equal(aws.s3.get("b", "tagged")?.body.toString(), "before");
    });
  });

  describe("conditions", () => {
    it("If-None-Match: * lets a key be made once", async () => {
      const once = { "if-none-match": "*" };
      assert.equal((await put("once", "1", once)).status, 200);
      assert.deepEqual(await code(put("once", "2", once)), [412, "PreconditionFailed"]);
      assert.equal(aws.s3.get("b", "once")?.body.toString(), "1");
      await s3(aws, { method: "DELETE", path: "/b/once" });
      assert.equal((await put("once", "3", once)).status, 200);
    });

    it("If-Match lets only the ETag that was read be replaced", async () => {
      const first = aws.s3.put("b", "match", "1");
      aws.s3.put("b", "match", "2");
      assert.deepEqual(await code(put("match", "3", { "if-match": first.etag })), [
        412,
        "PreconditionFailed",
      ]);
      const { etag } = aws.s3.get("b", "match") ?? { etag: "" };
      assert.equal((await put("match", "3", { "if-match": etag })).status, 200);
      assert.deepEqual(await code(put("nothing", "3", { "if-match": etag })), [404, "NoSuchKey"]);
    });

    it("reads only what changed, or what did not", async () => {
      const { etag } = aws.s3.put("b", "cond", "x");
      assert.equal((await get("cond", { "if-none-match": etag })).status, 304);
      assert.equal((await get("cond", { "if-none-match": '"other"' })).status, 200);
      assert.equal((await get("cond", { "if-match": etag })).status, 200);
      assert.deepEqual(await code(get("cond", { "if-match": '"other"' })), [412, "PreconditionFailed"]);
    });
  });

  describe("versions", () => {
    it("keeps every one, newest first", async () => {
      const first = aws.s3.put("b", "v", "1");
      const second = aws.s3.put("b", "v", "2");
      assert.equal((await get("v")).text, "2");
      assert.equal((await get("v", {}, `versionId=${first.versionId}`)).text, "1");
      assert.deepEqual(await code(get("v", {}, "versionId=none")), [404, "NoSuchVersion"]);
      assert.deepEqual(await code(get("v", {}, "versionId=")), [400, "InvalidArgument"]);
      const ids = aws.s3.versions("b", "v").map((version) => version.versionId);
      assert.deepEqual(ids, [second.versionId, first.versionId]);
    });

    it("DELETE puts a marker on top; deleting the marker brings the object back", async () => {
      aws.s3.put("b", "del", "1");
      const deleted = await s3(aws, { method: "DELETE", path: "/b/del" });
      assert.deepEqual([deleted.status, deleted.headers["x-amz-delete-marker"]], [204, "true"]);
      const gone = await get("del");
      assert.deepEqual([gone.status, gone.headers["x-amz-delete-marker"]], [404, "true"]);
      const query = `versionId=${String(deleted.headers["x-amz-version-id"])}`;
      assert.deepEqual(await code(get("del", {}, query)), [405, "MethodNotAllowed"]);
      await s3(aws, { method: "DELETE", path: "/b/del", query });
      assert.equal((await get("del")).text, "1");
    });

    it("a bucket without versioning has none", async () => {
      aws.s3.createBucket("plain", { versioning: false });
      await s3(aws, { method: "PUT", path: "/plain/k", body: "1" });
      const second = await s3(aws, { method: "PUT", path: "/plain/k", body: "2" });
      assert.equal(second.headers["x-amz-version-id"], undefined);
      assert.equal(aws.s3.versions("plain", "k").length, 1);
    });

    it("lists them page by page", async () => {
      aws.s3.createBucket("list");
      for (const key of ["a", "a", "b/1", "c"]) aws.s3.put("list", key, "x");
      const one = await s3(aws, { path: "/list", query: "versions&max-keys=3" });
      assert.equal(one.text.match(/<Version>/gu)?.length, 3);
      assert.equal(xmlText(one, "IsTruncated"), "true");
      const marker = `key-marker=${xmlText(one, "NextKeyMarker")}&version-id-marker=${xmlText(one, "NextVersionIdMarker")}`;
      const two = await s3(aws, { path: "/list", query: `versions&${marker}` });
      assert.deepEqual([xmlText(two, "Key"), xmlText(two, "IsTruncated")], ["c", "false"]);
    });

    it("lists objects with folders rolled up, page by page", async () => {
      const query = "list-type=2&delimiter=%2F&max-keys=2";
      const one = await s3(aws, { path: "/list", query });
      assert.deepEqual(
        [xmlText(one, "Key"), xmlText(one, "CommonPrefixes><Prefix")?.slice(0, 2)],
        ["a", undefined],
      );
      assert.match(one.text, /<CommonPrefixes><Prefix>b\/<\/Prefix><\/CommonPrefixes>/u);
      const token = encodeURIComponent(xmlText(one, "NextContinuationToken") ?? "");
      const two = await s3(aws, { path: "/list", query: `${query}&continuation-token=${token}` });
      assert.deepEqual([xmlText(two, "Key"), xmlText(two, "IsTruncated")], ["c", "false"]);
    });
  });

  describe("buckets of another region", () => {
    before(() => {
      aws.s3.createBucket("west", { region: "us-west-2" });
      aws.s3.put("west", "k", "v");
    });

    it("answers by a redirect or a refusal, whichever is chosen", async () => {
      const expected = { permanent: 301, temporary: 307, malformed: 400 } as const;
      for (const how of ["permanent", "temporary", "malformed"] as const) {
        aws.s3.wrongRegion = how;
        const answer = await s3(aws, { path: "/west/k" });
        assert.equal(answer.status, expected[how]);
        assert.equal(answer.headers["x-amz-bucket-region"], "us-west-2");
        assert.equal(xmlText(answer, "Region"), how === "malformed" ? "us-west-2" : undefined);
        assert.equal(answer.headers.location !== undefined, how === "temporary");
      }
      aws.s3.wrongRegion = "malformed without a header";
      const bare = await s3(aws, { path: "/west/k" });
      assert.equal(bare.status, 400);
      assert.equal(bare.headers["x-amz-bucket-region"], undefined);
      assert.equal(xmlText(bare, "Region"), "us-west-2");
    });

    it("serves who signs for the right one", async () => {
      assert.equal((await s3(aws, { path: "/west/k" }, { region: "us-west-2" })).text, "v");
      const host = { host: "west.s3.us-west-2.amazonaws.com" };
      const wrong = await s3(aws, { path: "/k", headers: host });
      assert.equal(xmlText(wrong, "Code"), "AuthorizationHeaderMalformed");
    });

    it("says where a bucket is", async () => {
      const answer = await s3(aws, { path: "/west", query: "location" }, { region: "us-west-2" });
      assert.match(answer.text, />us-west-2<\/LocationConstraint>/u);
      const made = await s3(aws, { method: "PUT", path: "/made" });
      assert.equal(made.status, 200);
      const head = await s3(aws, { method: "HEAD", path: "/made" });
      assert.equal(head.headers["x-amz-bucket-region"], "us-east-1");
    });
  });

  it("logs what was asked for", async () => {
    const { versionId } = aws.s3.put("b", "log", "x");
    aws.resetCalls();
    await get("log", {}, `versionId=${versionId}`);
    const [call] = aws.calls;
    assert.equal(aws.count("s3", "GetObject"), 1);
    assert.equal(aws.count("s3"), 1);
    assert.deepEqual(call?.detail, { bytes: 0, bucket: "b", key: "log", versionId });
    assert.equal(call?.status, 200);
    assert.equal(call?.arn, "arn:aws:iam::111122223333:user/tester");
  });

  it("answers an unsigned request on the common listener as S3", async () => {
    const answer = await send(aws, "all", { path: "/b/k", headers: { host: "s3.us-east-1.amazonaws.com" } });
    assert.equal(xmlText(answer, "Code"), "AccessDenied");
    const signed = sign(aws, "all", { path: "/b/range" }, { service: "s3" });
    assert.equal((await send(aws, "all", { path: "/b/range", headers: signed })).text, "0123456789");
  });
});

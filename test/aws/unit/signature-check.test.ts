import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { startAws } from "../server.ts";
import type { Aws } from "../server.ts";
import { kms, s3, send, sign, sts, xmlText } from "./client.ts";
import type { Ask, Signing } from "./client.ts";

const HOUR_MS = 3_600_000;
const GET: Ask = { path: "/bucket/key" };

describe("signatures that are refused", () => {
  let aws: Aws;

  before(async () => {
    aws = await startAws();
    aws.s3.put("bucket", "key", "value");
  });
  after(async () => aws.close());

  /** What each service says to the same mistake: [status, code]. */
  async function codes(how: Signing): Promise<Record<string, [number, string | undefined]>> {
    const [fromS3, fromKms, fromSts] = await Promise.all([
      s3(aws, GET, how),
      kms(aws, "DescribeKey", { KeyId: "alias/sealexec" }, how),
      sts(aws, { Action: "GetCallerIdentity" }, how),
    ]);
    return {
      s3: [fromS3.status, xmlText(fromS3, "Code")],
      kms: [fromKms.status, fromKms.json["__type"] as string | undefined],
      sts: [fromSts.status, xmlText(fromSts, "Code")],
    };
  }

  it("takes a right one, of a user and of a session", async () => {
    const { accessKeyId, secretAccessKey, sessionToken } = aws.imds.credentials;
    for (const how of [{}, { accessKeyId, secretAccessKey, sessionToken }]) {
      const { s3, kms, sts } = await codes(how);
      assert.deepEqual([s3?.[0], kms?.[0], sts?.[0]], [200, 200, 200]);
    }
  });

  it("a wrong secret", async () => {
    assert.deepEqual(await codes({ secretAccessKey: "wrong" }), {
      s3: [403, "SignatureDoesNotMatch"],
      kms: [400, "InvalidSignatureException"],
      sts: [403, "SignatureDoesNotMatch"],
    });
  });

  it("an unknown key", async () => {
    assert.deepEqual(await codes({ accessKeyId: "AKIAUNKNOWN" }), {
      s3: [403, "InvalidAccessKeyId"],
      kms: [400, "UnrecognizedClientException"],
      sts: [403, "InvalidClientTokenId"],
    });
  });

  it("a session token that is not the one issued, or is missing, or is not asked for", async () => {
    const { accessKeyId, secretAccessKey } = aws.imds.credentials;
    for (const how of [
      { accessKeyId, secretAccessKey, sessionToken: "other" },
      { accessKeyId, secretAccessKey },
      { sessionToken: "surplus" },
    ])
      assert.deepEqual(await codes(how), {
        s3: [400, "InvalidToken"],
        kms: [400, "UnrecognizedClientException"],
        sts: [403, "InvalidClientTokenId"],
      });
  });

  it("a session whose time is over", async () => {
    const session = aws.identities.issue("arn:aws:iam::111122223333:role/r", "s", -1000);
    const { accessKeyId, secretAccessKey, sessionToken } = session;
    assert.deepEqual(await codes({ accessKeyId, secretAccessKey, sessionToken }), {
      s3: [400, "ExpiredToken"],
      kms: [400, "ExpiredTokenException"],
      sts: [403, "ExpiredToken"],
    });
  });

  it("a date more than 15 minutes off, either way, by the clock of AWS", async () => {
    const skewed = {
      s3: [403, "RequestTimeTooSkewed"],
      kms: [400, "InvalidSignatureException"],
      sts: [403, "SignatureDoesNotMatch"],
    };
    assert.deepEqual(await codes({ timeMs: Date.now() - HOUR_MS }), skewed);
    assert.deepEqual(await codes({ timeMs: Date.now() + HOUR_MS }), skewed);
    aws.clockOffsetMs = HOUR_MS;
    try {
      assert.deepEqual(await codes({}), skewed);
      const right = await codes({ timeMs: Date.now() + HOUR_MS });
      assert.equal(right["s3"]?.[0], 200);
      const answer = await s3(aws, GET);
      assert.ok(
        Date.parse(answer.headers.date ?? "") > Date.now() + HOUR_MS / 2,
        "Date tells the service's time",
      );
    } finally {
      aws.clockOffsetMs = 0;
    }
  });

  it("KMS says which way the clock is wrong", async () => {
    const input = { KeyId: "alias/sealexec" };
    const late = await kms(aws, "DescribeKey", input, { timeMs: Date.now() - HOUR_MS });
    const early = await kms(aws, "DescribeKey", input, { timeMs: Date.now() + HOUR_MS });
    assert.match(String(late.json["message"]), /^Signature expired: /u);
    assert.match(String(early.json["message"]), /^Signature not yet current: /u);
  });

  it("the scope of another service, day or region", async () => {
    const malformed = {
      s3: [400, "AuthorizationHeaderMalformed"],
      kms: [400, "InvalidSignatureException"],
      sts: [403, "SignatureDoesNotMatch"],
    };
    assert.deepEqual(await codes({ scopeDate: "20200101" }), malformed);
    const { kms, sts } = await codes({ region: "eu-west-1" });
    assert.deepEqual({ kms, sts }, { kms: malformed.kms, sts: malformed.sts });
    const other = await send(aws, "kms", { headers: sign(aws, "kms", {}, { service: "lambda" }) });
    assert.match(other.text, /InvalidSignatureException/u);
  });

  it("x-amz-* headers, or host, that are not signed", async () => {
    const extra = { ...GET, headers: { "x-amz-checksum-mode": "ENABLED" } };
    const answer = await s3(aws, extra, { unsigned: ["x-amz-checksum-mode"] });
    assert.equal(answer.status, 403);
    assert.equal(xmlText(answer, "HeadersNotSigned"), "x-amz-checksum-mode");
    const noHost = await s3(aws, GET, { unsigned: ["host"] });
    assert.equal(xmlText(noHost, "HeadersNotSigned"), "host");
    const target = await kms(aws, "DescribeKey", { KeyId: "alias/sealexec" }, { unsigned: ["x-amz-target"] });
    assert.equal(target.json["__type"], "InvalidSignatureException");
  });

  it("a path, query, header or body that was changed on the way", async () => {
    const headers = sign(aws, "s3", GET);
    for (const changed of [
      { ...GET, path: "/bucket/other" },
      { ...GET, query: "versionId=null" },
      { ...GET, method: "DELETE" },
    ]) {
      const answer = await send(aws, "s3", { ...changed, headers });
      assert.equal(xmlText(answer, "Code"), "SignatureDoesNotMatch");
    }
    const put = { method: "PUT", path: "/bucket/new", body: "right" };
    const body = await send(aws, "s3", { ...put, body: "wrong", headers: sign(aws, "s3", put) });
    assert.equal(xmlText(body, "Code"), "XAmzContentSHA256Mismatch");
    assert.equal(aws.s3.get("bucket", "new"), undefined);
    const call = {
      method: "POST",
      headers: { "x-amz-target": "TrentService.DescribeKey" },
      body: '{"KeyId":"a"}',
    };
    const swapped = await send(aws, "kms", {
      ...call,
      body: '{"KeyId":"b"}',
      headers: sign(aws, "kms", call),
    });
    assert.match(swapped.text, /InvalidSignatureException/u);
  });

  it("no signature at all", async () => {
    assert.equal(xmlText(await send(aws, "s3", GET), "Code"), "AccessDenied");
    assert.match((await send(aws, "kms", { method: "POST" })).text, /MissingAuthenticationTokenException/u);
    const answer = await sts(aws, { Action: "GetCallerIdentity" });
    assert.equal(xmlText(answer, "Code"), "MissingAuthenticationToken");
  });

  it("half an Authorization header", async () => {
    const headers = { authorization: "AWS4-HMAC-SHA256 Credential=AK" };
    assert.equal(xmlText(await send(aws, "s3", { headers }), "Code"), "AuthorizationHeaderMalformed");
    assert.match((await send(aws, "kms", { method: "POST", headers })).text, /IncompleteSignatureException/u);
  });
});

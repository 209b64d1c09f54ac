/** IMDS, the container endpoints and STS: everything that hands out credentials. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { startAws } from "../../../aws/server.ts";
import type { Aws } from "../../../aws/server.ts";
import { s3, send, sts, xmlText } from "../../../aws/unit/client.ts";
import type { Answer, Signing } from "../../../aws/unit/client.ts";

const ROLES = "/latest/meta-data/iam/security-credentials/";
const TTL = "x-aws-ec2-metadata-token-ttl-seconds";

describe("the loopback IMDS", () => {
  let aws: Aws;

  before(async () => {
    aws = await startAws();
    aws.s3.put("b", "k", "v");
  });
  after(async () => aws.close());

  function askToken(headers: Record<string, string>): Promise<Answer> {
    return send(aws, "imds", { method: "PUT", path: "/latest/api/token", headers });
  }

  async function get(path: string): Promise<Answer> {
    const token = (await askToken({ [TTL]: "60" })).text;
    return send(aws, "imds", { path, headers: { "x-aws-ec2-metadata-token": token } });
  }

  it("gives a token for 1 to 21600 seconds only", async () => {
    for (const ttl of ["1", "21600"]) assert.equal((await askToken({ [TTL]: ttl })).status, 200);
    for (const ttl of ["0", "21601", "-1", "x", "1.5", ""])
      assert.equal((await askToken({ [TTL]: ttl })).status, 400);
    assert.equal((await askToken({})).status, 400);
  });

  it("gives no token to a proxy", async () => {
    assert.equal((await askToken({ [TTL]: "60", "x-forwarded-for": "10.0.0.1" })).status, 403);
  });

  it("answers nothing without a token, and logs the attempt", async () => {
    aws.resetCalls();
    assert.equal((await send(aws, "imds", { path: ROLES })).status, 401);
    assert.equal(aws.count("imds", "GetWithoutToken"), 1);
    const headers = { "x-aws-ec2-metadata-token": "made-up" };
    assert.equal((await send(aws, "imds", { path: ROLES, headers })).status, 401);
  });

  it("forgets a token when its time is over", async () => {
    const token = (await askToken({ [TTL]: "60" })).text;
    aws.clockOffsetMs = 61_000;
    const { status } = await send(aws, "imds", {
      path: ROLES,
      headers: { "x-aws-ec2-metadata-token": token },
    });
    aws.clockOffsetMs = 0;
    assert.equal(status, 401);
  });

  it("answers without a token only where IMDSv1 is switched on", async () => {
    aws.imds.allowV1 = true;
    const answer = await send(aws, "imds", { path: ROLES });
    aws.imds.allowV1 = false;
    assert.deepEqual([answer.status, answer.text], [200, "sealexec-role"]);
  });

  it("gives credentials of the role that S3 takes", async () => {
    assert.equal((await get(ROLES)).text, "sealexec-role");
    const document = JSON.parse((await get(`${ROLES}sealexec-role`)).text) as Record<string, string>;
    assert.deepEqual([document["Code"], document["Type"]], ["Success", "AWS-HMAC"]);
    assert.ok(Date.parse(document["Expiration"] ?? "") > Date.parse(document["LastUpdated"] ?? ""));
    const {
      AccessKeyId: accessKeyId = "",
      SecretAccessKey: secretAccessKey = "",
      Token: sessionToken,
    } = document;
    assert.equal((await s3(aws, { path: "/b/k" }, { accessKeyId, secretAccessKey, sessionToken })).text, "v");
  });

  it("renews them, keeps pinned ones, and has none without a role", async () => {
    const first = aws.imds.credentials;
    assert.equal(aws.imds.credentials.accessKeyId, first.accessKeyId);
    assert.notEqual(aws.imds.rotate().accessKeyId, first.accessKeyId);
    aws.imds.credentials = first;
    assert.match((await get(`${ROLES}sealexec-role`)).text, new RegExp(first.accessKeyId, "u"));
    aws.imds.role = undefined;
    assert.equal((await get(ROLES)).status, 404);
    assert.equal((await get("/latest/meta-data/iam/info")).status, 404);
    aws.imds.role = "other";
    aws.imds.rotate();
    assert.equal((await get(`${ROLES}sealexec-role`)).status, 404);
    assert.match(aws.imds.credentials.arn, /assumed-role\/other\//u);
    aws.imds.role = "sealexec-role";
  });

  it("knows its region, its document, and the extended path only when told", async () => {
    assert.equal((await get("/latest/meta-data/placement/region")).text, "us-east-1");
    const document = JSON.parse((await get("/latest/dynamic/instance-identity/document")).text) as object;
    assert.ok("region" in document && document.region === "us-east-1");
    const extended = ROLES.replace("credentials/", "credentials-extended/");
    assert.equal((await get(extended)).status, 404);
    aws.imds.extended = true;
    assert.equal((await get(extended)).text, "sealexec-role");
    assert.match((await get(`${extended}sealexec-role`)).text, /"AccountId": "111122223333"/u);
    aws.imds.extended = false;
  });
});

describe("the loopback container endpoints", () => {
  let aws: Aws;

  before(async () => {
    aws = await startAws();
  });
  after(async () => aws.close());

  it("ECS: the id in the path is the secret", async () => {
    const answer = await send(aws, "container", { path: aws.container.relativeUri });
    const document = JSON.parse(answer.text) as Record<string, string>;
    assert.equal(document["RoleArn"], "arn:aws:iam::111122223333:role/sealexec-task-role");
    assert.equal(document["AccessKeyId"], aws.container.credentials.accessKeyId);
    const wrong = await send(aws, "container", { path: "/v2/credentials/other" });
    assert.deepEqual([wrong.status, /InvalidIdInRequest/u.test(wrong.text)], [400, true]);
  });

  it("EKS: the token must be the right one", async () => {
    const ask = async (authorization?: string): Promise<number> => {
      const headers = authorization === undefined ? {} : { authorization };
      return (await send(aws, "container", { path: "/v1/credentials", headers })).status;
    };
    assert.deepEqual(await Promise.all([ask(), ask("wrong"), ask(aws.container.token)]), [401, 403, 200]);
  });
});

describe("the loopback STS", () => {
  let aws: Aws;
  const RoleArn = "arn:aws:iam::111122223333:role/app";

  before(async () => {
    aws = await startAws();
    aws.sts.addWebToken("good");
    aws.sts.addWebToken("old", { expired: true });
  });
  after(async () => aws.close());

  function session(answer: Answer): Signing {
    return {
      accessKeyId: xmlText(answer, "AccessKeyId") ?? "",
      secretAccessKey: xmlText(answer, "SecretAccessKey") ?? "",
      sessionToken: xmlText(answer, "SessionToken"),
    };
  }

  async function arn(how: Signing): Promise<string | undefined> {
    return xmlText(await sts(aws, { Action: "GetCallerIdentity" }, how), "Arn");
  }

  it("says who the caller is", async () => {
    assert.equal(await arn({}), "arn:aws:iam::111122223333:user/tester");
  });

  it("gives a session of a role", async () => {
    const answer = await sts(aws, { Action: "AssumeRole", RoleArn, RoleSessionName: "me" }, {});
    assert.equal(await arn(session(answer)), "arn:aws:sts::111122223333:assumed-role/app/me");
    assert.equal(aws.calls.at(-2)?.detail.role, RoleArn);
  });

  it("gives a session for a web token without a signature", async () => {
    const form = { Action: "AssumeRoleWithWebIdentity", RoleArn, RoleSessionName: "pod" };
    const answer = await sts(aws, { ...form, WebIdentityToken: "good" });
    assert.equal(await arn(session(answer)), "arn:aws:sts::111122223333:assumed-role/app/pod");
    const refused = async (WebIdentityToken: string): Promise<unknown[]> => {
      const { status, ...rest } = await sts(aws, { ...form, WebIdentityToken });
      return [status, xmlText({ status, ...rest }, "Code")];
    };
    assert.deepEqual(await refused("old"), [400, "ExpiredTokenException"]);
    assert.deepEqual(await refused("unknown"), [400, "InvalidIdentityToken"]);
    aws.sts.deny("AssumeRoleWithWebIdentity");
    assert.deepEqual(await refused("good"), [403, "AccessDenied"]);
    aws.sts.allow("AssumeRoleWithWebIdentity");
  });

  it("refuses parameters that are not right", async () => {
    for (const wrong of [{ RoleArn: "app" }, { RoleSessionName: "a b" }, { DurationSeconds: "10" }]) {
      const form = { Action: "AssumeRole", RoleArn, RoleSessionName: "me", ...wrong };
      assert.equal(xmlText(await sts(aws, form, {}), "Code"), "ValidationError");
    }
    assert.equal(xmlText(await sts(aws, { Action: "Nothing" }, {}), "Code"), "InvalidAction");
  });
});

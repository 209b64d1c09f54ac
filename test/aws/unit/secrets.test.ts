import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { startAws } from "../server.ts";
import type { Aws } from "../server.ts";
import { jsonCall } from "./client.ts";
import type { JsonAnswer, Signing } from "./client.ts";

const TOKEN = "11111111-2222-3333-4444-555555555555";
const OTHER = "66666666-2222-3333-4444-555555555555";

describe("the loopback Secrets Manager", () => {
  let aws: Aws;

  before(async () => {
    aws = await startAws({ regions: ["eu-west-1"] });
  });
  after(async () => aws.close());

  const ask = (operation: string, input: unknown, how: Signing = {}): Promise<JsonAnswer> =>
    jsonCall(aws, "secretsmanager", operation, input, how);

  async function call(operation: string, input: unknown): Promise<Readonly<Record<string, unknown>>> {
    const { status, json } = await ask(operation, input);
    assert.equal(status, 200, JSON.stringify(json));
    return json;
  }

  async function failure(operation: string, input: unknown): Promise<unknown> {
    const { status, json } = await ask(operation, input);
    assert.equal(status, 400);
    return json["__type"];
  }

  it("gives what it was given, by name, ARN and ARN without its suffix, in its region only", async () => {
    const made = await call("CreateSecret", { Name: "a/b", SecretString: "x", ClientRequestToken: TOKEN });
    const arn = String(made["ARN"]);
    assert.match(arn, /^arn:aws:secretsmanager:us-east-1:111122223333:secret:a\/b-[0-9a-f]{6}$/);
    for (const SecretId of ["a/b", arn, arn.slice(0, -7)]) {
      const { SecretString, VersionId, VersionStages } = await call("GetSecretValue", { SecretId });
      assert.deepEqual([SecretString, VersionId, VersionStages], ["x", TOKEN, ["AWSCURRENT"]]);
    }
    const elsewhere = await ask("GetSecretValue", { SecretId: "a/b" }, { region: "eu-west-1" });
    assert.equal(elsewhere.json["__type"], "ResourceNotFoundException");
  });

  it("moves the stages with each new version, and gives each version by stage and by id", async () => {
    const first = aws.secrets.put("staged", { text: "1" });
    const second = aws.secrets.put("staged", { text: "2" });
    const textOf = async (more: Record<string, string>): Promise<unknown> =>
      (await call("GetSecretValue", { SecretId: "staged", ...more }))["SecretString"];
    assert.equal(await textOf({}), "2");
    assert.equal(await textOf({ VersionStage: "AWSPREVIOUS" }), "1");
    assert.equal(await textOf({ VersionId: first }), "1");
    assert.equal(await textOf({ VersionId: second, VersionStage: "AWSCURRENT" }), "2");
    for (const more of [{ VersionStage: "AWSPENDING" }, { VersionId: "none" }])
      assert.equal(
        await failure("GetSecretValue", { SecretId: "staged", ...more }),
        "ResourceNotFoundException",
      );
    await call("UpdateSecretVersionStage", {
      SecretId: "staged",
      VersionStage: "AWSCURRENT",
      RemoveFromVersionId: second,
      MoveToVersionId: first,
    });
    assert.equal(await textOf({}), "1");
    assert.equal(await textOf({ VersionStage: "AWSPREVIOUS" }), "2");
    const { VersionIdsToStages } = await call("DescribeSecret", { SecretId: "staged" });
    assert.deepEqual(VersionIdsToStages, { [first]: ["AWSCURRENT"], [second]: ["AWSPREVIOUS"] });
  });

  it("a token again changes nothing, and is refused for another value", async () => {
    const made = { Name: "token", SecretString: "1", ClientRequestToken: TOKEN };
    const { ARN } = await call("CreateSecret", made);
    assert.equal((await call("CreateSecret", made))["ARN"], ARN);
    assert.equal(await failure("CreateSecret", { ...made, SecretString: "2" }), "ResourceExistsException");
    const put = { SecretId: "token", SecretString: "2", ClientRequestToken: OTHER };
    await call("PutSecretValue", put);
    await call("PutSecretValue", put);
    assert.equal(aws.secrets.find("token")?.versions.size, 2);
    assert.equal(await failure("PutSecretValue", { ...put, SecretString: "3" }), "ResourceExistsException");
  });

  it("a deleted secret is there and is not, until it is restored", async () => {
    aws.secrets.put("deleted", { text: "1" });
    await call("DeleteSecret", { SecretId: "deleted" });
    assert.equal(await failure("GetSecretValue", { SecretId: "deleted" }), "InvalidRequestException");
    const create = { Name: "deleted", SecretString: "1", ClientRequestToken: TOKEN };
    assert.equal(await failure("CreateSecret", create), "InvalidRequestException");
    await call("RestoreSecret", { SecretId: "deleted" });
    assert.equal((await call("GetSecretValue", { SecretId: "deleted" }))["SecretString"], "1");
  });

  it("binary secrets have no text", async () => {
    aws.secrets.put("binary", { binary: Buffer.from([0, 255]) });
    const { SecretString, SecretBinary } = await call("GetSecretValue", { SecretId: "binary" });
    assert.deepEqual([SecretString, SecretBinary], [undefined, "AP8="]);
  });

  it("checks signatures, their service and their region, and denies what it was told to", async () => {
    aws.secrets.put("signed", { text: "1" });
    const refused = async (how: Signing): Promise<unknown> =>
      (await ask("GetSecretValue", { SecretId: "signed" }, how)).json["__type"];
    assert.equal(await refused({ secretAccessKey: "wrong" }), "InvalidSignatureException");
    assert.equal(await refused({ service: "kms" }), "InvalidSignatureException");
    assert.equal(await refused({ region: "eu-west-9" }), "InvalidSignatureException");
    aws.secrets.deny("GetSecretValue");
    assert.equal(await refused({}), "AccessDeniedException");
    aws.secrets.allow("GetSecretValue");
    assert.equal(await refused({}), undefined);
  });
});

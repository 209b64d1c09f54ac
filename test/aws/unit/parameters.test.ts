import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { startAws } from "../server.ts";
import type { Aws } from "../server.ts";
import { jsonCall } from "./client.ts";
import type { JsonAnswer, Signing } from "./client.ts";

interface Page {
  readonly Parameters: readonly { readonly Name: string; readonly Value: string }[];
  readonly NextToken?: string;
}

describe("the loopback Systems Manager", () => {
  let aws: Aws;

  before(async () => {
    aws = await startAws();
  });
  after(async () => aws.close());

  const ask = (operation: string, input: unknown, how: Signing = {}): Promise<JsonAnswer> =>
    jsonCall(aws, "ssm", operation, input, how);

  async function page(input: Readonly<Record<string, unknown>>): Promise<Page> {
    const { status, json } = await ask("GetParametersByPath", { WithDecryption: true, ...input });
    assert.equal(status, 200);
    return json as unknown as Page;
  }

  it("keeps versions, and overwrites only where it is told to", async () => {
    const put = { Name: "/v/a", Value: "1", Type: "SecureString" };
    assert.equal((await ask("PutParameter", put)).json["Version"], 1);
    assert.equal((await ask("PutParameter", put)).json["__type"], "ParameterAlreadyExists");
    assert.equal((await ask("PutParameter", { ...put, Value: "2", Overwrite: true })).json["Version"], 2);
    const { Parameter } = (await ask("GetParameter", { Name: "/v/a", WithDecryption: true })).json;
    assert.equal((Parameter as { Value: string }).Value, "2");
    const sealed = (await ask("GetParameter", { Name: "/v/a" })).json["Parameter"];
    assert.notEqual((sealed as { Value: string }).Value, "2");
  });

  it("gives ten a page, of one level or of all below it", async () => {
    for (let index = 0; index < 12; index += 1) aws.parameters.put(`/p/n${index}`, "x");
    aws.parameters.put("/p/deep/n", "x");
    aws.parameters.put("/pp/n", "x");
    const first = await page({ Path: "/p" });
    assert.equal(first.Parameters.length, 10);
    const rest = await page({ Path: "/p/", NextToken: first.NextToken });
    assert.equal(rest.Parameters.length, 2);
    assert.equal(rest.NextToken, undefined);
    const all = await page({ Path: "/p", Recursive: true, NextToken: "token-10" });
    assert.equal(all.Parameters.length, 3);
    assert.equal(
      (await ask("GetParametersByPath", { Path: "/p", NextToken: "x" })).json["__type"],
      "InvalidNextToken",
    );
  });

  it("refuses values that do not fit their tier, signatures of others, and what it was told to deny", async () => {
    const put = { Name: "/v/large", Value: "x".repeat(4097), Type: "String" };
    assert.equal((await ask("PutParameter", put)).json["__type"], "ValidationException");
    assert.equal((await ask("PutParameter", { ...put, Tier: "Intelligent-Tiering" })).status, 200);
    const wrong = await ask("GetParameter", { Name: "/v/large" }, { secretAccessKey: "wrong" });
    assert.equal(wrong.json["__type"], "InvalidSignatureException");
    aws.parameters.deny("GetParameter");
    assert.equal((await ask("GetParameter", { Name: "/v/large" })).json["__type"], "AccessDeniedException");
    aws.parameters.allow("GetParameter");
    assert.equal((await ask("GetParameter", { Name: "/none" })).json["__type"], "ParameterNotFound");
  });
});

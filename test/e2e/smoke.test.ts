import assert from "node:assert/strict";
import { test } from "node:test";
import { ARTEFACTS, KEY, push, sealexec, withAws } from "./harness.ts";

for (const artefact of ARTEFACTS) {
  test(`${artefact.name}: push, then run with the variables, by one GetObject and one Decrypt`, async () => {
    await withAws(async (aws) => {
      const uri = await push(aws, "app.env", "GREETING='hello world'\n");
      aws.resetCalls();
      const args = ["run", "--from", uri, "--key", KEY, "--", "sh", "-c", 'printf %s "$GREETING"; exit 7'];
      const outcome = await sealexec(args, { env: aws.env(), artefact });
      assert.deepEqual(outcome, { status: 7, signal: null, stdout: "hello world", stderr: "" });
      assert.equal(aws.count("s3"), 1);
      assert.equal(aws.count("kms"), 1);
      assert.equal(aws.count("imds", "GetWithoutToken"), 0);
    });
  });
}

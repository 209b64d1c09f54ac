/** `?owner=ID`: S3 is told whose bucket it has to be, in every request, so that a bucket of that name in another account is refused. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Aws } from "../aws/server.ts";
import { assertFailed, assertPrinted, RAN, SAY } from "./expect.ts";
import { BUCKET, KEY, sealexec, withAws } from "./harness.ts";
import type { Outcome } from "./harness.ts";
import { stranger } from "./strangers.ts";

const OWNER = "111122223333";
const PLACE = `s3://${BUCKET}/prod.env`;
const URI = `${PLACE}?owner=${OWNER}`;
const WAYS = [
  { name: "directly", env: (aws: Aws) => aws.env() },
  { name: "by the SDK", env: (aws: Aws) => ({ ...aws.env(), AWS_CONFIG_FILE: "/dev/null" }) },
];

/** What was asked of S3, each with the owner that it named. */
function asked(aws: Aws): (readonly [operation: string, owner: string | undefined])[] {
  return aws.calls
    .filter(({ service }) => service === "s3")
    .map(({ operation, headers }) => [operation, headers.get("x-amz-expected-bucket-owner")]);
}

for (const { name, env } of WAYS) {
  describe(`the owner of a bucket, asked ${name}`, () => {
    test("is named by the push, in its look and its write, and by the read", () =>
      withAws(async (aws) => {
        const push = (input: string, flags: readonly string[]): Promise<Outcome> =>
          sealexec(["push", "-", URI, "--key", KEY, ...flags], { env: env(aws), input });
        const first = await push("A=1\n", []);
        assert.equal(first.status, 0, first.stderr);
        const [, etag = ""] = /^etag +(\S+)$/m.exec(first.stdout) ?? [];
        const second = await push("A=2\n", ["--if-match", etag]);
        assert.equal(second.status, 0, second.stderr);
        assert.match(second.stdout, /^sealed +s3:\/\/app-secrets\/prod\.env$/m);
        assertPrinted(await sealexec(["run", "--from", URI, "--", ...SAY], { env: env(aws) }), `${RAN}\n`);
        const calls = asked(aws);
        for (const operation of ["PutObject", "GetObject"]) {
          assert.ok(
            calls.some(([called]) => called === operation),
            operation,
          );
        }
        assert.deepEqual(
          calls,
          calls.map(([operation]) => [operation, OWNER]),
        );
      }));

    test("is named where a push looks at what it cannot read", () =>
      withAws(async (aws) => {
        aws.s3.put(BUCKET, "prod.env", Buffer.alloc(5_000_000));
        const words = ["push", "-", URI, "--key", KEY, "--replace"];
        const outcome = await sealexec(words, { env: env(aws), input: "A=1\n" });
        assert.equal(outcome.status, 0, outcome.stderr);
        assert.deepEqual(asked(aws), [
          ["GetObject", OWNER],
          ["HeadObject", OWNER],
          ["PutObject", OWNER],
        ]);
      }));

    test("is no part of a failure that has nothing to do with it", () =>
      withAws(async (aws) => {
        const outcome = await sealexec(["run", "--from", URI, "--", ...SAY], { env: env(aws) });
        assertFailed(outcome, 66, /no such object/, /^check the URI/);
        assert.doesNotMatch(outcome.stderr, /account/);
      }));

    test("is named where an instruction file is read", () =>
      withAws(async (aws) => {
        const { metadata, body } = stranger(aws, "v3", "A=1\n");
        const parts = Object.entries(metadata);
        const inFile = ["x-amz-3", "x-amz-w", "x-amz-t"];
        const own = Object.fromEntries(parts.filter(([part]) => !inFile.includes(part)));
        aws.s3.put(BUCKET, "prod.env", Buffer.from(body), own);
        const file = JSON.stringify(Object.fromEntries(parts.filter(([part]) => inFile.includes(part))));
        aws.s3.put(BUCKET, "prod.env.instruction", Buffer.from(file), {});
        const args = ["run", "--from", URI, "--accept", "instruction-file,unbound", "--", ...SAY];
        assertPrinted(await sealexec(args, { env: env(aws) }), `${RAN}\n`);
        assert.deepEqual(asked(aws), [
          ["GetObject", OWNER],
          ["GetObject", OWNER],
        ]);
      }));

    test("is named by each look of --watch", () =>
      withAws(async (aws) => {
        await sealexec(["push", "-", PLACE, "--key", KEY], { env: aws.env(), input: "A=1\n" });
        aws.resetCalls();
        const args = ["run", "--watch", "--every", "100ms", "--from", URI, "--", "sleep", "2"];
        const outcome = await sealexec(args, { env: env(aws) });
        assert.equal(outcome.status, 0, outcome.stderr);
        const calls = asked(aws);
        assert.ok(calls.length > 1, "nobody looked");
        assert.deepEqual(
          calls,
          calls.map(([operation]) => [operation, OWNER]),
        );
      }));

    test("is not named where nobody says who it is", () =>
      withAws(async (aws) => {
        const pushed = await sealexec(["push", "-", PLACE, "--key", KEY], { env: env(aws), input: "A=1\n" });
        assert.equal(pushed.status, 0, pushed.stderr);
        assertPrinted(await sealexec(["run", "--from", PLACE, "--", ...SAY], { env: env(aws) }), `${RAN}\n`);
        assert.ok(asked(aws).every(([, owner]) => owner === undefined));
      }));

    test("is another: nothing is read, and nothing is written", () =>
      withAws(async (aws) => {
        const other = `${PLACE}?owner=999988887777`;
        await sealexec(["push", "-", PLACE, "--key", KEY], { env: aws.env(), input: "A=1\n" });
        const before = aws.s3.versions(BUCKET, "prod.env").length;
        const run = await sealexec(["run", "--from", other, "--", ...SAY], { env: env(aws) });
        assertFailed(run, 77, /missing or forbidden/, /bucket of account 999988887777/);
        const input = "A=2\n";
        for (const flags of [[], ["--create"]]) {
          const push = await sealexec(["push", "-", other, "--key", KEY, ...flags], { env: env(aws), input });
          assertFailed(push, 77, /./, /bucket of account 999988887777/);
        }
        assert.equal(aws.s3.versions(BUCKET, "prod.env").length, before);
      }));
  });
}

/** Whoever waits is told what for, and why, once. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Aws } from "../aws/server.ts";
import { RAN, SAY, assertPrinted, eventsOf } from "./expect.ts";
import { ARTEFACTS, BUCKET, KEY, push, sealexec, withAws } from "./harness.ts";
import type { Outcome, RunOptions } from "./harness.ts";
import { SELDOM, watching } from "./watch/watching.ts";

/** After so long without an answer, milliseconds, a line says what is waited for. */
const PATIENCE_MS = 2_000;

const URI = `s3://${BUCKET}/app.env`;

function run(aws: Aws, flags: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const args = ["run", "--from", URI, ...flags, "--", ...SAY];
  return sealexec(args, { env: aws.env(), keepWaiting: true, ...options });
}

for (const artefact of ARTEFACTS) {
  describe(`waiting, by the ${artefact.name}`, { concurrency: 3 }, () => {
    test("for S3 that is away: one line for all of the time, with the reason, then the failure", () =>
      withAws(async (aws) => {
        await push(aws, "app.env", "A=1\n");
        await aws.faults.add({ service: "s3", action: "refuse" }).ready;
        const { status, stderr } = await run(aws, ["--timeout", "6.5"], { artefact });
        assert.equal(status, 69, stderr);
        const [waiting, error, hint, ...others] = stderr.trimEnd().split("\n");
        assert.match(
          waiting ?? "",
          /^sealexec: notice: waiting for object: s3:\/\/app-secrets\/app\.env: trying again: GetObject: \S+: cannot be reached \(ECONNREFUSED\)$/,
        );
        assert.match(error ?? "", /^sealexec: error: object: /);
        assert.match(hint ?? "", /^sealexec: hint: /);
        assert.deepEqual(others, []);
      }));

    test("for KMS that is silent, as an event: the object is not waited for any more", () =>
      withAws(async (aws) => {
        await push(aws, "app.env", "A=1\n");
        aws.faults.add({ service: "kms", action: "silent" });
        const { stderr } = await run(aws, ["--timeout", "3", "--log", "json"], { artefact });
        const [waiting, error, ...others] = eventsOf(stderr);
        assert.deepEqual(others, []);
        assert.equal(error?.["level"], "error");
        assert.deepEqual(
          [waiting?.["level"], waiting?.["code"], waiting?.["stage"]],
          ["notice", "waiting", "key"],
        );
        assert.match(String(waiting?.["target"]), /^s3:\/\/app-secrets\/app\.env under /);
        assert.match(String(waiting?.["message"]), /: no answer yet$/);
      }));

    test("for one thing after the other: credentials, then S3; and CMD runs all the same", () =>
      withAws(async (aws) => {
        await push(aws, "app.env", "A=1\n");
        aws.faults.add({ service: "s3", action: "delay", delayMs: 4_000 });
        aws.faults.add({ service: "imds", action: "silent", times: 2 });
        const { status, stdout, stderr } = await run(aws, [], { artefact });
        assert.deepEqual([status, stdout], [0, `${RAN}\n`], stderr);
        const stages = stderr
          .trimEnd()
          .split("\n")
          .map((line) => /^sealexec: notice: waiting for (\w+): /.exec(line)?.[1]);
        assert.deepEqual(stages, ["credentials", "object"]);
        // Why the one took so long is nothing to the other.
        assert.match(stderr, /: no answer yet\n$/);
      }));

    test("is silent once CMD runs, however long a look takes", () =>
      withAws(async (aws) => {
        const uri = await push(aws, "app.env", "A=1\n");
        const options = { env: aws.env(), flags: [...SELDOM, "--from", uri], artefact };
        await watching(options, async (watch) => {
          const asked = aws.count("s3");
          const slow = aws.faults.add({ service: "s3", action: "delay", delayMs: 2_500, times: 1 });
          await watch.lookUntil(() => slow.hits === 1);
          // The next look begins when this one is over.
          await watch.lookUntil(() => aws.count("s3") > asked + 1);
          assert.equal(watch.stderr(), "");
        });
      }));

    test("is silent where nothing is slow, at push too", () =>
      withAws(async (aws) => {
        await push(aws, "app.env", "A=1\n");
        assertPrinted(await run(aws, [], { artefact }), `${RAN}\n`);
        const args = ["push", "-", `${URI}.new`, "--key", KEY, "--replace", "--force"];
        for (let attempts = 1; ; attempts += 1) {
          const began = performance.now();
          const pushed = await sealexec(args, {
            env: aws.env(),
            input: "A=1\n",
            keepWaiting: true,
            artefact,
          });
          assert.equal(pushed.status, 0);
          if (pushed.stderr === "") break;
          // On a busy machine everything is slow.
          assert.ok(performance.now() - began > PATIENCE_MS && attempts < 10, pushed.stderr);
        }
      }));
  });
}

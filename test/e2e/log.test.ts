/** `--log json`: what a machine can read of every line, so that nobody has to read a message. */
import assert from "node:assert/strict";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { buildPrograms, skipReason } from "./exec/programs.ts";
import { eventsOf, flipBodyBit, withFolder } from "./expect.ts";
import type { LogEvent } from "./expect.ts";
import { ARTEFACTS, BUCKET, KEY, push, runProcess, sealexec, withAws } from "./harness.ts";

const JSON_LOG = ["--log", "json"] as const;

/** The fields by which machines tell events apart. */
function told(event: LogEvent | undefined): Readonly<Record<string, unknown>> {
  const { time: _time, message: _message, hint: _hint, requestId: _requestId, ...rest } = event ?? {};
  return rest;
}

for (const artefact of ARTEFACTS) {
  describe(`--log json, by the ${artefact.name}`, () => {
    test("an error of AWS has its code, its place, and AWS's facts", () =>
      withAws(async (aws) => {
        const uri = `s3://${BUCKET}/none.env`;
        const run = (): Promise<readonly LogEvent[]> =>
          sealexec(["run", "--from", uri, ...JSON_LOG, "--", "true"], { env: aws.env(), artefact }).then(
            ({ stderr }) => eventsOf(stderr),
          );
        const [missing, ...others] = await run();
        assert.deepEqual(others, []);
        assert.deepEqual(told(missing), {
          level: "error",
          code: "no-such-object",
          stage: "object",
          target: uri,
          kind: "missing",
          status: 66,
          operation: "GetObject",
          awsCode: "NoSuchKey",
          httpStatus: 404,
        });
        assert.match(String(missing?.["requestId"]), /^\w+$/);
        assert.match(String(missing?.["message"]), new RegExp(`^object: ${uri}: no such object `));
        aws.s3.deny("GetObject");
        const [denied] = await run();
        assert.equal(denied?.["code"], "access-denied");
        assert.equal(denied["awsCode"], "AccessDenied");
      }));

    test("a wrong key, a damaged object, a program that is not there and wrong usage have theirs", () =>
      withAws(async (aws) => {
        const uri = await push(aws, "app.env", "A=1\n");
        aws.kms.createKey({ alias: "other" });
        const run = async (flags: readonly string[], cmd = "true"): Promise<LogEvent | undefined> => {
          const args = ["run", ...flags, ...JSON_LOG, "--", cmd];
          const { stderr } = await sealexec(args, { env: aws.env(), artefact });
          const [event, ...others] = eventsOf(stderr);
          assert.deepEqual(others, []);
          return event;
        };
        const wrongKey = await run(["--from", uri, "--key", "alias/other"]);
        assert.equal(wrongKey?.["code"], "wrong-key");
        assert.equal(wrongKey["stage"], "key");
        assert.equal(wrongKey["operation"], "Decrypt");
        assert.equal(wrongKey["awsCode"], "IncorrectKeyException");
        assert.deepEqual(told(await run(["--from", uri], "not-there-at-all")), {
          level: "error",
          code: "not-found",
          stage: "command",
          target: "not-there-at-all",
          kind: "not-found",
          status: 127,
        });
        assert.deepEqual(told(await run([])), { level: "error", code: "usage", kind: "usage", status: 64 });
        flipBodyBit(aws, "app.env");
        const damaged = await run(["--from", uri]);
        assert.deepEqual(
          [damaged?.["kind"], damaged?.["stage"], damaged?.["target"]],
          ["data", "decrypt", uri],
        );
      }));

    test("steps, attempts and what --explain says are events, too", () =>
      withAws(async (aws) => {
        const uri = await push(aws, "app.env", "A=1\n");
        aws.faults.add({
          service: "s3",
          action: "status",
          status: 503,
          code: "ServiceUnavailable",
          times: 1,
        });
        const args = ["run", "--from", uri, "-v", "--explain", ...JSON_LOG, "--", "true"];
        const { status, stderr } = await sealexec(args, { env: aws.env(), artefact });
        assert.equal(status, 0, stderr);
        const events = eventsOf(stderr);
        const again = events.find(({ attempt }) => attempt === 1);
        assert.deepEqual(told(again), {
          level: "info",
          code: "service-failing",
          operation: "GetObject",
          awsCode: "ServiceUnavailable",
          httpStatus: 503,
          attempt: 1,
        });
        const step = events.find(({ code, stage }) => code === "step" && stage === "object");
        assert.equal(step?.["target"], uri);
        assert.equal(typeof step["durationMs"], "number");
        assert.ok(events.some(({ level, code }) => level === "explain" && code === "explain"));
      }));

    test("warnings have a code and a target, in run and in check", () =>
      withFolder(async (folder) => {
        const file = join(folder, "app.env");
        await writeFile(file, "");
        await chmod(file, 0o600);
        for (const command of [["run"], ["check"]]) {
          const args = [...command, "--from", `env-file:${file}`, ...JSON_LOG, "--", "true"];
          const { stderr } = await sealexec(args, { artefact });
          assert.deepEqual(eventsOf(stderr).map(told), [
            { level: "warning", code: "no-variables", target: `env-file:${file}` },
          ]);
        }
      }));

    test("what push --json warns of is an event", () =>
      withAws(async (aws) => {
        const uri = `s3://${BUCKET}/app.env`;
        aws.s3.put(BUCKET, "app.env", Buffer.from("garbage"));
        const args = ["push", "-", uri, "--key", KEY, "--replace", "--json"];
        const options = { env: { ...aws.env(), SEALEXEC_NONE: "x" }, artefact, input: "A=1\n" };
        const { status, stdout, stderr } = await sealexec(args, options);
        assert.equal(status, 0, stderr);
        assert.equal((JSON.parse(stdout) as Record<string, unknown>)["status"], "pushed");
        assert.deepEqual(
          eventsOf(stderr).map(({ level, code }) => [level, code]),
          [
            ["warning", "unknown-variable"],
            ["warning", "warning"],
          ],
        );
      }));

    test("check and push fail with the same fields", () =>
      withAws(async (aws) => {
        const options = { env: aws.env(), artefact };
        const [usage] = eventsOf((await sealexec(["check", ...JSON_LOG], options)).stderr);
        assert.equal(usage?.["code"], "usage");
        const uri = `s3://${BUCKET}/app.env`;
        aws.s3.deny("PutObject");
        const args = ["push", "-", uri, "--key", KEY, ...JSON_LOG];
        const denied = await sealexec(args, { ...options, input: "A=1\n" });
        const [event] = eventsOf(denied.stderr);
        assert.equal(event?.["code"], "access-denied");
        assert.equal(event["target"], uri);
        assert.equal(event["operation"], "PutObject");
      }));
  });
}

const programs = buildPrograms();

describe(
  "no line is lost where its reader is slow and the pipe does not wait",
  { skip: skipReason(programs) },
  () => {
    // The first byte, and more only when the pipe is full.
    const slowly = '"$0" nonblock 2 -- "$@" 2>&1 | { dd bs=1 count=1 2>/dev/null; sleep 0.1; cat; }';

    for (const artefact of ARTEFACTS) {
      test(`by the ${artefact.name}`, () =>
        withFolder(async (folder) => {
          const names = Array.from({ length: 1_500 }, (_, index) => `NAME_${index}`);
          const file = join(folder, "app.env");
          await writeFile(file, names.map((name) => `${name}=1\n`).join(""), { mode: 0o600 });
          const run = [...artefact.command, "run", "--from", `env-file:${file}`, "--explain", "--", "true"];
          const { stdout } = await runProcess(["sh", "-c", slowly, programs?.launch ?? "", ...run]);
          assert.deepEqual(
            stdout.trimEnd().split("\n").toSorted(),
            names.map((name) => `sealexec: explain: ${name}: from env-file:${file}`).toSorted(),
          );
        }));
    }
  },
);

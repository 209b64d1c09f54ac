/** `sealexec push` over what is there: never over somebody else's change, and never without having something to say. */
import assert from "node:assert/strict";
import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { assertFailed, assertPrinted, flipBodyBit, withFolder } from "./expect.ts";
import { ARTEFACTS, BUCKET, KEY, runProcess, sealexec, withAws } from "./harness.ts";
import { URI, document, linesOf, pulled, pushText, report } from "./pushing.ts";

const THEIRS = { service: "s3", action: "replaceObject", body: "theirs", times: 1 } as const;

for (const artefact of ARTEFACTS) {
  describe(`push over an object, by the ${artefact.name}`, { concurrency: 2 }, () => {
    const push = (env: Record<string, string>, input: string, ...flags: string[]) =>
      sealexec(["push", "-", URI, "--key", KEY, ...flags], { env, input, artefact });

    test("says the names that would change, writes nothing, and ends with 80", () =>
      withAws(async (aws) => {
        const env = aws.env();
        const first = report(await push(env, "B=old-value\nA=1\nD=4\nE=5\n"));
        const etag = (first.get("etag") ?? "").replaceAll('"', "");
        aws.resetCalls();
        const outcome = await push(env, "Z=1\nB=new-value\nC=3\nA=1\n");
        assertFailed(
          outcome,
          80,
          new RegExp(
            `^object: ${URI}: there is an object already \\(etag ${etag}, revision ${first.get("revision")}\\): ` +
              "this push would add C, Z; change B; remove D, E$",
          ),
          new RegExp(`--if-match ${etag}, or with --replace; nothing was written$`),
        );
        assert.doesNotMatch(outcome.stderr, /old-value|new-value/);
        assert.deepEqual([aws.count("s3", "PutObject"), aws.count("kms", "GenerateDataKey")], [0, 0]);
        report(await push(env, "A=2\n", "--if-match", etag));
        report(await push(env, "A=3\n", "--replace"));
        assertPrinted(await pulled(aws), "A=3\n");
      }));

    test("alice and bob pull, bob pushes: alice's push is refused, and bob's change is there", () =>
      withAws(async (aws) => {
        const env = aws.env();
        report(await push(env, "A=1\nB=1\n"));
        const seen = await sealexec(["pull", "-v", URI], { env, artefact });
        assertPrinted({ ...seen, stderr: "" }, "A=1\nB=1\n");
        const etag = /, etag "([0-9a-f]{32})"/.exec(seen.stderr)?.[1] ?? "";
        assert.equal(`"${etag}"`, aws.s3.get(BUCKET, "app.env")?.etag);
        report(await push(env, "A=1\nB=bob\n", "--if-match", etag));
        const late = await push(env, "A=alice\nB=1\n", "--if-match", etag);
        assertFailed(late, 80, /the object is no longer the one expected .*: this push would change A, B$/);
        assertPrinted(await pulled(aws), "A=1\nB=bob\n");
      }));

    test("what is the same is not pushed again; --force does", () =>
      withAws(async (aws) => {
        const env = aws.env();
        const first = report(await push(env, "A=1\n"));
        aws.resetCalls();
        const again = report(await push(env, "A=1\n"));
        assert.equal(again.get("unchanged"), `revision ${first.get("revision")}`);
        assert.equal(again.get("etag"), first.get("etag"));
        assert.deepEqual([aws.count("s3", "PutObject"), aws.count("kms", "GenerateDataKey")], [0, 0]);
        const forced = report(await push(env, "A=1\n", "--force"));
        assert.ok(Number(forced.get("revision")) > Number(first.get("revision")));
        assert.equal(aws.s3.versions(BUCKET, "app.env").length, 2);
      }));

    test("--json: one document, its fields always the same", () =>
      withAws(async (aws) => {
        const env = aws.env();
        const made = document(await push(env, "B=1\nA=1\n", "--json"));
        const stored = aws.s3.get(BUCKET, "app.env");
        const common = {
          target: URI,
          format: "v3",
          key: aws.kms.find(KEY, aws.region).arn,
          kept: [],
        };
        const { revision } = made;
        assert.ok(typeof revision === "number");
        const now = { version: stored?.versionId, etag: stored?.etag, revision };
        const first = {
          ...common,
          ...now,
          status: "pushed",
          variables: 2,
          added: ["A", "B"],
          changed: [],
          removed: [],
        };
        assert.deepEqual(made, first);
        const same = document(await push(env, "B=1\nA=1\n", "--json"));
        assert.deepEqual(same, { ...first, status: "unchanged", added: [] });
        const changed = document(await push(env, "A=2\nC=3\n", "--replace", "--json"));
        assert.deepEqual(
          [changed["status"], changed["added"], changed["changed"], changed["removed"]],
          ["pushed", ["C"], ["A"], ["B"]],
        );
        aws.s3.put(BUCKET, "app.env", Buffer.from("garbage"));
        const over = document(await push(env, "A=2\n", "--replace", "--json"));
        assert.deepEqual([over["added"], over["changed"], over["removed"]], [null, null, null]);
        const refused = await push(env, "A=3\n", "--json");
        assert.deepEqual([refused.status, refused.stdout], [80, ""]);
        const { level, kind, status } = JSON.parse(refused.stderr) as Record<string, unknown>;
        assert.deepEqual([level, kind, status], ["error", "conflict", 80]);
        const wrong = await push(env, "A=3\n", "--json", "--bogus");
        assert.equal((JSON.parse(wrong.stderr) as Record<string, unknown>)["kind"], "usage");
      }));
  });
}

describe("push over an object: what counts as the same", { concurrency: 2 }, () => {
  const others: Readonly<Record<string, readonly [string, ...string[]]>> = {
    "a comment": ["# new\nA=1\n"],
    "another order": ["B=2\nA=1\n"],
    "another format": ["A=1\nB=2\n", "--format", "v2"],
    "another context": ["A=1\nB=2\n", "--context", "stage=prod"],
    "no binding": ["A=1\nB=2\n", "--no-bind"],
    "another key": ["A=1\nB=2\n", "--key", "alias/other"],
    "a revision that was asked for": ["A=1\nB=2\n", "--revision", "12"],
  };
  for (const [name, [text, ...flags]] of Object.entries(others)) {
    test(`not ${name}`, () =>
      withAws(async (aws) => {
        aws.kms.createKey({ alias: "other" });
        report(await pushText(aws, "A=1\nB=2\n"));
        assertFailed(await pushText(aws, text, ...flags), 80, /there is an object already/);
        const outcome = await pushText(aws, text, ...flags, "--replace");
        assert.equal(outcome.status, 0, outcome.stderr);
        assert.match(outcome.stdout, /^pushed /m);
        assert.equal(aws.s3.versions(BUCKET, "app.env").length, 2);
      }));
  }

  test("not what was put back: it is older than S3 says", () =>
    withAws(async (aws) => {
      const hour = 3_600_000;
      const old = String(Date.now() - 2 * hour);
      report(await pushText(aws, "A=1\n", "--revision", old));
      assert.match((await pushText(aws, "A=1\n", "--replace")).stdout, /^pushed +revision \d+$/m);
    }));

  test("not with --create", () =>
    withAws(async (aws) => {
      report(await pushText(aws, "A=1\n", "--create"));
      assertFailed(await pushText(aws, "A=1\n", "--create"), 80, /there is an object already/);
    }));
});

describe("push over an object: what stands in the way", { concurrency: 2 }, () => {
  test("what somebody else wrote since the look stays, also with --replace", () =>
    withAws(async (aws) => {
      report(await pushText(aws, "A=1\n"));
      aws.faults.add({ ...THEIRS, operation: "GetObject" });
      assertFailed(
        await pushText(aws, "A=2\n", "--replace"),
        80,
        /no longer the one expected \(PutObject: PreconditionFailed, .*request id [0-9A-F]+/,
        /nothing was overwritten/,
      );
      assert.equal(aws.s3.get(BUCKET, "app.env")?.body.toString(), "theirs");
    }));

  test("what somebody else made since the look stays", () =>
    withAws(async (aws) => {
      for (const flags of [[], ["--create"], ["--replace"]]) {
        const bucket = aws.s3.buckets.get(BUCKET);
        if (bucket !== undefined) aws.s3.remove(bucket, "app.env");
        aws.faults.add({ ...THEIRS, operation: "GetObject" });
        const outcome = await pushText(aws, "A=2\n", ...flags);
        assertFailed(outcome, 80, /there is an object already \(PutObject: /);
        assert.equal(aws.s3.get(BUCKET, "app.env")?.body.toString(), "theirs");
      }
    }));

  test("what somebody else deleted since the look stays deleted", () =>
    withAws(async (aws) => {
      report(await pushText(aws, "A=1\n"));
      aws.resetCalls();
      aws.faults.add({ service: "kms", operation: "GenerateDataKey", action: "delay", delayMs: 300 });
      const pushing = pushText(aws, "A=2\n", "--replace");
      const deleting = (async () => {
        while (aws.count("kms", "GenerateDataKey") < 1)
          await new Promise((resolve) => setTimeout(resolve, 5));
        const bucket = aws.s3.buckets.get(BUCKET);
        if (bucket !== undefined) aws.s3.remove(bucket, "app.env");
      })();
      const [outcome] = await Promise.all([pushing, deleting]);
      assertFailed(outcome, 80, /no longer the one expected \(PutObject: NoSuchKey/);
      assert.equal(aws.s3.get(BUCKET, "app.env"), undefined);
    }));

  test("--create only if there is nothing", () =>
    withAws(async (aws) => {
      report(await pushText(aws, "A=1\n", "--create"));
      assertFailed(
        await pushText(aws, "A=2\n", "--create"),
        80,
        /there is an object already .*would change A$/,
      );
      assertPrinted(await pulled(aws), "A=1\n");
    }));

  test("--if-match with the right ETag, with quotes and without; not with a wrong one, nor over nothing", () =>
    withAws(async (aws) => {
      assertFailed(await pushText(aws, "A=1\n", "--if-match", "abc"), 80, /the one expected: there is none$/);
      const first = report(await pushText(aws, "A=1\n")).get("etag") ?? "";
      assert.match(first, /^"[0-9a-f]{32}"$/);
      const second = report(await pushText(aws, "A=2\n", "--if-match", first)).get("etag") ?? "";
      assertFailed(await pushText(aws, "A=3\n", "--if-match", first), 80, /no longer the one expected/);
      report(await pushText(aws, "A=4\n", "--if-match", second.replaceAll('"', "")));
      assertPrinted(await pulled(aws), "A=4\n");
    }));

  test("flags that say two things, and what is no ETag, are usage; nothing is asked", () =>
    withAws(async (aws) => {
      for (const flags of [
        ["--if-match", "x", "--create"],
        ["--if-match", "x", "--replace"],
        ["--replace", "--create"],
      ])
        assertFailed(await pushText(aws, "A=5\n", ...flags), 64, /cannot be used with/);
      assertFailed(await pushText(aws, "A=5\n", "--if-match", 'a"b'), 64, /--if-match is not an ETag/);
      assert.equal(aws.calls.length, 0);
    }));

  test("what may not be read can be replaced by its ETag, and not blindly", () =>
    withAws(async (aws) => {
      const etag = report(await pushText(aws, "A=1\n")).get("etag") ?? "";
      aws.s3.deny("GetObject");
      aws.s3.deny("HeadObject");
      for (const flags of [[], ["--replace"]])
        assertFailed(
          await pushText(aws, "A=2\n", ...flags),
          77,
          /missing or forbidden/,
          /--create, or --if-match/,
        );
      assertFailed(await pushText(aws, "A=2\n", "--create"), 80, /there is an object already \(PutObject/);
      assertFailed(
        await pushText(aws, "A=2\n", "--if-match", "abc"),
        80,
        /no longer the one expected \(PutObject/,
      );
      report(await pushText(aws, "A=2\n", "--if-match", etag));
      aws.s3.allow("GetObject");
      assertPrinted(await pulled(aws), "A=2\n");
    }));

  test("what may not be decrypted cannot be compared", () =>
    withAws(async (aws) => {
      report(await pushText(aws, "A=1\n"));
      aws.kms.deny("Decrypt");
      assertFailed(
        await pushText(aws, "A=2\n"),
        80,
        /already .*: what is there cannot be compared with the file: key: .*KMS denies .*\(Decrypt: /,
      );
      const { status, stderr } = await pushText(aws, "A=2\n", "--replace");
      assert.equal(status, 0, stderr);
      assert.match(
        stderr,
        /^sealexec: warning: s3:\S+ what is there was not compared with the file: .*Decrypt/,
      );
      aws.kms.allow("Decrypt");
      assertPrinted(await pulled(aws), "A=2\n");
    }));

  test("a key that nobody can seal with is said as such, not as something in the way", () =>
    withAws(async (aws) => {
      report(await pushText(aws, "A=1\n"));
      for (const flags of [[], ["--replace"]]) {
        const args = ["push", "-", URI, "--key", "alias/typo", ...flags];
        const outcome = await sealexec(args, { env: aws.env(), input: "A=2\n" });
        assertFailed(outcome, 78, /no such KMS key in account \d+ and region us-east-1/);
      }
      assertPrinted(await pulled(aws), "A=1\n");
    }));

  test("what would be sealed otherwise is said beside the names, and again as it is done", () =>
    withAws(async (aws) => {
      const was = ["--format", "v2", "--context", "team=web", "--context", "stage=prod", "--no-bind"];
      report(await pushText(aws, "A=1\n", ...was));
      const flags = ["--context", "stage=test", "--context", "site=eu"];
      const otherwise =
        'seal it as v3, not v2; bind it to its place; add the context "site"; change the context "stage"; leave out the context "team"';
      const refused = await pushText(aws, "A=1\n", ...flags);
      assert.equal(refused.status, 80);
      assert.ok(
        refused.stderr.includes(`: this push would change no variable; ${otherwise}\n`),
        refused.stderr,
      );
      const { status, stderr } = await pushText(aws, "A=1\n", ...flags, "--replace");
      assert.deepEqual([status, stderr], [0, `sealexec: warning: ${URI}: this push will ${otherwise}\n`]);
      const args = ["push", "-", `${URI}?format=docker`, "--key", KEY, ...flags];
      const docker = await sealexec(args, { env: aws.env(), input: "A=1\n" });
      assertFailed(docker, 80, /this push would change no variable; take it for docker, not dotenv$/);
    }));

  test("an old version that was put back is called that", () =>
    withAws(async (aws) => {
      report(await pushText(aws, "A=1\n", "--revision", "1795200000000"));
      const again = await pushText(aws, "A=1\n");
      assertFailed(again, 80, /: an old version that was put back; this push would change no variable$/);
    }));

  test("what was replaced is reported by name", () =>
    withAws(async (aws) => {
      report(await pushText(aws, "A=1\nB=1\nC=1\n"));
      const lines = report(await pushText(aws, "A=2\nD=1\n", "--replace"));
      assert.deepEqual([lines.get("added"), lines.get("changed"), lines.get("removed")], ["D", "A", "B, C"]);
    }));

  test("the time until the text has arrived does not count; after two seconds it is said what is waited for", () =>
    withAws(async (aws) => {
      const words = ["push", "-", URI, "--key", KEY, "--timeout", "1.5"];
      const [command = "", ...before] = ARTEFACTS[0]?.command ?? [];
      const line = `(sleep 2.5; echo A=1) | "$0" "$@"`;
      const outcome = await runProcess(["sh", "-c", line, command, ...before, ...words], {
        env: aws.env(),
        keepWaiting: true,
      });
      assert.equal(outcome.status, 0, outcome.stderr);
      assert.match(outcome.stderr, /^sealexec: notice: waiting for input: standard input: no answer yet$/m);
      assertPrinted(await pulled(aws), "A=1\n");
    }));

  test("what does not open, or is far too large, is replaced where that is said", () =>
    withAws(async (aws) => {
      report(await pushText(aws, "A=1\n"));
      const spoilt = [
        () => flipBodyBit(aws, "app.env"),
        () => void aws.s3.put(BUCKET, "app.env", Buffer.from("A=plain\n")),
        () => void aws.s3.put(BUCKET, "app.env", Buffer.alloc(5 * 1024 * 1024)),
      ];
      for (const spoil of spoilt) {
        spoil();
        assertFailed(await pushText(aws, "A=2\n"), 80, /cannot be compared/);
        const { status, stdout, stderr } = await pushText(aws, "A=2\n", "--replace");
        assert.equal(status, 0, stderr);
        assert.match(stderr, /warning: .*was not compared/);
        assert.equal(linesOf(stdout).get("variables"), "1");
        assertPrinted(await pulled(aws), "A=2\n");
      }
    }));

  test("a KMS that is away is no reason to replace what was not compared", () =>
    withAws(async (aws) => {
      report(await pushText(aws, "A=1\n"));
      aws.faults.add({ service: "kms", action: "status", status: 500 });
      const outcome = await pushText(aws, "A=2\n", "--replace", "--timeout", "2");
      assert.ok(outcome.status === 69 || outcome.status === 75, outcome.stderr);
      assert.equal(aws.count("s3", "PutObject"), 1);
    }));

  test("a retry whose first answer was lost is no conflict", () =>
    withAws(async (aws) => {
      report(await pushText(aws, "A=1\n"));
      const lost = { service: "s3", operation: "PutObject", times: 1 } as const;
      aws.faults.add({ ...lost, action: "header", name: "content-length", value: "9" });
      report(await pushText(aws, "A=2\n", "--replace"));
      assert.equal(aws.count("s3", "PutObject"), 3);
      assert.equal(aws.s3.versions(BUCKET, "app.env").length, 2, "the second attempt wrote nothing");
      assertPrinted(await pulled(aws), "A=2\n");
    }));

  test("into a bucket without versions says so", () =>
    withAws(async (aws) => {
      aws.s3.createBucket("plain-bucket", { versioning: false });
      const args = ["push", "-", "s3://plain-bucket/app.env", "--key", KEY];
      const outcome = await sealexec(args, { env: aws.env(), input: "A=1\n" });
      assert.match(report(outcome).get("version") ?? "", /^none/);
    }));
});

describe("push over a sealed file", { concurrency: 2 }, () => {
  test("the same rule: names, 80, --if-match, --replace, unchanged, --json", () =>
    withFolder(async (cwd) => {
      const options = { env: { AWS_EC2_METADATA_DISABLED: "true" }, cwd };
      await sealexec(["keygen", "key"], options);
      const push = (input: string, ...flags: string[]) =>
        sealexec(["push", "-", "file:a.sealed", "--key", "local:key", ...flags], { ...options, input });
      report(await push("A=1\nB=2\n"));
      const etag = document(await push("A=1\nB=2\n", "--json"))["etag"];
      assert.ok(typeof etag === "string");
      const seen = await sealexec(["pull", "-v", "file:a.sealed", "--key", "local:key"], options);
      assert.ok(seen.stderr.includes(`etag ${etag}`), seen.stderr);
      assert.match((await push("A=1\nB=2\n")).stdout, /^unchanged /m);
      assertFailed(
        await push("A=2\nC=1\n"),
        80,
        /^object: file:a\.sealed: there is a file already .*: this push would add C; change A; remove B$/,
      );
      report(await push("A=2\n", "--if-match", etag));
      assertFailed(await push("A=3\n", "--if-match", etag), 80, /the file is no longer the one expected/);
      await rm(join(cwd, "a.sealed"));
      const gone = /the file is no longer the one expected: there is none$/;
      assertFailed(await push("A=3\n", "--if-match", etag), 80, gone);
      assert.deepEqual(await readdir(cwd), ["key"]);
      report(await push("A=3\n", "--replace"));
      await writeFile(join(cwd, "a.sealed"), "not sealed\n");
      assertFailed(await push("A=4\n"), 80, /cannot be compared/);
      assert.match((await push("A=4\n", "--replace")).stderr, /not a sealed file/);
    }));
});

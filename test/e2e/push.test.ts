/** `sealexec push` from outside. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { assertFailed, assertPrinted, withFolder } from "./expect.ts";
import { ARTEFACTS, BUCKET, KEY, onPath, push, runProcess, sealexec, withAws } from "./harness.ts";
import type { Outcome } from "./harness.ts";
import { URI, pulled, pushText, report } from "./pushing.ts";

const VALUE = "value-that-nobody-may-see";

function whyNoTerminal(): string | false {
  return onPath("script") === undefined ? "no script on PATH" : false;
}

for (const artefact of ARTEFACTS) {
  describe(`push, by the ${artefact.name}`, { concurrency: 2 }, () => {
    test("seals a file and prints where, which version, format, key and how many; never a value", () =>
      withFolder((folder) =>
        withAws(async (aws) => {
          const file = join(folder, "app.env");
          await writeFile(file, `# comment\nA=${VALUE}\nB='${VALUE}'\n`);
          const outcome = await sealexec(["push", file, URI, "--key", KEY], { env: aws.env(), artefact });
          const stored = aws.s3.get(BUCKET, "app.env");
          const lines = report(outcome);
          const revision = lines.get("revision");
          assert.deepEqual(Object.fromEntries(lines), {
            sealed: URI,
            version: stored?.versionId,
            etag: stored?.etag,
            revision,
            format: "v3",
            key: aws.kms.find(KEY, aws.region).arn,
            variables: "2",
            pushed: `revision ${revision}`,
          });
          assert.ok(!outcome.stdout.includes(VALUE));
          assert.ok(stored !== undefined && !stored.body.includes(VALUE));
          assert.ok(!JSON.stringify(stored.metadata).includes(VALUE));
          assertPrinted(await pulled(aws), `# comment\nA=${VALUE}\nB='${VALUE}'\n`);
        }),
      ));

    test("of a terminal says that it reads from it, and how to end", { skip: whyNoTerminal() }, () =>
      withAws(async (aws) => {
        const words = [...artefact.command, "push", "-", URI, "--key", KEY];
        const command = words.map((word) => `'${word}'`).join(" ");
        const options = { env: aws.env(), input: "A=1\n" };
        const outcome = await runProcess(["script", "-qec", command, "/dev/null"], options);
        assert.equal(outcome.status, 0, outcome.stdout);
        assert.match(
          outcome.stdout,
          /sealexec: notice: type or paste the \.env; end it with \^D at the beginning/,
        );
        assertPrinted(await pulled(aws), "A=1\n");
      }),
    );

    test("takes standard input whole, however it comes in pieces", () =>
      withAws(async (aws) => {
        const text = Array.from({ length: 20_000 }, (_, index) => `NAME_${index}=value ${index}\n`).join("");
        const options = { env: aws.env(), input: text, artefact };
        const outcome = await sealexec(["push", "-", URI, "--key", KEY], options);
        assert.equal(report(outcome).get("variables"), "20000");
        assertPrinted(await pulled(aws), text);
      }));

    test("makes one GetObject, one GenerateDataKey and one PutObject, and sends no value anywhere", () =>
      withAws(async (aws) => {
        const options = { env: { ...aws.env(), SEALEXEC_KEY: KEY }, input: `A=${VALUE}\n`, artefact };
        report(await sealexec(["push", "-", URI], options));
        const made = aws.calls.filter(({ service }) => service !== "imds").map(({ operation }) => operation);
        assert.deepEqual(made, ["GetObject", "GenerateDataKey", "PutObject"]);
        assert.equal(aws.count("imds", "GetWithoutToken"), 0);
      }));

    test("refuses a .env by line before anything is sent", () =>
      withAws(async (aws) => {
        const bad = {
          "no assignment": `A=1\n\n${VALUE}\n`,
          "a name that is none": `A=1\n\n1${VALUE}=x\n`,
          "a name twice": "A=1\nB=2\nA=3\n",
          NUL: "A=1\nB=2\nC=\0\n",
          "not UTF-8": Buffer.concat([Buffer.from("A=1\nB=2\nC="), Buffer.of(0xff, 0x0a)]),
        };
        for (const [name, input] of Object.entries(bad)) {
          const options = { env: aws.env(), input, artefact };
          const outcome = await sealexec(["push", "-", URI, "--key", KEY], options);
          assertFailed(outcome, 65, /^dotenv: standard input: line 3: /);
          assert.ok(!outcome.stderr.includes(VALUE), name);
        }
        assert.deepEqual([aws.calls.length, aws.connections.length], [0, 0]);
      }));
  });
}

describe("push: what is sealed", { concurrency: 2 }, () => {
  test("--format v2 for old clients, read back only with --accept v2", () =>
    withAws(async (aws) => {
      assert.equal(report(await pushText(aws, "A=1\n", "--format", "v2")).get("format"), "v2");
      const { metadata = {} } = aws.s3.get(BUCKET, "app.env") ?? {};
      assert.equal(metadata["x-amz-wrap-alg"], "kms+context");
      assert.equal(metadata["x-amz-cek-alg"], "AES/GCM/NoPadding");
      assert.equal(metadata["x-amz-tag-len"], "128");
      assert.equal(metadata["x-amz-3"], undefined);
      assertFailed(await pulled(aws), 65, /v2/, /--accept v2/);
      assertPrinted(await pulled(aws, "--accept", "v2"), "A=1\n");
      assertFailed(await pushText(aws, "A=1\n", "--format", "v1"), 64, /--format/);
    }));

  test("in v3, bound to its place and with the user's context; --no-bind leaves the place out", () =>
    withAws(async (aws) => {
      const contextOf = () =>
        JSON.parse(aws.s3.get(BUCKET, "app.env")?.metadata["x-amz-t"] ?? "null") as unknown;
      report(await pushText(aws, "A=1\n", "--context", "stage=prod", "--revision", "7"));
      const bound = { "aws:x-amz-cek-alg": "115", stage: "prod", "sealexec:object": URI };
      Object.assign(bound, { "sealexec:revision": "7" });
      assert.deepEqual(contextOf(), bound);
      const generated = aws.calls.find(({ operation }) => operation === "GenerateDataKey");
      assert.deepEqual({ ...generated?.detail.EncryptionContext }, bound);
      report(
        await pushText(aws, "A=1\n", "--no-bind", "--replace"),
        /this push will not bind it .* "stage"\n$/,
      );
      assert.deepEqual(contextOf(), { "aws:x-amz-cek-alg": "115" });
    }));

  test("the context of the URI takes the place of --context and of its variable", () =>
    withAws(async (aws) => {
      const env = { ...aws.env(), SEALEXEC_CONTEXT: "team=web" };
      const args = ["push", "-", `${URI}?context=stage=dev`, "--key", KEY, "--force"];
      for (const [revision, more] of [
        ["7", ["--context", "stage=prod", "--context", "team=api"]],
        ["8", []],
      ] as const) {
        report(
          await sealexec([...args, "--revision", revision, "--replace", ...more], { env, input: "A=1\n" }),
        );
        assert.deepEqual(JSON.parse(aws.s3.get(BUCKET, "app.env")?.metadata["x-amz-t"] ?? "null"), {
          "aws:x-amz-cek-alg": "115",
          stage: "dev",
          "sealexec:object": URI,
          "sealexec:revision": revision,
        });
      }
    }));

  test("a context in other scripts comes back", () =>
    withAws(async (aws) => {
      report(await pushText(aws, "A=1\n", "--context", "zespół=żółw 🐢 =?x"));
      assertPrinted(await pulled(aws, "--context", "zespół=żółw 🐢 =?x"), "A=1\n");
      assert.match(aws.s3.get(BUCKET, "app.env")?.metadata["x-amz-t"] ?? "", /^[\x20-\x7e]+$/);
    }));

  test("two pushes of one text have nothing in common", () =>
    withAws(async (aws) => {
      report(await pushText(aws, "A=1\n"));
      report(await pushText(aws, "A=1\n", "--replace", "--force"));
      const [one, two] = aws.s3.versions(BUCKET, "app.env");
      assert.ok(one !== undefined && two !== undefined);
      assert.notDeepEqual(one.body, two.body);
      for (const name of ["x-amz-3", "x-amz-d", "x-amz-i"])
        assert.notEqual(one.metadata[name], two.metadata[name]);
    }));
});

describe("push: what is refused", { concurrency: 2 }, () => {
  test("reserved names of the context", () =>
    withAws(async (aws) => {
      for (const name of ["aws:x-amz-cek-alg", "kms_cmk_id", "sealexec:object", "sealexec:revision"]) {
        const outcome = await pushText(aws, "A=1\n", "--context", `${name}=x`);
        assert.ok(outcome.status === 64 || outcome.status === 65);
        assert.match(outcome.stderr, new RegExp(`error: .*${name}.* reserved`));
      }
      assert.equal(aws.calls.length, 0);
    }));

  test("names that run would refuse, unless they are allowed", () =>
    withAws(async (aws) => {
      const text = "A=1\nLD_PRELOAD=x\nNODE_OPTIONS=y\n";
      assertFailed(await pushText(aws, text), 65, /sets LD_PRELOAD, NODE_OPTIONS, which/, /--allow/);
      assertFailed(await pushText(aws, text, "--allow", "LD_PRELOAD"), 65, /sets NODE_OPTIONS, which/);
      assert.equal(aws.calls.length, 0);
      report(await pushText(aws, text, "--allow", "LD_PRELOAD,NODE_OPTIONS"));
    }));

  test("no key, a URI with a version, a URI that is none: usage", () =>
    withAws(async (aws) => {
      const run = (...args: string[]) => sealexec(["push", ...args], { env: aws.env(), input: "A=1\n" });
      assertFailed(await run("-", URI), 64, /no key/, /alias/);
      assertFailed(await run("-", `${URI}?versionId=x`, "--key", KEY), 64, /a push makes a new version/);
      assertFailed(
        await run("-", "app.env", "--key", KEY),
        64,
        /^app\.env: push does not write there$/,
        /s3:\/\//,
      );
      assertFailed(await run("-", "--key", KEY), 64, /missing required argument 'uri'/);
      assertFailed(await run("-", URI, "--key", "k e y"), 64, /--key is not a KMS key/);
      assert.equal(aws.calls.length, 0);
    }));

  test("a file that is not there: 66; a folder: 78", () =>
    withFolder((folder) =>
      withAws(async (aws) => {
        const run = (file: string) => sealexec(["push", file, URI, "--key", KEY], { env: aws.env() });
        assertFailed(await run(join(folder, "none.env")), 66, /none\.env: no such file or folder/);
        assertFailed(await run(folder), 78, /: a folder, where a file is expected/);
        assert.equal(aws.calls.length, 0);
      }),
    ));

  for (const artefact of ARTEFACTS) {
    test(`a text without variables, and what is there stays, by the ${artefact.name}`, () =>
      withAws(async (aws) => {
        report(await pushText(aws, "A=1\n"));
        for (const input of ["", "# only a comment\n"]) {
          const args = ["push", "-", URI, "--key", KEY];
          const outcome = await sealexec(args, { env: aws.env(), input, artefact });
          assertFailed(outcome, 65, /standard input: no variables in it/, /before the pipe/);
        }
        assertPrinted(await pulled(aws), "A=1\n");
      }));

    test(`a folder as standard input, by the ${artefact.name}`, () =>
      withAws(async (aws) => {
        const words = [...artefact.command, "push", "-", URI, "--key", KEY];
        const outcome = await runProcess(["sh", "-c", '"$@" < /', "sh", ...words], { env: aws.env() });
        assertFailed(outcome, 78, /standard input: cannot be read \(EISDIR\)/);
        assert.equal(aws.calls.length, 0);
      }));
  }

  test("what is too large, from a file and from standard input", () =>
    withFolder((folder) =>
      withAws(async (aws) => {
        const text = `A=${"x".repeat(5 * 1024 * 1024)}\n`;
        const file = join(folder, "app.env");
        await writeFile(file, text);
        assertFailed(await pushText(aws, text), 65, /standard input: .*4194288 bytes/);
        const run = await sealexec(["push", file, URI, "--key", KEY], { env: aws.env() });
        assertFailed(run, 65, /app\.env: .*4194288 bytes/);
        assert.equal(aws.calls.length, 0);
      }),
    ));

  test("a context that does not fit into the metadata of an object, and what is there stays", () =>
    withAws(async (aws) => {
      report(await pushText(aws, "A=1\n"));
      const outcome = await pushText(aws, "A=2\n", "--replace", "--context", `large=${"x".repeat(1_900)}`);
      const said = /^sealexec: warning: .* this push will add the context "large"\n/;
      assert.match(outcome.stderr, said);
      const error = { ...outcome, stderr: outcome.stderr.replace(said, "") };
      assertFailed(error, 65, /metadata|context/, /context/);
      assertPrinted(await pulled(aws), "A=1\n");
    }));

  test("what AWS refuses, with operation, code and request id", () =>
    withAws(async (aws) => {
      const table = [
        ["s3", "PutObject", 77, /\(PutObject: AccessDenied, 403, request id [0-9A-F]{16}\)$/],
        ["s3", "GetObject", 77, /missing or forbidden \(GetObject: .*403, request id [0-9A-F]{16}\)$/],
        [
          "kms",
          "GenerateDataKey",
          77,
          /\(GenerateDataKey: AccessDeniedException, 400, request id [0-9a-f-]{36}\)$/,
        ],
      ] as const;
      for (const [service, operation, status, error] of table) {
        aws[service].deny(operation);
        assertFailed(await pushText(aws, "A=1\n"), status, error);
        aws[service].allow(operation);
      }
      assert.equal(aws.s3.get(BUCKET, "app.env"), undefined);
      const away = await sealexec(["push", "-", "s3://no-such-bucket/app.env", "--key", KEY], {
        env: aws.env(),
        input: "A=1\n",
      });
      assertFailed(away, 66, /\(GetObject: NoSuchBucket, 404, request id /);
    }));
});

test("push of the bytes that pull gave changes nothing", async () => {
  await withAws(async (aws) => {
    const text = "\uFEFF# windows\r\nA='x\r\ny'\r\n\r\nexport B=2";
    await push(aws, "app.env", text);
    const first = await pulled(aws);
    assertPrinted(first, text);
    assert.match((await pushText(aws, first.stdout)).stdout, /^unchanged +revision \d+$/m);
    report(await pushText(aws, first.stdout, "--replace", "--force"));
    assertPrinted(await pulled(aws), text);
  });
});

describe("push: what the credentials' refusal was, though a HEAD's has no body", { concurrency: 2 }, () => {
  const pushNew = (env: Record<string, string>): Promise<Outcome> =>
    sealexec(["push", "-", URI, "--key", KEY], { env, input: "A=1\n" });

  test("expired credentials", () =>
    withAws(async (aws) => {
      const session = aws.identities.issue("arn:aws:iam::111122223333:role/app", "i-0", -60_000);
      const env = {
        ...aws.env(),
        AWS_ACCESS_KEY_ID: session.accessKeyId,
        AWS_SECRET_ACCESS_KEY: session.secretAccessKey,
        AWS_SESSION_TOKEN: session.sessionToken ?? "",
      };
      assertFailed(await pushNew(env), 77, /have expired \(\w+: ExpiredToken, 400/, /aws sso login/);
    }));

  test("an access key that AWS does not know", () =>
    withAws(async (aws) => {
      const env = { ...aws.keyEnv(), AWS_ACCESS_KEY_ID: "AKIAUNKNOWN000000000", AWS_SECRET_ACCESS_KEY: "x" };
      assertFailed(
        await pushNew(env),
        77,
        /does not know the access key \(\w+: InvalidAccessKeyId/,
        /AWS_ACCESS_KEY_ID/,
      );
    }));

  test("a secret access key of another", () =>
    withAws(async (aws) => {
      const env = { ...aws.keyEnv(), AWS_SECRET_ACCESS_KEY: "x" };
      assertFailed(
        await pushNew(env),
        77,
        /secret access key does not belong.*SignatureDoesNotMatch/,
        /AWS_SECRET/,
      );
    }));

  test("a clock that is an hour off is no hindrance", () =>
    withAws(async (aws) => {
      aws.clockOffsetMs = 3_600_000;
      const outcome = await pushNew(aws.keyEnv());
      assert.equal(outcome.status, 0, outcome.stderr);
    }));

  test("a clock that stays off", () =>
    withAws(async (aws) => {
      aws.faults.add({ service: "s3", action: "status", status: 403, code: "RequestTimeTooSkewed" });
      assertFailed(
        await pushNew(aws.keyEnv()),
        78,
        /clock is too far off: .*\(\w+: RequestTimeTooSkewed/,
        /set the clock/,
      );
    }));

  test("missing or forbidden is asked twice at most, and stays what it is", () =>
    withAws(async (aws) => {
      aws.s3.deny("HeadObject");
      aws.s3.deny("GetObject");
      const outcome = await pushNew(aws.keyEnv());
      assertFailed(
        outcome,
        77,
        /missing or forbidden \(\w+: AccessDenied, 403, request id/,
        /--create, or --if-match ETAG$/,
      );
      assert.ok(aws.count("s3") <= 2);
    }));
});

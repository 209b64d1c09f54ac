/** `sealexec push` from outside. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { Aws } from "../aws/server.ts";
import { assertFailed, assertPrinted, withFolder } from "./expect.ts";
import { ARTEFACTS, BUCKET, KEY, onPath, push, runProcess, sealexec, withAws } from "./harness.ts";
import type { Outcome } from "./harness.ts";

const URI = `s3://${BUCKET}/app.env`;
const VALUE = "value-that-nobody-may-see";

function pushText(aws: Aws, text: string | Uint8Array, ...flags: string[]): Promise<Outcome> {
  return sealexec(["push", "-", URI, "--key", KEY, ...flags], { env: aws.env(), input: text });
}

function pulled(aws: Aws, ...flags: string[]): Promise<Outcome> {
  return sealexec(["pull", URI, ...flags], { env: aws.env() });
}

/** The lines that push prints, as a map. */
function report({ status, stdout, stderr }: Outcome): Map<string, string> {
  assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
  const lines = stdout.trimEnd().split("\n");
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(" ")), line.replace(/^\S+ +/, "")]));
}

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
          assert.deepEqual(Object.fromEntries(report(outcome)), {
            sealed: URI,
            version: stored?.versionId,
            etag: stored?.etag,
            revision: "1",
            format: "v3",
            key: aws.kms.find(KEY, aws.region).arn,
            variables: "2",
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

    test("makes one HeadObject, one GenerateDataKey and one PutObject, and sends no value anywhere", () =>
      withAws(async (aws) => {
        const options = { env: { ...aws.env(), SEALEXEC_KEY: KEY }, input: `A=${VALUE}\n`, artefact };
        report(await sealexec(["push", "-", URI], options));
        const made = aws.calls.filter(({ service }) => service !== "imds").map(({ operation }) => operation);
        assert.deepEqual(made, ["HeadObject", "GenerateDataKey", "PutObject"]);
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

describe("push: over what is there", { concurrency: 2 }, () => {
  test("replaces the revision that it read", () =>
    withAws(async (aws) => {
      report(await pushText(aws, "A=1\n"));
      report(await pushText(aws, "A=2\n"));
      assertPrinted(await pulled(aws), "A=2\n");
      assert.equal(aws.s3.versions(BUCKET, "app.env").length, 2);
    }));

  test("is refused when somebody else wrote in between, and theirs stays", () =>
    withAws(async (aws) => {
      report(await pushText(aws, "A=1\n"));
      const race = {
        service: "s3",
        operation: "HeadObject",
        action: "replaceObject",
        body: "theirs",
      } as const;
      aws.faults.add({ ...race, times: 1 });
      const outcome = await pushText(aws, "A=2\n");
      assertFailed(
        outcome,
        65,
        /no longer the one expected \(PutObject: PreconditionFailed, .*request id [0-9A-F]+/,
        /nothing was overwritten/,
      );
      assert.equal(aws.s3.get(BUCKET, "app.env")?.body.toString(), "theirs");
    }));

  test("is refused when somebody else made the object in between", () =>
    withAws(async (aws) => {
      const race = {
        service: "s3",
        operation: "HeadObject",
        action: "replaceObject",
        body: "theirs",
      } as const;
      aws.faults.add({ ...race, times: 1 });
      assertFailed(await pushText(aws, "A=2\n"), 65, /there is an object already \(PutObject: /);
      assert.equal(aws.s3.get(BUCKET, "app.env")?.body.toString(), "theirs");
    }));

  test("is refused when somebody else deleted it in between", () =>
    withAws(async (aws) => {
      report(await pushText(aws, "A=1\n"));
      aws.faults.add({ service: "kms", action: "delay", delayMs: 300 });
      const pushing = pushText(aws, "A=2\n");
      const deleting = (async () => {
        while (aws.count("kms") < 2) await new Promise((resolve) => setTimeout(resolve, 5));
        const bucket = aws.s3.buckets.get(BUCKET);
        if (bucket !== undefined) aws.s3.remove(bucket, "app.env");
      })();
      const [outcome] = await Promise.all([pushing, deleting]);
      assertFailed(outcome, 65, /no longer the one expected \(PutObject: NoSuchKey/);
      assert.equal(aws.s3.get(BUCKET, "app.env"), undefined);
    }));

  test("--create only where there is nothing, without a look before", () =>
    withAws(async (aws) => {
      report(await pushText(aws, "A=1\n", "--create"));
      assert.equal(aws.count("s3", "HeadObject"), 0);
      assertFailed(await pushText(aws, "A=2\n", "--create"), 65, /there is an object already/);
      assertPrinted(await pulled(aws), "A=1\n");
    }));

  test("--if-match with the right ETag, with quotes and without; not with a wrong one", () =>
    withAws(async (aws) => {
      const first = report(await pushText(aws, "A=1\n")).get("etag") ?? "";
      assert.match(first, /^"[0-9a-f]{32}"$/);
      const second = report(await pushText(aws, "A=2\n", "--if-match", first)).get("etag") ?? "";
      assert.equal(aws.count("s3", "HeadObject"), 2, "for the revision that is there");
      assertFailed(await pushText(aws, "A=3\n", "--if-match", first), 65, /no longer the one expected/);
      report(await pushText(aws, "A=4\n", "--if-match", second.replaceAll('"', "")));
      assertPrinted(await pulled(aws), "A=4\n");
      assertFailed(await pushText(aws, "A=5\n", "--if-match", 'a"b'), 64, /--if-match is not an ETag/);
      assertFailed(await pushText(aws, "A=5\n", "--if-match", second, "--create"), 64, /cannot be used with/);
    }));

  test("into a bucket without versions says so", () =>
    withAws(async (aws) => {
      aws.s3.createBucket("plain-bucket", { versioning: false });
      const args = ["push", "-", "s3://plain-bucket/app.env", "--key", KEY];
      const outcome = await sealexec(args, { env: aws.env(), input: "A=1\n" });
      assert.match(report(outcome).get("version") ?? "", /^none/);
    }));

  test("a retry whose first answer was lost is no conflict", () =>
    withAws(async (aws) => {
      report(await pushText(aws, "A=1\n"));
      const lost = { service: "s3", operation: "PutObject", times: 1 } as const;
      aws.faults.add({ ...lost, action: "header", name: "content-length", value: "9" });
      report(await pushText(aws, "A=2\n"));
      assert.equal(aws.count("s3", "PutObject"), 3);
      assert.equal(aws.s3.versions(BUCKET, "app.env").length, 2, "the second attempt wrote nothing");
      assertPrinted(await pulled(aws), "A=2\n");
    }));
});

describe("push: the revision", { concurrency: 2 }, () => {
  const revisions = (aws: Aws): unknown[] =>
    aws.s3
      .versions(BUCKET, "app.env")
      .map(({ metadata }) => JSON.parse(metadata["x-amz-t"] ?? metadata["x-amz-matdesc"] ?? "{}") as object)
      .map((context) => (context as Record<string, unknown>)["sealexec:revision"]);

  test("is counted up from what is there, whatever way it is pushed", () =>
    withAws(async (aws) => {
      assert.equal(report(await pushText(aws, "A=1\n", "--create")).get("revision"), "1");
      const second = report(await pushText(aws, "A=2\n"));
      assert.equal(second.get("revision"), "2");
      const third = report(await pushText(aws, "A=3\n", "--if-match", second.get("etag") ?? ""));
      assert.equal(third.get("revision"), "3");
      assert.equal(report(await pushText(aws, "A=4\n", "--format", "v2")).get("revision"), "4");
      assert.equal(report(await pushText(aws, "A=5\n")).get("revision"), "5");
      assert.deepEqual(revisions(aws), ["5", "4", "3", "2", "1"]);
    }));

  test("begins anew behind an object without one", () =>
    withAws(async (aws) => {
      assert.equal(report(await pushText(aws, "A=1\n", "--no-bind")).get("revision"), "none");
      assert.equal(report(await pushText(aws, "A=2\n")).get("revision"), "1");
      aws.s3.put(BUCKET, "app.env", Buffer.from("A=plain\n"));
      assert.equal(report(await pushText(aws, "A=3\n")).get("revision"), "1");
    }));

  test("can be given, and only a newer one than what is there", () =>
    withAws(async (aws) => {
      assert.equal(report(await pushText(aws, "A=1\n", "--revision", "7")).get("revision"), "7");
      for (const old of ["6", "7"]) {
        assertFailed(
          await pushText(aws, "A=2\n", "--revision", old),
          65,
          /what is there is revision 7 already$/,
        );
      }
      assert.equal(report(await pushText(aws, "A=2\n")).get("revision"), "8");
      for (const bad of ["0", "01", "x", "1.5", "-1", "1".repeat(16)]) {
        assertFailed(
          await pushText(aws, "A=2\n", `--revision=${bad}`),
          64,
          /--revision is not a number from 1$/,
        );
      }
      const unbound = await pushText(aws, "A=2\n", "--revision", "9", "--no-bind");
      assertFailed(unbound, 64, /an object that is not bound has none$/);
    }));

  test("is left out with a warning where what is there may not be looked at", () =>
    withAws(async (aws) => {
      const etag = report(await pushText(aws, "A=1\n")).get("etag") ?? "";
      aws.s3.deny("HeadObject");
      const { status, stdout, stderr } = await pushText(aws, "A=2\n", "--if-match", etag);
      assert.equal(status, 0);
      assert.match(stdout, /^revision +none$/m);
      assert.match(stderr, /^sealexec: warning: s3:\S+ what is there cannot be looked at: .* no revision\n$/);
      assertPrinted(await pulled(aws), "A=2\n");
    }));
});

describe("--min-revision", { concurrency: 2 }, () => {
  test("opens what is as new, and refuses what is older or has none before KMS is asked", () =>
    withAws(async (aws) => {
      for (const text of ["A=1\n", "A=2\n"]) report(await pushText(aws, text));
      assertPrinted(await pulled(aws, "--min-revision", "2"), "A=2\n");
      aws.resetCalls();
      const older = await pulled(aws, "--min-revision", "3");
      assertFailed(older, 65, /^context: s3:\S+: it is revision 2, and 3 is the oldest that may be opened$/);
      const env = { ...aws.env(), SEALEXEC_MIN_REVISION: "3" };
      assertFailed(await sealexec(["run", "--from", URI, "--", "true"], { env }), 65, /it is revision 2/);
      report(await pushText(aws, "A=3\n", "--no-bind"));
      const unbound = await pulled(aws, "--min-revision", "1", "--accept", "unbound");
      assertFailed(unbound, 65, /it has no revision, and 1 is the oldest/);
      assert.equal(aws.count("kms", "Decrypt"), 0);
    }));

  test("an object whose number was changed does not open", () =>
    withAws(async (aws) => {
      report(await pushText(aws, "A=1\n"));
      const object = aws.s3.get(BUCKET, "app.env");
      assert.ok(object !== undefined);
      const text = (object.metadata["x-amz-t"] ?? "").replace(
        '"sealexec:revision":"1"',
        '"sealexec:revision":"9"',
      );
      assert.match(text, /"9"/);
      aws.s3.put(BUCKET, "app.env", object.body, { ...object.metadata, "x-amz-t": text });
      assertFailed(await pulled(aws, "--min-revision", "2"), 65, /KMS cannot open the wrapped data key/);
      const no = text.replace('"9"', '"09"');
      aws.s3.put(BUCKET, "app.env", object.body, { ...object.metadata, "x-amz-t": no });
      assertFailed(await pulled(aws), 65, /sealexec:revision is not a number from 1$/);
    }));
});

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
      report(await pushText(aws, "A=1\n", "--context", "stage=prod"));
      const bound = { "aws:x-amz-cek-alg": "115", stage: "prod", "sealexec:object": URI };
      Object.assign(bound, { "sealexec:revision": "1" });
      assert.deepEqual(contextOf(), bound);
      const generated = aws.calls.find(({ operation }) => operation === "GenerateDataKey");
      assert.deepEqual({ ...generated?.detail.EncryptionContext }, bound);
      report(await pushText(aws, "A=1\n", "--no-bind"));
      assert.deepEqual(contextOf(), { "aws:x-amz-cek-alg": "115" });
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
      report(await pushText(aws, "A=1\n"));
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
      assertFailed(await run("-", "app.env", "--key", KEY), 64, /s3:\/\//);
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
      const outcome = await pushText(aws, "A=2\n", "--context", `large=${"x".repeat(1_900)}`);
      assertFailed(outcome, 65, /metadata|context/, /context/);
      assertPrinted(await pulled(aws), "A=1\n");
    }));

  test("what AWS refuses, with operation, code and request id", () =>
    withAws(async (aws) => {
      const table = [
        ["s3", "PutObject", 77, /\(PutObject: AccessDenied, 403, request id [0-9A-F]{16}\)$/],
        ["s3", "HeadObject", 77, /HeadObject: .*403, request id [0-9A-F]{16}\)$/],
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
      assertFailed(away, 66, /\(PutObject: NoSuchBucket, 404, request id /);
    }));
});

test("push of the bytes that pull gave changes nothing", async () => {
  await withAws(async (aws) => {
    const text = "\uFEFF# windows\r\nA='x\r\ny'\r\n\r\nexport B=2";
    await push(aws, "app.env", text);
    const first = await pulled(aws);
    assertPrinted(first, text);
    report(await pushText(aws, first.stdout));
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
        /--create or --if-match/,
      );
      assert.ok(aws.count("s3") <= 2);
    }));
});

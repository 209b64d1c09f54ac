/** Secrets Manager from outside: run, check, pull and push, and what each refusal says. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { Aws } from "../../aws/server.ts";
import { RAN, SAY, assertFailed, assertPrinted, withFolder } from "../expect.ts";
import { ARTEFACTS, KEY, push, sealexec, withAws } from "../harness.ts";
import type { Outcome } from "../harness.ts";
import { seedSecretsManager } from "./seed.ts";

const NAME = "prod/app";
const URI = `secretsmanager://${NAME}`;
const VALUE = "value-that-nobody-may-see";

function report({ status, stdout, stderr }: Outcome): Record<string, string> {
  assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
  const lines = stdout.trimEnd().split("\n");
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(" ")), line.replace(/^\S+ +/, "")]),
  );
}

const textOf = (aws: Aws, name = NAME): string | undefined => {
  const secret = aws.secrets.find(name);
  return secret?.versions.get(secret.stages.get("AWSCURRENT") ?? "")?.text;
};

for (const artefact of ARTEFACTS) {
  const as = { artefact };

  describe(`secrets, by the ${artefact.name}`, { concurrency: 2 }, () => {
    test("run gives CMD the keys of the JSON object, in one call", () =>
      withAws(async (aws) => {
        const uri = seedSecretsManager(aws, NAME, { A: "x y", B: "$HOME `id`" });
        const args = ["run", "--from", uri, "--require", "A,B", "--", "printenv", "A", "B"];
        assertPrinted(await sealexec(args, { ...as, env: aws.env() }), "x y\n$HOME `id`\n");
        const made = aws.calls.filter(({ service }) => service !== "imds");
        assert.deepEqual(
          made.map(({ operation }) => operation),
          ["GetSecretValue"],
        );
      }));

    test("merges with a sealed object, and the later one wins", () =>
      withAws(async (aws) => {
        const sealed = await push(aws, "app.env", "A=sealed\nB=sealed\n");
        const secret = seedSecretsManager(aws, NAME, { B: "secret", C: "secret" });
        const print = ["--", "printenv", "A", "B", "C"];
        const merged = async (...from: string[]): Promise<Outcome> =>
          sealexec(["run", ...from.flatMap((uri) => ["-f", uri]), ...print], { ...as, env: aws.env() });
        assertPrinted(await merged(sealed, secret), "sealed\nsecret\nsecret\n");
        assertPrinted(await merged(secret, sealed), "sealed\nsealed\nsecret\n");
        const env = { ...aws.env(), SEALEXEC_FROM: `${sealed} ${secret}` };
        assertPrinted(await sealexec(["run", ...print], { ...as, env }), "sealed\nsecret\nsecret\n");
      }));

    test("pull prints variables as a .env; versions, stages, keys, values and texts", () =>
      withAws(async (aws) => {
        const first = aws.secrets.put(NAME, { text: '{"A":"1","B":"x"}' });
        aws.secrets.put(NAME, { text: '{"A":"2","nested":{"B":true}}' });
        aws.secrets.put("plain", { text: "hunter2" });
        aws.secrets.put("file", { text: "# a comment\nA=1\n" });
        const { arn = "" } = aws.secrets.find(NAME) ?? {};
        for (const [uri, text] of [
          [`${URI}?versionId=${first}`, "A=1\nB=x\n"],
          [`${URI}?stage=AWSPREVIOUS`, "A=1\nB=x\n"],
          [`${URI}?stage=AWSPREVIOUS#B`, "B=x\n"],
          [`${URI}?flatten=_`, "A=2\nnested_B=true\n"],
          [`${URI}#A`, "A=2\n"],
          [`${URI}?as=OTHER#A`, "OTHER=2\n"],
          [`secretsmanager://${arn}#A`, "A=2\n"],
          ["secretsmanager://plain?as=PASSWORD", "PASSWORD=hunter2\n"],
          ["secretsmanager://file?format=dotenv", "# a comment\nA=1\n"],
        ] as const)
          assertPrinted(await sealexec(["pull", uri], { ...as, env: aws.env() }), text);
        const run = ["run", "-f", "secretsmanager://file?format=dotenv", "--", "printenv", "A"];
        assertPrinted(await sealexec(run, { ...as, env: aws.env() }), "1\n");
      }));

    test("check names the version and never a value", () =>
      withAws(async (aws) => {
        const uri = seedSecretsManager(aws, NAME, { A: VALUE });
        const outcome = await sealexec(["check", "--from", uri, "--require", "A"], { ...as, env: aws.env() });
        assert.equal(outcome.status, 0, outcome.stdout);
        const { arn = "", stages } = aws.secrets.find(NAME) ?? {};
        assert.ok(outcome.stdout.includes(`1 variable, version ${stages?.get("AWSCURRENT")}`));
        assert.ok(!outcome.stdout.includes(VALUE) && arn !== "");
        const bad = await sealexec(["check", "--from", `${URI}none`], { ...as, env: aws.env() });
        assert.equal(bad.status, 66);
        assert.match(bad.stdout, /✗ object .*no such secret/);
      }));

    test("push makes a secret, then versions of it, as JSON that everybody reads", () =>
      withAws(async (aws) => {
        const options = { ...as, env: aws.env() };
        const made = report(
          await sealexec(["push", "-", URI, "--key", KEY], {
            ...options,
            input: `# c\nA=${VALUE}\nB='x "y"'\n`,
          }),
        );
        const secret = aws.secrets.find(NAME) ?? assert.fail("no secret was made");
        assert.deepEqual(made, {
          secret: secret.arn,
          version: secret.stages.get("AWSCURRENT"),
          stage: "AWSCURRENT",
          key: KEY,
          variables: "2",
          pushed: `version ${made["version"]}`,
        });
        assert.equal(secret.kmsKeyId, KEY);
        assert.equal(textOf(aws), JSON.stringify({ A: VALUE, B: 'x "y"' }));
        const again = report(await sealexec(["push", "-", URI, "--replace"], { ...options, input: "A=2\n" }));
        assert.equal(again["key"], "the secret's own, as before");
        assert.notEqual(again["version"], made["version"]);
        assertPrinted(await sealexec(["pull", URI], options), "A=2\n");
        assertPrinted(
          await sealexec(["pull", `${URI}?stage=AWSPREVIOUS`], options),
          `A=${VALUE}\nB='x "y"'\n`,
        );
        const create = await sealexec(["push", "-", URI, "--create"], { ...options, input: "A=3\n" });
        assertFailed(create, 80, /there is a secret already .*: this push would change A$/, /nothing/);
        report(await sealexec(["push", "-", `${URI}2`, "--create"], { ...options, input: "A=3\n" }));
        assert.equal(textOf(aws, `${NAME}2`), '{"A":"3"}');
      }));

    test("push into a secret that has no value yet gives it its current one", () =>
      withAws(async (aws) => {
        const secret = aws.secrets.create(NAME);
        const options = { ...as, env: aws.env() };
        const pushed = report(await sealexec(["push", "-", URI], { ...options, input: "A=1\n" }));
        assert.equal(pushed["stage"], "AWSCURRENT");
        assert.equal(pushed["version"], secret.stages.get("AWSCURRENT"));
        assertPrinted(await sealexec(["pull", URI], options), "A=1\n");
      }));

    test("each refusal has a message, a hint and a status of its own, and CMD does not run", () =>
      withAws(async (aws) => {
        seedSecretsManager(aws, NAME, { A: VALUE });
        aws.secrets.put("deleted", { text: "{}" });
        Object.assign(aws.secrets.find("deleted") ?? {}, { deletionDate: Date.now() });
        aws.secrets.put("binary", { binary: Buffer.from(VALUE) });
        aws.secrets.put("plain", { text: VALUE });
        aws.secrets.put("nested", { text: JSON.stringify({ db: { pw: VALUE } }) });
        const run = (uri: string): Promise<Outcome> =>
          sealexec(["run", "-f", `secretsmanager://${uri}`, "--", ...SAY], { ...as, env: aws.env() });
        const failed = async (uri: string, status: number, error: RegExp, hint: RegExp): Promise<void> => {
          const outcome = await run(uri);
          assertFailed(outcome, status, error, hint);
          assert.ok(!outcome.stderr.includes(VALUE), outcome.stderr);
        };
        await failed(
          "none",
          66,
          /^object: secretsmanager:\/\/none: no such secret .*\(GetSecretValue: Res/,
          /push/,
        );
        await failed(`${NAME}?stage=AWSPENDING`, 66, /no such version or stage/, /AWSCURRENT/);
        await failed(`${NAME}#B`, 66, /no key "B" in the JSON object/, /case/);
        await failed("deleted", 66, /marked for deletion/, /restore-secret/);
        await failed("binary", 65, /the secret is binary/, /SecretString/);
        await failed("plain", 65, /not a JSON object/, /\?as=NAME .*\?format=dotenv/);
        await failed("nested", 65, /db is a nested value/, /flatten=_/);
        await failed("plain?format=dotenv", 65, /^dotenv: .*line 1: /, /./);
        aws.secrets.keyTrouble = "decryption";
        await failed(NAME, 78, /cannot decrypt the secret with its KMS key/, /enabled/);
        aws.secrets.keyTrouble = "denied";
        await failed(NAME, 77, /KMS key is denied/, /kms:Decrypt/);
        aws.secrets.keyTrouble = undefined;
        aws.secrets.deny("GetSecretValue");
        await failed(
          NAME,
          77,
          /access denied \(GetSecretValue: AccessDeniedException, 400, request id /,
          /secretsmanager:GetSecretValue/,
        );
      }));

    test("throttling and the service's own failures are tried again", () =>
      withAws(async (aws) => {
        const uri = seedSecretsManager(aws, NAME, { A: "1" });
        aws.faults.add({ service: "secretsmanager", action: "status", status: 500, times: 2 });
        aws.faults.add({ service: "secretsmanager", action: "reset", times: 1 });
        const args = ["run", "--from", uri, "--", ...SAY];
        assertPrinted(await sealexec(args, { ...as, env: aws.env() }), `${RAN}\n`);
        assert.equal(aws.count("secretsmanager", "GetSecretValue"), 4);
        aws.faults.add({ service: "secretsmanager", action: "status", status: 400 });
        const throttled = await sealexec([...args.slice(0, 3), "--timeout", "1", ...args.slice(3)], {
          ...as,
          env: aws.env(),
        });
        assertFailed(throttled, 75, /still throttled .*ThrottlingException/, /--timeout/);
      }));

    test("no value is on stderr, however much is said there", () =>
      withAws(async (aws) => {
        const options = { ...as, env: aws.env() };
        const pushed = await sealexec(["push", "-v", "-", URI], { ...options, input: `A=${VALUE}\n` });
        const ran = await sealexec(["run", "-v", "-f", URI, "--", ...SAY], options);
        aws.faults.add({ service: "secretsmanager", action: "cutJson", times: 1 });
        const again = await sealexec(["run", "-v", "-f", URI, "--", ...SAY], options);
        for (const { status, stdout, stderr } of [pushed, ran, again]) {
          assert.equal(status, 0, stderr);
          assert.match(stderr, /sealexec: info: object: /);
          assert.ok(!(stdout + stderr).includes(VALUE));
          assert.ok(!stderr.includes(Buffer.from(VALUE).toString("base64").slice(0, 20)));
        }
      }));
  });
}

describe("push to Secrets Manager", { concurrency: 2 }, () => {
  const pushed = (aws: Aws, uri: string, ...flags: string[]): Promise<Outcome> =>
    sealexec(["push", "-", uri, ...flags], { env: aws.env(), input: `A=${VALUE}\n` });

  test("flags of sealed objects, and URIs that name more than the secret, are usage; nothing is sent", () =>
    withAws(async (aws) => {
      for (const flags of [["--format", "v2"], ["--no-bind"], ["--context", "a=b"]])
        assertFailed(await pushed(aws, URI, ...flags), 64, new RegExp(`^${flags.join(" ").slice(0, 9)}`));
      assertFailed(await pushed(aws, `${URI}?stage=A`), 64, /a push makes a new version/);
      for (const more of ["#A", "?as=A", "?format=dotenv", "?flatten=_"])
        assertFailed(await pushed(aws, URI + more), 64, /writes the whole secret/);
      const arn = "secretsmanager://arn:aws:secretsmanager:us-east-1:111122223333:secret:a-AbCdEf";
      assertFailed(await pushed(aws, arn, "--create"), 64, /--create takes a name/);
      assertFailed(
        await pushed(aws, URI, "--key", "local:/none"),
        64,
        /a local key cannot encrypt in Secrets Manager/,
        /KMS/,
      );
      assert.equal(aws.calls.length, 0);
      assertFailed(await pushed(aws, arn), 66, /no such secret .*GetSecretValue/);
      assert.equal(aws.count("secretsmanager", "CreateSecret"), 0);
    }));

  test("an attempt whose answer was lost makes no second version, nor a conflict", () =>
    withAws(async (aws) => {
      const lost = { service: "secretsmanager", action: "closeMidBody", times: 1 } as const;
      aws.faults.add({ ...lost, operation: "CreateSecret" });
      report(await pushed(aws, URI, "--create"));
      assert.equal(aws.count("secretsmanager", "CreateSecret"), 2);
      assert.equal(aws.secrets.find(NAME)?.versions.size, 1);
      aws.faults.add({ ...lost, operation: "PutSecretValue" });
      const pushedAgain = (input: string): Promise<Outcome> =>
        sealexec(["push", "-", URI, "--replace"], { env: aws.env(), input });
      report(await pushedAgain("A=2\n"));
      assert.equal(aws.count("secretsmanager", "PutSecretValue"), 2);
      assert.equal(aws.secrets.find(NAME)?.versions.size, 2);
      aws.faults.add({ ...lost, operation: "UpdateSecretVersionStage" });
      report(await pushedAgain("A=3\n"));
      assert.equal(aws.count("secretsmanager", "UpdateSecretVersionStage"), 3);
      assertPrinted(await sealexec(["pull", URI], { env: aws.env() }), "A=3\n");
    }));

  test("what AWS refuses", () =>
    withAws(async (aws) => {
      const refused = async (operation: string, ...flags: string[]): Promise<void> => {
        aws.secrets.deny(operation);
        const hint = new RegExp(`secretsmanager:${operation}`);
        assertFailed(await pushed(aws, URI, ...flags), 77, /access denied/, hint);
        aws.secrets.allow(operation);
      };
      await refused("CreateSecret");
      aws.secrets.keyTrouble = "encryption";
      assertFailed(await pushed(aws, URI), 78, /cannot encrypt/, /KMS key/);
      aws.secrets.keyTrouble = undefined;
      aws.secrets.put(NAME, { text: '{"A":"old"}' });
      await refused("GetSecretValue", "--replace");
      await refused("PutSecretValue", "--replace");
      await refused("UpdateSecretVersionStage", "--replace");
      assertPrinted(await sealexec(["pull", URI], { env: aws.env() }), "A=old\n");
      Object.assign(aws.secrets.find(NAME) ?? {}, { deletionDate: Date.now() });
      for (const flags of [[], ["--create"]])
        assertFailed(
          await pushed(aws, URI, ...flags),
          66,
          /marked for deletion .*GetSecretValue/,
          /restore-secret/,
        );
    }));

  test("over a secret: names and 80, --if-match a version, --replace, unchanged", () =>
    withAws(async (aws) => {
      const push = (input: string, ...flags: string[]): Promise<Outcome> =>
        sealexec(["push", "-", URI, ...flags], { env: aws.env(), input });
      const gone = /the secret is no longer the one expected: there is none$/;
      assertFailed(await push("A=1\n", "--if-match", "00000000-0000-4000-8000-000000000000"), 80, gone);
      assert.equal(aws.secrets.find(NAME), undefined);
      const first = report(await push(`A=${VALUE}\nB=1\n`))["version"] ?? "";
      assert.match(
        (await push(`B=1\nA=${VALUE}\n`)).stdout,
        new RegExp(`^unchanged +version ${first}$`, "m"),
      );
      const refused = await push("A=2\nC=1\n");
      assertFailed(
        refused,
        80,
        /^object: secretsmanager:\S+ there is a secret already .*: this push would add C; change A; remove B$/,
        new RegExp(`--if-match ${first}, or with --replace; nothing was written$`),
      );
      assert.ok(!refused.stderr.includes(VALUE));
      // To leave one out is a change as well.
      assertFailed(await push(`A=${VALUE}\n`), 80, /already .*: this push would remove B$/);
      report(await push("A=2\n", "--if-match", first));
      assertFailed(await push("A=3\n", "--if-match", first), 80, /the secret is no longer the one expected/);
      report(await push("A=3\n", "--replace"));
      aws.secrets.put(NAME, { text: "a password" });
      assertFailed(await push("A=4\n"), 80, /cannot be compared/);
      const over = await push("A=4\n", "--replace");
      assert.match(over.stderr, /warning: .*it is not a JSON object of variables/);
      assert.deepEqual(JSON.parse(textOf(aws) ?? ""), { A: "4" });
      assert.equal(aws.secrets.find(NAME)?.stages.get("AWSPREVIOUS") === undefined, false);
    }));

  test("what may not be read is replaced by its version, and not blindly", () =>
    withAws(async (aws) => {
      const push = (input: string, ...flags: string[]): Promise<Outcome> =>
        sealexec(["push", "-", URI, ...flags], { env: aws.env(), input });
      const first = report(await push("A=1\n"))["version"] ?? "";
      aws.secrets.deny("GetSecretValue");
      for (const flags of [[], ["--replace"]])
        assertFailed(await push("A=2\n", ...flags), 77, /GetSecretValue/, /--create, or --if-match ETAG$/);
      const second = report(await push("A=2\n", "--if-match", first))["version"] ?? "";
      assert.notEqual(second, first);
      assert.deepEqual(JSON.parse(textOf(aws) ?? ""), { A: "2" });
      assertFailed(
        await push("A=3\n", "--if-match", first),
        80,
        /no longer the one expected \(UpdateSecretVersionStage: /,
      );
      assert.deepEqual(JSON.parse(textOf(aws) ?? ""), { A: "2" });
      assert.equal(aws.secrets.find(NAME)?.stages.get("SEALEXECPENDING"), undefined);
    }));

  test("what somebody else made current since the look stays", () =>
    withAws(async (aws) => {
      aws.secrets.put(NAME, { text: '{"A":"1"}' });
      aws.faults.add({
        service: "secretsmanager",
        operation: "PutSecretValue",
        action: "delay",
        delayMs: 300,
        times: 1,
      });
      const pushing = pushed(aws, URI, "--replace");
      const changing = (async () => {
        while (aws.count("secretsmanager", "PutSecretValue") < 1)
          await new Promise((resolve) => setTimeout(resolve, 5));
        aws.secrets.put(NAME, { text: '{"A":"theirs"}' });
      })();
      const [outcome] = await Promise.all([pushing, changing]);
      assertFailed(
        outcome,
        80,
        /the secret is no longer the one expected \(UpdateSecretVersionStage: /,
        /somebody was quicker/,
      );
      assertPrinted(await sealexec(["pull", URI], { env: aws.env() }), "A=theirs\n");
      assert.deepEqual([...(aws.secrets.find(NAME)?.stages.keys() ?? [])].toSorted(), [
        "AWSCURRENT",
        "AWSPREVIOUS",
      ]);
    }));

  test("more than a secret holds is refused before it is sent", () =>
    withAws(async (aws) => {
      // What is around the value in its JSON object.
      const room = 65_536 - Buffer.byteLength('{"A":""}');
      const push = (value: string): Promise<Outcome> =>
        sealexec(["push", "-", URI, "--replace"], { env: aws.env(), input: `A=${value}\n` });
      // Bytes, not characters.
      for (const value of ["x".repeat(room + 1), "é".repeat(room / 2 + 1)]) {
        assertFailed(await push(value), 65, /65536 bytes/, /s3:\/\//);
        assert.equal(aws.count("secretsmanager"), 0);
      }
      for (const value of ["x".repeat(room), "é".repeat(room / 2)]) {
        const { status, stderr } = await push(value);
        assert.equal(status, 0, stderr);
        assert.equal(Buffer.byteLength(textOf(aws) ?? ""), 65_536);
        aws.resetCalls();
      }
    }));
});

describe("where Secrets Manager is asked", { concurrency: 2 }, () => {
  test("in the URI's region, or the ARN's", () =>
    withAws(
      async (aws) => {
        aws.secrets.put("a", { text: '{"A":"ireland"}' }, "eu-west-1");
        const { arn = "" } = aws.secrets.find("a", "eu-west-1") ?? {};
        for (const uri of ["secretsmanager://a?region=eu-west-1", `secretsmanager://${arn}`])
          assertPrinted(await sealexec(["pull", uri], { env: aws.env() }), "A=ireland\n");
        // Each of one run's sources is asked for in its own.
        aws.secrets.put("b", { text: '{"B":"virginia"}' });
        const two = ["--from", "secretsmanager://a?region=eu-west-1", "--from", "secretsmanager://b"];
        const both = ["run", ...two, "--pristine", "--", "/usr/bin/env"];
        assertPrinted(await sealexec(both, { env: aws.env() }), "A=ireland\nB=virginia\n");
        assertFailed(
          await sealexec(["pull", "secretsmanager://a"], { env: aws.env() }),
          66,
          /no such secret/,
        );
      },
      { regions: ["eu-west-1"] },
    ));

  test("nowhere without a region, nor where there is no endpoint", () =>
    withAws(async (aws) => {
      const { AWS_REGION: _, AWS_ENDPOINT_URL_SECRETS_MANAGER: endpoint = "", ...services } = aws.keyEnv();
      const none = { ...services, AWS_ENDPOINT_URL_SECRETS_MANAGER: endpoint };
      assertFailed(await sealexec(["pull", URI], { env: none }), 78, /no region is known/, /AWS_REGION/);
      const env = { ...services, AWS_REGION: "us-iso-east-1" };
      assertFailed(
        await sealexec(["pull", URI], { env }),
        78,
        /secretsmanager in us-iso-east-1 is not supported yet/,
        /AWS_ENDPOINT_URL_SECRETS_MANAGER/,
      );
    }));

  test("with a shared config file too, unless its profile names an endpoint that is not followed", () =>
    withFolder((folder) =>
      withAws(async (aws) => {
        seedSecretsManager(aws, NAME, { A: "1" });
        const file = join(folder, "config");
        const { AWS_ENDPOINT_URL_SECRETS_MANAGER: endpoint = "", ...services } = aws.keyEnv();
        const env = { ...services, AWS_CONFIG_FILE: file };
        await writeFile(file, "[default]\nregion = us-east-1\n");
        const asked = { ...env, AWS_ENDPOINT_URL_SECRETS_MANAGER: endpoint };
        assertPrinted(await sealexec(["pull", URI], { env: asked }), "A=1\n");
        await writeFile(file, `[default]\nendpoint_url = ${endpoint}\n`);
        assertFailed(
          await sealexec(["pull", URI], { env }),
          78,
          /profile default: its endpoint_url is not read/,
          /AWS_ENDPOINT_URL_SECRETS_MANAGER/,
        );
      }),
    ));
});

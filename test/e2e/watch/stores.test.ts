/** `run --watch` and the other stores: what a look asks for, and what counts as a change. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { Aws } from "../../aws/server.ts";
import { until, withFolder } from "../expect.ts";
import { KEY, push, sealexec, withAws } from "../harness.ts";
import { seedSsm } from "../stores/seed.ts";
import { withPlace } from "../vault-place.ts";
import type { Place } from "../vault-place.ts";
import { SELDOM, callsSince, watching } from "./watching.ts";
import type { Watching } from "./watching.ts";

const skip = process.platform === "linux" ? false : "needs Linux";

/** Looks, and waits until CMD has been started so many times. */
async function lookUntilStarted(watch: Watching, starts: number, value: string): Promise<void> {
  const started = (): string[] => watch.lines().filter((line) => line.startsWith("start "));
  await watch.lookUntil(() => started().length >= starts);
  assert.equal(started().length, starts);
  assert.ok(started().at(-1)?.endsWith(` A=${value}`), watch.lines().join("\n"));
}

describe("--watch: Secrets Manager", { skip, concurrency: 2 }, () => {
  const start = (aws: Aws, uri: string, ...flags: string[]) => ({
    env: { ...aws.env(), AWS_REGION: aws.region },
    flags: ["--from", uri, ...flags],
  });
  /** A version as a rotation function makes it. */
  const addVersion = (aws: Aws, value: string, ...stages: string[]): string => {
    const secret = aws.secrets.find("app");
    assert.ok(secret !== undefined);
    return aws.secrets.putVersion(secret, randomUUID(), { text: JSON.stringify({ A: value }) }, stages).id;
  };
  const makeCurrent = (aws: Aws, id: string): void => {
    const secret = aws.secrets.find("app");
    assert.ok(secret !== undefined);
    aws.secrets.moveStage(secret, "AWSCURRENT", id);
    aws.secrets.moveStage(secret, "AWSPENDING", undefined);
  };

  test("a look is one DescribeSecret; a rotation counts when its version is AWSCURRENT", () =>
    withAws(async (aws) => {
      aws.secrets.put("app", { text: JSON.stringify({ A: "1" }) });
      await watching(start(aws, "secretsmanager://app", ...SELDOM), async (watch) => {
        const from = aws.calls.length;
        const pending = addVersion(aws, "2", "AWSPENDING");
        await watch.lookUntil(() => aws.calls.length > from);
        assert.deepEqual(callsSince(aws, from, "secretsmanager", "kms", "imds"), ["DescribeSecret"]);
        assert.equal(watch.lines().length, 1);
        makeCurrent(aws, pending);
        await lookUntilStarted(watch, 2, "2");
        assert.deepEqual(callsSince(aws, from, "secretsmanager"), [
          "DescribeSecret",
          "DescribeSecret",
          "GetSecretValue",
        ]);
        assert.match(
          watch.said().join("\n"),
          /^sealexec: notice: secretsmanager:\/\/app has changed: CMD is restarted$/,
        );
      });
    }));

  test("a rotation between the look and the read is neither lost nor taken twice", () =>
    withAws(async (aws) => {
      aws.secrets.put("app", { text: JSON.stringify({ A: "1" }) });
      await watching(start(aws, "secretsmanager://app", "--every", "200ms"), async (watch) => {
        // The look sees version 2, and by the time of the read version 3 is the current one.
        const second = addVersion(aws, "2", "AWSPENDING");
        const third = addVersion(aws, "3", "AWSPENDING");
        const slow = aws.faults.add({
          service: "secretsmanager",
          operation: "GetSecretValue",
          action: "delay",
          delayMs: 400,
        });
        makeCurrent(aws, second);
        await until(() => slow.hits > 0);
        makeCurrent(aws, third);
        await slow.remove();
        await until(() => watch.lines().at(-1)?.endsWith(" A=3") === true);
        const asked = aws.calls.length;
        await until(() => aws.calls.length >= asked + 3);
        assert.deepEqual([...new Set(callsSince(aws, asked, "secretsmanager"))], ["DescribeSecret"]);
        const values = watch.lines().flatMap((line) => /^start .* A=(.*)$/.exec(line)?.[1] ?? []);
        assert.ok(["1 3", "1 2 3"].includes(values.join(" ")), values.join(" "));
      });
    }));

  test("a stage other than the current one is followed by its name", () =>
    withAws(async (aws) => {
      aws.secrets.put("app", { text: JSON.stringify({ A: "1" }) });
      addVersion(aws, "p1", "AWSPENDING");
      await watching(start(aws, "secretsmanager://app?stage=AWSPENDING", ...SELDOM), async (watch) => {
        // As long as it is the same, a look is all that is asked for.
        const from = aws.calls.length;
        for (const looks of [1, 2, 3]) await watch.lookUntil(() => aws.calls.length >= from + looks);
        assert.deepEqual(
          callsSince(aws, from, "secretsmanager"),
          Array.from({ length: 3 }, () => "DescribeSecret"),
        );
        addVersion(aws, "p2", "AWSPENDING");
        await lookUntilStarted(watch, 2, "p2");
      });
    }));

  test("a pinned version is never looked at", () =>
    withAws(async (aws) => {
      const id = aws.secrets.put("app", { text: JSON.stringify({ A: "1" }) });
      aws.secrets.put("other", { text: JSON.stringify({ B: "1" }) });
      const flags = ["--from", "secretsmanager://other", ...SELDOM];
      await watching(start(aws, `secretsmanager://app?versionId=${id}`, ...flags), async (watch) => {
        makeCurrent(aws, addVersion(aws, "2", "AWSPENDING"));
        const from = aws.calls.length;
        const asked = (secret: string): number =>
          aws.calls.slice(from).filter(({ detail }) => detail.name === secret).length;
        for (const looks of [1, 2, 3]) await watch.lookUntil(() => asked("other") >= looks);
        assert.equal(asked("app"), 0);
        assert.equal(watch.lines().length, 1);
      });
    }));

  for (const [what, spoil, said] of [
    ["looks are denied", (aws: Aws) => aws.secrets.deny("DescribeSecret"), /access denied .*; CMD goes on/],
    [
      "it is marked for deletion",
      (aws: Aws) => {
        const secret = aws.secrets.find("app");
        if (secret !== undefined) secret.deletionDate = Date.now() + 86_400_000;
      },
      /the secret is marked for deletion; CMD goes on/,
    ],
  ] as const) {
    test(`CMD goes on where ${what}`, () =>
      withAws(async (aws) => {
        aws.secrets.put("app", { text: JSON.stringify({ A: "1" }) });
        await watching(start(aws, "secretsmanager://app", ...SELDOM), async (watch) => {
          spoil(aws);
          await watch.lookUntil(() => watch.said().length === 2);
          assert.match(watch.said()[0] ?? "", said);
          assert.equal(watch.lines().length, 1);
        });
      }));
  }
});

describe("--watch: Systems Manager", { skip, concurrency: 2 }, () => {
  test("a look decrypts nothing; a new version and a new parameter are changes", () =>
    withAws(async (aws) => {
      const uri = seedSsm(aws, "/app/", { A: "1", B: "x" });
      const options = { env: { ...aws.env(), AWS_REGION: aws.region }, flags: ["--from", uri, ...SELDOM] };
      await watching(options, async (watch) => {
        const from = aws.calls.length;
        await watch.lookUntil(() => aws.calls.length > from);
        assert.deepEqual(callsSince(aws, from, "ssm", "kms", "imds"), ["GetParametersByPath"]);
        // Whoever asked for a value in the clear would be refused now.
        aws.parameters.keyTrouble = "denied";
        await watch.lookUntil(() => callsSince(aws, from, "ssm").length === 2);
        // One look begins when the one before is over, and has said what it had to say.
        await watch.lookUntil(() => callsSince(aws, from, "ssm").length === 3);
        assert.deepEqual(watch.said(), []);
        aws.parameters.keyTrouble = undefined;
        aws.parameters.put("/app/a", "2");
        await lookUntilStarted(watch, 2, "2");
        aws.parameters.put("/app/c", "new");
        await lookUntilStarted(watch, 3, "2");
        for (const line of watch.said()) assert.match(line, /: CMD is restarted$/);
      });
    }));

  test("another order of the same parameters is no change; one that was deleted and made again is", () =>
    withAws(async (aws) => {
      const uri = seedSsm(aws, "/app/", { A: "1", B: "x" });
      const options = { env: { ...aws.env(), AWS_REGION: aws.region }, flags: ["--from", uri, ...SELDOM] };
      await watching(options, async (watch) => {
        const from = aws.calls.length;
        aws.parameters.order = "backwards";
        for (const looks of [1, 2, 3]) await watch.lookUntil(() => aws.calls.length >= from + looks);
        assert.deepEqual(
          aws.calls.slice(from).map(({ operation, status }) => `${operation} ${status}`),
          Array.from({ length: 3 }, () => "GetParametersByPath 200"),
        );
        // It begins with version 1 again.
        aws.clockOffsetMs += 1_000;
        aws.parameters.remove("/app/a");
        aws.parameters.put("/app/a", "2");
        await lookUntilStarted(watch, 2, "2");
      });
    }));

  test("one parameter by its version", () =>
    withAws(async (aws) => {
      seedSsm(aws, "/app/", { A: "1" });
      const flags = ["--from", "ssm:///app/a", ...SELDOM];
      await watching({ env: { ...aws.env(), AWS_REGION: aws.region }, flags }, async (watch) => {
        const from = aws.calls.length;
        await watch.lookUntil(() => aws.calls.length > from);
        assert.deepEqual(callsSince(aws, from, "ssm", "kms", "imds"), ["GetParameter"]);
        aws.parameters.put("/app/a", "2");
        await lookUntilStarted(watch, 2, "2");
      });
    }));
});

describe("--watch: Vault", { skip, concurrency: 2 }, () => {
  const envOf = ({ vault, folder }: Place): Record<string, string> => ({
    ...vault.env(),
    HOME: folder,
    AWS_EC2_METADATA_DISABLED: "true",
  });

  for (const [uri, path] of [
    ["vault://secret/app", "secret/data/app"],
    ["vault://kv1/app", "kv1/app"],
  ] as const) {
    test(`${uri}: a look is one request`, () =>
      withPlace(async (place) => {
        const { vault } = place;
        const put = (value: string): void => {
          vault.kv1.put("app", { A: value });
          vault.kv2.put("app", { A: value });
        };
        put("1");
        const env = { ...envOf(place), ...vault.tokenEnv() };
        await watching({ env, flags: ["--from", uri, ...SELDOM] }, async (watch) => {
          const from = vault.calls.length;
          await watch.lookUntil(() => vault.calls.length > from);
          assert.deepEqual(
            vault.calls.slice(from).map((call) => call.path),
            [path],
          );
          put("2");
          await lookUntilStarted(watch, 2, "2");
        });
      }));
  }

  test("one that was deleted with all its versions, and made again, is a change: both are version 1", () =>
    withPlace(async (place) => {
      const { vault } = place;
      vault.kv2.put("app", { A: "1" });
      const env = { ...envOf(place), ...vault.tokenEnv() };
      await watching({ env, flags: ["--from", "vault://secret/app", ...SELDOM] }, async (watch) => {
        vault.kv2.remove("app");
        vault.kv2.put("app", { A: "2" });
        await lookUntilStarted(watch, 2, "2");
      });
    }));

  test("a login is repeated before its token's lease ends, and not before", () =>
    withPlace(async (place) => {
      const { vault } = place;
      vault.kv2.put("app", { A: "1" });
      const role = vault.approle.addRole({ ttlMs: 3_000 });
      const login = {
        VAULT_AUTH: "approle",
        VAULT_ROLE_ID: role,
        VAULT_SECRET_ID: vault.approle.addSecretId(role),
      };
      const flags = ["--from", "vault://secret/app", "--every", "200ms"];
      await watching({ env: { ...envOf(place), ...login }, flags }, async (watch) => {
        const logins = (): number => vault.calls.filter(({ path }) => path.endsWith("/login")).length;
        await until(() => logins() >= 3);
        assert.ok(vault.calls.every(({ status }) => status < 400));
        assert.ok(vault.calls.length > logins() * 5, "one login serves many looks");
        assert.deepEqual(watch.said(), []);
      });
    }));

  test("a login's token that was refused is not used again: the next look logs in", () =>
    withPlace(async (place) => {
      const { vault } = place;
      vault.kv2.put("app", { A: "1" });
      const role = vault.approle.addRole();
      const login = {
        VAULT_AUTH: "approle",
        VAULT_ROLE_ID: role,
        VAULT_SECRET_ID: vault.approle.addSecretId(role),
      };
      const options = {
        env: { ...envOf(place), ...login },
        flags: ["--from", "vault://secret/app", ...SELDOM],
      };
      await watching(options, async (watch) => {
        vault.tokens.revoke(vault.tokens.issued.at(-1)?.text ?? "");
        const from = vault.calls.length;
        const asked = (): string[] => vault.calls.slice(from).map(({ path, status }) => `${path} ${status}`);
        await watch.lookUntil(() => watch.said().length === 2);
        assert.deepEqual(asked(), ["secret/data/app 403"]);
        await watch.lookUntil(() => watch.said().length === 3);
        assert.deepEqual(asked().slice(1), ["auth/approle/login 200", "secret/data/app 200"]);
        assert.equal(watch.said()[2], "sealexec: notice: the sources can be read again");
      });
    }));

  test("a token that was revoked is said once, and a new one in its file is taken", () =>
    withPlace(async (place) => {
      const { vault, folder } = place;
      vault.kv2.put("app", { A: "1" });
      const file = join(folder, "token");
      const token = vault.tokens.issue().text;
      writeFileSync(file, token, { mode: 0o600 });
      const env = { ...envOf(place), VAULT_TOKEN_FILE: file };
      await watching({ env, flags: ["--from", "vault://secret/app", ...SELDOM] }, async (watch) => {
        vault.tokens.revoke(token);
        await watch.lookUntil(() => watch.said().length === 2);
        assert.match(watch.said()[0] ?? "", /Vault refused the token.*; CMD goes on/);
        writeFileSync(file, vault.tokens.issue().text);
        vault.kv2.put("app", { A: "2" });
        await lookUntilStarted(watch, 2, "2");
      });
    }));
});

describe("--watch: files", { skip, concurrency: 2 }, () => {
  const ENV = { AWS_EC2_METADATA_DISABLED: "true" };
  /** Nobody asks for a look: the system tells of the change. */
  const untilStarted = async (watch: Watching, starts: number, value: string): Promise<void> => {
    const started = (): string[] => watch.lines().filter((line) => line.startsWith("start "));
    await until(() => started().length >= starts);
    assert.ok(started().at(-1)?.endsWith(` A=${value}`), watch.lines().join("\n"));
  };

  test("env-file: written in place, and replaced by another", () =>
    withFolder(async (folder) => {
      const file = join(folder, "app.env");
      writeFileSync(file, "A=1\n", { mode: 0o600 });
      await watching({ env: ENV, flags: ["--from", `env-file:${file}`, ...SELDOM] }, async (watch) => {
        writeFileSync(file, "A=2\n");
        await untilStarted(watch, 2, "2");
        writeFileSync(`${file}.new`, "A=3\n", { mode: 0o600 });
        renameSync(`${file}.new`, file);
        await untilStarted(watch, 3, "3");
      });
    }));

  test("what is warned of at the start is not said again with each change", () =>
    withFolder(async (folder) => {
      const [file, empty] = [join(folder, "app.env"), join(folder, "empty.env")];
      writeFileSync(file, "A=1\n", { mode: 0o600 });
      writeFileSync(empty, "", { mode: 0o600 });
      const flags = ["--from", `env-file:${file}`, "--from", `env-file:${empty}`, ...SELDOM];
      await watching({ env: ENV, flags }, async (watch) => {
        for (const value of ["2", "3"]) {
          writeFileSync(file, `A=${value}\n`);
          await untilStarted(watch, Number(value), value);
        }
        const changed = `sealexec: notice: env-file:${file} has changed: CMD is restarted`;
        const warned = `sealexec: warning: env-file:${empty}: no variables in it`;
        assert.deepEqual(watch.said(), [warned, changed, changed]);
      });
    }));

  test("json-file, from the working directory", () =>
    withFolder(async (cwd) => {
      writeFileSync(join(cwd, "app.json"), '{"A":"1"}', { mode: 0o600 });
      await watching({ env: ENV, cwd, flags: ["--from", "json-file:app.json", ...SELDOM] }, async (watch) => {
        writeFileSync(join(cwd, "app.json"), '{"A":"2"}');
        await untilStarted(watch, 2, "2");
      });
    }));

  test("dir: a Kubernetes volume's update, by its ..data link", () =>
    withFolder(async (folder) => {
      const version = (name: string, value: string): void => {
        mkdirSync(join(folder, name));
        writeFileSync(join(folder, name, "A"), value, { mode: 0o600 });
        symlinkSync(name, join(folder, "..tmp"));
        renameSync(join(folder, "..tmp"), join(folder, "..data"));
      };
      version("..1", "1");
      symlinkSync("..data/A", join(folder, "A"));
      await watching({ env: ENV, flags: ["--from", `dir:${folder}`, ...SELDOM] }, async (watch) => {
        version("..2", "2");
        rmSync(join(folder, "..1"), { recursive: true });
        await untilStarted(watch, 2, "2");
        assert.deepEqual(
          watch.said().map((line) => line.replace(folder, "DIR")),
          ["sealexec: notice: dir:DIR has changed: CMD is restarted"],
        );
      });
    }));

  test("a file that goes away, and comes back", () =>
    withFolder(async (folder) => {
      const file = join(folder, "app.env");
      writeFileSync(file, "A=1\n", { mode: 0o600 });
      await watching({ env: ENV, flags: ["--from", `env-file:${file}`, ...SELDOM] }, async (watch) => {
        rmSync(file);
        await until(() => watch.said().length === 2);
        assert.match(watch.said()[0] ?? "", /no such file or folder; CMD goes on as it is$/);
        writeFileSync(file, "A=2\n", { mode: 0o600 });
        await untilStarted(watch, 2, "2");
      });
    }));

  test("a sealed file: its change is opened by KMS, and nothing of AWS is asked for a look", () =>
    withFolder((cwd) =>
      withAws(async (aws) => {
        const seal = async (text: string): Promise<void> => {
          const args = ["push", "-", "file:app.sealed", "--key", KEY, "--replace"];
          const env = { ...aws.env(), AWS_REGION: aws.region };
          const { status, stderr } = await sealexec(args, { env, cwd, input: text });
          assert.equal(status, 0, stderr);
        };
        await seal("A=1\n");
        const env = { ...aws.env(), AWS_REGION: aws.region };
        const flags = ["--from", "file:app.sealed", "--every", "200ms"];
        await watching({ env, cwd, flags }, async (watch) => {
          const from = aws.calls.length;
          await new Promise((resolve) => {
            setTimeout(resolve, 700);
          });
          assert.equal(aws.calls.length, from);
          await seal("A=2\n");
          await untilStarted(watch, 2, "2");
        });
        // Also if it is not time to look: the system tells of it.
        await watching({ env, cwd, flags: ["--from", "file:app.sealed", ...SELDOM] }, async (watch) => {
          await seal("A=3\n");
          await untilStarted(watch, 2, "3");
        });
      }),
    ));

  test("a change of a file asks nobody else", () =>
    withFolder((folder) =>
      withAws(async (aws) => {
        const file = join(folder, "app.env");
        writeFileSync(file, "A=1\n", { mode: 0o600 });
        const uri = await push(aws, "base.env", "B=1\n");
        const flags = ["--from", uri, "--from", `env-file:${file}`, ...SELDOM];
        await watching({ env: aws.env(), flags }, async () => {
          const from = aws.calls.length;
          chmodSync(file, 0o400);
          writeFileSync(`${file}.other`, "");
          await new Promise((resolve) => {
            setTimeout(resolve, 700);
          });
          // What has changed is the file's state, so all is opened again; a neighbour's change is none.
          assert.deepEqual(callsSince(aws, from, "s3", "kms"), ["GetObject", "Decrypt"]);
        });
      }),
    ));

  test("a look at files alone says nothing of a store that is away", () =>
    withFolder((folder) =>
      withAws(async (aws) => {
        const file = join(folder, "app.env");
        writeFileSync(file, "A=1\n", { mode: 0o600 });
        aws.secrets.put("app", { text: JSON.stringify({ B: "1" }) });
        const flags = ["-v", "--from", "secretsmanager://app", "--from", `env-file:${file}`, ...SELDOM];
        await watching({ env: { ...aws.env(), AWS_REGION: aws.region }, flags }, async (watch) => {
          const told = (): string[] =>
            watch.said().filter((line) => /^sealexec: (?:warning|notice): /.test(line));
          const looks = (): number => watch.said().filter((line) => /: unchanged \(/.test(line)).length;
          aws.secrets.deny("DescribeSecret");
          await watch.lookUntil(() => told().length === 1);
          assert.match(told()[0] ?? "", /secretsmanager:\/\/app: .*access denied .*; CMD goes on as it is$/);
          for (const neighbour of ["one", "two"]) {
            const before = looks();
            writeFileSync(join(folder, neighbour), "");
            await until(() => looks() > before);
          }
          assert.equal(told().length, 1, watch.stderr());
          aws.secrets.allow("DescribeSecret");
          await watch.lookUntil(() => told().length === 2);
          assert.equal(told()[1], "sealexec: notice: the sources can be read again");
        });
      }),
    ));
});

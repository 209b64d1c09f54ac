/** The core of the suite against `moto_server`, an AWS that nobody here wrote. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import { CreateAliasCommand, CreateKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { startAws } from "../aws/server.ts";
import { RAN, SAY, assertFailed, assertPrinted, until } from "./expect.ts";
import { ARTEFACTS, onPath, sealexec } from "./harness.ts";
import type { Outcome, RunOptions } from "./harness.ts";
import { SELDOM, watching } from "./watch/watching.ts";

const BUCKET = "moto-secrets";
const REGION = "eu-west-1";
const credentials = { accessKeyId: "AKIAMOTO000000000000", secretAccessKey: "secret-of-moto" };

const moto = onPath("moto_server");
const skip = moto === undefined ? "no moto_server on PATH (pip install 'moto[server]')" : false;

// It takes seconds to start: one for both artefacts, and nothing of the first is there for the second.
let server: ChildProcess | undefined;
let endpoint = "";

before(async () => {
  if (moto === undefined) return;
  const port = await freePort();
  endpoint = `http://127.0.0.1:${port}`;
  server = spawn(moto, ["-H", "127.0.0.1", "-p", String(port)], { stdio: "ignore" });
  await answers(endpoint);
});

after(async () => {
  if (server === undefined) return;
  const ended = once(server, "exit");
  server.kill();
  await ended;
});

for (const artefact of ARTEFACTS) {
  describe(`against moto_server, by the ${artefact.name}`, { skip }, () => {
    let s3: S3Client;
    let kms: KMSClient;
    let keyArn: string;
    let env: Record<string, string>;

    before(async () => {
      assert.ok((await fetch(`${endpoint}/moto-api/reset`, { method: "POST" })).ok);
      const config = { endpoint, region: REGION, credentials };
      s3 = new S3Client({ ...config, forcePathStyle: true });
      kms = new KMSClient(config);
      await s3.send(
        new CreateBucketCommand({
          Bucket: BUCKET,
          CreateBucketConfiguration: { LocationConstraint: REGION },
        }),
      );
      const VersioningConfiguration = { Status: "Enabled" } as const;
      await s3.send(new PutBucketVersioningCommand({ Bucket: BUCKET, VersioningConfiguration }));
      keyArn = await createKey("alias/app");
      env = {
        AWS_ENDPOINT_URL: endpoint,
        AWS_REGION: REGION,
        AWS_EC2_METADATA_DISABLED: "true",
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
        SEALEXEC_KEY: "alias/app",
      };
    });

    after(() => {
      s3.destroy();
      kms.destroy();
    });

    async function createKey(alias: string): Promise<string> {
      const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
      await kms.send(new CreateAliasCommand({ AliasName: alias, TargetKeyId: KeyMetadata?.KeyId }));
      return KeyMetadata?.Arn ?? "";
    }

    const call = (args: readonly string[], options: RunOptions = {}): Promise<Outcome> =>
      sealexec(args, { artefact, ...options, env: { ...env, ...options.env } });

    async function push(name: string, input: string, ...flags: string[]): Promise<Map<string, string>> {
      const { status, stdout, stderr } = await call(["push", "-", uri(name), ...flags], { input });
      assert.equal(status, 0, stderr);
      return new Map(stdout.split("\n").map((line) => [line.slice(0, 10).trim(), line.slice(10)]));
    }

    const uri = (name: string): string => `s3://${BUCKET}/${name}`;

    test("push, run, pull and check", async () => {
      const text = "# moto\nA='hello world'\nB=2\n";
      const report = await push("app.env", text, "--context", "stage=żółw");
      assert.equal(report.get("key"), keyArn);
      assert.equal(report.get("variables"), "2");
      const context = ["--context", "stage=żółw"];
      const print = ["--", "sh", "-c", 'printf %s "$A"; exit 7'];
      const ran = await call(["run", "--from", uri("app.env"), ...context, ...print]);
      assert.deepEqual(ran, { status: 7, signal: null, stdout: "hello world", stderr: "" });
      assertPrinted(await call(["pull", uri("app.env"), ...context]), text);
      const flags = ["--require", "A,B", "--format", "json", ...context];
      const check = await call(["check", "--from", uri("app.env"), ...flags, "--", "sh"]);
      assert.equal(check.status, 0, check.stdout);
      const { ok } = JSON.parse(check.stdout) as { ok: boolean };
      assert.equal(ok, true);
      assert.ok(check.stdout.includes(keyArn));
    });

    test("versions: each can be opened, and the newest is by default", async () => {
      const first = (await push("versions.env", "A=1\n")).get("version") ?? "";
      const second = (await push("versions.env", "A=2\n", "--replace")).get("version") ?? "";
      assert.notEqual(first, second);
      assertPrinted(await call(["pull", `${uri("versions.env")}?versionId=${first}`]), "A=1\n");
      assertPrinted(await call(["pull", `${uri("versions.env")}?versionId=${second}`]), "A=2\n");
      assertPrinted(await call(["pull", uri("versions.env")]), "A=2\n");
    });

    test("conditional pushes: --create, --if-match, and again after a delete", async () => {
      const etag = (await push("conditional.env", "A=1\n", "--create")).get("etag") ?? "";
      const again = ["push", "-", uri("conditional.env")];
      const input = "A=2\n";
      assertFailed(
        await call([...again, "--create"], { input }),
        80,
        /there is an object already .*change A$/,
      );
      assertFailed(await call(again, { input }), 80, /there is an object already .*change A$/);
      await push("conditional.env", "A=3\n", "--if-match", etag);
      const stale = await call([...again, "--if-match", etag], { input });
      assertFailed(stale, 80, /no longer the one expected .*: this push would change A$/);
      assertPrinted(await call(["pull", uri("conditional.env")]), "A=3\n");
      await s3.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: "conditional.env" }));
      assertFailed(await call(["pull", uri("conditional.env")]), 66, /no such object/);
      await push("conditional.env", "A=4\n");
      assertPrinted(await call(["pull", uri("conditional.env")]), "A=4\n");
    });

    test("contexts: another is refused by us, and a changed one by KMS itself", async () => {
      await push("context.env", "A=1\n", "--context", "stage=prod");
      const run = ["run", "--from", uri("context.env")];
      assertFailed(await call([...run, "--context", "stage=test", "--", ...SAY]), 65, /stage"? differs/);
      assertPrinted(await call([...run, "--context", "stage=prod", "--", ...SAY]), `${RAN}\n`);
      await copy("context.env", "context.env", (metadata) => ({
        ...metadata,
        "x-amz-t": (metadata["x-amz-t"] ?? "").replace("prod", "test"),
      }));
      const changed = await call(["pull", uri("context.env"), "--context", "stage=test"]);
      assertFailed(changed, 65, /^key: .*InvalidCiphertext/);
    });

    test("an object copied to another key is refused", async () => {
      await push("bound.env", "A=1\n");
      await copy("bound.env", "stolen.env", (metadata) => metadata);
      assertFailed(
        await call(["pull", uri("stolen.env")]),
        65,
        /sealed for "?s3:\/\/moto-secrets\/bound\.env/,
      );
    });

    async function copy(
      from: string,
      to: string,
      change: (metadata: Record<string, string>) => Record<string, string>,
    ): Promise<void> {
      const { Body, Metadata } = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: from }));
      await s3.send(
        new PutObjectCommand({
          Bucket: BUCKET,
          Key: to,
          Body: (await Body?.transformToByteArray()) ?? "",
          Metadata: change(Metadata ?? {}),
        }),
      );
    }

    test("v2 is written and read back, with --accept", async () => {
      await push("old.env", "A=1\n", "--format", "v2");
      assertFailed(await call(["pull", uri("old.env")]), 65, /v2/, /--accept/);
      assertPrinted(await call(["pull", uri("old.env"), "--accept", "v2"]), "A=1\n");
    });

    test("failures have the statuses of the contract", async () => {
      await push("app2.env", "A=1\n");
      const run = (...args: string[]) => call(["run", ...args, "--", ...SAY]);
      assertFailed(await run("--from", uri("none.env")), 66, /no such object \(GetObject: NoSuchKey, 404/);
      assertFailed(await run("--from", "s3://no-such-bucket/a"), 66, /no such bucket/);
      assertFailed(await run("--from", `${uri("app2.env")}?versionId=none`), 66, /GetObject: /);
      await createKey("alias/other");
      // Where AWS answers IncorrectKeyException, moto answers AccessDeniedException: both are 77.
      assertFailed(await run("--from", uri("app2.env"), "--key", "alias/other"), 77, /^key: .*alias\/other/);
      assertFailed(await run("--from", uri("app2.env"), "--key", "alias/none"), 78, /NotFoundException/);
    });

    test("--watch: objects, secrets and parameters, each followed by what a look of it tells", async () => {
      const sources = [uri("watched.env"), "secretsmanager://moto/watched", "ssm:///watched/app/"] as const;
      const put = async (target: string, value: string): Promise<void> => {
        const input = `${target.startsWith("s3") ? "A" : target.startsWith("ssm") ? "C" : "B"}=${value}\n`;
        const { status, stderr } = await call(["push", "-", target, "--key", "alias/app", "--replace"], {
          input,
        });
        assert.equal(status, 0, stderr);
      };
      for (const source of sources) await put(source, "1");
      const cmd = ["sh", "-c", 'trap "exit 0" TERM; echo "start $A$B$C"; while :; do sleep 0.02; done'];
      const flags = [...sources.flatMap((source) => ["--from", source]), ...SELDOM];
      await watching({ env, flags, cmd, artefact }, async (watch) => {
        let [expected, started] = ["111", 1];
        assert.deepEqual(watch.lines(), ["start 111"]);
        for (const [index, source] of sources.entries()) {
          await put(source, "2");
          expected = expected.slice(0, index) + "2" + expected.slice(index + 1);
          started += 1;
          await watch.lookUntil(() => watch.lines().length === started);
          assert.equal(watch.lines().at(-1), `start ${expected}`);
        }
        assert.equal(
          watch.said().filter((line) => line.includes("warning")).length,
          0,
          watch.said().join("\n"),
        );
      });
    });

    test("secrets: push, versions, stages, keys, and what is not there", async () => {
      const secret = "secretsmanager://moto/app";
      const pushed = async (input: string, ...flags: string[]): Promise<Outcome> =>
        call(["push", "-", secret, ...flags], { input });
      const made = await pushed("A=1\nB='x y'\n");
      assert.match(made.stdout, /^secret {4}arn:aws:secretsmanager:eu-west-1:\d+:secret:moto\/app-/);
      const version = /^version {3}(\S+)$/m.exec(made.stdout)?.[1] ?? "";
      assertFailed(
        await pushed("A=2\n"),
        80,
        /there is a secret already .*: this push would change A; remove B$/,
      );
      const replaced = await pushed("A=2\nB='x y'\n", "--if-match", version);
      assert.match(replaced.stdout, /^stage {5}AWSCURRENT$/m, replaced.stderr);
      assertFailed(await pushed("A=3\n", "--create"), 80, /there is a secret already/);
      assertPrinted(await call(["pull", secret]), "A=2\nB='x y'\n");
      assertPrinted(await call(["pull", `${secret}?stage=AWSPREVIOUS#A`]), "A=1\n");
      const print = ["--", "printenv", "B"];
      assertPrinted(await call(["run", "-f", `${secret}#B`, ...print]), "x y\n");
      assertFailed(await call(["run", "-f", `${secret}-none`, ...print]), 66, /no such secret/);
    });

    test("parameters: push, pages, one of them, and what is not there", async () => {
      const names = Array.from({ length: 12 }, (_, index) => `N${String(index).padStart(2, "0")}`);
      const input = names.map((name) => `${name}=${name}\n`).join("");
      const pushed = await call(["push", "-", "ssm:///moto/app/"], { input });
      assert.match(pushed.stdout, /^written {3}12 of 12, /m, pushed.stderr);
      const pulled = await call(["pull", "ssm:///moto/?recursive"]);
      // moto gives them in an order of its own.
      assert.deepEqual(pulled.stdout.split("\n").sort(), input.split("\n").sort());
      assertPrinted(await call(["pull", "ssm:///moto/app/N03"]), "N03=N03\n");
      const fewer = await call(["push", "-", "ssm:///moto/app/", "--replace"], { input: "N03=N03\n" });
      assert.match(fewer.stdout, /^removed {3}N00, N01, N02, N04, /m, fewer.stderr);
      assertPrinted(await call(["pull", "ssm:///moto/app/"]), "N03=N03\n");
      assertFailed(await call(["pull", "ssm:///moto/none/"]), 66, /no parameters below this path/);
      assertFailed(await call(["pull", "ssm:///moto/none"]), 66, /no such parameter .*ParameterNotFound/);
    });

    test("with credentials of a loopback IMDS, which moto does not check", async () => {
      const aws = await startAws();
      try {
        const name = await createKey("alias/imds");
        const { AWS_ACCESS_KEY_ID: _, AWS_SECRET_ACCESS_KEY: __, ...services } = env;
        const own = {
          ...services,
          AWS_EC2_METADATA_DISABLED: "false",
          AWS_EC2_METADATA_SERVICE_ENDPOINT: aws.endpoints.imds,
        };
        const pushed = ["push", "-", uri("imds.env"), "--key", name];
        const options = { artefact, env: own };
        assert.equal((await sealexec(pushed, { ...options, input: "A=1\n" })).status, 0);
        const run = ["run", "--from", uri("imds.env"), "--key", name, "--", ...SAY];
        assertPrinted(await sealexec(run, options), `${RAN}\n`);
        assert.equal(aws.count("imds", "GetCredentials"), 2);
        assert.equal(aws.count("imds", "GetWithoutToken"), 0);
      } finally {
        await aws.close();
      }
    });
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return port;
}

async function answers(endpoint: string): Promise<void> {
  let up = false;
  let asking = false;
  await until(() => {
    if (!asking) {
      asking = true;
      fetch(`${endpoint}/moto-api/data.json`).then(
        (response) => (up = response.ok),
        () => (asking = false),
      );
    }
    return up;
  });
}

/** `run --watch`: what a look has of the one before it, and what it must not have. */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { copyFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import { startAws } from "../../aws/server.ts";
import { until, withFolder } from "../expect.ts";
import { KEY, push, withAws } from "../harness.ts";
import { paths, withPlace } from "../vault-place.ts";
import type { Place } from "../vault-place.ts";
import { SELDOM, watching } from "./watching.ts";
import type { Watching } from "./watching.ts";

const skip = process.platform === "linux" ? false : "needs Linux";

const ISSUE = "aws/sts/app";

/** Watches an object by a session that Vault has made, and says that it is good for so long. */
function watchingByVault(
  leaseSeconds: number,
  work: (watch: Watching, place: Place) => Promise<void>,
): Promise<void> {
  return withPlace(async (place) => {
    const { aws, vault, folder } = place;
    const uri = await push(aws, "app.env", "A=1\n");
    vault.awsEngine.addRole("app");
    vault.awsEngine.leaseSeconds = leaseSeconds;
    const env = { ...aws.env(), ...vault.tokenEnv(), HOME: folder };
    const flags = [...SELDOM, "--key", KEY, "--from", uri, "--credentials", `vault:${ISSUE}`];
    await watching({ env, flags }, (watch) => work(watch, place));
  });
}

/** Looks, and waits until S3 was asked. */
async function lookAtS3(watch: Watching, { aws }: Place): Promise<void> {
  const asked = aws.count("s3", "GetObject");
  await watch.lookUntil(() => aws.count("s3", "GetObject") > asked);
}

const issued = (place: Place): number => paths(place).filter((path) => path === ISSUE).length;

describe("--watch: a session that Vault has made", { skip, concurrency: 2 }, () => {
  test("is used again while it has more than five minutes left", () =>
    watchingByVault(3_600, async (watch, place) => {
      await lookAtS3(watch, place);
      await lookAtS3(watch, place);
      assert.equal(issued(place), 1);
    }));

  test("is asked for anew in the five minutes before its end", () =>
    watchingByVault(300, async (watch, place) => {
      await lookAtS3(watch, place);
      assert.equal(issued(place), 2);
      assert.deepEqual(watch.said(), []);
    }));

  test("is used to its end where there is no other, and not one look longer", async () => {
    const refusal = { action: "status", status: 403, path: /^aws\// } as const;
    await watchingByVault(299, async (watch, place) => {
      place.vault.faults.add(refusal);
      await lookAtS3(watch, place);
      assert.equal(issued(place), 2);
      assert.deepEqual(watch.said(), []);
    });
    await watchingByVault(1, async (watch, place) => {
      const started = Date.now();
      const asked = place.aws.count("s3");
      place.vault.faults.add(refusal);
      await until(() => Date.now() > started + 1_000);
      await watch.lookUntil(() => watch.said().length >= 2);
      assert.match(watch.said()[0] ?? "", /permission denied \(GET aws\/sts\/app: 403\)/);
      assert.equal(place.aws.count("s3"), asked);
    });
  });
});

describe("--watch: AWS", { skip, concurrency: 2 }, () => {
  test("credentials outlive a round that had no need of them", () =>
    withFolder((folder) =>
      withAws(async (aws) => {
        const uri = await push(aws, "app.env", "A=1\n");
        const file = join(folder, "more.env");
        writeFileSync(file, "B=1\n");
        const flags = [...SELDOM, "--key", KEY, "--from", uri, "--from", `env-file:${file}`];
        await watching({ env: aws.env(), flags }, async (watch) => {
          const [loaded, asked] = [aws.count("imds", "GetCredentials"), aws.count("s3", "GetObject")];
          rmSync(file);
          await until(() => watch.said().length >= 2);
          assert.match(watch.said()[0] ?? "", /env-file:\S+ no such file or folder; CMD goes on/);
          assert.equal(aws.count("s3", "GetObject"), asked);
          writeFileSync(file, "B=22\n");
          await until(() => watch.lines().length === 3);
          assert.equal(aws.count("s3", "GetObject"), asked + 1);
          assert.equal(aws.count("imds", "GetCredentials"), loaded);
        });
      }),
    ));

  test("credentials of which nobody says when they expire are asked for once", () =>
    withAws(async (aws) => {
      const uri = await push(aws, "app.env", "A=1\n");
      const { accessKeyId, secretAccessKey, sessionToken } = aws.container.credentials;
      let asked = 0;
      const agent = createServer((_request, response) => {
        asked += 1;
        const keys = { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, Token: sessionToken };
        response.end(JSON.stringify(keys));
      });
      await new Promise<void>((resolve) => void agent.listen(0, "127.0.0.1", resolve));
      const { port } = agent.address() as AddressInfo;
      const env = { ...aws.env(), AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://127.0.0.1:${port}/` };
      try {
        await watching({ env, flags: [...SELDOM, "--key", KEY, "--from", uri] }, async (watch) => {
          for (let looks = 0; looks < 2; looks += 1) {
            const gets = aws.count("s3", "GetObject");
            await watch.lookUntil(() => aws.count("s3", "GetObject") > gets);
          }
          assert.deepEqual([asked, watch.said()], [1, []]);
        });
      } finally {
        agent.close();
      }
    }));

  test("a FIFO is read once, and nobody minds that it has gone", () =>
    withFolder((folder) =>
      withAws(async (aws) => {
        const uri = await push(aws, "app.env", "A=1\n");
        const fifo = join(folder, "fifo");
        execFileSync("mkfifo", ["-m", "600", fifo]);
        const writer = spawn("sh", ["-c", `echo B=1 >'${fifo}'`], { stdio: "ignore" });
        const flags = [...SELDOM, "--key", KEY, "--from", uri, "--from", `env-file:${fifo}`];
        await watching({ env: aws.env(), flags }, async (watch) => {
          rmSync(fifo);
          for (const looks of [1, 2]) {
            const asked = aws.count("s3", "GetObject");
            await watch.lookUntil(() => aws.count("s3", "GetObject") > asked);
            assert.deepEqual([watch.said(), watch.lines().length], [[], 1], `after look ${looks}`);
          }
        });
        writer.kill();
      }),
    ));

  test("the bundle of CAs is read anew when its file has changed", () =>
    withFolder((folder) =>
      withAws(
        async (aws) => {
          const uri = await push(aws, "app.env", "A=1\n");
          const other = await startAws({ tls: true });
          const file = join(folder, "ca.pem");
          try {
            copyFileSync(aws.caFile ?? "", file);
            const env = { ...aws.env(), AWS_CA_BUNDLE: file };
            await watching({ env, flags: [...SELDOM, "--key", KEY, "--from", uri] }, async (watch) => {
              copyFileSync(other.caFile ?? "", file);
              await watch.lookUntil(() => watch.said().length >= 2);
              assert.match(watch.said()[0] ?? "", /its TLS certificate is not trusted/);
              copyFileSync(aws.caFile ?? "", file);
              await watch.lookUntil(() => watch.said().length >= 3);
              assert.equal(watch.said()[2], "sealexec: notice: the sources can be read again");
            });
          } finally {
            await other.close();
          }
        },
        { tls: true },
      ),
    ));
});

/** What run, check and pull ask for, command by command and situation by situation: asked.ts. Of push: push-requests.test.ts. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { DECRYPT, OBJECT, ROLE, assertAsked, describeCall, fail } from "./asked.ts";
import type { Row } from "./asked.ts";
import { until, withFolder } from "./expect.ts";
import { ARTEFACTS, BUCKET, KEY, ROOT, push, sealexec, withAws } from "./harness.ts";
import { paths, withPlace } from "./vault-place.ts";
import { withScene } from "./watch/watched.ts";

const URI = `s3://${BUCKET}/app.env`;
const run = (...from: string[]): string[] => [
  "run",
  ...from.flatMap((uri) => ["--from", uri]),
  "--key",
  KEY,
  "--",
  "true",
];

const SITUATIONS: readonly Row[] = [
  { name: "as it should be", words: run(URI), asks: [...ROLE, OBJECT, DECRYPT] },
  {
    name: "a user's key",
    words: run(URI),
    given: (aws) => ({ ...aws.keyEnv(), AWS_EC2_METADATA_SERVICE_ENDPOINT: undefined }),
    asks: [OBJECT, DECRYPT],
  },
  {
    name: "a container's credentials",
    words: run(URI),
    given: (aws) => ({ ...aws.containerEnv(), AWS_EC2_METADATA_SERVICE_ENDPOINT: undefined }),
    asks: ["container GetCredentials", OBJECT, DECRYPT],
  },
  {
    name: "a web identity",
    words: run(URI),
    given: (aws, folder) => {
      aws.sts.addWebToken("token-of-the-pod");
      writeFileSync(join(folder, "token"), "token-of-the-pod");
      const AWS_WEB_IDENTITY_TOKEN_FILE = join(folder, "token");
      return { AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_ARN: `arn:aws:iam::${aws.account}:role/app` };
    },
    asks: ["sts AssumeRoleWithWebIdentity", OBJECT, DECRYPT],
  },
  {
    name: "no region is set: the instance's",
    words: run(URI),
    given: () => ({ AWS_REGION: undefined }),
    asks: ["imds GetToken", "imds GetRegion", ...ROLE, OBJECT, DECRYPT],
  },
  {
    name: "the region is in the URI",
    words: run(`${URI}?region=us-east-1`),
    given: () => ({ AWS_REGION: undefined }),
    asks: [...ROLE, OBJECT, DECRYPT],
  },
  {
    name: "S3 denies",
    words: run(URI),
    status: 77,
    given: (aws) => aws.s3.deny("GetObject"),
    asks: [...ROLE, `${OBJECT} 403`],
  },
  {
    name: "KMS denies",
    words: run(URI),
    status: 77,
    given: (aws) => aws.kms.deny("Decrypt"),
    asks: [...ROLE, OBJECT, `${DECRYPT} 400`],
  },
  {
    name: "no such object",
    words: run(`s3://${BUCKET}/none`),
    status: 66,
    asks: [...ROLE, `s3 GetObject ${BUCKET}/none 404`],
  },
  {
    name: "S3 fails once",
    words: run(URI),
    given: fail({ service: "s3", operation: "GetObject", action: "status", status: 503, times: 1 }),
    asks: [...ROLE, `${OBJECT} 503`, OBJECT, DECRYPT],
  },
  {
    name: "KMS throttles twice",
    words: run(URI),
    given: fail({
      service: "kms",
      operation: "Decrypt",
      action: "status",
      status: 400,
      times: 2,
      code: "ThrottlingException",
    }),
    asks: [...ROLE, OBJECT, `${DECRYPT} 400`, `${DECRYPT} 400`, DECRYPT],
  },
  {
    name: "IMDS fails once",
    words: run(URI),
    given: fail({ service: "imds", operation: "GetCredentials", action: "status", status: 503, times: 1 }),
    // An attempt is the whole of it: a token may have ended with what failed.
    asks: ["imds GetToken", "imds ListRoles", "imds GetCredentials 503", ...ROLE, OBJECT, DECRYPT],
  },
  {
    name: "the credentials have expired",
    words: run(URI),
    status: 77,
    given: fail({
      service: "s3",
      operation: "GetObject",
      action: "status",
      status: 400,
      code: "ExpiredToken",
    }),
    asks: [...ROLE, `${OBJECT} 400`],
  },
  {
    name: "an object that is bound to another place: KMS is not asked",
    words: run(`s3://${BUCKET}/moved.env`),
    status: 65,
    given: (aws) => {
      const { body, metadata } = aws.s3.get(BUCKET, "app.env") ?? {};
      aws.s3.put(BUCKET, "moved.env", body ?? "", metadata ?? {});
    },
    asks: [...ROLE, `s3 GetObject ${BUCKET}/moved.env`],
  },
  {
    name: "S3 names the region that it was asked in: there is nothing to follow",
    words: run(URI),
    status: 78,
    given: fail({
      service: "s3",
      operation: "GetObject",
      action: "redirect",
      status: 301,
      region: "us-east-1",
    }),
    asks: [...ROLE, `${OBJECT} 301`],
  },
  {
    name: "a command that is not there: nobody is asked",
    words: ["run", "--from", URI, "--key", KEY, "--", "/no/such/command"],
    status: 127,
    asks: [],
  },
  {
    name: "two objects",
    words: run(URI, `s3://${BUCKET}/second.env`),
    asks: [...ROLE, OBJECT, `s3 GetObject ${BUCKET}/second.env`, DECRYPT, DECRYPT],
    concurrent: true,
  },
  {
    name: "the data key is in an instruction file, which is not accepted: it is not asked for",
    words: run(URI),
    status: 65,
    given: (aws) => void aws.s3.put(BUCKET, "app.env", "body", {}),
    asks: [...ROLE, OBJECT],
  },
];

const COMMANDS: readonly Row[] = [
  { name: "pull", words: ["pull", URI, "--key", KEY], asks: [...ROLE, OBJECT, DECRYPT] },
  {
    name: "pull, no such object",
    words: ["pull", `s3://${BUCKET}/none`, "--key", KEY],
    status: 66,
    asks: [...ROLE, `s3 GetObject ${BUCKET}/none 404`],
  },
  {
    name: "check: and who the credentials belong to",
    words: ["check", "--from", URI, "--key", KEY],
    asks: [...ROLE, "sts GetCallerIdentity", OBJECT, DECRYPT],
  },
  {
    name: "check, S3 denies the first: the second is looked at all the same",
    words: ["check", "--from", `s3://${BUCKET}/none`, "--from", URI, "--key", KEY],
    status: 66,
    asks: [...ROLE, "sts GetCallerIdentity", `s3 GetObject ${BUCKET}/none 404`, OBJECT, DECRYPT],
  },
  {
    name: "check, STS is away: it is no part of a start",
    words: ["check", "--from", URI, "--key", KEY],
    given: fail({ service: "sts", action: "resetOnConnect" }),
    asks: [...ROLE, OBJECT, DECRYPT],
  },
  { name: "help", words: ["help"], asks: [] },
  { name: "completion", words: ["completion", "bash"], asks: [] },
];

const STORES: readonly Row[] = [
  {
    name: "secretsmanager://",
    words: run("secretsmanager://app"),
    asks: [...ROLE, "secretsmanager GetSecretValue app"],
  },
  {
    name: "secretsmanager://, denied",
    words: run("secretsmanager://app"),
    status: 77,
    given: (aws) => aws.secrets.deny("GetSecretValue"),
    asks: [...ROLE, "secretsmanager GetSecretValue app 400"],
  },
  {
    name: "secretsmanager://, missing",
    words: run("secretsmanager://none"),
    status: 66,
    asks: [...ROLE, "secretsmanager GetSecretValue none 400"],
  },
  {
    name: "secretsmanager://, throttled once",
    words: run("secretsmanager://app"),
    given: fail({
      service: "secretsmanager",
      action: "status",
      status: 400,
      times: 1,
      code: "ThrottlingException",
    }),
    asks: [...ROLE, "secretsmanager GetSecretValue app 400", "secretsmanager GetSecretValue app"],
  },
  { name: "ssm://, one parameter", words: run("ssm:///app/a"), asks: [...ROLE, "ssm GetParameter /app/a"] },
  { name: "ssm://, a path", words: run("ssm:///app/"), asks: [...ROLE, "ssm GetParametersByPath /app"] },
  {
    name: "ssm://, a path of more than the ten that one answer holds",
    words: run("ssm:///many/"),
    given: (aws) => {
      for (let count = 0; count < 21; count += 1) aws.parameters.put(`/many/n${count}`, "value");
    },
    asks: [...ROLE, ...Array.from({ length: 3 }, () => "ssm GetParametersByPath /many")],
  },
  {
    name: "ssm://, denied",
    words: run("ssm:///app/"),
    status: 77,
    given: (aws) => aws.parameters.deny("GetParametersByPath"),
    asks: [...ROLE, "ssm GetParametersByPath /app 400"],
  },
  {
    name: "env-file:, mounted: AWS is nothing to it",
    words: ["run", "--from", `env-file:${ROOT}examples/app.env`, "--", "true"],
    asks: [],
  },
];

for (const artefact of ARTEFACTS) {
  describe(`${artefact.name}: run asks`, { concurrency: 2 }, () => {
    for (const row of SITUATIONS) test(row.name, () => assertAsked(row, artefact));
  });
}

describe("other commands ask", { concurrency: 2 }, () => {
  for (const row of COMMANDS) test(row.name, () => assertAsked(row));
});

describe("other stores are asked", { concurrency: 2 }, () => {
  for (const row of STORES) test(row.name, () => assertAsked(row));
});

test("--fallback while S3 is away asks KMS and nothing else", () =>
  withFolder((folder) =>
    withAws(async (aws) => {
      await push(aws, "app.env", "A=b\n");
      const words = [
        "run",
        "--from",
        URI,
        "--key",
        KEY,
        "--fallback",
        join(folder, "kept"),
        "--timeout",
        "4",
      ];
      const start = (): Promise<unknown> => sealexec([...words, "--", "true"], { env: aws.env() });
      aws.resetCalls();
      await start();
      assert.deepEqual(aws.calls.map(describeCall), [...ROLE, OBJECT, DECRYPT]);
      await aws.faults.add({ service: "s3", action: "resetOnConnect" }).ready;
      aws.resetCalls();
      await start();
      assert.deepEqual(aws.calls.map(describeCall), [...ROLE, DECRYPT]);
    }),
  ));

test("--watch looks by one request, and opens anew what has changed", () =>
  withScene(async (scene) => {
    const calls = (): string[] => scene.aws.calls.map(describeCall);
    const watched = scene.start({ command: ["sh", "-c", 'echo "A is $A"; exec sleep 100'] });
    await until(() => watched.stdout.includes("A is 0"));
    assert.deepEqual(calls(), [OBJECT, DECRYPT]);
    scene.aws.resetCalls();
    for (let looks = 1; looks <= 3; looks += 1) {
      watched.signal("SIGHUP");
      await until(() => calls().length === looks);
    }
    scene.change();
    watched.signal("SIGHUP");
    // CMD is there again: all that was asked for has been asked.
    await until(() => watched.stdout.includes("A is 1"));
    // If-None-Match: 304 as long as it is the same. What has changed is opened as at a start.
    const same = Array.from({ length: 3 }, () => `${OBJECT} 304`);
    assert.deepEqual(calls(), [...same, OBJECT, OBJECT, DECRYPT]);
  }));

describe("vault:// asks", { concurrency: 2 }, () => {
  const READ = ["sys/internal/ui/mounts/secret", "secret/data/app"];
  for (const [name, uri, status, asks] of [
    ["for the version of the engine, and the secret", "vault://secret/app", 0, READ],
    ["no more where there is none", "vault://secret/none", 66, [READ[0], "secret/data/none"]],
  ] as const) {
    test(name, () =>
      withPlace(async (place) => {
        place.vault.kv2.put("app", { A: "b" });
        place.aws.resetCalls();
        const ended = await sealexec(["run", "--from", uri, "--", "true"], { env: place.vault.tokenEnv() });
        assert.equal(ended.status, status, ended.stderr);
        assert.deepEqual(paths(place), asks);
        assert.deepEqual(place.aws.calls, []);
      }),
    );
  }

  test("again after a 503, the last request only", () =>
    withPlace(async (place) => {
      place.vault.kv2.put("app", { A: "b" });
      place.vault.faults.add({ action: "status", status: 503, path: /^secret\/data/, times: 1 });
      const ended = await sealexec(["run", "--from", "vault://secret/app", "--", "true"], {
        env: place.vault.tokenEnv(),
      });
      assert.equal(ended.status, 0, ended.stderr);
      assert.deepEqual(paths(place), [...READ, "secret/data/app"]);
    }));
});

/** `--credentials vault:…`: AWS credentials that a loopback Vault makes, good in the loopback AWS. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { RAN, SAY, assertFailed, assertPrinted, until } from "./expect.ts";
import { ARTEFACTS, BUCKET, KEY, push, sealexec } from "./harness.ts";
import { paths, withPlace } from "./vault-place.ts";
import type { Place } from "./vault-place.ts";

const URI = `s3://${BUCKET}/app.env`;
const CREDS = "vault:aws/creds/app";
const STS = "vault:aws/sts/app";
const run = (...flags: string[]): string[] => ["run", "--from", URI, "--key", KEY, ...flags, "--", ...SAY];

function withSealed(work: (place: Place) => Promise<void>): Promise<void> {
  return withPlace(async (place) => {
    await push(place.aws, "app.env", "A=1\n");
    place.aws.resetCalls();
    place.vault.awsEngine.addRole("app");
    await work(place);
  });
}

/** IMDS is there: whoever falls through to it is seen. */
function envOf({ aws, vault, folder }: Place): Record<string, string> {
  return { ...aws.env(), ...vault.tokenEnv(), HOME: folder };
}

/** All that was read was read as this principal, and no other source of credentials was asked. */
function assertReadAs({ aws }: Place, arn: RegExp): void {
  for (const operation of ["GetObject", "Decrypt"]) {
    const calls = aws.calls.filter((call) => call.operation === operation && call.status === 200);
    assert.equal(calls.length, 1, operation);
    assert.match(calls[0]?.arn ?? "", arn);
  }
  assert.equal(aws.count("imds"), 0);
  assert.equal(aws.count("container"), 0);
}

describe("AWS credentials from Vault", { concurrency: 2 }, () => {
  for (const artefact of ARTEFACTS) {
    test(`sts, by the ${artefact.name}: good at once, and STS is not asked`, () =>
      withSealed(async (place) => {
        assertPrinted(await sealexec(run("--credentials", STS), { env: envOf(place), artefact }), `${RAN}\n`);
        assertReadAs(place, /:assumed-role\/app\/vault-sts$/);
        assert.deepEqual(paths(place), ["aws/sts/app"]);
        assert.equal(place.aws.count("sts"), 0);
      }));

    test(`creds, by the ${artefact.name}: a user's key, waited for until IAM knows it`, () =>
      withSealed(async (place) => {
        place.vault.awsEngine.propagationMs = 700;
        const env = { ...envOf(place), SEALEXEC_CREDENTIALS: CREDS };
        assertPrinted(await sealexec(run(), { env, artefact }), `${RAN}\n`);
        assertReadAs(place, /:user\/vault-token-app$/);
        assert.deepEqual(paths(place), ["aws/creds/app"]);
        assert.ok(place.aws.count("sts", "GetCallerIdentity") > 1);
      }));

    test(`creds, by the ${artefact.name}: S3 and KMS hear of the key later than STS`, () =>
      withSealed(async (place) => {
        const late = { action: "status", status: 403, times: 1 } as const;
        place.aws.faults.add({ service: "s3", operation: "GetObject", code: "InvalidAccessKeyId", ...late });
        place.aws.faults.add({ service: "kms", code: "UnrecognizedClientException", ...late });
        const options = { env: envOf(place), artefact };
        assertPrinted(await sealexec(run("--credentials", CREDS), options), `${RAN}\n`);
        assertReadAs(place, /:user\/vault-token-app$/);
      }));
  }

  test("an engine that takes longer than other answers may is not asked a second time: it would make another user", () =>
    withSealed(async (place) => {
      place.vault.faults.add({ action: "delay", delayMs: 10_500, path: /^aws\/creds\// });
      assertPrinted(await sealexec(run("--credentials", CREDS), { env: envOf(place) }), `${RAN}\n`);
      assert.deepEqual(paths(place), ["aws/creds/app"]);
    }));

  test("STS that cannot be asked does not stop it", () =>
    withSealed(async (place) => {
      await place.aws.faults.add({ service: "sts", action: "refuse" }).ready;
      const outcome = await sealexec(run("--credentials", CREDS), { env: envOf(place) });
      assertPrinted(outcome, `${RAN}\n`);
    }));

  test("an STS that only fails is asked once, and not waited for", () =>
    withSealed(async (place) => {
      for (const action of ["reset", "hangUp"] as const) {
        const fault = place.aws.faults.add({ service: "sts", action });
        const outcome = await sealexec(run("--credentials", CREDS), { env: envOf(place) });
        assertPrinted(outcome, `${RAN}\n`);
        assert.equal(fault.hits, 1);
        await fault.remove();
      }
    }));

  test("they count before the environment's own, which CMD still has; Vault's never reach CMD", () =>
    withSealed(async (place) => {
      const own = { AWS_ACCESS_KEY_ID: "AKIAOFTHECONTAINER00", AWS_SECRET_ACCESS_KEY: "of-the-container" };
      const env = { ...envOf(place), ...own };
      const args = ["run", "-f", URI, "--credentials", STS, "--", "cat", "/proc/self/environ"];
      const { status, stdout, stderr } = await sealexec(args, { env });
      assert.equal(status, 0, stderr);
      const names = stdout.split("\0").filter((line) => line.startsWith("AWS_"));
      const given = Object.entries(env).map(([name, value]) => `${name}=${value}`);
      assert.deepEqual(names.sort(), given.filter((line) => line.startsWith("AWS_")).sort());
      for (const { accessKeyId, secretAccessKey, sessionToken = "x" } of place.vault.awsEngine.issued) {
        for (const text of [accessKeyId, secretAccessKey, sessionToken.slice(0, 30)])
          assert.ok(!stdout.includes(text) && !stderr.includes(text));
      }
      assertReadAs(place, /:assumed-role\/app\//);
    }));

  test("check names them and who they are; pull and push use them", () =>
    withSealed(async (place) => {
      const env = envOf(place);
      const checked = await sealexec(["check", "-f", URI, "--credentials", CREDS, "--format", "json"], {
        env,
      });
      assert.equal(checked.status, 0, checked.stdout);
      assert.match(checked.stdout, /"vault:aws\/creds\/app"/);
      assert.match(checked.stdout, /user\/vault-token-app/);
      assertPrinted(await sealexec(["pull", URI, "--credentials", STS], { env }), "A=1\n");
      const file = ["push", "-", URI, "--key", KEY, "--replace", "--credentials", CREDS];
      place.vault.awsEngine.propagationMs = 500;
      const pushed = await sealexec(file, { env, input: "A=2\n" });
      assert.equal(pushed.status, 0, pushed.stderr);
      assert.match(
        place.aws.calls.findLast(({ operation }) => operation === "PutObject")?.arn ?? "",
        /vault-token-app/,
      );
      assert.equal(place.aws.count("imds"), 0);
    }));

  test("one login for the credentials and a vault:// source beside them", () =>
    withSealed(async (place) => {
      const { vault } = place;
      vault.kv2.put("app", { B: "2" });
      const role = vault.approle.addRole({ paths: ["secret/data/app", "aws/sts/app"] });
      const login = {
        VAULT_AUTH: "approle",
        VAULT_ROLE_ID: role,
        VAULT_SECRET_ID: vault.approle.addSecretId(role, 1),
      };
      const env = { ...envOf(place), VAULT_TOKEN: "", ...login };
      const args = ["run", "-f", URI, "-f", "vault://secret/app", "--credentials", STS, "--require", "A,B"];
      assertPrinted(await sealexec([...args, "--", ...SAY], { env }), `${RAN}\n`);
      assert.equal(paths(place).filter((path) => path.startsWith("auth/")).length, 1);
    }));

  test("where only vault:// is read, none are made", () =>
    withSealed(async (place) => {
      place.vault.kv2.put("app", { B: "2" });
      const args = ["run", "-f", "vault://secret/app", "--credentials", STS, "--", ...SAY];
      assertPrinted(await sealexec(args, { env: envOf(place) }), `${RAN}\n`);
      assert.deepEqual(place.vault.awsEngine.issued, []);
    }));
});

interface Failing {
  readonly name: string;
  readonly from?: string;
  readonly status: number;
  readonly error: RegExp;
  readonly hint?: RegExp;
  readonly flags?: readonly string[];
  readonly given?: (place: Place) => Record<string, string>;
}

const FAILING: readonly Failing[] = [
  {
    name: "no form that is known",
    from: "vault:aws/roles/app",
    status: 64,
    error: /--credentials/,
    hint: /creds\/ROLE/,
  },
  { name: "a scheme that is not known", from: "env:", status: 64, error: /--credentials/ },
  { name: "an empty option", from: "", status: 64, error: /--credentials/ },
  {
    name: "a role that is not there",
    from: "vault:aws/creds/none",
    status: 78,
    error: /^credentials: AWS: Vault could not make AWS credentials \(GET aws\/creds\/none: 400\)/,
    hint: /vault list aws\/roles/,
  },
  {
    name: "an engine that is not there",
    from: "vault:none/creds/app",
    status: 66,
    error: /nothing is mounted at this path/,
  },
  {
    name: "a policy that does not allow it",
    status: 77,
    error: /permission denied \(GET aws\/creds\/app: 403\)/,
    given: ({ vault }) => ({ VAULT_TOKEN: vault.tokens.issue({ paths: ["secret/*"] }).text }),
  },
  {
    name: "a key that IAM never knows",
    status: 77,
    error: /^credentials: AWS: AWS does not know the new key yet \(GetCallerIdentity: InvalidClientTokenId\)/,
    hint: /sts\/ROLE/,
    flags: ["--timeout", "4"],
    given: ({ vault }) => {
      vault.awsEngine.propagationMs = 60_000;
      return {};
    },
  },
  {
    name: "an answer without credentials",
    status: 78,
    error: /the answer holds no AWS credentials/,
    given: ({ vault }) => {
      vault.faults.add({ action: "body", body: '{"data": {"access_key": "", "secret_key": 7}}' });
      return {};
    },
  },
  {
    name: "a login by AWS",
    status: 78,
    error: /VAULT_AUTH=aws takes AWS credentials, and these are to come from Vault/,
    given: () => ({ VAULT_TOKEN: "", VAULT_AUTH: "aws", VAULT_ROLE: "app" }),
  },
  {
    name: "no address",
    status: 78,
    error: /VAULT_ADDR is missing/,
    given: () => ({ VAULT_ADDR: "" }),
  },
  {
    name: "silence",
    status: 75,
    error: /no answer in time/,
    flags: ["--timeout", "1"],
    given: ({ vault }) => {
      vault.faults.add({ action: "hang" });
      return {};
    },
  },
];

describe("AWS credentials from Vault: what fails", { concurrency: 3 }, () => {
  for (const { name, from = CREDS, status, error, hint, flags = [], given } of FAILING) {
    test(`${name}: ${status}`, () =>
      withSealed(async (place) => {
        const env = { ...envOf(place), ...given?.(place) };
        assertFailed(await sealexec(run("--credentials", from, ...flags), { env }), status, error, hint);
        assert.equal(place.aws.count("imds"), 0);
        assert.equal(place.aws.count("s3"), 0);
      }));
  }

  test("a session that is refused is not tried again: it is no new user's key", () =>
    withSealed(async (place) => {
      const { aws } = place;
      aws.faults.add({ service: "s3", action: "status", status: 403, code: "InvalidAccessKeyId" });
      const outcome = await sealexec(run("--credentials", STS), { env: envOf(place) });
      assertFailed(outcome, 77, /the credentials were refused/);
      assert.equal(aws.count("s3"), 1);
    }));

  test("a signal ends the waiting", () =>
    withSealed(async (place) => {
      place.vault.faults.add({ action: "hang" });
      const prefix = ["timeout", "--preserve-status", "--signal=TERM", "1"];
      const outcome = sealexec(run("--credentials", STS), { env: envOf(place), prefix });
      await until(() => place.vault.calls.length > 0);
      assert.equal((await outcome).status, 143);
    }));
});

/** One suite that every source of credentials passes, the order of the chain, and the order of the region. */
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { sealBlob } from "../aws/kms-blob.ts";
import type { Command } from "../aws/control.ts";
import type { ServiceName } from "../aws/http.ts";
import { startAws } from "../aws/server.ts";
import type { Aws } from "../aws/server.ts";
import { startVault } from "../vault/server.ts";
import type { Vault } from "../vault/server.ts";
import { RAN, SAY, assertFailed, assertPrinted, until, withFolder } from "../e2e/expect.ts";
import {
  ARTEFACTS,
  BINARY,
  BUCKET,
  KEY,
  ROOT,
  onPath,
  push,
  runProcess,
  sealexec,
  withAws,
} from "../e2e/harness.ts";

const URI = `s3://${BUCKET}/app.env`;
const ROLE = "arn:aws:iam::111122223333:role/target";
const [USER_KEY, USER_SECRET] = ["AKIAUSEROFPROFILE000", "secret-of-the-profile"];

interface Place {
  readonly aws: Aws;
  readonly vault: Vault;
  /** HOME */
  readonly folder: string;
}

interface Source {
  readonly name: string;
  /** what check calls it */
  readonly shown: string;
  /** who it is then */
  readonly arn: RegExp;
  /** which services were asked for the credentials */
  readonly asked: readonly ServiceName[];
  readonly given: (place: Place) => Promise<Record<string, string>>;
}

async function writeAws(folder: string, file: "config" | "credentials", text: string): Promise<void> {
  await mkdir(join(folder, ".aws"), { recursive: true });
  await writeFile(join(folder, ".aws", file), text);
}

async function withMetadataAt(folder: string, endpoint: string): Promise<Record<string, string>> {
  await writeAws(folder, "config", `[default]\nec2_metadata_service_endpoint = ${endpoint}\n`);
  return { AWS_EC2_METADATA_SERVICE_ENDPOINT: "" };
}

async function writeToken(folder: string, text: string): Promise<string> {
  const file = join(folder, "token");
  await writeFile(file, text);
  return file;
}

function addUser(aws: Aws): string {
  aws.identities.addAccessKey({ accessKeyId: USER_KEY, secretAccessKey: USER_SECRET });
  return `aws_access_key_id = ${USER_KEY}\naws_secret_access_key = ${USER_SECRET}\n`;
}

function vaultEnv({ vault }: Place, kind: "creds" | "sts"): Record<string, string> {
  vault.awsEngine.addRole("app");
  return { ...vault.tokenEnv(), SEALEXEC_CREDENTIALS: `vault:aws/${kind}/app` };
}

const SOURCES: readonly Source[] = [
  {
    name: "Vault, a session",
    shown: "vault:aws/sts/app",
    arn: /:assumed-role\/app\/vault-sts$/,
    asked: [],
    given: async (place) => vaultEnv(place, "sts"),
  },
  {
    name: "Vault, a user's key",
    shown: "vault:aws/creds/app",
    arn: /:user\/vault-token-app$/,
    // Whether AWS knows the key.
    asked: ["sts"],
    given: async (place) => vaultEnv(place, "creds"),
  },
  {
    name: "environment, a user's key",
    shown: "environment",
    arn: /:user\/tester$/,
    asked: [],
    given: async ({ aws }) => {
      const { AWS_ACCESS_KEY_ID = "", AWS_SECRET_ACCESS_KEY = "" } = aws.keyEnv();
      return { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY };
    },
  },
  {
    name: "environment, a session",
    shown: "environment",
    arn: /:assumed-role\/target\/ci$/,
    asked: [],
    given: async ({ aws }) => {
      const session = aws.identities.issue(ROLE, "ci", 3_600_000);
      return {
        AWS_ACCESS_KEY_ID: session.accessKeyId,
        AWS_SECRET_ACCESS_KEY: session.secretAccessKey,
        AWS_SESSION_TOKEN: session.sessionToken ?? "",
      };
    },
  },
  {
    name: "profile, a user's key",
    shown: "profile dev",
    arn: /:user\/tester$/,
    asked: [],
    given: async ({ aws, folder }) => {
      await writeAws(folder, "credentials", `[default]\naws_access_key_id = WRONG\n\n[dev]\n${addUser(aws)}`);
      return { AWS_PROFILE: "dev" };
    },
  },
  {
    name: "profile, in a file of another name",
    shown: "profile dev",
    arn: /:user\/tester$/,
    asked: [],
    given: async ({ aws, folder }) => {
      const file = join(folder, "keys");
      await writeFile(file, `[dev]\n${addUser(aws)}`);
      return { AWS_PROFILE: "dev", AWS_SHARED_CREDENTIALS_FILE: file };
    },
  },
  {
    name: "profile, the default one, which nobody named",
    shown: "profile default",
    arn: /:user\/tester$/,
    asked: [],
    given: async ({ aws, folder }) => {
      await writeAws(folder, "credentials", `[default]\n${addUser(aws)}`);
      return {};
    },
  },
  {
    name: "profile that assumes a role",
    shown: "profile prod",
    arn: /:assumed-role\/target\/deploy$/,
    asked: ["sts"],
    given: async ({ aws, folder }) => {
      await writeAws(folder, "credentials", `[base]\n${addUser(aws)}`);
      const role = `role_arn = ${ROLE}\nrole_session_name = deploy\nsource_profile = base\n`;
      await writeAws(folder, "config", `[profile prod]\n${role}`);
      return { AWS_PROFILE: "prod" };
    },
  },
  {
    name: "profile that assumes a role over another",
    shown: "profile last",
    arn: /:assumed-role\/target\/last$/,
    asked: ["sts"],
    given: async ({ aws, folder }) => {
      await writeAws(folder, "credentials", `[base]\n${addUser(aws)}`);
      const role = (name: string, from: string) =>
        `[profile ${name}]\nrole_arn = ${ROLE}\nrole_session_name = ${name}\nsource_profile = ${from}\n`;
      await writeAws(folder, "config", role("middle", "base") + role("last", "middle"));
      return { AWS_PROFILE: "last" };
    },
  },
  {
    name: "profile with a web identity",
    shown: "profile pod",
    arn: /:assumed-role\/target\//,
    asked: ["sts"],
    given: async ({ aws, folder }) => {
      aws.sts.addWebToken("token-of-the-pod");
      const file = await writeToken(folder, "token-of-the-pod");
      await writeAws(
        folder,
        "config",
        `[profile pod]\nrole_arn = ${ROLE}\nweb_identity_token_file = ${file}\n`,
      );
      return { AWS_PROFILE: "pod" };
    },
  },
  {
    name: "profile with a process",
    shown: "profile tool",
    arn: /:user\/tester$/,
    asked: [],
    given: async ({ aws, folder }) => {
      addUser(aws);
      const answer = { Version: 1, AccessKeyId: USER_KEY, SecretAccessKey: USER_SECRET };
      await writeFile(join(folder, "answer.json"), JSON.stringify(answer));
      await writeAws(folder, "config", `[profile tool]\ncredential_process = cat ${folder}/answer.json\n`);
      return { AWS_PROFILE: "tool" };
    },
  },
  {
    name: "web identity (IRSA)",
    shown: `web identity (${ROLE})`,
    arn: /:assumed-role\/target\/my-pod$/,
    asked: ["sts"],
    given: async ({ aws, folder }) => {
      aws.sts.addWebToken("token-of-the-pod");
      return {
        AWS_WEB_IDENTITY_TOKEN_FILE: await writeToken(folder, "token-of-the-pod"),
        AWS_ROLE_ARN: ROLE,
        AWS_ROLE_SESSION_NAME: "my-pod",
      };
    },
  },
  {
    name: "container, full URI with a token",
    shown: "container (full URI: EKS Pod Identity or another agent)",
    arn: /:assumed-role\/sealexec-task-role\//,
    asked: ["container"],
    given: async ({ aws }) => ({
      AWS_CONTAINER_CREDENTIALS_FULL_URI: aws.endpoints.container + aws.container.path,
      AWS_CONTAINER_AUTHORIZATION_TOKEN: aws.container.token,
    }),
  },
  {
    name: "container, full URI whose path is the secret (ECS)",
    shown: "container (full URI: EKS Pod Identity or another agent)",
    arn: /:assumed-role\/sealexec-task-role\//,
    asked: ["container"],
    given: async ({ aws }) => ({
      AWS_CONTAINER_CREDENTIALS_FULL_URI: aws.endpoints.container + aws.container.relativeUri,
    }),
  },
  {
    name: "EKS Pod Identity, token in a file",
    shown: "container (full URI: EKS Pod Identity or another agent)",
    arn: /:assumed-role\/sealexec-task-role\//,
    asked: ["container"],
    given: async ({ aws, folder }) => ({
      AWS_CONTAINER_CREDENTIALS_FULL_URI: aws.endpoints.container + aws.container.path,
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: await writeToken(folder, aws.container.token),
    }),
  },
  {
    name: "EKS Pod Identity, whose token in a file counts before the one of a variable",
    shown: "container (full URI: EKS Pod Identity or another agent)",
    arn: /:assumed-role\/sealexec-task-role\//,
    asked: ["container"],
    given: async ({ aws, folder }) => ({
      AWS_CONTAINER_CREDENTIALS_FULL_URI: aws.endpoints.container + aws.container.path,
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: await writeToken(folder, aws.container.token),
      AWS_CONTAINER_AUTHORIZATION_TOKEN: "of-yesterday",
    }),
  },
  {
    name: "instance metadata",
    shown: "instance metadata",
    arn: /:assumed-role\/sealexec-role\/i-/,
    asked: ["imds"],
    given: async () => ({}),
  },
  {
    name: "instance metadata, whose address counts before its kind",
    shown: "instance metadata",
    arn: /:assumed-role\/sealexec-role\/i-/,
    asked: ["imds"],
    given: async () => ({ AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE: "IPv6" }),
  },
  {
    name: "instance metadata, at the address that the config file names",
    shown: "instance metadata",
    arn: /:assumed-role\/sealexec-role\/i-/,
    asked: ["imds"],
    given: ({ aws, folder }) => withMetadataAt(folder, aws.endpoints.imds),
  },
];

interface Step {
  readonly stage: string;
  readonly mark: string;
  readonly detail?: string;
}

async function stepsOf(env: Record<string, string>, ...flags: string[]): Promise<Map<string, Step>> {
  const outcome = await sealexec(["check", "--from", URI, "--format", "json", ...flags], { env });
  const { steps } = JSON.parse(outcome.stdout) as { steps: Step[] };
  return new Map(steps.map((step) => [step.stage, step]));
}

function withPlace(work: (place: Place) => Promise<void>): Promise<void> {
  return withFolder((folder) =>
    withAws(async (aws) => {
      await push(aws, "app.env", "A=1\n");
      aws.resetCalls();
      const vault = await startVault(aws);
      try {
        await work({ aws, vault, folder });
      } finally {
        await vault.close();
      }
    }),
  );
}

/** IMDS is there in all of these: whoever falls through to it is seen. */
function baseEnv({ aws, folder }: Place): Record<string, string> {
  return { ...aws.env(), HOME: folder };
}

describe("credentials: every source", { concurrency: 2 }, () => {
  for (const { name, shown, arn, asked, given } of SOURCES) {
    for (const artefact of ARTEFACTS) {
      test(`${name}: run works by the ${artefact.name}, as the right role, and nobody else is asked`, () =>
        withPlace(async (place) => {
          const { aws } = place;
          const env = { ...baseEnv(place), ...(await given(place)) };
          const run = ["run", "--from", URI, "--key", KEY, "--", ...SAY];
          assertPrinted(await sealexec(run, { env, artefact }), `${RAN}\n`);
          for (const operation of ["GetObject", "Decrypt"]) {
            const calls = aws.calls.filter((call) => call.operation === operation);
            assert.equal(calls.length, 1);
            assert.match(calls[0]?.arn ?? "", arn);
          }
          for (const service of ["imds", "container", "sts"] as const) {
            assert.equal(aws.count(service) > 0, asked.includes(service), service);
          }
          assert.equal(aws.count("imds", "GetWithoutToken"), 0);
        }));
    }

    test(`${name}: check names it, and who it is`, () =>
      withPlace(async (place) => {
        const steps = await stepsOf({ ...baseEnv(place), ...(await given(place)) });
        assert.equal(steps.get("credentials")?.detail, shown);
        assert.match(steps.get("role")?.detail ?? "", arn);
      }));
  }
});

describe("credentials: the order of the chain", () => {
  const ORDER = [
    "Vault, a session",
    "environment, a user's key",
    "profile, a user's key",
    "web identity (IRSA)",
    "container, full URI with a token",
    "instance metadata",
  ];

  test("what was chosen, then environment, profile, web identity, container, instance", () =>
    withPlace(async (place) => {
      const sources = ORDER.map((name) => SOURCES.find((source) => source.name === name));
      const envs = await Promise.all(sources.map(async (source) => (await source?.given(place)) ?? {}));
      const seen: string[] = [];
      for (let first = 0; first < sources.length; first += 1) {
        const env = Object.assign(baseEnv(place), ...envs.slice(first)) as Record<string, string>;
        // Without AWS_PROFILE the default profile of the file would count.
        if (first > 2) env["AWS_SHARED_CREDENTIALS_FILE"] = join(place.folder, "none");
        seen.push((await stepsOf(env)).get("credentials")?.detail ?? "none");
      }
      assert.deepEqual(
        seen,
        sources.map((source) => source?.shown),
      );
    }));

  test("a default profile without credentials is no source: the next one is asked", () =>
    withPlace(async (place) => {
      await writeAws(place.folder, "config", "[default]\nregion = us-east-1\n");
      const steps = await stepsOf(baseEnv(place));
      assert.equal(steps.get("credentials")?.detail, "instance metadata");
    }));

  test("an empty variable is none", () =>
    withPlace(async (place) => {
      const empty = {
        AWS_ACCESS_KEY_ID: "",
        AWS_SECRET_ACCESS_KEY: "",
        AWS_SESSION_TOKEN: "",
        AWS_PROFILE: "",
        AWS_WEB_IDENTITY_TOKEN_FILE: "",
        AWS_CONTAINER_CREDENTIALS_FULL_URI: "",
        AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: "",
      };
      const steps = await stepsOf({ ...baseEnv(place), ...empty });
      assert.equal(steps.get("credentials")?.detail, "instance metadata");
    }));
});

interface Broken {
  readonly name: string;
  readonly status: number;
  readonly error: RegExp;
  readonly hint?: RegExp;
  readonly given: (place: Place) => Promise<Record<string, string>>;
}

const webIdentity = async (folder: string, token: string): Promise<Record<string, string>> => ({
  AWS_WEB_IDENTITY_TOKEN_FILE: await writeToken(folder, token),
  AWS_ROLE_ARN: ROLE,
});

const ssoConfig =
  "[profile sso]\nsso_session = corp\nsso_account_id = 111122223333\nsso_role_name = dev\n" +
  "[sso-session corp]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = us-east-1\n" +
  "sso_registration_scopes = sso:account:access\n";

const BROKEN: readonly Broken[] = [
  {
    name: "an address of the metadata service in the config file that is none",
    status: 78,
    error: /ec2_metadata_service_endpoint is not an endpoint URL$/,
    given: ({ folder }) => withMetadataAt(folder, "metadata.example.com"),
  },
  {
    name: "one of plain HTTP elsewhere",
    status: 78,
    error: /metadata\.example\.com: plain HTTP is refused outside this machine$/,
    given: ({ folder }) => withMetadataAt(folder, "http://metadata.example.com"),
  },
  {
    name: "half of an environment",
    status: 78,
    error: /AWS_SECRET_ACCESS_KEY is missing/,
    given: async () => ({ AWS_ACCESS_KEY_ID: "AKIAUNKNOWN000000000" }),
  },
  {
    name: "a key that nobody knows",
    status: 77,
    error: /^object: .*refused: AWS does not know the access key \(GetObject: InvalidAccessKeyId/,
    given: async () => ({ AWS_ACCESS_KEY_ID: "AKIAUNKNOWN000000000", AWS_SECRET_ACCESS_KEY: "x" }),
  },
  {
    name: "a profile that is not there",
    status: 78,
    error: /profile nobody/,
    given: async () => ({ AWS_PROFILE: "nobody" }),
  },
  {
    name: "a profile that is not there, beside others",
    status: 78,
    error: /profile nobody: no usable credentials in the shared files: there is no profile nobody$/,
    hint: /AWS_PROFILE.*the shared files have dev, other, sso$/,
    given: async ({ aws, folder }) => {
      await writeAws(folder, "config", `[profile dev]\nregion = us-east-1\n${ssoConfig}`);
      await writeAws(folder, "credentials", `[other]\n${addUser(aws)}`);
      return { AWS_PROFILE: "nobody" };
    },
  },
  {
    name: "a profile with nothing in it",
    status: 78,
    error: /profile dev: no usable credentials in the shared files: dev has none in it$/,
    given: async ({ folder }) => {
      await writeAws(folder, "config", "[profile dev]\nregion = us-east-1\n");
      return { AWS_PROFILE: "dev" };
    },
  },
  {
    name: "a profile with a role and nobody to take it",
    status: 78,
    error:
      /profile dev: no usable credentials in the shared files: dev has a role_arn, but no source_profile or credential_source$/,
    hint: /source_profile/,
    given: async ({ folder }) => {
      await writeAws(folder, "config", "[profile dev]\nrole_arn = arn:aws:iam::111122223333:role/app\n");
      return { AWS_PROFILE: "dev" };
    },
  },
  {
    name: "a profile with half of its keys",
    status: 78,
    error: /profile sso-half: .*: sso-half has no aws_secret_access_key beside its other half$/,
    hint: /aws configure/,
    given: async ({ folder }) => {
      await writeAws(folder, "credentials", `[sso-half]\naws_access_key_id = ${USER_KEY}\n`);
      return { AWS_PROFILE: "sso-half" };
    },
  },
  {
    name: "a default profile, which nobody named, with half of its keys",
    status: 78,
    error: /profile default: .*: default has no aws_access_key_id beside its other half$/,
    given: async ({ folder }) => {
      await writeAws(folder, "credentials", `[default]\naws_secret_access_key = ${USER_SECRET}\n`);
      return {};
    },
  },
  {
    name: "a profile whose process fails",
    status: 78,
    error: /profile tool: .*: the credential_process of tool ended with status 7$/,
    given: async ({ folder }) => {
      const process = "sh -c 'echo canary >&2; exit 7'";
      await writeAws(folder, "config", `[profile tool]\ncredential_process = ${process}\n`);
      return { AWS_PROFILE: "tool" };
    },
  },
  {
    name: "a role over a profile whose process is killed",
    status: 78,
    error: /profile prod: .*: the credential_process of tool ended with SIGKILL$/,
    given: async ({ folder }) => {
      const role = `role_arn = ${ROLE}\nsource_profile = tool\n`;
      const process = "kill -9 $$";
      await writeAws(
        folder,
        "config",
        `[profile prod]\n${role}[profile tool]\ncredential_process = ${process}\n`,
      );
      return { AWS_PROFILE: "prod" };
    },
  },
  {
    name: "a profile whose process prints something else",
    status: 78,
    error: /profile tool: .*: the credential_process of tool did not print credentials$/,
    hint: /Version 1/,
    given: async ({ folder }) => {
      await writeAws(folder, "config", "[profile tool]\ncredential_process = echo canary\n");
      return { AWS_PROFILE: "tool" };
    },
  },
  {
    name: "a profile whose process gives what has expired",
    status: 77,
    error: /profile tool: .*: the credential_process of tool gave expired credentials$/,
    given: async ({ folder }) => {
      const answer = {
        Version: 1,
        AccessKeyId: USER_KEY,
        SecretAccessKey: USER_SECRET,
        SessionToken: "token",
        Expiration: "2020-01-01T00:00:00Z",
      };
      await writeFile(join(folder, "answer.json"), JSON.stringify(answer));
      await writeAws(folder, "config", `[profile tool]\ncredential_process = cat ${folder}/answer.json\n`);
      return { AWS_PROFILE: "tool" };
    },
  },
  {
    name: "profiles that are each other's source",
    status: 78,
    error: /profile prod: .*: prod is its own source_profile$/,
    given: async ({ folder }) => {
      const [there, back] = ["base", "prod"].map(
        (source) => `role_arn = ${ROLE}\nsource_profile = ${source}\n`,
      );
      await writeAws(folder, "config", `[profile prod]\n${there}[profile base]\n${back}`);
      return { AWS_PROFILE: "prod" };
    },
  },
  {
    name: "a profile whose source profile is not there",
    status: 78,
    error: /profile prod: .*: there is no profile none$/,
    given: async ({ folder }) => {
      await writeAws(folder, "config", `[profile prod]\nrole_arn = ${ROLE}\nsource_profile = none\n`);
      return { AWS_PROFILE: "prod" };
    },
  },
  {
    name: "a profile that may not assume its role",
    status: 77,
    error: /profile prod.*AccessDenied, 403, request id/,
    given: async ({ aws, folder }) => {
      aws.sts.deny("AssumeRole");
      await writeAws(folder, "credentials", `[base]\n${addUser(aws)}`);
      await writeAws(folder, "config", `[profile prod]\nrole_arn = ${ROLE}\nsource_profile = base\n`);
      return { AWS_PROFILE: "prod" };
    },
  },
  {
    name: "an SSO profile that never logged in",
    status: 77,
    error: /profile sso: its single sign-on session is missing or expired/,
    hint: /aws sso login --profile sso/,
    given: async ({ folder }) => {
      await writeAws(folder, "config", ssoConfig);
      return { AWS_PROFILE: "sso" };
    },
  },
  {
    name: "an SSO profile whose login is over",
    status: 77,
    error: /profile sso: its single sign-on session is missing or expired/,
    hint: /aws sso login --profile sso/,
    given: async ({ folder }) => {
      await writeAws(folder, "config", ssoConfig);
      const cache = join(folder, ".aws", "sso", "cache");
      await mkdir(cache, { recursive: true });
      const token = { accessToken: "over", expiresAt: "2020-01-01T00:00:00Z", region: "us-east-1" };
      const name = createHash("sha1").update("corp").digest("hex");
      await writeFile(join(cache, `${name}.json`), JSON.stringify(token));
      return { AWS_PROFILE: "sso" };
    },
  },
  {
    name: "a web identity without a role",
    status: 78,
    error: /AWS_ROLE_ARN is missing/,
    given: async ({ folder }) => ({ AWS_WEB_IDENTITY_TOKEN_FILE: await writeToken(folder, "x") }),
  },
  {
    name: "a web identity token that nobody knows",
    status: 77,
    error: /the web identity token was refused \(AssumeRoleWithWebIdentity: InvalidIdentityToken/,
    given: ({ folder }) => webIdentity(folder, "made-up"),
  },
  {
    name: "a web identity token that is over",
    status: 77,
    error: /expired \(AssumeRoleWithWebIdentity: ExpiredToken/,
    given: ({ aws, folder }) => {
      aws.sts.addWebToken("old", { expired: true });
      return webIdentity(folder, "old");
    },
  },
  {
    name: "a web identity that may not have its role",
    status: 77,
    error: /AssumeRoleWithWebIdentity: AccessDenied/,
    given: ({ aws, folder }) => {
      aws.sts.addWebToken("token");
      aws.sts.deny("AssumeRoleWithWebIdentity");
      return webIdentity(folder, "token");
    },
  },
  {
    name: "a web identity token file that is not there",
    status: 78,
    error: /AWS_WEB_IDENTITY_TOKEN_FILE: .* cannot be read/,
    given: async ({ folder }) => ({ AWS_WEB_IDENTITY_TOKEN_FILE: join(folder, "no"), AWS_ROLE_ARN: ROLE }),
  },
  {
    name: "a container agent that refuses the token",
    status: 77,
    error: /the agent refused to give credentials \(403\)/,
    given: async ({ aws }) => ({
      AWS_CONTAINER_CREDENTIALS_FULL_URI: aws.endpoints.container + aws.container.path,
      AWS_CONTAINER_AUTHORIZATION_TOKEN: "made-up",
    }),
  },
  {
    name: "a container token file that is not there",
    status: 78,
    error: /AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: .* cannot be read/,
    given: async ({ aws, folder }) => ({
      AWS_CONTAINER_CREDENTIALS_FULL_URI: aws.endpoints.container + aws.container.path,
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: join(folder, "no"),
    }),
  },
  {
    name: "a container agent at a stranger's address",
    status: 78,
    error: /may be asked|plain HTTP/,
    given: async () => ({ AWS_CONTAINER_CREDENTIALS_FULL_URI: "http://agent.example.com/v1/credentials" }),
  },
  {
    name: "a container agent that is not there",
    status: 69,
    error: /the agent gives no answer/,
    given: async ({ aws }) => {
      await aws.faults.add({ service: "container", action: "refuse" }).ready;
      return {
        AWS_CONTAINER_CREDENTIALS_FULL_URI: aws.endpoints.container + aws.container.path,
        SEALEXEC_TIMEOUT: "1",
      };
    },
  },
];

describe("credentials: a token file is read again for each attempt, as it is rotated", () => {
  const ROTATED: readonly {
    readonly name: string;
    readonly service: "sts" | "container";
    readonly given: (file: string, place: Place) => Record<string, string>;
  }[] = [
    {
      name: "of a web identity",
      service: "sts",
      given: (file, { aws }) => {
        aws.sts.addWebToken("new");
        return { AWS_WEB_IDENTITY_TOKEN_FILE: file, AWS_ROLE_ARN: ROLE };
      },
    },
    {
      name: "of an agent",
      service: "container",
      given: (file, { aws }) => ({
        AWS_CONTAINER_CREDENTIALS_FULL_URI: aws.endpoints.container + aws.container.path,
        AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: file,
      }),
    },
  ];
  for (const { name, service, given } of ROTATED) {
    test(name, () =>
      withPlace(async (place) => {
        const { aws, folder } = place;
        const file = await writeToken(folder, "old");
        // The first attempt fails in the end, and by then the file has another token.
        const slow = aws.faults.add({ service, action: "delay", delayMs: 700, times: 1 });
        aws.faults.add({ service, action: "status", status: 500, times: 1 });
        const env = { ...baseEnv(place), ...given(file, place) };
        const outcome = sealexec(["run", "--from", URI, "--", ...SAY], { env });
        await until(() => slow.hits > 0);
        // With a line end, as most tools write a file: it is none of the token.
        await writeToken(folder, `${service === "sts" ? "new" : aws.container.token}\n`);
        assertPrinted(await outcome, `${RAN}\n`);
        assert.equal(aws.count(service), 2);
      }),
    );
  }
});

describe("credentials: a configured source that is broken stops the chain", { concurrency: 2 }, () => {
  for (const { name, status, error, hint, given } of BROKEN) {
    test(`${name}: ${status}, and IMDS is not asked`, () =>
      withPlace(async (place) => {
        const env = { ...baseEnv(place), ...(await given(place)) };
        const outcome = await sealexec(["run", "--from", URI, "--", ...SAY], { env });
        assertFailed(outcome, status, error, hint);
        assert.equal(place.aws.count("imds"), 0);
        assert.equal(place.aws.count("kms"), 0);
      }));
  }

  test("a clock that is off ends a profile's role at once: no attempt learns from the one before it", () =>
    withPlace(async (place) => {
      const { aws } = place;
      aws.clockOffsetMs = 3_600_000;
      const role = SOURCES.find(({ name }) => name === "profile that assumes a role");
      const env = { ...baseEnv(place), ...(await role?.given(place)) };
      const outcome = await sealexec(["run", "--from", URI, "--", ...SAY], { env });
      assertFailed(outcome, 78, /clock is too far off: 60 minutes behind AWS's/, /set the clock/);
      assert.equal(aws.count("sts"), 1);
    }));

  test("IMDS that would answer without a token is never asked so", () =>
    withPlace(async (place) => {
      place.aws.imds.allowV1 = true;
      place.aws.faults.add({ service: "imds", operation: "GetToken", action: "status", status: 403 });
      const env = { ...baseEnv(place), SEALEXEC_TIMEOUT: "1" };
      const outcome = await sealexec(["run", "--from", URI, "--", ...SAY], { env });
      assertFailed(outcome, 69, /IMDSv2/, /hop limit/);
      assert.equal(place.aws.count("imds", "GetWithoutToken"), 0);
      assert.equal(place.aws.count("s3"), 0);
    }));

  test("the instance without a role: 77", () =>
    withPlace(async (place) => {
      place.aws.imds.role = undefined;
      const outcome = await sealexec(["run", "--from", URI, "--", ...SAY], { env: baseEnv(place) });
      assertFailed(outcome, 77, /no role is attached/, /instance profile/);
    }));
});

describe("credentials: at their real addresses", () => {
  const skip = whyNoNamespace();

  test("ECS's relative URI, which is asked at 169.254.170.2", { skip }, () =>
    inNamespace(async (words, aws) => {
      const env = {
        ...aws.serviceEnv,
        AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: aws.relativeUri,
        // It counts where there are both.
        AWS_CONTAINER_CREDENTIALS_FULL_URI: "http://127.0.0.1:9/",
      };
      const push = [...words, BINARY, "push", "-", URI, "--key", "alias/sealexec"];
      const pushed = await runProcess(push, { env, input: "A=1\n" });
      assert.equal(pushed.status, 0, pushed.stderr);
      for (const { command } of ARTEFACTS) {
        const run = [...words, ...command, "run", "--from", URI, "--", ...SAY];
        assertPrinted(await runProcess(run, { env }), `${RAN}\n`);
      }
      const check = await runProcess([...words, BINARY, "check", "--from", URI], { env });
      assert.match(check.stdout, /✓ credentials .*container \(ECS\)/);
    }),
  );

  test("IMDS without any setting, which is asked at 169.254.169.254", { skip }, () =>
    inNamespace(async (words, aws) => {
      const { AWS_REGION: _, ...env } = aws.serviceEnv;
      const push = [...words, BINARY, "push", "-", URI, "--key", "alias/sealexec"];
      const pushed = await runProcess(push, { env, input: "A=1\n" });
      assert.equal(pushed.status, 0, pushed.stderr);
      const check = await runProcess([...words, BINARY, "check", "--from", URI], { env });
      assert.match(check.stdout, /✓ credentials .*instance metadata/);
      assert.match(check.stdout, /✓ region .*us-east-1 \(from instance metadata\)/);
    }),
  );
});

function whyNoNamespace(): string | false {
  if (onPath("ip") === undefined) return "no ip on PATH";
  if (process.getuid?.() !== 0) return "only root can make a network namespace";
  return spawnSync("unshare", ["-n", "true"]).status === 0 ? false : "no network namespaces here";
}

interface Inside {
  readonly serviceEnv: Record<string, string>;
  readonly relativeUri: string;
  readonly control: (command: Command) => Promise<void>;
}

/** Words before a command for which this machine's maker is another one. */
function madeBy(vendor: string): readonly string[] {
  const folder = "/sys/class/dmi/id";
  const mount = `mount -t tmpfs none /sys/class && mkdir -p ${folder} && echo ${vendor} > ${folder}/sys_vendor`;
  return ["unshare", "--mount", "sh", "-c", `${mount} && exec "$@"`, "sh"];
}

let namespaces = 0;

/** A loopback AWS in a network namespace of its own, where the metadata addresses are free. */
async function inNamespace(work: (words: readonly string[], aws: Inside) => Promise<void>): Promise<void> {
  namespaces += 1;
  const name = `sealexec-${process.pid}-credentials-${namespaces}`;
  const ip = (...words: string[]): unknown => execFileSync("ip", words, { stdio: "pipe" });
  ip("netns", "add", name);
  try {
    ip("-n", name, "link", "set", "lo", "up");
    for (const address of ["169.254.169.254", "169.254.170.2"]) {
      ip("-n", name, "addr", "add", `${address}/32`, "dev", "lo");
    }
    const words = ["ip", "netns", "exec", name];
    const listen = ["--listen", "imds=169.254.169.254:80", "--listen", "container=169.254.170.2:80"];
    const [file = "", ...rest] = [...words, process.execPath, `${ROOT}test/aws/main.ts`, ...listen];
    const server = spawn(file, rest, { stdio: ["pipe", "pipe", "inherit"] });
    const ended = new Promise((resolve) => {
      server.once("exit", resolve);
    });
    try {
      const line = await new Promise<string>((resolve, reject) => {
        server.stdout.once("data", (chunk: Buffer) => resolve(chunk.toString()));
        server.once("exit", () => reject(new Error("the AWS in the namespace did not start")));
      });
      const summary = JSON.parse(line) as {
        env: Record<string, string>;
        relativeUri: string;
        endpoints: Record<string, string>;
      };
      const control = async (command: Command): Promise<void> => {
        const body = JSON.stringify(JSON.stringify(command));
        const ask = `fetch(${JSON.stringify(`${summary.endpoints["control"]}/_control`)}, { method: "POST", body: ${body} })`;
        assertPrinted(await runProcess([...words, process.execPath, "-e", ask]), "");
      };
      await control({ do: "s3.createBucket", bucket: BUCKET });
      const { AWS_EC2_METADATA_SERVICE_ENDPOINT: _, ...serviceEnv } = summary.env;
      await work(words, { serviceEnv, relativeUri: summary.relativeUri, control });
    } finally {
      server.stdin.end();
      await ended;
    }
  } finally {
    ip("netns", "delete", name);
  }
}

describe("credentials: instance metadata that is silent", { concurrency: 2 }, () => {
  const skip = whyNoNamespace();
  // On a machine that is no instance it is waited a second, on one that may be to the deadline.
  const flags = ["run", "--from", URI, "--timeout", "3", "--", ...SAY];
  const patient = ["run", "--from", URI, "--timeout", "20", "--", ...SAY];

  for (const { name, command } of ARTEFACTS) {
    test(`on another maker's machine there are no credentials then, by the ${name}`, { skip }, () =>
      inNamespace(async (words, aws) => {
        await aws.control({ do: "addFault", rule: { service: "imds", action: "silent" } });
        await withFolder(async (folder) => {
          await writeAws(folder, "config", "[profile dev]\nregion = us-east-1\n");
          const env = { ...aws.serviceEnv, HOME: folder };
          const outcome = await runProcess([...words, ...madeBy("LENOVO"), ...command, ...patient], { env });
          assertFailed(
            outcome,
            77,
            /no credentials found/,
            /AWS_PROFILE \(the shared files have dev\) or run aws sso login/,
          );
        });
      }),
    );
  }

  // A firewall, or the system itself, may refuse at once what nobody would answer.
  for (const [vendor, status, message] of [
    ["LENOVO", 77, /no credentials found/],
    ["'Amazon EC2'", 69, /no credentials to be had by IMDSv2/],
  ] as const) {
    test(`one that refuses connections, on a machine of ${vendor}: ${status}`, { skip }, () =>
      inNamespace(async (words, aws) => {
        await aws.control({ do: "addFault", rule: { service: "imds", action: "refuse" } });
        const env = aws.serviceEnv;
        const outcome = await runProcess([...words, ...madeBy(vendor), BINARY, ...flags], { env });
        assertFailed(outcome, status, message);
      }),
    );
  }

  for (const vendor of ["'Amazon EC2'", "QEMU"]) {
    test(`on a machine of ${vendor} it is waited for`, { skip }, () =>
      inNamespace(async (words, aws) => {
        await aws.control({ do: "addFault", rule: { service: "imds", action: "silent" } });
        const env = aws.serviceEnv;
        const outcome = await runProcess([...words, ...madeBy(vendor), BINARY, ...flags], { env });
        assertFailed(outcome, 69, /no credentials to be had by IMDSv2/, /hop limit/);
      }),
    );
  }

  test("where its address is named, it is waited for on any machine", { skip }, () =>
    inNamespace(async (words, aws) => {
      await aws.control({ do: "addFault", rule: { service: "imds", action: "silent" } });
      const env = { ...aws.serviceEnv, AWS_EC2_METADATA_SERVICE_ENDPOINT: "http://169.254.169.254" };
      const outcome = await runProcess([...words, ...madeBy("LENOVO"), BINARY, ...flags], { env });
      assertFailed(outcome, 69, /no credentials to be had by IMDSv2/);
    }),
  );

  test("one that answers late, but answers, is waited for on any machine", { skip }, () =>
    inNamespace(async (words, aws) => {
      const rule = { service: "imds", action: "status", status: 500, times: 2 } as const;
      await aws.control({ do: "addFault", rule });
      const env = aws.serviceEnv;
      const outcome = await runProcess([...words, ...madeBy("LENOVO"), BINARY, ...flags], { env });
      assertFailed(outcome, 66, /no such object/);
    }),
  );
});

describe("region: URI, environment, profile, key ARN, instance metadata", { concurrency: 2 }, () => {
  const [HOME_REGION, KEY_REGION, INSTANCE_REGION] = ["us-west-2", "ca-central-1", "sa-east-1"];
  const regions = [HOME_REGION, KEY_REGION, "us-east-1", "eu-west-1", "eu-west-2", "eu-west-3", "ap-south-1"];

  interface RegionCase {
    readonly name: string;
    readonly region: string;
    readonly from: RegExp;
  }

  // From the top: each is what counts when all above are taken away.
  const CASES: readonly RegionCase[] = [
    { name: "the URI", region: "ap-south-1", from: /from the URI/ },
    { name: "AWS_REGION", region: "eu-west-1", from: /from AWS_REGION/ },
    { name: "AWS_DEFAULT_REGION", region: "eu-west-2", from: /from AWS_DEFAULT_REGION/ },
    { name: "the profile", region: "eu-west-3", from: /from the profile/ },
    { name: "the key ARN", region: KEY_REGION, from: /from the key ARN/ },
    { name: "instance metadata", region: INSTANCE_REGION, from: /from instance metadata/ },
  ];

  for (const [index, { name, region, from }] of CASES.entries()) {
    test(`${name} counts where nothing before it is told; S3's redirect leads on to the bucket`, () =>
      withFolder(async (folder) => {
        const aws = await startAws({ region: INSTANCE_REGION, regions });
        try {
          aws.s3.createBucket(BUCKET, { region: HOME_REGION });
          // With an ARN, KMS is asked in the ARN's region, and without one in the bucket's.
          const withArn = index <= 4;
          const key = aws.kms.createKey({ region: withArn ? KEY_REGION : HOME_REGION });
          aws.s3.put(BUCKET, "app.env", sealBlob(key, aws.kms.macKey, Buffer.from("A=1\n"), {}));
          await writeAws(folder, "config", "[default]\nregion = eu-west-3\n");
          const { AWS_REGION: _, ...services } = aws.keyEnv();
          const env: Record<string, string> = {
            ...services,
            HOME: folder,
            AWS_EC2_METADATA_SERVICE_ENDPOINT: aws.endpoints.imds,
            AWS_EC2_METADATA_DISABLED: index <= 5 ? "false" : "true",
            ...(index <= 1 ? { AWS_REGION: "eu-west-1" } : {}),
            ...(index <= 2 ? { AWS_DEFAULT_REGION: "eu-west-2" } : {}),
            ...(index <= 3 ? {} : { AWS_CONFIG_FILE: join(folder, "none") }),
          };
          const uri = index === 0 ? `${URI}?region=ap-south-1` : URI;
          const arn = withArn ? ["--key", key.arn] : [];
          const flags = ["--from", uri, "--accept", "kms-direct", ...arn];
          assertPrinted(await sealexec(["run", ...flags, "--", ...SAY], { env }), `${RAN}\n`);
          const asked = aws.calls
            .filter(({ service }) => service === "s3" || service === "kms")
            .map(({ operation, headers }) => {
              const scope = /Credential=[^/]+\/\d+\/([^/]+)\//.exec(headers.get("authorization") ?? "");
              return `${operation} in ${scope?.[1]}`;
            });
          const opened = `Decrypt in ${withArn ? KEY_REGION : HOME_REGION}`;
          assert.deepEqual(asked, [`GetObject in ${region}`, `GetObject in ${HOME_REGION}`, opened]);
          const check = await sealexec(["check", ...flags, "--format", "json"], { env });
          assert.equal(check.status, 0, check.stdout);
          const { steps } = JSON.parse(check.stdout) as { steps: Step[] };
          const detail = steps.find(({ stage }) => stage === "region")?.detail ?? "";
          assert.match(detail, from);
          assert.ok(detail.startsWith(region));
        } finally {
          await aws.close();
        }
      }));
  }

  for (const [answer, status] of [
    ["permanent", 301],
    ["temporary", 307],
    ["malformed", 400],
    ["malformed without a header", 400],
  ] as const) {
    test(`a redirect by ${status} (${answer}) is followed, to the same host as before`, () =>
      withFolder(async (folder) => {
        const aws = await startAws({ region: "us-east-1", regions: ["eu-west-1"] });
        try {
          aws.s3.wrongRegion = answer;
          aws.s3.createBucket(BUCKET, { region: "eu-west-1" });
          const key = aws.kms.createKey({ alias: "app", region: "eu-west-1" });
          aws.s3.put(BUCKET, "app.env", sealBlob(key, aws.kms.macKey, Buffer.from("A=1\n"), {}));
          const env = { ...aws.keyEnv(), HOME: folder };
          const run = ["run", "--from", URI, "--accept", "kms-direct", "--", ...SAY];
          assertPrinted(await sealexec(run, { env }), `${RAN}\n`);
          assert.equal(aws.count("s3", "GetObject"), 2);
          const pushed = await sealexec(["push", "-", `s3://${BUCKET}/new.env`, "--key", "alias/app"], {
            env,
            input: "A=1\n",
          });
          assert.equal(pushed.status, 0, pushed.stderr);
        } finally {
          await aws.close();
        }
      }));
  }
});

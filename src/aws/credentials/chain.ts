/** The credential chain of the AWS SDKs (their reference guide, "Standardized credential providers"). */
// The first source that is configured is the one that counts: if it is broken, the chain stops there.
import type { Context } from "../../base/context.ts";
import { defined } from "../../base/defined.ts";
import { isSet } from "../../base/env.ts";
import type { Environment } from "../../base/env.ts";
import { SealexecError } from "../../base/errors.ts";
import type { Network } from "../../http/network.ts";
import { retry } from "../../http/retry.ts";
import { hasSharedFiles, isTrue } from "../settings.ts";
import type { ChosenSource, CredentialSource, Credentials, Identity } from "./source.ts";

/** @throws "denied" where there are none; "unavailable" where nobody answers; "config" where a source is broken */
export async function loadCredentials(
  context: Context,
  network: Network,
  region: () => Promise<string>,
  chosen?: ChosenSource,
): Promise<Credentials> {
  if (chosen !== undefined) {
    const passedOver = CHAIN.map(({ name }) => `${name}: --credentials (SEALEXEC_CREDENTIALS) names another`);
    return { ...(await chosen.load({ context, network, region })), passedOver };
  }
  const passedOver: string[] = [];
  for (const link of CHAIN) {
    if (!link.isConfigured(context.env)) {
      passedOver.push(`${link.name}: ${link.missing}`);
      continue;
    }
    const source = await link.open(context.env);
    const loaded = await retry(context, source, (signal) =>
      source.load({ context, network, region, signal }),
    );
    if (loaded !== undefined) {
      checkIdentity(loaded, source.name);
      const { accessKeyId, secretAccessKey, sessionToken, expiration } = loaded;
      const expiresAt = expiration?.getTime() ?? Number.NaN;
      return {
        ...(Number.isNaN(expiresAt) ? {} : { expiresAt }),
        identity: { accessKeyId, secretAccessKey, ...defined({ sessionToken }) },
        source: source.name,
        passedOver,
      };
    }
    passedOver.push(`${source.name}: it has no credentials`);
  }
  throw await noneFound(context.env);
}

async function noneFound(env: Environment): Promise<SealexecError> {
  const there = hasSharedFiles(env)
    ? ` (${await (await import("./profiles.ts")).describeProfiles(env)})`
    : "";
  return new SealexecError("denied", "no credentials found", {
    code: "no-credentials",
    hint: `on a desk, set AWS_PROFILE${there} or run aws sso login; elsewhere attach a role to the instance, task or service account`,
  });
}

/** Its code is loaded only if it is configured: a start on an instance needs no SSO client. */
interface Link {
  readonly name: string;
  readonly isConfigured: (env: Environment) => boolean;
  /** why it is passed over where it is not configured */
  readonly missing: string;
  readonly open: (env: Environment) => CredentialSource | Promise<CredentialSource>;
}

const CHAIN: readonly Link[] = [
  {
    name: "environment",
    isConfigured: (env) => isSet(env, "AWS_ACCESS_KEY_ID") || isSet(env, "AWS_SECRET_ACCESS_KEY"),
    missing: "AWS_ACCESS_KEY_ID is not set",
    open: async (env) => (await import("./environment.ts")).environmentSource(env),
  },
  {
    name: "profile",
    isConfigured: (env) => hasSharedFiles(env) || isSet(env, "AWS_PROFILE"),
    missing: "AWS_PROFILE is not set, and there are no shared files",
    open: async (env) => (await import("./profile.ts")).profileSource(env),
  },
  {
    name: "web identity",
    isConfigured: (env) => isSet(env, "AWS_WEB_IDENTITY_TOKEN_FILE"),
    missing: "AWS_WEB_IDENTITY_TOKEN_FILE is not set",
    open: async (env) => (await import("./web-identity.ts")).webIdentitySource(env),
  },
  {
    name: "container",
    isConfigured: (env) =>
      isSet(env, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") ||
      isSet(env, "AWS_CONTAINER_CREDENTIALS_FULL_URI"),
    missing: "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and _FULL_URI are not set",
    open: async (env) => (await import("./container.ts")).containerSource(env),
  },
  {
    name: "instance metadata",
    isConfigured: (env) => !isTrue(env, "AWS_EC2_METADATA_DISABLED"),
    missing: "AWS_EC2_METADATA_DISABLED is true",
    open: async (env) => (await import("./instance.ts")).instanceSource(env),
  },
];

const FIELDS = {
  accessKeyId: "access key id",
  secretAccessKey: "secret access key",
  sessionToken: "session token",
} as const;

/** What no header can carry would fail much later, and as something else. */
function checkIdentity(identity: Identity, source: string): void {
  for (const field of Object.keys(FIELDS) as (keyof typeof FIELDS)[]) {
    const value = identity[field];
    if (value === undefined || /^[\x21-\x7e]+$/.test(value)) continue;
    throw new SealexecError("config", `${source}: the ${FIELDS[field]} is not one word of plain text`, {
      hint: "look for a line break or a blank at its end (a file or a Kubernetes secret made with one)",
    });
  }
}

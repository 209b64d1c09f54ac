/**
 * The credential chain, in the order of the AWS SDKs: environment, profile, web identity, container, instance. The
 * first source that is configured is the one that counts: where it is broken, the chain stops there.
 * Source: AWS SDKs and Tools Reference Guide, "Standardized credential providers".
 */
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Context, Environment } from "../context.ts";
import { SealexecError } from "../errors.ts";
import { refuseUnreadable, whyUnread } from "../setting-file.ts";
import { isTrue } from "./flag.ts";
import type { Network } from "./network.ts";
import type { Failure } from "./failure.ts";
import { retry } from "./retry.ts";

export interface Identity {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** What a source hands out. */
export interface LoadedIdentity extends Identity {
  readonly expiration?: Date;
}

export interface Credentials {
  readonly identity: Identity;
  /** milliseconds since 1970, by AWS's clock; absent: nobody says that they expire */
  readonly expiresAt?: number;
  /** where they came from, for people: `instance metadata`, `profile dev` */
  readonly source: string;
  /** the sources before it in the chain, and why each was passed over */
  readonly passedOver: readonly string[];
  /** they are so new that AWS may not know them before then, by the context's clock */
  readonly settledAt?: number;
}

/** A source that was chosen by name: it counts in place of the chain. Its retries are its own. */
export interface ChosenSource {
  /** for people; never a secret */
  readonly name: string;
  readonly load: (work: Omit<Attempt, "signal">) => Promise<Omit<Credentials, "passedOver">>;
}

export interface Attempt {
  readonly context: Context;
  readonly network: Network;
  /** for sources that ask STS; rejects with "config" where none is known */
  readonly region: () => Promise<string>;
  /** aborted when the attempt has taken too long, or the deadline passed */
  readonly signal: AbortSignal;
}

/** One source of the chain. */
export interface CredentialSource {
  /** for people; never a secret */
  readonly name: string;
  /** one attempt may take so long, and all of them together, milliseconds */
  readonly attemptMs: number;
  readonly budgetMs?: number;
  /** undefined: it turns out that nothing is configured here, ask the next */
  readonly load: (attempt: Attempt) => Promise<LoadedIdentity | undefined>;
  readonly classify: (error: unknown) => Failure;
}

/**
 * Loads the credentials.
 *
 * @param chosen undefined: the chain
 * @throws "denied" where no source is configured, or the one that is hands out none; "unavailable" where it cannot
 * be reached; "config" where its configuration is broken
 */
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
    const { attemptMs, budgetMs, classify } = source;
    const options = { attemptMs, classify, ...(budgetMs === undefined ? {} : { budgetMs }) };
    const identity = await retry(context, options, (signal) =>
      source.load({ context, network, region, signal }),
    );
    if (identity !== undefined) {
      checkIdentity(identity, source.name);
      const { accessKeyId, secretAccessKey, sessionToken, expiration } = identity;
      const expiresAt = expiration?.getTime() ?? Number.NaN;
      return {
        ...(Number.isNaN(expiresAt) ? {} : { expiresAt }),
        identity: { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) },
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

/** A place in the chain. Its code is loaded only where it is configured: a start on an instance needs no SSO client. */
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
    open: async (env) => (await import("./sources/environment.ts")).environmentSource(env),
  },
  {
    name: "profile",
    isConfigured: (env) => hasSharedFiles(env) || isSet(env, "AWS_PROFILE"),
    missing: "AWS_PROFILE is not set, and there are no shared files",
    open: async (env) => (await import("./sources/profile.ts")).profileSource(env),
  },
  {
    name: "web identity",
    isConfigured: (env) => isSet(env, "AWS_WEB_IDENTITY_TOKEN_FILE"),
    missing: "AWS_WEB_IDENTITY_TOKEN_FILE is not set",
    open: async (env) => (await import("./sources/web-identity.ts")).webIdentitySource(env),
  },
  {
    name: "container",
    isConfigured: (env) =>
      isSet(env, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") ||
      isSet(env, "AWS_CONTAINER_CREDENTIALS_FULL_URI"),
    missing: "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and _FULL_URI are not set",
    open: async (env) => (await import("./sources/container.ts")).containerSource(env),
  },
  {
    name: "instance metadata",
    isConfigured: (env) => !isTrue(env, "AWS_EC2_METADATA_DISABLED"),
    missing: "AWS_EC2_METADATA_DISABLED is true",
    open: async (env) => (await import("./sources/instance.ts")).instanceSource(env),
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

export function isSet(env: Environment, name: string): boolean {
  return env[name] !== undefined && env[name] !== "";
}

/**
 * Whether there is a shared config or credentials file at all. Asked before the SDK is let near either.
 *
 * @throws "config" where one of them would keep it waiting for ever, or be passed over by it although it is there
 */
export function hasSharedFiles(env: Environment): boolean {
  const found = (["credentials", "config"] as const).map((kind) => isThere(env, kind));
  return found.includes(true);
}

export const LARGEST_SHARED_BYTES = 4 * 1024 * 1024;

function isThere(env: Environment, kind: SharedKind): boolean {
  const file = sharedFile(env, kind);
  if (file === undefined) return false;
  // In the home of another user, or of none: nobody has said that there is one.
  if (!isSet(env, VARIABLE_OF[kind]) && !existsSync(file)) return false;
  try {
    refuseUnreadable(file, LARGEST_SHARED_BYTES);
    return true;
  } catch (error) {
    // One that is named and not there is an empty one to the SDKs.
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw new SealexecError("config", `the shared file ${file} cannot be read (${whyUnread(error)})`, {
      hint: "name a file that this user can read in AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE, or /dev/null for none",
      cause: error,
    });
  }
}

const VARIABLE_OF = { config: "AWS_CONFIG_FILE", credentials: "AWS_SHARED_CREDENTIALS_FILE" } as const;

type SharedKind = keyof typeof VARIABLE_OF;

/** Where a shared file would be; undefined for a user without a home. */
export function sharedFile(env: Environment, kind: SharedKind): string | undefined {
  const named = env[VARIABLE_OF[kind]];
  if (named !== undefined && named !== "") return named;
  const home = env["HOME"] ?? homeOfUser();
  return home === undefined ? undefined : join(home, ".aws", kind);
}

function homeOfUser(): string | undefined {
  try {
    return homedir();
  } catch {
    // A user without a line in /etc/passwd has no home.
    return undefined;
  }
}

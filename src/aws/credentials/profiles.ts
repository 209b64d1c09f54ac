/** What the shared files say of profiles, for messages: which there are, and why one gives no credentials. */
import { loadSharedConfigFiles } from "../sdk.ts";
import { defined } from "../../base/defined.ts";
import type { Environment } from "../../base/env.ts";
import { SealexecError } from "../../base/errors.ts";
import type { ErrorKind } from "../../base/errors.ts";
import { printable } from "../../base/logger.ts";
import { sharedFile } from "../settings.ts";

type Profiles = Readonly<Record<string, Readonly<Record<string, string | undefined>> | undefined>>;

/** How a credential_process ended: its status, or a signal. */
export interface ProcessEnd {
  readonly code?: number | string | null;
  readonly signal?: string | null;
}

const MOST_SHOWN = 10;
// Sections of the config file that are no profiles.
const NO_PROFILE = /^(sso-session|services)\./;

/** For a hint: `the shared files have dev, prod`. */
export async function describeProfiles(env: Environment): Promise<string> {
  return describeNames(await readProfiles(env));
}

function describeNames(profiles: Profiles): string {
  const names = Object.keys(profiles)
    .toSorted()
    .map((name) => printable(name.slice(0, 64)));
  const more = names.length > MOST_SHOWN ? ` and ${names.length - MOST_SHOWN} more` : "";
  return names.length === 0
    ? "there are no profiles in the shared files"
    : `the shared files have ${names.slice(0, MOST_SHOWN).join(", ")}${more}`;
}

async function readProfiles(env: Environment): Promise<Profiles> {
  const [filepath, configFilepath] = [sharedFile(env, "credentials"), sharedFile(env, "config")];
  const files = await loadSharedConfigFiles(defined({ filepath, configFilepath }));
  const profiles: Record<string, Record<string, string | undefined>> = {};
  for (const file of [files.configFile, files.credentialsFile])
    for (const [name, section] of Object.entries(file))
      if (!NO_PROFILE.test(name)) profiles[name] = { ...profiles[name], ...section };
  return profiles;
}

/** Why a profile gave no credentials, where the files or its process tell it; undefined: they do not. */
export async function explainProfile(
  profile: string,
  env: Environment,
  error: Error,
  ended: ProcessEnd | undefined,
): Promise<SealexecError | undefined> {
  const profiles = await readProfiles(env);
  const found = whyNone(profile, profiles, error, ended);
  if (found === undefined) return undefined;
  const { kind = "config", code, hint } = found;
  const says = `profile ${profile}: no usable credentials in the shared files: ${found.says}`;
  return new SealexecError(kind, says, { code, hint, cause: error });
}

interface Why {
  readonly kind?: ErrorKind;
  readonly code: string;
  readonly says: string;
  readonly hint: string;
}

const unusable = (says: string, hint: string): Why => ({ code: "profile-unusable", says, hint });

function whyNone(
  profile: string,
  profiles: Profiles,
  error: Error,
  ended: ProcessEnd | undefined,
): Why | undefined {
  const { name, isCircle } = lastOfChain(profile, profiles);
  const named = printable(name);
  const section = profiles[name];
  if (isCircle)
    return unusable(
      `${named} is its own source_profile`,
      "one profile of the chain must have credentials of its own",
    );
  if (section === undefined) {
    const hint = `check AWS_PROFILE and source_profile: ${describeNames(profiles)}`;
    return { code: "no-such-profile", says: `there is no profile ${named}`, hint };
  }
  const missing = KEY.filter((half) => (section[half] ?? "") === "");
  if (missing.length === 1)
    return unusable(
      `${named} has no ${missing[0]} beside its other half`,
      "aws_access_key_id and aws_secret_access_key go together: aws configure",
    );
  if (section["credential_process"] !== undefined) return whyNoneByProcess(named, error, ended);
  if (Object.keys(section).some((key) => key.startsWith("sso_") || key === "login_session")) return undefined;
  if (!error.message.startsWith("Could not resolve credentials")) return undefined;
  if (section["role_arn"] !== undefined && !WHO_TAKES_IT.some((key) => section[key] !== undefined))
    return unusable(
      `${named} has a role_arn, but no source_profile or credential_source`,
      "add source_profile = NAME, whose credentials take the role, or credential_source",
    );
  const hint = "give it keys, a role, an SSO session or a credential_process: aws configure";
  return { code: "no-credentials-in-it", says: `${named} has none in it`, hint };
}

const KEY = ["aws_access_key_id", "aws_secret_access_key"];
const WHO_TAKES_IT = ["source_profile", "credential_source", "web_identity_token_file"];

// The message of a failed command has the command and what it wrote in it: only its end is told.
function whyNoneByProcess(name: string, error: Error, ended: ProcessEnd | undefined): Why {
  const of = `the credential_process of ${name}`;
  const code = "credential-process-failed";
  if (ended !== undefined) {
    const how =
      typeof ended.code === "number" ? `status ${ended.code}` : (ended.signal ?? ended.code ?? "an error");
    const hint = "run it by hand, as this user and with this environment";
    return { code, says: `${of} ended with ${how}`, hint };
  }
  if (error.message.includes("returned expired credentials")) {
    const hint = "log in again with the tool that it asks";
    return { kind: "denied", code: "credentials-expired", says: `${of} gave expired credentials`, hint };
  }
  const hint =
    "it must print one JSON object with Version 1, AccessKeyId and SecretAccessKey: run it by hand";
  return { code, says: `${of} did not print credentials`, hint };
}

/** The profile whose own credentials count: source_profile is followed. */
function lastOfChain(first: string, profiles: Profiles) {
  const seen = new Set<string>();
  for (let name = first; ;) {
    if (seen.has(name)) return { name, isCircle: true };
    seen.add(name);
    const section = profiles[name];
    const next = section?.["role_arn"] === undefined ? undefined : section["source_profile"];
    // The SDK takes a profile that names itself for one with keys of its own.
    const hasKey = KEY.some((half) => section?.[half] !== undefined);
    if (next === undefined || (next === name && hasKey)) return { name, isCircle: false };
    name = next;
  }
}

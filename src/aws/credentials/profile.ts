import { exec } from "node:child_process";
import { readdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { isSet } from "../../base/env.ts";
import type { Environment } from "../../base/env.ts";
import { SealexecError } from "../../base/errors.ts";
import { refuseUnreadable, unreadable } from "../../base/files/read.ts";
import { ownChildren } from "../../base/own-children.ts";
import type { Failure } from "../../http/failure.ts";
import { ONLY_200, SILENT, stsConfig } from "../call/clients.ts";
import { classify, facts } from "../call/failure.ts";
import { profileChain } from "../config-file.ts";
import { externalDataInterceptor, fromIni } from "../sdk.ts";
import type { ProcessEnd } from "./profiles.ts";
import type { CredentialSource } from "./source.ts";

/** The shared files: static keys, assume-role chains, web identity, SSO and credential_process, by profile. */
export function profileSource(env: Environment): CredentialSource {
  const chosen = isSet(env, "AWS_PROFILE");
  const profile = env["AWS_PROFILE"] || "default";
  return {
    name: `profile ${profile}`,
    attemptMs: 10_000,
    load: async ({ context, network, region }) => {
      checkProfileFiles(context.env);
      const clientConfig = stsConfig(context.env, await network.agents(), region);
      const end = noteEndOfProcess();
      try {
        return await fromIni({ profile, clientConfig, clientPlugins: [ONLY_200], logger: SILENT })();
      } catch (error) {
        if (!isFromProvider(error)) throw error;
        const { explainProfile } = await import("./profiles.ts");
        const known = (await explainProfile(profile, env, error, end())) ?? error;
        // A default profile that nobody chose and that has no credentials is not a source.
        if (!chosen && isNoSource(known)) return undefined;
        throw known;
      }
    },
    classify: (error) => failureOf(error, profile),
  };
}

function isNoSource(error: Error): boolean {
  if (error instanceof SealexecError)
    return error.code === "no-such-profile" || error.code === "no-credentials-in-it";
  return error.message.startsWith("Could not resolve credentials using profile: [");
}

/** The SDK drops the status of a credential_process: this is how it lets itself be given another exec. */
function noteEndOfProcess(): () => ProcessEnd | undefined {
  let end: ProcessEnd | undefined;
  externalDataInterceptor.interceptToken("exec", (command: string, done: Done) => {
    const { pid } = exec(command, (error, stdout, stderr) => {
      if (error !== null) end = { code: error.code ?? null, signal: error.signal ?? null };
      if (pid !== undefined) ownChildren.delete(pid);
      done(error, { stdout, stderr });
    });
    if (pid !== undefined) ownChildren.add(pid);
  });
  return () => end;
}

type Done = (error: Error | null, output: { readonly stdout: string; readonly stderr: string }) => void;

/** Not the refusal of a service, which has a status. */
function isFromProvider(error: unknown): error is Error {
  const { code, status } = facts(error);
  const names = ["CredentialsProviderError", "ProviderError", "TokenProviderError"];
  return error instanceof Error && status === undefined && names.includes(code ?? "");
}

function failureOf(cause: unknown, profile: string): Failure {
  if (cause instanceof SealexecError) return { error: cause };
  if (!isFromProvider(cause)) {
    const failure = classify(`profile ${profile}`, cause);
    // Each attempt has an STS client of its own, which learns nothing of the clock from the one before.
    return failure.error.kind === "config" ? { error: failure.error } : failure;
  }
  if (/SSO|sso|token is expired|aws login/.test(cause.message)) {
    const says = `profile ${profile}: its single sign-on session is missing or expired`;
    const hint = `log in again: aws sso login --profile ${profile}`;
    return { error: new SealexecError("denied", says, { code: "sso-login-needed", hint, cause }) };
  }
  const says = `profile ${profile}: no usable credentials in the shared files`;
  const hint = "check AWS_PROFILE and the profile's section (aws configure list)";
  return { error: new SealexecError("config", says, { hint, cause }) };
}

/** @throws "config" where a file that the SDK reads for the profile would keep it waiting for ever */
export function checkProfileFiles(env: Environment): void {
  for (const { name, entries } of profileChain(env)) {
    const file = entries.get("web_identity_token_file");
    if (file !== undefined) checkFile(file, `profile ${name}: its web_identity_token_file`);
  }
  // Where `aws sso login` and `aws login` leave their tokens, by the AWS SDKs and Tools Reference Guide.
  const home = env["HOME"] ?? homedir();
  const login = env["AWS_LOGIN_CACHE_DIRECTORY"] ?? join(home, ".aws/login/cache");
  for (const folder of [join(home, ".aws/sso/cache"), login])
    for (const file of filesIn(folder)) checkFile(join(folder, file), "a cached login");
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => name.endsWith(".json"));
  } catch {
    return [];
  }
}

function checkFile(file: string, what: string): void {
  try {
    refuseUnreadable(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // One that is not there is the SDK's to speak of.
    if (code !== "ENOTFILE" && code !== "EISDIR") return;
    throw unreadable(what, file, error, "name a regular file that this user can read");
  }
}

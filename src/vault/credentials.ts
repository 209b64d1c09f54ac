// AWS credentials that Vault makes for this run. Source: HashiCorp Vault HTTP API, "AWS secrets engine:
// Generate credentials". The lease is neither renewed nor revoked: a start is over long before it ends, and
// `run --watch` asks for new ones shortly before.
import { getCallerIdentity } from "../aws/call/clients.ts";
import type { Attempt, ChosenSource, Identity } from "../aws/credentials/source.ts";
import { classify, facts, isUnknownKey } from "../aws/call/failure.ts";
import type { Failure } from "../http/failure.ts";
import { UNKNOWN_YET } from "../aws/call/meanings.ts";
import { retry } from "../http/retry.ts";
import { defined } from "../base/defined.ts";
import { SealexecError } from "../base/errors.ts";
import { leaseMs } from "./call.ts";
import type { VaultClient } from "./client.ts";
import { formatCredentialsRef } from "./credentials-ref.ts";
import type { CredentialsRef } from "./credentials-ref.ts";
import { objectOf } from "./refusal.ts";
import type { Json, VaultRefusal } from "./refusal.ts";

// Vault makes an IAM user, its policies and its key meanwhile; another attempt would make another user.
const ISSUE_MS = 25_000;
// IAM User Guide, "Changes that I make are not always immediately visible". Seconds, as a rule.
const SETTLING_MS = 30_000;
const PROBE_MS = 3_000;

export function vaultCredentials(ref: CredentialsRef, vault: VaultClient): ChosenSource {
  const source = formatCredentialsRef(ref);
  return {
    name: source,
    load: async (work) => {
      const path = `${ref.mount}/${ref.kind}/${ref.role}`;
      const answer = await vault.read({ path, attemptMs: ISSUE_MS, explain });
      const identity = identityIn(answer, path);
      const lease = leaseMs(answer["lease_duration"]);
      const expiry = lease === Infinity ? {} : { expiresAt: Date.now() + lease };
      // Sessions are good at once; a user's new key is not.
      if (identity.sessionToken !== undefined) return { identity, source, ...expiry };
      const settledAt = work.context.now() + SETTLING_MS;
      await untilKnown(identity, work);
      return { identity, source, settledAt, ...expiry };
    },
  };
}

function explain(refusal: VaultRefusal, operation: string): SealexecError | undefined {
  if (refusal.status !== 400) return undefined;
  return new SealexecError("config", `Vault could not make AWS credentials (${operation}: 400)`, {
    hint: "check the role's name and type (vault list aws/roles) and what Vault itself may do in AWS; its log has the reason",
    cause: refusal,
  });
}

function identityIn(answer: Json, path: string): Identity {
  const data = objectOf(answer["data"]) ?? {};
  const text = (name: string): string | undefined => {
    const value = data[name];
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  const [accessKeyId, secretAccessKey] = [text("access_key"), text("secret_key")];
  // The second name is that of Vault 1.17 and later; both are there.
  const sessionToken = text("security_token") ?? text("session_token");
  if (accessKeyId !== undefined && secretAccessKey !== undefined)
    return { accessKeyId, secretAccessKey, ...defined({ sessionToken }) };
  const hint = "name the mount of an AWS secrets engine: vault secrets list";
  throw new SealexecError("config", `the answer holds no AWS credentials (GET ${path})`, { hint });
}

type Work = Omit<Attempt, "signal">;

/** Resolves when STS knows the key, or cannot be asked: then S3 and KMS say it (`settledAt`). */
async function untilKnown(identity: Identity, { region, network, context }: Work): Promise<void> {
  const who = { identity, region, network, env: context.env };
  const options = { attemptMs: PROBE_MS, budgetMs: SETTLING_MS, classify: probeClassifier() };
  try {
    await retry(context, options, (signal) => getCallerIdentity(who, signal));
  } catch (error) {
    if (error instanceof SealexecError && error.kind === "denied") throw error;
    context.log.info("STS cannot be asked whether AWS knows the new key; going on");
  }
}

function probeClassifier(): (error: unknown) => Failure {
  let answered = false;
  return (error) => {
    const { code } = facts(error);
    if (isUnknownKey(code)) {
      answered = true;
      const { says, hint } = UNKNOWN_YET;
      const message = `${says} (GetCallerIdentity: ${code})`;
      return { error: new SealexecError("denied", message, { hint, cause: error }), transient: "failing" };
    }
    const failure = classify("GetCallerIdentity", error);
    // An STS that never answered is no reason to wait here; one that did can be asked again.
    return answered ? failure : { error: failure.error };
  };
}

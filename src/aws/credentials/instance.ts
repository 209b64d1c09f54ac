import { orAborted } from "../../base/deadline.ts";
import type { Environment } from "../../base/env.ts";
import { SealexecError } from "../../base/errors.ts";
import type { Failure } from "../../http/failure.ts";
import { MetadataRefusal, isStandardEndpoint, metadataEndpoint, metadataReader } from "../imds.ts";
import { UnusableAnswer, parseCredentials } from "./answer.ts";
import type { CredentialSource, LoadedIdentity } from "./source.ts";

const ROLES = "iam/security-credentials/";
// IAM User Guide, "IAM and STS quotas": characters of a role's name; none of them needs an encoding in a path.
const ROLE_NAME = /^(?!\.+$)[\w+=,.@-]{1,64}$/;

export async function instanceSource(env: Environment): Promise<CredentialSource> {
  const endpoint = await metadataEndpoint(env);
  return {
    name: "instance metadata",
    attemptMs: 1_500,
    // It is one hop away: what does not answer for so long is not there.
    budgetMs: 5_000,
    load: async ({ network, signal }) => {
      const work = load(metadataReader(endpoint, network, signal));
      return isStandardEndpoint(endpoint, env) ? unlessElsewhere(work, signal) : work;
    },
    classify: (error) => failureOf(error, endpoint),
  };
}

async function load(read: (path: string) => Promise<string>): Promise<LoadedIdentity> {
  const [role = ""] = (await read(ROLES)).split("\n", 1);
  if (!ROLE_NAME.test(role.trim())) throw new UnusableAnswer();
  return parseCredentials(await read(ROLES + role.trim()));
}

/** What answers at once on an instance is given so long on a machine that is none. */
const ELSEWHERE_MS = 1_000;

/** Undefined where nobody answers and this is surely no instance: it has no such source, then. */
async function unlessElsewhere(
  work: Promise<LoadedIdentity>,
  signal: AbortSignal,
): Promise<LoadedIdentity | undefined> {
  const patience = new AbortController();
  const isElsewhere = async (): Promise<boolean> => (await import("./elsewhere.ts")).isElsewhere();
  const timer = setTimeout(async () => {
    if (await isElsewhere()) patience.abort();
  }, ELSEWHERE_MS);
  try {
    return await orAborted(work, AbortSignal.any([patience.signal, signal]));
  } catch (error) {
    const isAnswer = error instanceof MetadataRefusal || error instanceof UnusableAnswer;
    if (!isAnswer && (patience.signal.aborted || (await isElsewhere()))) return undefined;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

function failureOf(cause: unknown, endpoint: string): Failure {
  if (cause instanceof SealexecError) return { error: cause };
  const place = `instance metadata at ${endpoint}`;
  // The list of roles is not there; any other 404 is of a service that is not IMDSv2.
  if (cause instanceof MetadataRefusal && cause.statusCode === 404 && cause.path.endsWith(ROLES)) {
    const hint = "attach an instance profile (aws ec2 associate-iam-instance-profile)";
    const says = `${place}: no role is attached to this instance`;
    return { error: new SealexecError("denied", says, { hint, cause }) };
  }
  const hint =
    "in a container the hop limit must be 2: aws ec2 modify-instance-metadata-options --instance-id ID " +
    "--http-put-response-hop-limit 2 --http-tokens required --http-endpoint enabled";
  const says = `${place}: no credentials to be had by IMDSv2`;
  return { error: new SealexecError("unavailable", says, { hint, cause }), transient: "unreachable" };
}

import { callRegional } from "../../aws/regional.ts";
import { printJson } from "../../dialects/json.ts";
import { SealexecError } from "../../errors.ts";
import type { Variables } from "../../secret.ts";
import type { Tools } from "../source.ts";
import { secretMeaning } from "./meanings.ts";
import { secretNeed } from "./read.ts";
import type { SecretRef } from "./ref.ts";

// Secrets Manager API Reference, PutSecretValue: SecretString.
const LARGEST_TEXT_BYTES = 65_536;

export interface SecretWrite {
  readonly variables: Variables;
  /** of the new version, 32 to 64 characters, fresh for each push: an attempt that is made again changes nothing more */
  readonly token: string;
  /** for a secret that is made; absent: Secrets Manager's own */
  readonly key: string | undefined;
  /** only where there is none yet */
  readonly create: boolean;
}

export interface WrittenSecret {
  readonly arn: string;
  readonly versionId: string;
  readonly stages: readonly string[];
  /** the secret was not there before */
  readonly made: boolean;
}

/**
 * Puts the variables there as one JSON object: a new version of the secret, or a new secret where there is none.
 *
 * @throws "data" where they are too large, or there is a secret that `create` forbids; "missing", "denied", "config",
 * "unavailable", "timeout"
 */
export async function writeSecret(ref: SecretRef, write: SecretWrite, tools: Tools): Promise<WrittenSecret> {
  const text = printJson(write.variables);
  if (Buffer.byteLength(text) > LARGEST_TEXT_BYTES) {
    throw new SealexecError("data", `more than the ${LARGEST_TEXT_BYTES} bytes that a secret holds`, {
      hint: "split it into several secrets, or seal it in S3: sealexec push FILE s3://BUCKET/KEY --key KEY",
    });
  }
  if (write.create) return createSecret(ref, text, write, tools);
  try {
    return await putValue(ref, text, write, tools);
  } catch (error) {
    // An ARN is of a secret that was there; nothing can be made under it.
    if (!isAbsent(error) || ref.id.startsWith("arn:")) throw error;
    return createSecret(ref, text, write, tools);
  }
}

async function putValue(
  ref: SecretRef,
  text: string,
  { token }: SecretWrite,
  { session, context }: Tools,
): Promise<WrittenSecret> {
  const answer = await callRegional(
    {
      service: "secretsmanager",
      need: secretNeed(ref),
      operation: "PutSecretValue",
      input: { SecretId: ref.id, ClientRequestToken: token, SecretString: text },
      meaning: secretMeaning("PutSecretValue"),
    },
    session,
    context,
  );
  return { ...writtenOf(answer), made: false };
}

async function createSecret(
  ref: SecretRef,
  text: string,
  { token, key }: SecretWrite,
  { session, context }: Tools,
): Promise<WrittenSecret> {
  const answer = await callRegional(
    {
      service: "secretsmanager",
      need: secretNeed(ref),
      operation: "CreateSecret",
      input: {
        Name: ref.id,
        ClientRequestToken: token,
        SecretString: text,
        ...(key === undefined ? {} : { KmsKeyId: key }),
      },
      meaning: secretMeaning("CreateSecret"),
    },
    session,
    context,
  );
  // CreateSecret does not say it: the first version is always AWSCURRENT.
  return { ...writtenOf({ VersionStages: ["AWSCURRENT"], ...answer }), made: true };
}

function writtenOf(answer: Readonly<Record<string, unknown>>): Omit<WrittenSecret, "made"> {
  const { ARN, VersionId, VersionStages } = answer;
  if (typeof ARN !== "string" || typeof VersionId !== "string") {
    throw new SealexecError(
      "unavailable",
      "the answer names no version: it is not known whether one was made",
      {
        hint: "look at what is there: sealexec pull",
      },
    );
  }
  const stages = Array.isArray(VersionStages) ? VersionStages : [];
  return { arn: ARN, versionId: VersionId, stages: stages.filter((stage) => typeof stage === "string") };
}

/** Not there, and not merely on its way out. */
function isAbsent(error: unknown): boolean {
  return error instanceof SealexecError && error.code === "no-such-secret";
}

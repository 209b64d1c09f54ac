import { defined } from "../../base/defined.ts";
import { SealexecError } from "../../base/errors.ts";
import type { Variables } from "../../base/secret.ts";
import { printJson } from "../../text/json.ts";
import type { Tools } from "../source.ts";
import { CURRENT, callSecrets, readValue } from "./read.ts";
import type { SecretRef } from "./ref.ts";

// Secrets Manager API Reference, PutSecretValue: SecretString.
const LARGEST_TEXT_BYTES = 65_536;

/** What must be there: no secret, one without a value, or this version as its AWSCURRENT. */
export type ExpectedSecret =
  | { readonly kind: "absent" }
  | { readonly kind: "empty" }
  | { readonly kind: "version"; readonly versionId: string };

/** On a version that is not AWSCURRENT yet, and on the last pushed: one without a label may be deleted. */
const PENDING = "SEALEXECPENDING";

interface SecretWrite {
  /** of secretText */
  readonly text: string;
  /** of the new version, 32 to 64 characters, fresh for each push: an attempt made again changes no more */
  readonly token: string;
  /** for a secret that is made; absent: Secrets Manager's own */
  readonly key: string | undefined;
  readonly expected: ExpectedSecret;
}

export interface WrittenSecret {
  readonly arn: string;
  readonly versionId: string;
  readonly stages: readonly string[];
  /** the secret was not there before */
  readonly made: boolean;
}

/** Variables as a secret holds them: one JSON object. @throws "data" if they are too large */
export function secretText(variables: Variables): string {
  const text = printJson(variables);
  if (Buffer.byteLength(text) <= LARGEST_TEXT_BYTES) return text;
  throw new SealexecError("data", `more than the ${LARGEST_TEXT_BYTES} bytes that a secret holds`, {
    hint: "split it into several secrets, or seal it in S3: sealexec push FILE s3://BUCKET/KEY --key KEY",
  });
}

/**
 * Puts the text there, only if what is expected is there. A new version becomes AWSCURRENT in a step of its
 * own, as only that step names the version that it replaces.
 */
export async function writeSecret(ref: SecretRef, write: SecretWrite, tools: Tools): Promise<WrittenSecret> {
  const { expected } = write;
  switch (expected.kind) {
    case "absent":
      return createSecret(ref, write, tools);
    case "empty":
      return putValue(ref, CURRENT, write, tools);
    case "version": {
      const written = await putValue(ref, PENDING, write, tools);
      await makeCurrent(ref, written.versionId, expected.versionId, tools);
      return { ...written, stages: [CURRENT] };
    }
  }
}

async function makeCurrent(ref: SecretRef, versionId: string, before: string, tools: Tools): Promise<void> {
  const move = (input: Readonly<Record<string, string>>): Promise<unknown> =>
    callSecrets("UpdateSecretVersionStage", ref, { SecretId: ref.id, ...input }, tools);
  try {
    await move({ VersionStage: CURRENT, MoveToVersionId: versionId, RemoveFromVersionId: before });
  } catch (error) {
    if (!(error instanceof SealexecError) || error.kind !== "conflict") throw error;
    // An attempt whose answer was lost may have moved it: then the conflict is with ourselves.
    if (await isCurrent(ref, versionId, tools)) return;
    await move({ VersionStage: PENDING, RemoveFromVersionId: versionId }).catch(() => undefined);
    throw error;
  }
}

async function isCurrent(ref: SecretRef, versionId: string, tools: Tools): Promise<boolean> {
  try {
    return (await readValue(ref, tools)).versionId === versionId;
  } catch (error) {
    // Who may not read it said which version is there (--if-match), and it is another.
    if (error instanceof SealexecError && error.kind === "denied") return false;
    throw error;
  }
}

async function putValue(
  ref: SecretRef,
  stage: string,
  { text, token }: SecretWrite,
  tools: Tools,
): Promise<WrittenSecret> {
  const value = { ClientRequestToken: token, SecretString: text, VersionStages: [stage] };
  const answer = await callSecrets("PutSecretValue", ref, { SecretId: ref.id, ...value }, tools);
  return writtenOf(answer, false);
}

async function createSecret(ref: SecretRef, write: SecretWrite, tools: Tools): Promise<WrittenSecret> {
  const { text, token, key } = write;
  const value = { ClientRequestToken: token, SecretString: text, ...defined({ KmsKeyId: key }) };
  const answer = await callSecrets("CreateSecret", ref, { Name: ref.id, ...value }, tools);
  // CreateSecret does not say it: the first version is always AWSCURRENT.
  return writtenOf({ VersionStages: [CURRENT], ...answer }, true);
}

function writtenOf(answer: Readonly<Record<string, unknown>>, made: boolean): WrittenSecret {
  const { ARN, VersionId, VersionStages } = answer;
  if (typeof ARN !== "string" || typeof VersionId !== "string") {
    const says = "the answer names no version: it is not known whether one was made";
    throw new SealexecError("unavailable", says, { hint: "look at what is there: sealexec pull" });
  }
  const named = Array.isArray(VersionStages) ? VersionStages : [];
  const stages = named.filter((stage) => typeof stage === "string");
  return { arn: ARN, versionId: VersionId, stages, made };
}

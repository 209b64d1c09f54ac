import { callRegional, regionalNeed } from "../../aws/call/regional.ts";
import type { AwsNeed } from "../../aws/session.ts";
import { defined } from "../../base/defined.ts";
import { SealexecError } from "../../base/errors.ts";
import { Secret } from "../../base/secret.ts";
import type { Variables } from "../../base/secret.ts";
import { carriedText } from "../../text/carried.ts";
import { parseJson, pickJson } from "../../text/json.ts";
import type { Content, Tools } from "../source.ts";
import { secretMeaning } from "./meanings.ts";
import type { SecretOperation } from "./meanings.ts";
import type { Reading, SecretRef } from "./ref.ts";

/** The stage of the version that everybody reads. */
export const CURRENT = "AWSCURRENT";

/** What reading a secret, or writing one, wants of AWS. */
export function secretNeed(ref: SecretRef): AwsNeed {
  return regionalNeed("secretsmanager", ref.region);
}

/** Calls an operation: once, or again if an attempt failed. */
export function callSecrets(
  operation: SecretOperation,
  ref: SecretRef,
  input: Readonly<Record<string, unknown>>,
  { session, context }: Tools,
  mostAttempts?: number,
): Promise<Readonly<Record<string, unknown>>> {
  const how = { service: "secretsmanager", need: secretNeed(ref), ...defined({ mostAttempts }) } as const;
  return callRegional({ ...how, operation, input, meaning: secretMeaning(operation) }, session, context);
}

/** A version of a secret. */
export interface SecretValue {
  readonly versionId: string | undefined;
  /** undefined: it is binary, or there is none */
  readonly text: string | undefined;
  readonly isBinary: boolean;
}

/** Reads a version of a secret. Throws as `read` of a source. */
export async function readSecret(ref: SecretRef, tools: Tools): Promise<Content> {
  const { text, isBinary, versionId } = await readValue(ref, tools);
  if (text === undefined) throw noText(isBinary);
  const content = contentOf(text, ref.reading);
  return versionId === undefined
    ? content
    : { ...content, versionId, etag: `"${versionId}"`, validator: versionId };
}

/** The same, whatever it holds. */
export async function readValue(ref: SecretRef, tools: Tools): Promise<SecretValue> {
  const { id: SecretId, versionId } = ref;
  // What it means without a stage as well; some emulators of it give the version that was written last.
  const stage = ref.stage ?? (versionId === undefined ? CURRENT : undefined);
  const input = { SecretId, ...defined({ VersionStage: stage, VersionId: versionId }) };
  const { SecretString, SecretBinary, VersionId } = await callSecrets("GetSecretValue", ref, input, tools);
  return {
    versionId: typeof VersionId === "string" ? VersionId : undefined,
    text: typeof SecretString === "string" ? SecretString : undefined,
    isBinary: SecretBinary !== undefined,
  };
}

/** Looks which version has the stage now, in one DescribeSecret, which uses no key. As `look` of a source. */
export async function changedVersion(
  ref: SecretRef,
  versionId: string,
  tools: Tools,
): Promise<string | undefined> {
  const answer = await callSecrets("DescribeSecret", ref, { SecretId: ref.id }, tools, 1);
  const { VersionIdsToStages, DeletedDate } = answer;
  if (DeletedDate !== undefined && DeletedDate !== null) {
    const hint = "bring it back: aws secretsmanager restore-secret --secret-id NAME";
    throw new SealexecError("missing", "the secret is marked for deletion", { hint });
  }
  const stage = ref.stage ?? CURRENT;
  const isObject = typeof VersionIdsToStages === "object" && VersionIdsToStages !== null;
  const stages: [string, unknown][] = isObject ? Object.entries(VersionIdsToStages) : [];
  const found = stages.find(([, names]) => Array.isArray(names) && names.includes(stage))?.[0];
  if (found === undefined) {
    const hint = "look at its versions: aws secretsmanager list-secret-version-ids --secret-id NAME";
    throw new SealexecError("missing", `no version of the secret has the stage ${stage}`, { hint });
  }
  return found === versionId ? undefined : found;
}

/** "data" if the text is not of the form that the URI says; "missing" if it has no such key. */
export function contentOf(text: string, reading: Reading): Exclude<Content, { readonly kind: "sealed" }> {
  if (reading.as === "text") return { kind: "text", bytes: Buffer.from(text) };
  return { kind: "variables", variables: variablesIn(text, reading) };
}

function variablesIn(text: string, reading: Exclude<Reading, { readonly as: "text" }>): Variables {
  switch (reading.as) {
    case "value":
      return new Map([[reading.name, new Secret(carriedText(reading.name, text))]]);
    case "key":
      return new Map([[reading.name, pickJson(Buffer.from(text), reading.key)]]);
    case "object":
      if (text.trimStart().startsWith("{"))
        return parseJson(Buffer.from(text), defined({ flatten: reading.flatten }));
      // A password or a .env: what it is, only the URI can say.
      throw new SealexecError("data", "the secret's text is not a JSON object", {
        hint: "add ?as=NAME where it is one value, or ?format=dotenv where it is a .env",
      });
  }
}

function noText(isBinary: boolean): SealexecError {
  if (isBinary) {
    return new SealexecError("data", "the secret is binary", {
      hint: "store it as text (SecretString), or keep the file in S3: sealexec push FILE s3://BUCKET/KEY",
    });
  }
  return new SealexecError("unavailable", "GetSecretValue: the answer holds no secret", {
    hint: "check the endpoint, and what stands between here and there",
  });
}

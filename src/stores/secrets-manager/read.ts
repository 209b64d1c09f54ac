import { regionalNeed, callRegional } from "../../aws/call/regional.ts";
import type { AwsNeed } from "../../aws/session.ts";
import { parseJson, pickJson } from "../../text/json.ts";
import { carriedText } from "../../text/carried.ts";
import { SealexecError } from "../../base/errors.ts";
import { Secret } from "../../base/secret.ts";
import type { Content, Tools } from "../source.ts";
import { secretMeaning } from "./meanings.ts";
import type { Reading, SecretRef } from "./ref.ts";

/** The stage that is read where the URI names none. */
const CURRENT = "AWSCURRENT";

/** What reading a secret, or writing one, wants of AWS. */
export function secretNeed(ref: SecretRef): AwsNeed {
  return regionalNeed("secretsmanager", ref.region);
}

/** A version of a secret, as GetSecretValue answers. */
export interface SecretValue {
  readonly versionId: string | undefined;
  /** undefined: it is binary, or there is none */
  readonly text: string | undefined;
  readonly isBinary: boolean;
}

/**
 * Reads a version of a secret, in one GetSecretValue (more only if an attempt failed).
 *
 * @throws "missing", "denied", "data" (what its text is), "config", "unavailable", "timeout"
 */
export async function readSecret(ref: SecretRef, tools: Tools): Promise<Content> {
  const { text, isBinary, versionId } = await readValue(ref, tools);
  if (text === undefined) throw noText(isBinary);
  const content = contentOf(text, ref.reading);
  return versionId === undefined
    ? content
    : { ...content, versionId, etag: `"${versionId}"`, validator: versionId };
}

/** The same, whatever it holds. */
export async function readValue(ref: SecretRef, { session, context }: Tools): Promise<SecretValue> {
  const { id, versionId } = ref;
  // What it means without a stage as well; some emulators of it give the version that was written last.
  const stage = ref.stage ?? (versionId === undefined ? CURRENT : undefined);
  const answer = await callRegional(
    {
      service: "secretsmanager",
      need: secretNeed(ref),
      operation: "GetSecretValue",
      input: {
        SecretId: id,
        ...(stage === undefined ? {} : { VersionStage: stage }),
        ...(versionId === undefined ? {} : { VersionId: versionId }),
      },
      meaning: secretMeaning("GetSecretValue"),
    },
    session,
    context,
  );
  const { SecretString, SecretBinary, VersionId } = answer;
  return {
    versionId: typeof VersionId === "string" ? VersionId : undefined,
    text: typeof SecretString === "string" ? SecretString : undefined,
    isBinary: SecretBinary !== undefined,
  };
}

/**
 * Looks which version has the stage now, in one DescribeSecret, which uses no key.
 *
 * @param versionId of what was read
 * @returns the id of the version that has it now, where that is another
 * @throws "missing" where none has, or the secret is marked for deletion; "denied", "unavailable", "timeout"
 */
export async function changedVersion(
  ref: SecretRef,
  versionId: string,
  { session, context }: Tools,
): Promise<string | undefined> {
  const { VersionIdsToStages, DeletedDate } = await callRegional(
    {
      service: "secretsmanager",
      need: secretNeed(ref),
      operation: "DescribeSecret",
      input: { SecretId: ref.id },
      meaning: secretMeaning("DescribeSecret"),
      mostAttempts: 1,
    },
    session,
    context,
  );
  if (DeletedDate !== undefined && DeletedDate !== null) {
    throw new SealexecError("missing", "the secret is marked for deletion", {
      hint: "bring it back: aws secretsmanager restore-secret --secret-id NAME",
    });
  }
  const stage = ref.stage ?? CURRENT;
  const stages = Object.entries(objectOf(VersionIdsToStages));
  const found = stages.find(([, names]) => Array.isArray(names) && names.includes(stage))?.[0];
  if (found === undefined) {
    throw new SealexecError("missing", `no version of the secret has the stage ${stage}`, {
      hint: "look at its versions: aws secretsmanager list-secret-version-ids --secret-id NAME",
    });
  }
  return found === versionId ? undefined : found;
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

/**
 * What the text of a secret holds.
 *
 * @throws "data" where it is not of the form that the URI says; "missing" where it has no such key
 */
export function contentOf(text: string, reading: Reading): Exclude<Content, { readonly kind: "sealed" }> {
  if (reading.as === "value") {
    const { name } = reading;
    return { kind: "variables", variables: new Map([[name, new Secret(carriedText(name, text))]]) };
  }
  const bytes = Buffer.from(text);
  switch (reading.as) {
    case "text":
      return { kind: "text", bytes };
    case "key":
      return {
        kind: "variables",
        variables: new Map([[reading.name, pickJson(bytes, reading.key)]]),
      };
    case "object":
      return { kind: "variables", variables: parseObject(bytes, text, reading.flatten) };
  }
}

function parseObject(bytes: Uint8Array, text: string, flatten: string | undefined) {
  // A password or a .env: what it is, only the URI can say.
  if (!text.trimStart().startsWith("{")) {
    throw new SealexecError("data", "the secret's text is not a JSON object", {
      hint: "add ?as=NAME where it is one value, or ?format=dotenv where it is a .env",
    });
  }
  return parseJson(bytes, flatten === undefined ? {} : { flatten });
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

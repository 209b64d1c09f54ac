import { regionalNeed, callRegional } from "../../aws/regional.ts";
import type { AwsNeed } from "../../aws/session.ts";
import { parseJson, pickJson } from "../../dialects/json.ts";
import { carriedText } from "../../dialects/text.ts";
import { SealexecError } from "../../errors.ts";
import { Secret } from "../../secret.ts";
import type { Content, Tools } from "../source.ts";
import { secretMeaning } from "./meanings.ts";
import type { Reading, SecretRef } from "./ref.ts";

/** What reading a secret, or writing one, wants of AWS. */
export function secretNeed(ref: SecretRef): AwsNeed {
  return regionalNeed("secretsmanager", ref.region);
}

/**
 * Reads a version of a secret, in one GetSecretValue (more only where an attempt failed).
 *
 * @throws "missing", "denied", "data" (what its text is), "config", "unavailable", "timeout"
 */
export async function readSecret(ref: SecretRef, { session, context }: Tools): Promise<Content> {
  const { id, stage, versionId, reading } = ref;
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
  if (typeof SecretString !== "string") throw noText(SecretBinary !== undefined);
  const content = contentOf(SecretString, reading);
  return typeof VersionId === "string" ? { ...content, detail: `version ${VersionId}` } : content;
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

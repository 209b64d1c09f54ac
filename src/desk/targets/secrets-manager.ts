/** `sealexec push` to Secrets Manager: a new version of a secret, or a new secret. */
import { randomUUID } from "node:crypto";
import { step } from "../../context.ts";
import type { Context } from "../../context.ts";
import { SealexecError } from "../../errors.ts";
import { secretNeed } from "../../stores/secrets-manager/read.ts";
import { formatSecretUri, parseSecretUri } from "../../stores/secrets-manager/ref.ts";
import type { SecretRef } from "../../stores/secrets-manager/ref.ts";
import { writeSecret } from "../../stores/secrets-manager/write.ts";
import type { SecretWrite, WrittenSecret } from "../../stores/secrets-manager/write.ts";
import type { RunTools } from "../../stores/tools.ts";
import type { PushFlags } from "../push.ts";
import { openTools, refuseSealingFlags, storeKeyOf } from "../target.ts";
import type { CheckedFile, Fact, Target } from "../target.ts";

/** More than a secret holds, as comments are left out; whether the variables fit is known when they are JSON. */
const LARGEST_FILE_BYTES = 1024 * 1024;

export function secretTarget(uri: string, flags: PushFlags, context: Context): Target {
  const ref = parseTarget(uri);
  refuseSealingFlags("Secrets Manager", flags);
  const create = flags.create ?? false;
  if (create && ref.id.startsWith("arn:")) {
    throw new SealexecError("usage", "--create takes a name: the ARN of a new secret is not known before", {
      hint: "secretsmanager://NAME",
    });
  }
  const key = storeKeyOf("Secrets Manager", flags, context);
  return {
    largestBytes: LARGEST_FILE_BYTES,
    write: async (file) => {
      file.plaintext.fill(0);
      const written = await write(
        ref,
        { variables: file.variables, token: randomUUID(), key, create },
        openTools(key, flags, context),
      );
      return factsOf(written, key, file);
    },
  };
}

async function write(ref: SecretRef, what: SecretWrite, tools: RunTools): Promise<WrittenSecret> {
  await tools.session.begin([secretNeed(ref)]);
  return step(
    tools.context,
    "object",
    formatSecretUri(ref),
    () => writeSecret(ref, what, tools),
    ({ versionId }) => `version ${versionId}`,
  );
}

function factsOf(
  { arn, versionId, stages, made }: WrittenSecret,
  key: string | undefined,
  { variables }: CheckedFile,
): readonly Fact[] {
  const ofNew = key ?? "aws/secretsmanager";
  return [
    ["secret", arn],
    ["version", versionId],
    ["stage", stages.join(", ")],
    // Only UpdateSecret changes the key of a secret that is there.
    ["key", made ? ofNew : "the secret's own, as before"],
    ["variables", String(variables.size)],
  ];
}

function parseTarget(uri: string): SecretRef {
  const ref = parseSecretUri(uri);
  const { stage, versionId, reading } = ref;
  if (stage !== undefined || versionId !== undefined)
    throw new SealexecError("usage", "a push makes a new version: the URI may not name one, nor a stage");
  if (reading.as !== "object" || reading.flatten !== undefined)
    throw new SealexecError("usage", "a push writes the whole secret: the URI may only have region");
  return ref;
}

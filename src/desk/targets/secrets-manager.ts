/** `sealexec push` to Secrets Manager: a new version of a secret, or a new secret. */
import { randomUUID } from "node:crypto";
import { step } from "../../base/context.ts";
import type { Context } from "../../base/context.ts";
import { SealexecError } from "../../base/errors.ts";
import { findSecret } from "../../stores/secrets-manager/find.ts";
import type { FoundSecret } from "../../stores/secrets-manager/find.ts";
import { secretNeed } from "../../stores/secrets-manager/read.ts";
import { formatSecretUri, parseSecretUri } from "../../stores/secrets-manager/ref.ts";
import type { SecretRef } from "../../stores/secrets-manager/ref.ts";
import { secretText, writeSecret } from "../../stores/secrets-manager/write.ts";
import type { ExpectedSecret, WrittenSecret } from "../../stores/secrets-manager/write.ts";
import type { RunTools } from "../../sources/tools.ts";
import { changesBetween, isNoChange } from "../changes.ts";
import { bareEtag } from "../permission.ts";
import type { PushFlags } from "../push-flags.ts";
import { openTools, refuseSealingFlags, storeKeyOf } from "../sealing-flags.ts";
import type { CheckedFile, Look, Present, Target, Written } from "../target.ts";

/** More than a secret holds, as comments are left out; whether the variables fit is known when they are JSON. */
const LARGEST_FILE_BYTES = 1024 * 1024;

interface Job {
  readonly ref: SecretRef;
  readonly name: string;
  readonly key: string | undefined;
  readonly flags: PushFlags;
}

export function secretTarget(uri: string, flags: PushFlags, context: Context): Target {
  const ref = parseTarget(uri);
  refuseSealingFlags("Secrets Manager", flags);
  if (flags.create === true && ref.id.startsWith("arn:")) {
    throw new SealexecError("usage", "--create takes a name: the ARN of a new secret is not known before", {
      hint: "secretsmanager://NAME",
    });
  }
  const key = storeKeyOf("Secrets Manager", flags, context);
  const name = formatSecretUri(ref);
  return {
    name,
    noun: "secret",
    largestBytes: LARGEST_FILE_BYTES,
    look: (file) => look({ ref, name, key: key?.text, flags }, file, openTools(key, flags, context)),
  };
}

async function look(job: Job, file: CheckedFile, tools: RunTools): Promise<Look> {
  const { ref, name, key, flags } = job;
  file.plaintext.fill(0);
  const text = await step(tools.context, "object", name, () => secretText(file.variables));
  await tools.session.begin([secretNeed(ref)]);
  const found = await step(tools.context, "object", name, () => findSecret(ref, tools));
  const write = { text, token: randomUUID(), key, expected: expectedOf(found, flags) };
  return {
    present: presentOf(found, file),
    write: async () =>
      reportOf(
        await step(
          tools.context,
          "object",
          name,
          () => writeSecret(ref, write, tools),
          ({ versionId }) => `version ${versionId}`,
        ),
        key,
        file,
      ),
  };
}

function presentOf(found: FoundSecret, { variables }: CheckedFile): Present {
  switch (found.kind) {
    case "absent":
    case "hidden":
      return found;
    case "empty":
      return { kind: "absent" };
    case "there": {
      const { versionId: version, variables: before } = found;
      const changes = before === undefined ? undefined : changesBetween(before, variables);
      return {
        kind: "there",
        etag: `"${version}"`,
        same: changes !== undefined && isNoChange(changes),
        changes,
        ...(changes === undefined ? { why: "it is not a JSON object of variables" } : {}),
        state: { version, etag: `"${version}"` },
      };
    }
  }
}

function expectedOf(found: FoundSecret, { create, ifMatch }: PushFlags): ExpectedSecret {
  if (found.kind === "there") return { kind: "version", versionId: found.versionId };
  if (found.kind === "hidden" && create !== true && ifMatch !== undefined)
    return { kind: "version", versionId: bareEtag(ifMatch) };
  return found.kind === "empty" ? found : { kind: "absent" };
}

function reportOf(
  { arn, versionId, stages, made }: WrittenSecret,
  key: string | undefined,
  { variables }: CheckedFile,
): Written {
  const ofNew = key ?? "aws/secretsmanager";
  return {
    state: { version: versionId, etag: `"${versionId}"`, ...(made ? { key: ofNew } : {}) },
    facts: [
      ["secret", arn],
      ["version", versionId],
      ["stage", stages.join(", ")],
      // Only UpdateSecret changes the key of a secret that is there.
      ["key", made ? ofNew : "the secret's own, as before"],
      ["variables", String(variables.size)],
    ],
  };
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

/** `sealexec push` to Secrets Manager: a new version of a secret, or a new secret. */
import { randomUUID } from "node:crypto";
import { step } from "../../base/context.ts";
import { SealexecError } from "../../base/errors.ts";
import { findSecret, type FoundSecret } from "../../stores/secrets-manager/find.ts";
import { secretNeed } from "../../stores/secrets-manager/read.ts";
import { SECRET_GRAMMAR, formatSecretUri, secretRef } from "../../stores/secrets-manager/ref.ts";
import type { SecretRef } from "../../stores/secrets-manager/ref.ts";
import { secretText, writeSecret } from "../../stores/secrets-manager/write.ts";
import type { ExpectedSecret, WrittenSecret } from "../../stores/secrets-manager/write.ts";
import { RunTools } from "../../sources/tools.ts";
import { changesBetween, isNoChange } from "../changes.ts";
import { bareEtag } from "../permission.ts";
import { storeKey } from "../target.ts";
import type { CheckedFile, Look, Present, PushOptions, TargetStore, Written } from "../target.ts";

/** More than a secret holds, as comments are left out; that it fits is known when it is JSON. */
const LARGEST_FILE_BYTES = 1024 * 1024;

interface Job {
  readonly ref: SecretRef;
  readonly name: string;
  readonly key: string | undefined;
  readonly options: PushOptions;
}

export const secretsManager: TargetStore = {
  grammar: SECRET_GRAMMAR,
  target: (parsed, options, context) => {
    const ref = secretRef(parsed);
    refuseParts(ref);
    const key = storeKey("Secrets Manager", options);
    if (options.create && ref.id.startsWith("arn:")) {
      const message = "--create takes a name: the ARN of a new secret is not known before";
      throw new SealexecError("usage", message, { hint: "secretsmanager://NAME" });
    }
    const name = formatSecretUri(ref);
    const job = { ref, name, key: key?.text, options };
    return {
      name,
      noun: "secret",
      largestBytes: LARGEST_FILE_BYTES,
      look: (file) => look(job, file, new RunTools(context, key, options.credentials)),
    };
  },
};

async function look(job: Job, file: CheckedFile, tools: RunTools): Promise<Look> {
  const { ref, name, key, options } = job;
  file.plaintext.fill(0);
  const text = await step(tools.context, "object", name, () => secretText(file.variables));
  await tools.session.begin([secretNeed(ref)]);
  const found = await step(tools.context, "object", name, () => findSecret(ref, tools));
  const write = { text, token: randomUUID(), key, expected: expectedOf(found, options) };
  return {
    present: presentOf(found, file),
    write: async () => {
      const put = () => writeSecret(ref, write, tools);
      const version = ({ versionId }: WrittenSecret): string => `version ${versionId}`;
      return reportOf(await step(tools.context, "object", name, put, version), key, file);
    },
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

function expectedOf(found: FoundSecret, { create, ifMatch }: PushOptions): ExpectedSecret {
  if (found.kind === "there") return { kind: "version", versionId: found.versionId };
  if (found.kind === "hidden" && !create && ifMatch !== undefined)
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

function refuseParts({ stage, versionId, reading }: SecretRef): void {
  if (stage !== undefined || versionId !== undefined)
    throw new SealexecError("usage", "a push makes a new version: the URI may not name one, nor a stage");
  if (reading.as !== "object" || reading.flatten !== undefined)
    throw new SealexecError("usage", "a push writes the whole secret: the URI may only have region");
}

/** Secrets Manager (API Reference, 2017-10-17); the wording of its messages is that of its answers. */
import { randomUUID } from "node:crypto";
import { ServiceError } from "./http.ts";
import { accessDenied } from "./json-service.ts";
import type { Asked, JsonApi, Output } from "./json-service.ts";
import type { SecretStore, SecretValue, SecretVersion, StoredSecret } from "./secrets-store.ts";

export class SecretsApi implements JsonApi {
  readonly name = "secretsmanager";
  readonly target = "secretsmanager";
  readonly names = ["SecretId", "Name"];
  readonly #store: SecretStore;

  constructor(store: SecretStore) {
    this.#store = store;
  }

  answer(asked: Asked): Output {
    switch (asked.operation) {
      case "GetSecretValue":
        return this.#getValue(asked);
      case "PutSecretValue":
        return this.#putValue(asked);
      case "CreateSecret":
        return this.#create(asked);
      case "DescribeSecret":
        return describe(this.#secret(asked, { deleted: true }));
      case "UpdateSecretVersionStage":
        return this.#updateStage(asked);
      case "DeleteSecret":
        return this.#delete(asked);
      case "RestoreSecret":
        return this.#restore(asked);
      default:
        throw new ServiceError(400, "UnknownOperationException", "");
    }
  }

  #getValue(asked: Asked): Output {
    const secret = this.#secret(asked);
    const version = findVersion(secret, asked.input.text("VersionId"), asked.input.text("VersionStage"));
    this.#checkKey();
    return {
      ...identity(secret),
      VersionId: version.id,
      VersionStages: stagesOf(secret, version),
      CreatedDate: version.created / 1000,
      ...(version.text === undefined ? {} : { SecretString: version.text }),
      ...(version.binary === undefined ? {} : { SecretBinary: version.binary }),
    };
  }

  #putValue(asked: Asked): Output {
    const secret = this.#secret(asked);
    const value = valueOf(asked) ?? invalid("You must provide either SecretString or SecretBinary.");
    this.#checkKey();
    const stages = asked.input.texts("VersionStages") ?? ["AWSCURRENT"];
    const version = this.#store.putVersion(secret, tokenOf(asked), value, stages);
    return { ...identity(secret), VersionId: version.id, VersionStages: stagesOf(secret, version) };
  }

  #create(asked: Asked): Output {
    const name = asked.input.required("Name");
    this.#authorize(asked, name);
    if (!/^[A-Za-z0-9/_+=.@-]{1,512}$/u.test(name)) invalid("Invalid name. Must be a valid name.");
    const there = this.#store.find(name, asked.region);
    const value = valueOf(asked);
    const token = tokenOf(asked);
    if (there?.deletionDate !== undefined)
      throw invalidRequest(
        "You can't create this secret because a secret with this name is already scheduled for deletion.",
      );
    // The same token and value again: nothing more is done, and the answer is the same.
    const repeats = value !== undefined && "text" in value && there?.versions.get(token)?.text === value.text;
    if (there !== undefined && !repeats)
      throw new ServiceError(
        400,
        "ResourceExistsException",
        `The operation failed because the secret ${name} already exists.`,
      );
    this.#checkKey();
    const kmsKeyId = asked.input.text("KmsKeyId");
    const options = { region: asked.region, ...(kmsKeyId === undefined ? {} : { kmsKeyId }) };
    const secret = there ?? this.#store.create(name, options);
    if (value === undefined) return identity(secret);
    const version = this.#store.putVersion(secret, token, value, ["AWSCURRENT"]);
    return { ...identity(secret), VersionId: version.id };
  }

  #updateStage(asked: Asked): Output {
    const secret = this.#secret(asked);
    const stage = asked.input.required("VersionStage");
    const holder = secret.stages.get(stage);
    // "If the label is attached and you either do not specify this parameter, or the version ID does not match, then the
    // operation fails" (UpdateSecretVersionStage, RemoveFromVersionId).
    if (holder !== undefined && holder !== asked.input.text("RemoveFromVersionId")) {
      throw new ServiceError(
        400,
        "InvalidParameterException",
        `The parameter RemoveFromVersionId can't be empty. Staging label ${stage} is currently attached to version ${holder}, so you must explicitly reference that version in RemoveFromVersionId.`,
      );
    }
    this.#store.moveStage(secret, stage, asked.input.text("MoveToVersionId"));
    return identity(secret);
  }

  #delete(asked: Asked): Output {
    const secret = this.#secret(asked, { deleted: true });
    const days = asked.input.number("RecoveryWindowInDays") ?? 30;
    if (asked.input.flag("ForceDeleteWithoutRecovery")) this.#store.remove(secret);
    secret.deletionDate = Date.now() + days * 86_400_000;
    return { ...identity(secret), DeletionDate: secret.deletionDate / 1000 };
  }

  #restore(asked: Asked): Output {
    const secret = this.#secret(asked, { deleted: true });
    delete secret.deletionDate;
    return identity(secret);
  }

  #secret(asked: Asked, allow: { deleted: boolean } = { deleted: false }): StoredSecret {
    const id = asked.input.required("SecretId");
    this.#authorize(asked, id);
    const secret = this.#store.find(id, asked.region);
    if (secret === undefined) throw notFound("Secrets Manager can't find the specified secret.");
    if (secret.deletionDate === undefined || allow.deleted) return secret;
    throw invalidRequest(
      "You can't perform this operation on the secret because it was marked for deletion.",
    );
  }

  #authorize(asked: Asked, resource: string): void {
    if (!this.#store.denied.has(asked.operation)) return;
    throw accessDenied(asked, `secretsmanager:${asked.operation}`, resource);
  }

  #checkKey(): void {
    switch (this.#store.keyTrouble) {
      case undefined:
        return;
      case "denied":
        throw new ServiceError(400, "AccessDeniedException", "Access to KMS is not allowed");
      case "decryption":
        throw new ServiceError(
          400,
          "DecryptionFailure",
          "Secrets Manager can't decrypt the protected secret text using the provided KMS key.",
        );
      case "encryption":
        throw new ServiceError(
          400,
          "EncryptionFailure",
          "Secrets Manager can't encrypt the protected secret text using the provided KMS key.",
        );
    }
  }
}

function findVersion(
  secret: StoredSecret,
  versionId: string | undefined,
  stage: string | undefined,
): SecretVersion {
  if (versionId !== undefined) {
    const version = secret.versions.get(versionId);
    if (version === undefined)
      throw notFound(`Secrets Manager can't find the specified secret value for VersionId: ${versionId}`);
    if (stage === undefined || secret.stages.get(stage) === versionId) return version;
    throw invalidRequest("You provided a VersionStage that is not associated to the provided VersionId.");
  }
  const label = stage ?? "AWSCURRENT";
  const version = secret.versions.get(secret.stages.get(label) ?? "");
  if (version !== undefined) return version;
  throw notFound(`Secrets Manager can't find the specified secret value for staging label: ${label}`);
}

function valueOf({ input }: Asked): SecretValue | undefined {
  const text = input.text("SecretString");
  if (text === undefined)
    return input.text("SecretBinary") === undefined
      ? undefined
      : { binary: input.blob("SecretBinary", 65_536) };
  if (Buffer.byteLength(text) > 65_536)
    throw new ServiceError(
      400,
      "ValidationException",
      "1 validation error detected: Value at 'secretString' failed to satisfy constraint: Member must have length less than or equal to 65536",
    );
  return { text };
}

function tokenOf({ input }: Asked): string {
  const token = input.text("ClientRequestToken") ?? randomUUID();
  return token.length >= 32 && token.length <= 64
    ? token
    : invalid("You provided an invalid ClientRequestToken: 32 to 64 characters.");
}

function describe(secret: StoredSecret): Output {
  const versions = [...secret.versions.values()].map((version) => [version.id, stagesOf(secret, version)]);
  return {
    ...identity(secret),
    ...(secret.kmsKeyId === undefined ? {} : { KmsKeyId: secret.kmsKeyId }),
    ...(secret.deletionDate === undefined ? {} : { DeletedDate: secret.deletionDate / 1000 }),
    CreatedDate: secret.created / 1000,
    VersionIdsToStages: Object.fromEntries(versions) as Record<string, string[]>,
  };
}

function stagesOf(secret: StoredSecret, version: SecretVersion): string[] {
  return [...secret.stages].flatMap(([stage, id]) => (id === version.id ? [stage] : []));
}

function identity({ arn, name }: StoredSecret): Output {
  return { ARN: arn, Name: name };
}

function notFound(message: string): ServiceError {
  return new ServiceError(400, "ResourceNotFoundException", message);
}

function invalidRequest(message: string): ServiceError {
  return new ServiceError(400, "InvalidRequestException", message);
}

function invalid(message: string): never {
  throw new ServiceError(400, "InvalidParameterException", message);
}

/**
 * What Secrets Manager's refusals mean, where a code alone does not say it or says another thing elsewhere.
 * Source: Secrets Manager API Reference, the errors of each operation; User Guide, "Troubleshooting".
 */
import type { OwnMeaning } from "../../aws/call/failure.ts";
import type { Meaning } from "../../http/failure.ts";

export type SecretOperation =
  "GetSecretValue" | "DescribeSecret" | "PutSecretValue" | "CreateSecret" | "UpdateSecretVersionStage";

const BY_CODE: Readonly<Record<string, Meaning>> = {
  DecryptionFailure: keyUnusable("decrypt"),
  EncryptionFailure: keyUnusable("encrypt"),
  InvalidParameterException: notTaken(
    "check the URI, and that the version has the stage where both are given",
  ),
  ValidationException: notTaken("check the URI, and --key (SEALEXEC_KEY) where it is pushed"),
  ResourceExistsException: conflict("there is a secret already"),
  LimitExceededException: {
    kind: "config",
    code: "quota-used-up",
    says: "a quota of Secrets Manager is used up",
    hint: "a secret holds 100 versions without a stage made within a day; ask for a higher quota of secrets",
  },
};

// The version that was to be replaced has the stage no more.
const MOVED = conflict("the secret is no longer the one expected");

function keyUnusable(verb: "decrypt" | "encrypt"): Meaning {
  const says = `Secrets Manager cannot ${verb} the secret with its KMS key`;
  const hint =
    "check the secret's KMS key: it must be enabled, and both its policy and the role's must allow it";
  return { kind: "config", code: "key-unusable", says, hint };
}

function notTaken(hint: string): Meaning {
  const says = "Secrets Manager does not take this name, version or stage";
  return { kind: "config", code: "not-taken", says, hint };
}

function conflict(says: string): Meaning {
  return {
    kind: "conflict",
    code: "conflict",
    says,
    hint: "somebody was quicker: look at what is there (sealexec pull -v), then push again; nothing was overwritten",
  };
}

/** The meanings for one operation. */
export function secretMeaning(operation: SecretOperation): OwnMeaning {
  return (code, message) => {
    switch (code) {
      case "AccessDeniedException":
        return denied(operation, message);
      case "ResourceNotFoundException":
        return missing(message);
      case "InvalidRequestException":
        return invalidState(message);
      case "InvalidParameterException":
        return operation === "UpdateSecretVersionStage" ? MOVED : BY_CODE[code];
      default:
        return Object.hasOwn(BY_CODE, code) ? BY_CODE[code] : undefined;
    }
  };
}

function denied(operation: SecretOperation, message: string): Meaning {
  // "Access to KMS is not allowed", or KMS's own words about kms:Decrypt.
  if (/\bKMS\b|\bkms:/.test(message)) {
    const actions = operation === "GetSecretValue" ? "kms:Decrypt" : "kms:GenerateDataKey and kms:Decrypt";
    const says = "the secret's KMS key is denied to these credentials";
    const hint = `allow ${actions} on the secret's key, in the role's policy and in the key's`;
    return { kind: "denied", code: "key-denied", says, hint };
  }
  const hint = `allow secretsmanager:${operation} on this secret to the role${reasonFor(operation)}`;
  return { kind: "denied", code: "access-denied", says: "access denied", hint };
}

function reasonFor(operation: SecretOperation): string {
  if (operation === "DescribeSecret") return ": run --watch looks with it for a new version";
  if (operation === "UpdateSecretVersionStage")
    return ": a push replaces with it only the version that it has seen";
  const action = operation === "GetSecretValue" ? "kms:Decrypt" : "kms:GenerateDataKey";
  return `, and ${action} if it has a key of its own: sealexec check shows the role`;
}

function missing(message: string): Meaning {
  if (/staging label|version/i.test(message)) {
    return {
      kind: "missing",
      code: "no-such-version",
      says: "no such version or stage of the secret",
      hint: "check stage and versionId, or leave them out for AWSCURRENT; a new secret has no value until one is put there",
    };
  }
  const says = "no such secret in this account and region";
  const hint = "check the name and the region, or put it there first: sealexec push FILE URI";
  return { kind: "missing", code: "no-such-secret", says, hint };
}

function invalidState(message: string): Meaning {
  if (/marked (for deletion|deleted)|scheduled for deletion|was deleted/i.test(message)) {
    const hint = "bring it back: aws secretsmanager restore-secret --secret-id NAME";
    return { kind: "missing", code: "marked-for-deletion", says: "the secret is marked for deletion", hint };
  }
  return {
    kind: "config",
    code: "secret-unusable",
    says: "the secret is in a state in which this cannot be done",
    hint: "look at it (aws secretsmanager describe-secret): its rotation, replication, owning service or KMS key",
  };
}

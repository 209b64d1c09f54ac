// What Systems Manager's refusals mean if a code alone does not say it, or says another thing elsewhere.
// Source: Systems Manager API Reference, the errors of each operation.
import type { OwnMeaning } from "../../aws/call/failure.ts";
import type { Meaning } from "../../http/failure.ts";

export type SsmOperation = "GetParameter" | "GetParametersByPath" | "PutParameter" | "DeleteParameters";

const BY_CODE: Readonly<Record<string, Meaning>> = {
  ParameterNotFound: {
    kind: "missing",
    code: "no-such-parameter",
    says: "no such parameter in this account and region",
    hint: "check the name and the region; the parameters below a path are ssm:///PATH/, with a slash at the end",
  },
  InvalidKeyId: {
    kind: "config",
    code: "key-unusable",
    says: "the KMS key of the parameter cannot be used",
    hint: "it must be there and enabled (aws kms describe-key); for a push, check --key (SEALEXEC_KEY)",
  },
  HierarchyTypeMismatch: {
    kind: "data",
    code: "conflict",
    says: "a parameter of another type is there already",
    hint: "delete it (aws ssm delete-parameter), then push again",
  },
  ParameterLimitExceeded: {
    kind: "config",
    code: "quota-used-up",
    says: "this account has as many parameters as it may have",
    hint: "delete some, or ask for a higher quota",
  },
  ParameterMaxVersionLimitExceeded: {
    kind: "config",
    code: "quota-used-up",
    says: "the parameter's oldest version has a label, and no more versions fit",
    hint: "move the label to a newer version (aws ssm label-parameter-version)",
  },
  // Two writers at once: one after the other, both can.
  TooManyUpdates: {
    kind: "unavailable",
    code: "conflict",
    says: "the parameter is being changed by somebody else",
    hint: "push again when they are done",
    transient: "failing",
  },
  ValidationException: {
    kind: "config",
    code: "not-taken",
    says: "Systems Manager does not take this name or value",
    hint: "names may not begin with aws or ssm; values have at most 8 KB and no {{ }} of another parameter",
  },
};

// Systems Manager Quotas: three writes a second. It is one writer's own pace that is too fast, not a fleet's:
// what spreads a fleet over many seconds would use up the time of a push.
const TOO_MANY_WRITES: Meaning = {
  kind: "timeout",
  code: "throttled",
  says: "still throttled when the time was over",
  hint: "raise --timeout (SEALEXEC_TIMEOUT): Systems Manager takes about three parameters a second",
  transient: "failing",
};

/** The meanings for one operation. */
export function ssmMeaning(operation: SsmOperation): OwnMeaning {
  return (code, message) => {
    if (code === "ThrottlingException" && (operation === "PutParameter" || operation === "DeleteParameters"))
      return TOO_MANY_WRITES;
    if (code === "AccessDeniedException") return denied(operation, message);
    return Object.hasOwn(BY_CODE, code) ? BY_CODE[code] : undefined;
  };
}

function denied(operation: SsmOperation, message: string): Meaning {
  const needsOfKey = operation === "PutParameter" ? "kms:Encrypt and kms:GenerateDataKey" : "kms:Decrypt";
  // KMS's refusal, passed on.
  if (/\bkms:|AWSKMS|customer master key/.test(message)) {
    const says = "the parameter's KMS key is denied to these credentials";
    const hint = `allow ${needsOfKey} on the key, in the role's policy and in the key's`;
    return { kind: "denied", code: "key-denied", says, hint };
  }
  const more =
    operation === "DeleteParameters"
      ? "or push without --replace"
      : `and ${needsOfKey} if it has a key of its own: sealexec check shows the role`;
  const hint = `allow ssm:${operation} on this path to the role, ${more}`;
  return { kind: "denied", code: "access-denied", says: "access denied", hint };
}

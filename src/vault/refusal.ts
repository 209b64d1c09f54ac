/** Answers of Vault that are no success, and what they mean (HashiCorp Vault HTTP API: "HTTP status codes"). */
import { classify } from "../aws/call/failure.ts";
import type { Failure, Transient } from "../http/attempt.ts";
import { AnswerTooLarge } from "../http/answer.ts";
import type { Answer } from "../http/answer.ts";
import { JsonLiteral, scanJson } from "../text/json-scan.ts";
import type { JsonObject, JsonValue } from "../text/json-scan.ts";
import { SealexecError } from "../base/errors.ts";
import type { ErrorKind, Facts } from "../base/errors.ts";

export type Json = Readonly<Record<string, unknown>>;

/** An answer other than success. Of its text nothing is ever shown. */
export class VaultRefusal extends Error {
  readonly status: number;
  /** of the answer's JSON; empty where it is none */
  readonly answer: Json;

  constructor(answer: Answer) {
    super(`status ${answer.status}`);
    this.status = answer.status;
    this.answer = parseObject(answer.body) ?? {};
  }

  /** Whether one of Vault's own error texts says so. */
  says(text: RegExp): boolean {
    const { errors } = this.answer;
    return Array.isArray(errors) && errors.some((line) => typeof line === "string" && text.test(line));
  }
}

/** An answer that says that all is well, and is not what Vault would say. */
export class UnreadableVaultAnswer extends Error {}

/** The object in a success's body; numbers and booleans are JsonLiterals, so that nothing of them is lost. */
export function scanObject(body: Buffer): Json | undefined {
  try {
    return objectOf(plain(scanJson(body.toString("utf8"))));
  } catch {
    return undefined;
  }
}

function plain(value: JsonValue): unknown {
  if (value instanceof JsonLiteral || value === null || typeof value === "string") return value;
  if (isArray(value)) return value.map(plain);
  return Object.fromEntries([...value].map(([name, entry]) => [name, plain(entry)]));
}

const isArray: (value: JsonObject | readonly JsonValue[]) => value is readonly JsonValue[] = Array.isArray;

function parseObject(body: Buffer): Json | undefined {
  try {
    return objectOf(JSON.parse(body.toString("utf8")));
  } catch {
    // Its message would quote the answer.
    return undefined;
  }
}

/** `value` where it is a JSON object. */
export function objectOf(value: unknown): Json | undefined {
  const isObject =
    typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof JsonLiteral);
  return isObject ? (value as Json) : undefined;
}

/** @param operation for people: `GET secret/data/app` */
export function classifyVault(operation: string, error: unknown): Failure {
  if (error instanceof VaultRefusal) return refused(operation, error);
  if (error instanceof UnreadableVaultAnswer)
    return failure("unavailable", NOT_VAULT, operation, error, { operation });
  if (error instanceof AnswerTooLarge) {
    return {
      error: new SealexecError("data", `the answer is too large (${operation})`, {
        hint: "a secret of this size would not fit an environment; check the path",
        cause: error,
      }),
    };
  }
  const { error: found, transient } = classify(operation, error);
  const hint = found.hint?.replace("AWS_CA_BUNDLE", "VAULT_CACERT");
  return {
    error: found.reworded(found.message, hint),
    ...(transient === undefined ? {} : { transient }),
  };
}

interface Meaning {
  /** of the failure, for machines */
  readonly code: string;
  readonly says: string;
  readonly hint: string;
  readonly transient?: Transient;
}

const NOT_VAULT: Meaning = {
  code: "answer-unreadable",
  says: "the answer is not Vault's",
  hint: "check VAULT_ADDR, and what stands between here and there: a proxy, a captive portal",
  transient: "failing",
};
const TOKEN_REFUSED: Meaning = {
  code: "token-refused",
  says: "Vault refused the token: it has expired, was revoked, or is of another namespace",
  hint: "get a new one (VAULT_TOKEN, VAULT_TOKEN_FILE, VAULT_AUTH), and check VAULT_NAMESPACE",
};
const FORBIDDEN: Meaning = {
  code: "access-denied",
  says: "permission denied",
  hint: "a policy of the token must allow read on this path, and the token must be valid: vault token lookup",
};
const THROTTLED: Meaning = {
  code: "throttled",
  says: "still throttled when the time was over",
  hint: "raise --timeout (SEALEXEC_TIMEOUT), or start fewer at once, or raise Vault's rate limit quota",
  transient: "throttled",
};
const SEALED: Meaning = {
  code: "vault-sealed",
  says: "Vault is sealed",
  hint: "unseal it (vault operator unseal), and look at vault status",
  transient: "failing",
};
const DOWN: Meaning = {
  code: "vault-down",
  says: "Vault is down for maintenance, or sealed",
  hint: "look at vault status; raise --timeout (SEALEXEC_TIMEOUT) to wait longer",
  transient: "failing",
};
const STANDBY: Meaning = {
  code: "vault-standby",
  says: "this node of Vault is a standby that does not answer such requests",
  hint: "point VAULT_ADDR at the active node, or at a load balancer that finds it",
  transient: "failing",
};
const FAILING: Meaning = {
  code: "service-failing",
  says: "Vault kept failing",
  hint: "look at Vault's own log; raise --timeout (SEALEXEC_TIMEOUT) to wait longer",
  transient: "failing",
};
const NO_MOUNT: Meaning = {
  code: "no-such-mount",
  says: "nothing is mounted at this path",
  hint: "check the mount's name (vault secrets list, vault auth list) and VAULT_NAMESPACE",
};
const UNEXPECTED: Meaning = {
  code: "not-taken",
  says: "Vault does not take this request",
  hint: "check VAULT_ADDR and the path; Vault's audit log has the reason",
};

function refused(operation: string, refusal: VaultRefusal): Failure {
  const { status } = refusal;
  const because = (kind: ErrorKind, meaning: Meaning): Failure =>
    failure(kind, meaning, `${operation}: ${status}`, refusal, { operation, httpStatus: status });
  if (status === 403 && refusal.says(/invalid token|bad token/i)) return because("denied", TOKEN_REFUSED);
  if (status === 400 && refusal.says(/missing client token/i)) return because("denied", TOKEN_REFUSED);
  // KV, on its way from version 1 to 2, or right after it was mounted.
  if (status === 400 && refusal.says(/upgrading from non-versioned/i)) return because("unavailable", FAILING);
  if (status === 401 || status === 403) return because("denied", FORBIDDEN);
  if (status === 404 && refusal.says(/no handler for route|route entry not found|unsupported path/i))
    return because("missing", NO_MOUNT);
  if (status === 404)
    return because("missing", { code: "not-there", says: "not there", hint: "check the path" });
  if (status === 429) return because("timeout", THROTTLED);
  // Those of sys/health; load balancers pass them on.
  if (status === 472 || status === 473) return because("unavailable", STANDBY);
  // A read replica that has not seen the write yet.
  if (status === 412) return because("unavailable", FAILING);
  if (status === 503) return because("unavailable", refusal.says(/sealed/i) ? SEALED : DOWN);
  if (status >= 500) return because("unavailable", FAILING);
  return because("config", UNEXPECTED);
}

function failure(
  kind: ErrorKind,
  { code, says, hint, transient }: Meaning,
  details: string,
  cause: unknown,
  facts: Facts,
): Failure {
  const error = new SealexecError(kind, `${says} (${details})`, { code, facts, hint, cause });
  return transient === undefined ? { error } : { error, transient };
}

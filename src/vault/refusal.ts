/** Answers of Vault that are no success, and what they mean (HashiCorp Vault HTTP API: "HTTP status codes"). */
import { AnswerTooLarge, InvalidAnswer } from "../http/answer.ts";
import type { Answer } from "../http/answer.ts";
import { UNREADABLE, failureOf, networkFailure, unexpected } from "../http/failure.ts";
import type { Failure, Meaning } from "../http/failure.ts";
import { JsonLiteral, scanJson } from "../text/json-scan.ts";
import type { JsonObject, JsonValue } from "../text/json-scan.ts";

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
    return undefined; // Its message would quote the answer.
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
  if (error instanceof VaultRefusal) {
    const { status } = error;
    const facts = { operation, httpStatus: status };
    return failureOf(meaningOf(error), { detail: `${operation}: ${status}`, facts, cause: error });
  }
  const told = { facts: { operation }, cause: error };
  if (error instanceof UnreadableVaultAnswer) return failureOf(NOT_VAULT, { detail: operation, ...told });
  if (error instanceof AnswerTooLarge) return failureOf(TOO_LARGE, { detail: operation, ...told });
  const ofNetwork = networkFailure(operation, error, "VAULT_CACERT");
  if (ofNetwork !== undefined) return ofNetwork;
  if (error instanceof InvalidAnswer)
    return failureOf(UNREADABLE, { detail: `${operation}: ${error.code}`, ...told });
  return unexpected(operation, "", false, told);
}

const NOT_VAULT: Meaning = {
  kind: "unavailable",
  code: "answer-unreadable",
  says: "the answer is not Vault's",
  hint: "check VAULT_ADDR, and what stands between here and there: a proxy, a captive portal",
  transient: "failing",
};
const TOO_LARGE: Meaning = {
  kind: "data",
  says: "the answer is too large",
  hint: "a secret of this size would not fit an environment; check the path",
};
const NOT_THERE: Meaning = { kind: "missing", code: "not-there", says: "not there", hint: "check the path" };
const TOKEN_REFUSED: Meaning = {
  kind: "denied",
  code: "token-refused",
  says: "Vault refused the token: it has expired, was revoked, or is of another namespace",
  hint: "get a new one (VAULT_TOKEN, VAULT_TOKEN_FILE, VAULT_AUTH), and check VAULT_NAMESPACE",
};
const FORBIDDEN: Meaning = {
  kind: "denied",
  code: "access-denied",
  says: "permission denied",
  hint: "a policy of the token must allow read on this path, and the token must be valid: vault token lookup",
};
const THROTTLED: Meaning = {
  kind: "timeout",
  code: "throttled",
  says: "still throttled when the time was over",
  hint: "raise --timeout (SEALEXEC_TIMEOUT), or start fewer at once, or raise Vault's rate limit quota",
  transient: "throttled",
};
const SEALED: Meaning = {
  kind: "unavailable",
  code: "vault-sealed",
  says: "Vault is sealed",
  hint: "unseal it (vault operator unseal), and look at vault status",
  transient: "failing",
};
const DOWN: Meaning = {
  kind: "unavailable",
  code: "vault-down",
  says: "Vault is down for maintenance, or sealed",
  hint: "look at vault status; raise --timeout (SEALEXEC_TIMEOUT) to wait longer",
  transient: "failing",
};
const STANDBY: Meaning = {
  kind: "unavailable",
  code: "vault-standby",
  says: "this node of Vault is a standby that does not answer such requests",
  hint: "point VAULT_ADDR at the active node, or at a load balancer that finds it",
  transient: "failing",
};
const FAILING: Meaning = {
  kind: "unavailable",
  code: "service-failing",
  says: "Vault kept failing",
  hint: "look at Vault's own log; raise --timeout (SEALEXEC_TIMEOUT) to wait longer",
  transient: "failing",
};
const NO_MOUNT: Meaning = {
  kind: "missing",
  code: "no-such-mount",
  says: "nothing is mounted at this path",
  hint: "check the mount's name (vault secrets list, vault auth list) and VAULT_NAMESPACE",
};
const UNEXPECTED: Meaning = {
  kind: "config",
  code: "not-taken",
  says: "Vault does not take this request",
  hint: "check VAULT_ADDR and the path; Vault's audit log has the reason",
};

/** Status, Vault's own words if they decide, and what it means: the first that fits. */
const MEANINGS: readonly (readonly [statuses: readonly number[], words: RegExp | undefined, Meaning])[] = [
  [[403], /invalid token|bad token/i, TOKEN_REFUSED],
  [[400], /missing client token/i, TOKEN_REFUSED],
  // KV, on its way from version 1 to 2, or right after it was mounted.
  [[400], /upgrading from non-versioned/i, FAILING],
  [[401, 403], undefined, FORBIDDEN],
  [[404], /no handler for route|route entry not found|unsupported path/i, NO_MOUNT],
  [[404], undefined, NOT_THERE],
  [[429], undefined, THROTTLED],
  // Those of sys/health; load balancers pass them on.
  [[472, 473], undefined, STANDBY],
  // A read replica that has not seen the write yet.
  [[412], undefined, FAILING],
  [[503], /sealed/i, SEALED],
  [[503], undefined, DOWN],
];

function meaningOf(refusal: VaultRefusal): Meaning {
  const { status } = refusal;
  const row = MEANINGS.find(
    ([statuses, words]) => statuses.includes(status) && (words === undefined || refusal.says(words)),
  );
  return row?.[2] ?? (status >= 500 ? FAILING : UNEXPECTED);
}

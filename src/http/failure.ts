/** What failures mean. The network's are here, a service's in aws/call/meanings.ts or vault/refusal.ts. */
import { defined } from "../base/defined.ts";
import { SealexecError } from "../base/errors.ts";
import type { ErrorKind, Facts } from "../base/errors.ts";
import { printable } from "../base/logger.ts";

/** Why another attempt can help, which says how long it is waited for: the windows are in retry.ts. */
export type Transient = "throttled" | "unreachable" | "failing" | "hung";

export interface Failure {
  readonly error: SealexecError;
  /** absent: another attempt would end the same way */
  readonly transient?: Transient;
}

/** A line of a table: what a refusal means to us. */
export interface Meaning {
  readonly kind: ErrorKind;
  /** for machines; by default its kind */
  readonly code?: string;
  readonly says: string;
  readonly hint?: string;
  readonly transient?: Transient;
}

/** What is told of one failure beside what it means. */
export interface Occurrence {
  /** operation, code, status, request id */
  readonly detail: string;
  readonly facts: Facts;
  readonly cause: unknown;
}

/** An attempt took longer than it may. */
export class AttemptTimeout extends Error {
  override readonly name = "AttemptTimeout";
}

/** What came is no answer of HTTP, or not the service's. */
export const UNREADABLE: Meaning = {
  kind: "unavailable",
  code: "answer-unreadable",
  says: "the answer is not the service's",
  hint: "check the endpoint, and what stands between here and there: a proxy, a captive portal",
  transient: "failing",
};

export function failureOf({ kind, code, says, hint, transient }: Meaning, occurrence: Occurrence): Failure {
  return { error: new SealexecError(kind, says, { code, hint, ...occurrence }), ...defined({ transient }) };
}

const UNREACHABLE_CODES = new Set(
  `ENOTFOUND EAI_AGAIN EAI_FAIL EAI_NODATA ECONNREFUSED ECONNRESET ECONNABORTED EPIPE ETIMEDOUT EHOSTUNREACH
   ENETUNREACH ENETDOWN EHOSTDOWN EADDRNOTAVAIL ECONNCLOSED ESERVFAIL ETIMEOUT EREFUSED ERR_STREAM_PREMATURE_CLOSE UND_ERR_SOCKET`.split(
    /\s+/,
  ),
);

const TLS_CODES =
  /^(ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO_SELF_SIGNED|HOSTNAME_MISMATCH|EPROTO$|INVALID_CA$|INVALID_PURPOSE$|PATH_LENGTH_EXCEEDED$)/;

// A code is an identifier; anything else in its place is a stranger's text and is not shown.
const IDENTIFIER = /^[A-Za-z0-9_.-]{1,64}$/;

/** A code or an id that may be shown; undefined: it is not plain. */
export function plain(code: unknown): string | undefined {
  return typeof code === "string" && IDENTIFIER.test(code) ? code : undefined;
}

/** undefined: an answer came, or it is nothing of the network's. `caVariable` names the service's CA. */
export function networkFailure(operation: string, error: unknown, caVariable: string): Failure | undefined {
  if (error instanceof SealexecError) return { error };
  if (error instanceof AttemptTimeout) {
    return {
      error: new SealexecError("timeout", `${operation}: no answer in time`, {
        code: "no-answer",
        facts: { operation },
        hint: "the service is connected but silent or very slow; raise --timeout (SEALEXEC_TIMEOUT) if it is only slow",
        cause: error,
      }),
      transient: "hung",
    };
  }
  const code = plain((error as { readonly code?: unknown } | null | undefined)?.code);
  if (code === undefined) return undefined;
  if (TLS_CODES.test(code)) return tlsFailure(operation, code, error, caVariable);
  return UNREACHABLE_CODES.has(code) ? unreachable(operation, code, error) : undefined;
}

/** What no table knows. What is refused (400 and more) is not out of reach: another attempt would be refused as well. */
export function unexpected(
  operation: string,
  details: string,
  isRefused: boolean,
  told: Omit<Occurrence, "detail">,
): Failure {
  const hint = "run it with -v to see each step; AWS support knows the request by its id";
  const detail = details === "" ? undefined : details;
  const says = `${operation}: ${detail === undefined ? "unexpected failure" : "failed"}`;
  return { error: new SealexecError(isRefused ? "config" : "unavailable", says, { hint, detail, ...told }) };
}

function unreachable(operation: string, code: string, error: unknown): Failure {
  const nameless = code === "ENOTFOUND" || code.startsWith("EAI_");
  const says = nameless
    ? `${hostOf(error)}the host name does not resolve`
    : `${addressOf(error)}cannot be reached`;
  const meaning: Meaning = {
    kind: "unavailable",
    code: nameless ? "name-not-resolved" : "unreachable",
    says: `${operation}: ${says}`,
    hint: "check the endpoint, the network (DNS, route, security group, VPC endpoint); proxies are not used",
    transient: "unreachable",
  };
  return failureOf(meaning, { detail: code, facts: { operation, systemCode: code }, cause: error });
}

function tlsFailure(operation: string, code: string, error: unknown, caVariable: string): Failure {
  const meaning: Meaning = {
    kind: "unavailable",
    code: "tls-untrusted",
    says: `${operation}: ${hostOf(error)}its TLS certificate is not trusted`,
    hint: tlsHint(code, caVariable),
  };
  return failureOf(meaning, { detail: code, facts: { operation, systemCode: code }, cause: error });
}

function tlsHint(code: string, caVariable: string): string {
  if (/ALTNAME|HOSTNAME/.test(code)) return "check the endpoint's host: the certificate is for another";
  if (code === "EPROTO") return "check that the endpoint speaks TLS: its URL says https";
  if (/EXPIRED|NOT_YET_VALID/.test(code)) return "renew the certificate, or set this machine's clock (NTP)";
  return `if the CA is your own, name its PEM file in ${caVariable}`;
}

function hostOf(error: unknown): string {
  const { hostname, host, address } = error as { hostname?: unknown; host?: unknown; address?: unknown };
  const name = [hostname, host, address].find((value) => typeof value === "string");
  return name === undefined ? "" : `${printable(String(name))}: `;
}

/** `HOST:PORT: ` */
function addressOf(error: unknown): string {
  const { port } = error as { port?: unknown };
  const host = hostOf(error);
  if (host === "" || typeof port !== "number") return host;
  const name = host.slice(0, -": ".length);
  return `${name.includes(":") ? `[${name}]` : name}:${port}: `;
}

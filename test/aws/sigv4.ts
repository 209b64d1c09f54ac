/**
 * Signature Version 4, the arithmetic of it, from "Create a signed AWS API request" (AWS IAM User Guide,
 * reference_sigv-create-signed-request) and "Signature Calculations for the Authorization Header"
 * (Amazon S3 API Reference, sig-v4-header-based-auth). Nothing here knows about clients or credentials.
 */
import { createHash, createHmac } from "node:crypto";

export const ALGORITHM = "AWS4-HMAC-SHA256";

export interface CredentialScope {
  /** YYYYMMDD */
  readonly date: string;
  readonly region: string;
  readonly service: string;
}

export interface Authorization {
  readonly accessKeyId: string;
  readonly scope: CredentialScope;
  /** lower case, in the order given */
  readonly signedHeaders: readonly string[];
  /** 64 hex digits */
  readonly signature: string;
}

/** Takes an Authorization header apart; undefined if it is not a whole SigV4 header. */
export function parseAuthorization(value: string): Authorization | undefined {
  if (!value.startsWith(`${ALGORITHM} `)) return undefined;
  const fields = new Map<string, string>();
  for (const part of value.slice(ALGORITHM.length + 1).split(",")) {
    const at = part.indexOf("=");
    if (at < 0) return undefined;
    fields.set(part.slice(0, at).trim(), part.slice(at + 1).trim());
  }
  const credential = (fields.get("Credential") ?? "").split("/");
  const [date, region, service, terminator] = credential.slice(-4);
  const accessKeyId = credential.slice(0, -4).join("/");
  const signedHeaders = fields.get("SignedHeaders");
  const signature = fields.get("Signature");
  if (!accessKeyId || !date || !region || !service || terminator !== "aws4_request") return undefined;
  if (!signedHeaders || !signature) return undefined;
  return {
    accessKeyId,
    scope: { date, region, service },
    signedHeaders: signedHeaders.split(";"),
    signature,
  };
}

/** UriEncode() of the S3 API Reference: RFC 3986 unreserved characters stay, everything else is %XY, upper case. */
export function uriEncode(bytes: Buffer): string {
  let text = "";
  for (const byte of bytes) {
    const char = String.fromCharCode(byte);
    text += /[A-Za-z0-9\-._~]/u.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return text;
}

/** %XY → bytes; anything else stays. */
export function percentDecode(text: string): Buffer {
  const raw = text.replaceAll(/%([0-9A-Fa-f]{2})/gu, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(raw, "latin1");
}

/** RFC 3986 remove_dot_segments, and doubled slashes made one: for every service but S3. */
function normalizePath(path: string): string {
  const out: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "..") out.pop();
    else if (segment !== "" && segment !== ".") out.push(segment);
  }
  const slash = out.length > 0 && /\/\.{0,2}$/u.test(path) ? "/" : "";
  return `/${out.join("/")}${slash}`;
}

/** S3: the path encoded once, as it is. Others: normalized, and what was sent is encoded once more. */
export function canonicalUri(path: string, isS3: boolean): string {
  if (!isS3) return encodeSegments(normalizePath(path), (segment) => Buffer.from(segment, "latin1"));
  return encodeSegments(path, percentDecode);
}

function encodeSegments(path: string, bytes: (segment: string) => Buffer): string {
  return path
    .split("/")
    .map((segment) => uriEncode(bytes(segment)))
    .join("/");
}

export function canonicalQuery(query: string): string {
  if (query === "") return "";
  const pairs = query.split("&").map((pair): [string, string] => {
    const at = pair.indexOf("=");
    const name = at < 0 ? pair : pair.slice(0, at);
    const value = at < 0 ? "" : pair.slice(at + 1);
    return [uriEncode(percentDecode(name)), uriEncode(percentDecode(value))];
  });
  return pairs
    .sort(([a, x], [b, y]) => compare(a, b) || compare(x, y))
    .map((pair) => pair.join("="))
    .join("&");
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

export interface Signable {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  /** lower-case names; values as Latin-1 text */
  readonly headers: ReadonlyMap<string, string>;
}

/** Header values lose outer white space, and inner runs become one space. */
export function canonicalRequest(
  request: Signable,
  signedHeaders: readonly string[],
  payloadHash: string,
  isS3: boolean,
): string {
  const names = [...signedHeaders].sort(compare);
  const lines = names.map(
    (name) => `${name}:${(request.headers.get(name) ?? "").trim().replaceAll(/ +/gu, " ")}\n`,
  );
  return [
    request.method,
    canonicalUri(request.path, isS3),
    canonicalQuery(request.query),
    lines.join(""),
    names.join(";"),
    payloadHash,
  ].join("\n");
}

export function stringToSign(timestamp: string, scope: CredentialScope, canonical: string): string {
  const place = `${scope.date}/${scope.region}/${scope.service}/aws4_request`;
  return [ALGORITHM, timestamp, place, sha256(Buffer.from(canonical, "latin1"))].join("\n");
}

/** The derived key of the day, the region and the service: 32 bytes. */
export function signingKey(secret: string, scope: CredentialScope): Buffer {
  const date = hmac(Buffer.from(`AWS4${secret}`), scope.date);
  return hmac(hmac(hmac(date, scope.region), scope.service), "aws4_request");
}

export function signature(secret: string, scope: CredentialScope, text: string): string {
  return hmac(signingKey(secret, scope), text).toString("hex");
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

export function sha256(bytes: Buffer | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Signature Version 4. To load the SDK's took 1 ms of a start; the tests hold this to it. Sources: */
// AWS IAM User Guide, "Create a signed AWS API request";
// Amazon S3 API Reference, "Signature calculations for the Authorization header".
import { hmacSha256, sha256 } from "../../base/hash.ts";
import type { Identity } from "../credentials/source.ts";
import { encodeUriComponent } from "../endpoint.ts";

const ALGORITHM = "AWS4-HMAC-SHA256";

export interface Signable {
  /** as the scope names it: `s3`, `kms`, … */
  readonly service: string;
  readonly method: string;
  /** without a query */
  readonly url: URL;
  readonly query?: Readonly<Record<string, string>>;
  /** lower-case names; `host` among them */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Signer {
  readonly identity: Pick<Identity, "accessKeyId" | "secretAccessKey" | "sessionToken">;
  readonly region: string;
}

/** The query of a request as it is signed and sent, without its question mark. */
export function canonicalQuery(query: Readonly<Record<string, string>>): string {
  // By the name alone: `a=1` stands before `a-b=1`, though "=" is after "-".
  return Object.entries(query)
    .map(([name, value]) => [encodeUriComponent(name), encodeUriComponent(value)] as const)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map((pair) => pair.join("="))
    .join("&");
}

export function signRequest(request: Signable, signer: Signer, at: Date): Record<string, string> {
  const { sessionToken } = signer.identity;
  const payload = hex(sha256(request.body ?? ""));
  const headers = {
    ...request.headers,
    // 20260131T235959Z
    "x-amz-date": at.toISOString().replace(/[-:]|\.\d+/g, ""),
    ...(sessionToken === undefined ? {} : { "x-amz-security-token": sessionToken }),
    "x-amz-content-sha256": payload,
  };
  return { ...headers, authorization: authorize({ ...request, headers }, signer, payload) };
}

/** The Authorization header for these headers and no others. @param payload SHA-256 of the body, hexadecimal */
export function authorize(request: Signable, { identity, region }: Signer, payload: string): string {
  const { service, headers } = request;
  // A proxy may change the user agent on the way.
  const names = Object.keys(headers)
    .filter((name) => name !== "user-agent")
    .toSorted();
  const signed = names.join(";");
  const canonical = [
    request.method,
    canonicalPath(request),
    canonicalQuery(request.query ?? {}),
    ...names.map((name) => `${name}:${(headers[name] ?? "").trim().replace(/\s+/g, " ")}`),
    "",
    signed,
    payload,
  ].join("\n");
  const time = headers["x-amz-date"] ?? "";
  const day = time.slice(0, 8);
  const scope = `${day}/${region}/${service}/aws4_request`;
  const key = [day, region, service, "aws4_request"].reduce<string | Uint8Array>(
    (before, part) => hmacSha256(before, part),
    `AWS4${identity.secretAccessKey}`,
  );
  const signature = hmacSha256(key, [ALGORITHM, time, scope, hex(sha256(canonical))].join("\n"));
  return `${ALGORITHM} Credential=${identity.accessKeyId}/${scope}, SignedHeaders=${signed}, Signature=${hex(signature)}`;
}

// S3 alone takes the path as it was sent; the others without empty segments, and encoded once more.
function canonicalPath({ service, url: { pathname } }: Signable): string {
  if (service === "s3") return pathname;
  const segments = pathname.split("/").filter((segment) => segment !== "");
  const end = segments.length > 0 && pathname.endsWith("/") ? "/" : "";
  return `/${segments.map(encodeUriComponent).join("/")}${end}`;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
}

/** A bare client of the loopback AWS: node:http and a signature, nothing that retries, follows or corrects. */
import { readFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import type { IncomingHttpHeaders } from "node:http";
import { request as httpsRequest } from "node:https";
import type { ListenerName } from "../http.ts";
import type { Aws } from "../server.ts";
import { ALGORITHM, canonicalRequest, sha256, signature, stringToSign } from "../sigv4.ts";

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly text: string;
}

export interface Ask {
  readonly method?: string;
  readonly path?: string;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

export interface Signing {
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
  readonly sessionToken?: string | undefined;
  readonly region?: string;
  readonly service?: string;
  readonly timeMs?: number;
  /** YYYYMMDD of the scope, where it shall not be that of the time */
  readonly scopeDate?: string;
  /** these headers are sent but not signed */
  readonly unsigned?: readonly string[];
  /** the x-amz-content-sha256 to send; that of the body by default */
  readonly payload?: string;
}

/** One request on a connection of its own. Rejects as the socket does. */
export function send(aws: Aws, listener: ListenerName, ask: Ask): Promise<Answer> {
  const url = new URL(aws.endpoints[listener]);
  const target = (ask.path ?? "/") + (ask.query === undefined ? "" : `?${ask.query}`);
  const options = {
    host: url.hostname,
    port: url.port,
    method: ask.method ?? "GET",
    path: target,
    agent: false as const,
    headers: { ...ask.headers },
  };
  const tls = url.protocol === "https:";
  const ca = tls && aws.caFile !== undefined ? readFileSync(aws.caFile) : undefined;
  return new Promise((resolve, reject) => {
    const sent = tls ? httpsRequest({ ...options, ca }) : httpRequest(options);
    sent.on("error", reject);
    sent.on("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const body = Buffer.concat(chunks);
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body,
          text: body.toString("utf8"),
        });
      });
    });
    // A string would be sent together with the headers, and make them UTF-8.
    sent.end(Buffer.from(ask.body ?? ""));
  });
}

/** The headers that make it a signed request, host and content-length among them. */
export function sign(aws: Aws, listener: ListenerName, ask: Ask, how: Signing = {}): Record<string, string> {
  const [key] = aws.accessKeys;
  const service = how.service ?? listener;
  const timestamp = new Date(how.timeMs ?? Date.now()).toISOString().replaceAll(/[-:]|\.\d{3}/gu, "");
  const scope = { date: how.scopeDate ?? timestamp.slice(0, 8), region: how.region ?? aws.region, service };
  const payload = how.payload ?? sha256(ask.body ?? "");
  const token = how.sessionToken;
  const given = Object.entries(ask.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]);
  const headers: Record<string, string> = {
    host: new URL(aws.endpoints[listener]).host,
    "x-amz-date": timestamp,
    ...(service === "s3" ? { "x-amz-content-sha256": payload } : {}),
    ...(token === undefined ? {} : { "x-amz-security-token": token }),
    ...Object.fromEntries(given),
  };
  const names = Object.keys(headers).filter((name) => how.unsigned?.includes(name) !== true);
  const signable = { method: ask.method ?? "GET", path: ask.path ?? "/", query: ask.query ?? "" };
  const canonical = canonicalRequest(
    { ...signable, headers: new Map(Object.entries(headers)) },
    names,
    service === "s3" ? payload : sha256(ask.body ?? ""),
    service === "s3",
  );
  const secret = how.secretAccessKey ?? key?.secretAccessKey ?? "";
  const signed = signature(secret, scope, stringToSign(timestamp, scope, canonical));
  const credential = `${how.accessKeyId ?? key?.accessKeyId}/${scope.date}/${scope.region}/${service}/aws4_request`;
  return {
    ...headers,
    "content-length": String(Buffer.byteLength(ask.body ?? "")),
    authorization: `${ALGORITHM} Credential=${credential}, SignedHeaders=${names.sort().join(";")}, Signature=${signed}`,
  };
}

export async function s3(aws: Aws, ask: Ask, how: Signing = {}): Promise<Answer> {
  return send(aws, "s3", { ...ask, headers: sign(aws, "s3", ask, how) });
}

const TARGETS = { kms: "TrentService", secretsmanager: "secretsmanager", ssm: "AmazonSSM" } as const;

export interface JsonAnswer extends Answer {
  readonly json: Readonly<Record<string, unknown>>;
}

export function kms(aws: Aws, operation: string, input: unknown, how: Signing = {}): Promise<JsonAnswer> {
  return jsonCall(aws, "kms", operation, input, how);
}

/** An operation of a service that speaks AWS JSON 1.1. */
export async function jsonCall(
  aws: Aws,
  service: keyof typeof TARGETS,
  operation: string,
  input: unknown,
  how: Signing = {},
): Promise<JsonAnswer> {
  const headers = {
    "content-type": "application/x-amz-json-1.1",
    "x-amz-target": `${TARGETS[service]}.${operation}`,
  };
  const ask = { method: "POST", headers, body: JSON.stringify(input) };
  const answer = await send(aws, service, { ...ask, headers: sign(aws, service, ask, how) });
  return { ...answer, json: JSON.parse(answer.text) as Record<string, unknown> };
}

export async function sts(aws: Aws, form: Readonly<Record<string, string>>, how?: Signing): Promise<Answer> {
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  const ask = {
    method: "POST",
    headers,
    body: new URLSearchParams({ Version: "2011-06-15", ...form }).toString(),
  };
  return send(aws, "sts", how === undefined ? ask : { ...ask, headers: sign(aws, "sts", ask, how) });
}

/** The text of the first element of that name. */
export function xmlText(answer: Answer, name: string): string | undefined {
  return new RegExp(`<${name}>([^<]*)</${name}>`, "u").exec(answer.text)?.[1];
}

/** Services of the AWS JSON 1.1 protocol without their generated clients (smithy.io, "AWS JSON 1.1 protocol"). */
import type { Answer } from "../../http/answer.ts";
import { UnreadableAnswer, callService } from "./call.ts";
import type { Direct, Refusal } from "./call.ts";

/** What X-Amz-Target begins with, as each service's API reference has it, and the largest answer, bytes. */
const SERVICES = {
  kms: { target: "TrentService", largestBody: 64 * 1024 },
  // SecretString has 65,536 bytes at most, as JSON up to six times that.
  secretsmanager: { target: "secretsmanager", largestBody: 1024 * 1024 },
  // Ten parameters of 8 KB a page.
  ssm: { target: "AmazonSSM", largestBody: 1024 * 1024 },
} as const;

export type JsonService = keyof typeof SERVICES;

/** Calls an operation: `Decrypt`, `GetSecretValue`, …. Rejects as `callService` does. */
export async function callJson(
  direct: Direct,
  service: JsonService,
  operation: string,
  input: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
): Promise<Readonly<Record<string, unknown>>> {
  const answer = await answerOf(direct, service, operation, input, signal);
  const output = parseObject(answer);
  if (output === undefined) throw new UnreadableAnswer(answer);
  return output;
}

/** The same for who reads the answer's bytes himself: of 200, and nothing else is known of it. */
export function answerOf(
  { caller, url }: Direct,
  service: JsonService,
  operation: string,
  input: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
): Promise<Answer> {
  const { target, largestBody } = SERVICES[service];
  const headers = { "content-type": "application/x-amz-json-1.1", "x-amz-target": `${target}.${operation}` };
  const call = {
    service,
    method: "POST" as const,
    url,
    headers,
    body: JSON.stringify(input),
    largestBody,
    readRefusal,
  };
  return callService(caller, call, signal);
}

function parseObject({ body }: Answer): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(body.toString("utf8"));
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function readRefusal(answer: Answer): Refusal {
  // Where it is not in the service's own words, the status must do.
  const fields = parseObject(answer) ?? {};
  const type = answer.headers["x-amzn-errortype"] ?? fields["__type"] ?? fields["code"];
  const message = fields["message"] ?? fields["Message"];
  return {
    // `namespace#Name:uri`, of which only the name is always there.
    code: typeof type === "string" ? type.replace(/:.*$/, "").replace(/^.*#/, "") : undefined,
    message: typeof message === "string" ? message : undefined,
  };
}

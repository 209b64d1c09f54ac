/** Services of the AWS JSON 1.1 protocol without their generated clients (smithy.io, "AWS JSON 1.1 protocol"). */
import type { Answer } from "../../http/answer.ts";
import { parseObject } from "../credentials/answer.ts";
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

export interface JsonCall {
  readonly service: keyof typeof SERVICES;
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
}

export async function callJson(
  direct: Direct,
  call: JsonCall,
  signal: AbortSignal,
): Promise<Readonly<Record<string, unknown>>> {
  const answer = await answerOf(direct, call, signal);
  const output = parseObject(answer.body.toString("utf8"));
  if (output === undefined) throw new UnreadableAnswer(answer);
  return output;
}

/** The same for who reads the answer's bytes himself: of 200, and nothing else is known of it. */
export function answerOf(
  { caller, url }: Direct,
  { service, operation, input }: JsonCall,
  signal: AbortSignal,
): Promise<Answer> {
  const { target, largestBody } = SERVICES[service];
  const headers = { "content-type": "application/x-amz-json-1.1", "x-amz-target": `${target}.${operation}` };
  const question = { method: "POST", url, headers, body: JSON.stringify(input), largestBody } as const;
  return callService(caller, { ...question, service, readRefusal }, signal);
}

function readRefusal({ headers, body }: Answer): Refusal {
  // Where it is not in the service's own words, the status must do.
  const fields = parseObject(body.toString("utf8")) ?? {};
  const type = headers["x-amzn-errortype"] ?? fields["__type"] ?? fields["code"];
  const message = fields["message"] ?? fields["Message"];
  return {
    // `namespace#Name:uri`, of which only the name is always there.
    code: typeof type === "string" ? type.replace(/:.*$/, "").replace(/^.*#/, "") : undefined,
    message: typeof message === "string" ? message : undefined,
  };
}

/** KMS without the generated client: the AWS JSON 1.1 protocol (smithy.io, "AWS JSON 1.1 protocol"). */
import type { Answer } from "../aws/direct/answer.ts";
import { UnreadableAnswer, callService } from "../aws/direct/call.ts";
import type { Caller, Refusal } from "../aws/direct/call.ts";

const LARGEST_ANSWER_BYTES = 64 * 1024;

/** Calls a KMS operation. Rejects with ServiceRefusal, UnreadableAnswer, or as `ask` does. */
export async function callKms(
  caller: Caller,
  url: URL,
  operation: string,
  input: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
): Promise<Readonly<Record<string, unknown>>> {
  const answer = await callService(
    caller,
    {
      service: "kms",
      method: "POST",
      url,
      headers: {
        "content-type": "application/x-amz-json-1.1",
        "x-amz-target": `TrentService.${operation}`,
      },
      body: JSON.stringify(input),
      largestBody: LARGEST_ANSWER_BYTES,
      readRefusal,
    },
    signal,
  );
  const output = parseObject(answer);
  if (output === undefined) throw new UnreadableAnswer(answer);
  return output;
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
  // Where it is not in KMS's own words, the status must do.
  const fields = parseObject(answer) ?? {};
  const type = answer.headers["x-amzn-errortype"] ?? fields["__type"] ?? fields["code"];
  const message = fields["message"] ?? fields["Message"];
  return {
    // `namespace#Name:uri`, of which only the name is always there.
    code: typeof type === "string" ? type.replace(/:.*$/, "").replace(/^.*#/, "") : undefined,
    message: typeof message === "string" ? message : undefined,
  };
}

/** One question to KMS whose answer has a data key in it: by either way it is taken from the bytes, and no text is made of it. */
import type { KMSClient } from "@aws-sdk/client-kms";
import { UnreadableAnswer } from "../../aws/call/call.ts";
import { answerOf } from "../../aws/call/json.ts";
import type { AwsSession, Located } from "../../aws/session.ts";
import { joinAndWipe } from "../../base/wipeable.ts";
import { takePlaintext } from "./plaintext.ts";
import type { TakenAnswer } from "./plaintext.ts";

export interface KmsInput {
  readonly EncryptionContext?: Record<string, string>;
  readonly KeyId?: string;
}

/** What is asked: of Decrypt the wrapped key is opened, of GenerateDataKey a new one of 32 bytes is made. */
export type KmsQuestion =
  | { readonly operation: "Decrypt"; readonly input: KmsInput; readonly wrappedKey: Uint8Array }
  | { readonly operation: "GenerateDataKey"; readonly input: KmsInput & { readonly KeyId: string } };

/**
 * @returns undefined where the answer is KMS's and holds no data key
 *
 * Rejects with the refusals of the direct way and of the SDK, for `classify`.
 */
export async function askForKey(
  question: KmsQuestion,
  ref: Located,
  session: AwsSession,
  signal: AbortSignal,
): Promise<TakenAnswer | undefined> {
  const direct = await session.directKms(ref);
  if (direct === undefined) return askBySdk(question, await session.kms(ref), signal);
  const answer = await answerOf(direct, "kms", question.operation, bodyOf(question), signal);
  const whole = isWhole(answer.body);
  const taken = takePlaintext(answer.body);
  if (taken === undefined && !whole) throw new UnreadableAnswer(answer);
  return taken;
}

/** A web page, or half an answer, is worth another attempt; an answer of KMS without a data key is not. */
function isWhole(body: Buffer): boolean {
  return body.at(0) === "{".charCodeAt(0) && body.at(-1) === "}".charCodeAt(0);
}

function bodyOf(question: KmsQuestion): Readonly<Record<string, unknown>> {
  return question.operation === "Decrypt"
    ? { CiphertextBlob: Buffer.from(question.wrappedKey).toString("base64"), ...question.input }
    : { KeySpec: "AES_256", ...question.input };
}

async function askBySdk(
  question: KmsQuestion,
  client: KMSClient,
  signal: AbortSignal,
): Promise<TakenAnswer | undefined> {
  const { DecryptCommand, GenerateDataKeyCommand } = await import("../../aws/sdk.ts");
  const found: { taken?: TakenAnswer | undefined } = {};
  const options = { abortSignal: signal };
  if (question.operation === "Decrypt") {
    const command = new DecryptCommand({ CiphertextBlob: question.wrappedKey, ...question.input });
    takeBefore(command.middlewareStack, found);
    await client.send(command, options);
  } else {
    const command = new GenerateDataKeyCommand({ KeySpec: "AES_256", ...question.input });
    takeBefore(command.middlewareStack, found);
    await client.send(command, options);
  }
  return found.taken;
}

type Next = (args: { readonly request: unknown }) => Promise<{ readonly response: unknown }>;

interface Stack {
  add(middleware: (next: Next) => Next, options: Readonly<Record<string, string>>): void;
}

/** Takes the data key before the SDK reads the answer: what it makes of it then holds nothing. */
function takeBefore(stack: object, found: { taken?: TakenAnswer | undefined }): void {
  const take =
    (next: Next): Next =>
    async (args) => {
      const answer = await next(args);
      const response = answer.response as { statusCode: number; body: AsyncIterable<Buffer> | Buffer };
      if (response.statusCode !== 200) return answer;
      const body = await collect(response.body);
      const whole = isWhole(body);
      found.taken = takePlaintext(body);
      // What holds none is wiped whole: the SDK could not read it, and would have KMS asked again.
      response.body = found.taken === undefined && whole ? Buffer.from("{}") : body;
      return answer;
    };
  (stack as Stack).add(take, { name: "takeDataKey", step: "deserialize", priority: "low" });
}

/** The whole body; nothing is left where its parts were. */
async function collect(body: AsyncIterable<Buffer> | Buffer): Promise<Buffer> {
  if (body instanceof Uint8Array) return joinAndWipe([body]);
  const parts: Buffer[] = [];
  for await (const part of body) parts.push(part);
  return joinAndWipe(parts);
}

/** One attempt to ask KMS for a data key, which is taken from the bytes of the answer: no text is made of it. */
import type { KMSClient } from "@aws-sdk/client-kms";
import { UnreadableAnswer } from "../../aws/call/call.ts";
import { answerOf } from "../../aws/call/json.ts";
import type { AwsSession, Located } from "../../aws/session.ts";
import { joinAndWipe } from "../../base/wipeable.ts";
import { takePlaintext } from "./plaintext.ts";
import type { TakenAnswer } from "./plaintext.ts";

interface KmsInput {
  readonly EncryptionContext?: Record<string, string>;
  readonly KeyId?: string;
}

/** Decrypt opens a wrapped key, GenerateDataKey makes one of 32 bytes. */
export type KmsQuestion =
  | { readonly operation: "Decrypt"; readonly input: KmsInput; readonly wrappedKey: Uint8Array }
  | { readonly operation: "GenerateDataKey"; readonly input: KmsInput & { readonly KeyId: string } };

/** Rejects as the direct way and the SDK do, for `classify`. undefined: an answer of KMS holds no data key. */
export async function askForKey(
  question: KmsQuestion,
  located: Located,
  session: AwsSession,
  signal: AbortSignal,
): Promise<TakenAnswer | undefined> {
  const direct = await session.directKms(located);
  if (direct === undefined) return askBySdk(question, await session.kms(located), signal);
  const input =
    question.operation === "Decrypt"
      ? { CiphertextBlob: Buffer.from(question.wrappedKey).toString("base64"), ...question.input }
      : { KeySpec: "AES_256", ...question.input };
  const answer = await answerOf(direct, { service: "kms", operation: question.operation, input }, signal);
  const { taken, isWhole } = take(answer.body);
  if (taken === undefined && !isWhole) throw new UnreadableAnswer(answer);
  return taken;
}

/** A web page, or half an answer, is worth another attempt; a whole one of KMS without a data key is not. */
function take(body: Buffer): { readonly taken: TakenAnswer | undefined; readonly isWhole: boolean } {
  // Looked at first: what holds no data key is wiped.
  const isWhole = body.at(0) === "{".charCodeAt(0) && body.at(-1) === "}".charCodeAt(0);
  return { taken: takePlaintext(body), isWhole };
}

async function askBySdk(
  question: KmsQuestion,
  client: KMSClient,
  abortSignal: AbortSignal,
): Promise<TakenAnswer | undefined> {
  const { DecryptCommand, GenerateDataKeyCommand } = await import("../../aws/sdk.ts");
  const found: { taken?: TakenAnswer | undefined } = {};
  if (question.operation === "Decrypt") {
    const command = new DecryptCommand({ CiphertextBlob: question.wrappedKey, ...question.input });
    takeBefore(command.middlewareStack, found);
    await client.send(command, { abortSignal });
  } else {
    const command = new GenerateDataKeyCommand({ KeySpec: "AES_256", ...question.input });
    takeBefore(command.middlewareStack, found);
    await client.send(command, { abortSignal });
  }
  return found.taken;
}

type Next = (args: { readonly request: unknown }) => Promise<{ readonly response: unknown }>;

interface Stack {
  add(middleware: (next: Next) => Next, options: Readonly<Record<string, string>>): void;
}

/** Takes the data key before the SDK reads the answer: what it makes of it then holds nothing. */
function takeBefore(stack: object, found: { taken?: TakenAnswer | undefined }): void {
  const middleware =
    (next: Next): Next =>
    async (args) => {
      const answer = await next(args);
      const response = answer.response as { statusCode: number; body: AsyncIterable<Buffer> | Buffer };
      if (response.statusCode !== 200) return answer;
      const body = await collect(response.body);
      const { taken, isWhole } = take(body);
      found.taken = taken;
      // A body that was wiped cannot be read, and KMS would be asked again.
      response.body = taken === undefined && isWhole ? Buffer.from("{}") : body;
      return answer;
    };
  (stack as Stack).add(middleware, { name: "takeDataKey", step: "deserialize", priority: "low" });
}

/** The whole body; nothing is left where its parts were. */
async function collect(body: AsyncIterable<Buffer> | Buffer): Promise<Buffer> {
  const parts: Buffer[] = [];
  if (body instanceof Uint8Array) parts.push(body);
  else for await (const part of body) parts.push(part);
  return joinAndWipe(parts);
}

/** One HTTP request and its whole answer, over a connection. */
import { orAborted } from "../base/deadline.ts";
import { AnswerReader } from "./answer.ts";
import type { Answer } from "./answer.ts";
import { ConnectionError, targetTo } from "./connection.ts";
import type { Connection, Target } from "./connection.ts";
import type { Network } from "./network.ts";

export interface Question {
  readonly method: "GET" | "PUT" | "POST";
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** an answer with a larger body is refused, bytes */
  readonly largestBody: number;
}

// Redirects are answers like any other. After a failure the connection is closed.
/** Rejects with ConnectionError, InvalidAnswer, AnswerTooLarge, or the signal's reason. */
export async function ask(network: Network, question: Question, signal: AbortSignal): Promise<Answer> {
  const request = encode(question);
  const idle = await network.takeIdle(question.url);
  if (idle !== undefined) {
    try {
      return await askOn(idle, network, question, request, signal);
    } catch (error) {
      // RFC 9112, section 9.3.1: a server may close an idle connection just as it is used again. Nothing of an answer
      // came, and what is asked here may be asked twice.
      if (!(error instanceof Unanswered)) throw error;
    }
  }
  return askOn(await network.open(question.url), network, question, request, signal);
}

/** The connection ended before one byte of an answer. */
class Unanswered extends ConnectionError {}

async function askOn(
  connection: Connection,
  network: Network,
  { url, largestBody }: Question,
  request: Buffer,
  signal: AbortSignal,
): Promise<Answer> {
  try {
    signal.throwIfAborted();
    const answering = answerOn(connection, targetTo(url), largestBody);
    connection.send(request);
    const answer = await orAborted(answering, signal);
    if (answer.reusable && !connection.closed) network.give(url, connection);
    else connection.close();
    return answer;
  } catch (error) {
    connection.close();
    throw error;
  }
}

function answerOn(connection: Connection, target: Target, largestBody: number): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const reader = new AnswerReader(largestBody);
    let begun = false;
    connection.listen({
      onData: (bytes) => {
        begun = true;
        try {
          const whole = reader.push(bytes);
          if (whole !== undefined) resolve(whole);
        } catch (error) {
          reject(error as Error);
        }
      },
      onClose: (error) => {
        const whole = error === undefined ? reader.end() : undefined;
        if (whole !== undefined) resolve(whole);
        else if (begun) reject(new ConnectionError("ECONNRESET", target, error));
        else reject(new Unanswered("ECONNRESET", target, error));
      },
    });
  });
}

// A line break would begin another header (RFC 9110, section 5.5).
const FIELD_VALUE = /^[\t\x20-\x7e]*$/;

function encode({ method, url, headers, body = "" }: Question): Buffer {
  const fields = Object.entries({
    ...headers,
    ...(method === "GET" ? {} : { "content-length": String(Buffer.byteLength(body)) }),
  });
  for (const [name, value] of fields)
    if (!FIELD_VALUE.test(value)) throw new TypeError(`header ${name} cannot be sent`);
  const head = [
    `${method} ${url.pathname}${url.search} HTTP/1.1`,
    ...("host" in headers ? [] : [`host: ${url.host}`]),
    ...fields.map(([name, value]) => `${name}: ${value}`),
  ];
  return Buffer.from(`${head.join("\r\n")}\r\n\r\n${body}`, "utf8");
}

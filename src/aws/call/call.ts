/** A signed call of an AWS service. Loading the SDK's S3 client alone took a third of a start (bench/README.md). */
import { defined } from "../../base/defined.ts";
import { VERSION } from "../../base/version.ts";
import type { Answer } from "../../http/answer.ts";
import { ask } from "../../http/ask.ts";
import type { Question } from "../../http/ask.ts";
import type { Network } from "../../http/network.ts";
import type { Identity } from "../credentials/source.ts";
import type { Service } from "../endpoint.ts";
import type { Clock } from "./clock.ts";
import { isClockSkew } from "./failure.ts";
import { canonicalQuery, signRequest } from "./sign.ts";

export interface Caller {
  readonly network: Network;
  readonly identity: Identity;
  readonly clock: Clock;
  readonly region: string;
  /** the credentials are so new that AWS may not know them yet */
  readonly unsettled?: boolean;
}

/** Where a service is asked, and what it takes to sign for it. */
export interface Direct {
  /** without a query */
  readonly url: URL;
  readonly caller: Caller;
}

/** The URL is without a query. */
export interface Call extends Omit<Question, "headers"> {
  readonly service: Service;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly readRefusal: (answer: Answer) => Refusal;
}

export interface Refusal {
  readonly code: string | undefined;
  readonly message?: string | undefined;
  /** where S3 says that a bucket is elsewhere */
  readonly region?: string | undefined;
  readonly requestId?: string | undefined;
}

/** A service's refusal, with the fields that the SDK's errors have: failure.ts reads both alike. */
export class ServiceRefusal extends Error {
  readonly $metadata: {
    readonly httpStatusCode: number;
    readonly requestId?: string;
    readonly clockSkewCorrected?: true;
    readonly unsettled?: true;
  };
  readonly $response: { readonly headers: Readonly<Record<string, string>> };
  readonly Region: string | undefined;

  constructor(answer: Answer, refusal: Refusal, { clock, unsettled }: Pick<Caller, "clock" | "unsettled">) {
    super(refusal.message ?? "");
    this.name = refusal.code ?? "UnknownError";
    const isCorrected = isClockSkew(this) && clock.learn(answer.headers["date"]);
    this.$metadata = {
      httpStatusCode: answer.status,
      ...defined({ requestId: requestIdOf(answer) ?? refusal.requestId }),
      ...(isCorrected ? { clockSkewCorrected: true } : {}),
      ...(unsettled === true ? { unsettled } : {}),
    };
    this.$response = { headers: answer.headers };
    this.Region = refusal.region;
  }
}

/** An answer that says that all is well, and is not what the service would say. */
export class UnreadableAnswer extends Error {
  override readonly name = "UnreadableAnswer";
  readonly $metadata: { readonly httpStatusCode: number; readonly requestId?: string };

  constructor(answer: Answer) {
    super("unreadable");
    this.$metadata = { httpStatusCode: answer.status, ...defined({ requestId: requestIdOf(answer) }) };
  }
}

/** Rejects with ServiceRefusal, UnreadableAnswer for any success but a whole 200, or as `ask` does. */
export async function callService(caller: Caller, call: Call, signal: AbortSignal): Promise<Answer> {
  const url = new URL(call.url);
  url.search = canonicalQuery(call.query ?? {});
  const answer = await ask(caller.network, { ...call, url, headers: sign(caller, call) }, signal);
  // Nobody asks for a range: with one, or as 206, it is a part of what was asked for; 203 is what a proxy made of it.
  if (answer.status === 200 && answer.headers["content-range"] === undefined) return answer;
  if (answer.status < 300) throw new UnreadableAnswer(answer);
  throw new ServiceRefusal(answer, call.readRefusal(answer), caller);
}

export function sign(
  { identity, region, clock }: Pick<Caller, "identity" | "region" | "clock">,
  call: Omit<Call, "largestBody" | "readRefusal">,
): Record<string, string> {
  const headers = { host: call.url.host, "user-agent": `sealexec/${VERSION}`, ...call.headers };
  return signRequest({ ...call, headers }, { identity, region }, clock.now());
}

function requestIdOf({ headers }: Answer): string | undefined {
  return headers["x-amz-request-id"] ?? headers["x-amzn-requestid"];
}

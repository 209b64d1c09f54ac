/** One request and its answer: read, log, ask the faults, let the service answer, send. */
import { randomBytes, randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { Call, CallLog } from "./calls.ts";
import { plainTransmission, spoil, statusError, substitute } from "./fault-replies.ts";
import type { Transmission } from "./fault-replies.ts";
import type { CallFault, Faults } from "./faults.ts";
import { ServiceError } from "./http.ts";
import type { Clock, Request, Service } from "./http.ts";
import type { Limits } from "./limits.ts";
import type { S3Store } from "./s3-store.ts";

export interface Engine {
  readonly calls: CallLog;
  readonly faults: Faults;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly s3: S3Store;
}

export interface Wire {
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  readonly raw: Socket;
}

/** Never rejects for what a client does: a connection that ends early only ends the exchange. */
export async function exchange(
  engine: Engine,
  route: (request: Request) => Service,
  wire: Wire,
): Promise<void> {
  const request = await readRequest(wire.message);
  if (request === undefined) return;
  const service = route(request);
  const { operation, detail } = service.describe(request);
  const requestId = service.name === "s3" ? randomBytes(8).toString("hex").toUpperCase() : randomUUID();
  const call = engine.calls.begin(service.name, operation, detail, { requestId, headers: request.headers });
  const { fault, delayMs } = engine.faults.onCall(service.name, call);
  if (delayMs > 0) await sleep(delayMs, undefined, { ref: false });
  if (fault?.action === "silent") return;
  if (fault?.action === "reset") wire.raw.resetAndDestroy();
  else if (fault?.action === "hangUp") wire.raw.destroy();
  else await answer(engine, { service, request, call, fault, wire });
}

interface Exchange {
  readonly service: Service;
  readonly request: Request;
  readonly call: Call;
  readonly fault: CallFault | undefined;
  readonly wire: Wire;
}

async function answer(engine: Engine, { service, request, call, fault, wire }: Exchange): Promise<void> {
  const instead = fault === undefined ? undefined : substitute(service.name, fault);
  const reply =
    instead === undefined || instead instanceof ServiceError
      ? plainTransmission(ask(engine, service, request, call, instead))
      : instead;
  const sent =
    fault === undefined || instead !== undefined || !isReplyFault(fault) ? reply : spoil(reply, fault);
  const { bucket, key } = call.detail;
  if (fault?.action === "replaceObject" && bucket !== undefined && key !== undefined)
    engine.s3.put(bucket, key, fault.body, fault.metadata);
  call.status = sent.status;
  await send(sent, request, engine.clock, wire);
}

const REQUEST_ACTIONS = [
  "silent",
  "reset",
  "hangUp",
  "delay",
  "status",
  "errorIn200",
  "body",
  "hugeBody",
  "redirect",
] as const;

function isReplyFault(
  fault: CallFault,
): fault is Exclude<CallFault, { readonly action: (typeof REQUEST_ACTIONS)[number] }> {
  return !(REQUEST_ACTIONS as readonly string[]).includes(fault.action);
}

function ask(
  engine: Engine,
  service: Service,
  request: Request,
  call: Call,
  instead: ServiceError | undefined,
) {
  try {
    if (instead !== undefined) throw instead;
    const limited = engine.limits.check(service.name);
    if (limited !== undefined) throw statusError(service.name, { status: limited });
    return service.handle(request, call);
  } catch (error) {
    const known =
      error instanceof ServiceError ? error : new ServiceError(500, "InternalError", String(error));
    return service.renderError(known, request, call);
  }
}

/** undefined: the client went away before its request was whole. */
async function readRequest(message: IncomingMessage): Promise<Request | undefined> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of message) chunks.push(chunk as Buffer);
  } catch {
    return undefined;
  }
  const [path = "/", ...query] = (message.url ?? "/").split("?");
  return {
    method: message.method ?? "GET",
    path,
    query: query.join("?"),
    headers: readHeaders(message.rawHeaders),
    body: Buffer.concat(chunks),
    tls: "encrypted" in message.socket,
  };
}

function readHeaders(raw: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>();
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = (raw[index] ?? "").toLowerCase();
    const value = raw[index + 1] ?? "";
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before},${value}`);
  }
  return headers;
}

async function send(reply: Transmission, request: Request, clock: Clock, wire: Wire): Promise<void> {
  const { response, raw } = wire;
  if (response.destroyed) return;
  response.on("error", () => {});
  const bodiless = request.method === "HEAD" || reply.status === 304 || reply.status === 204;
  const length = reply.zeros ?? reply.body.length;
  const isUntold = reply.status === 304 || reply.status === 204 || "transfer-encoding" in reply.headers;
  response.writeHead(reply.status, {
    date: new Date(clock.now()).toUTCString(),
    ...(isUntold ? {} : { "content-length": String(length) }),
    ...reply.headers,
  });
  if (bodiless) response.end();
  else if (reply.zeros !== undefined) await sendZeros(response, reply.zeros);
  else if (reply.dripMs !== undefined) await drip(response, reply.body, reply.dripMs);
  else if (reply.cutAt === undefined) response.end(reply.body);
  else response.write(reply.body.subarray(0, reply.cutAt), () => raw.destroySoon());
}

async function sendZeros(response: ServerResponse, count: number): Promise<void> {
  // A client that has enough goes away; that is its right.
  await pipeline(Readable.from(zeros(count)), response).catch(() => {});
}

function* zeros(count: number): Generator<Buffer> {
  const block = Buffer.alloc(65_536);
  for (let left = count; left > 0; left -= block.length)
    yield left < block.length ? block.subarray(0, left) : block;
}

async function drip(response: ServerResponse, body: Buffer, everyMs: number): Promise<void> {
  response.flushHeaders();
  for (const byte of body) {
    await sleep(everyMs, undefined, { ref: false });
    if (response.destroyed) return;
    response.write(Buffer.of(byte));
  }
  response.end();
}

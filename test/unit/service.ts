/** A service on this machine: it keeps what it is asked, to the letter, and gives the answers that a test has written. */
import { createServer } from "node:http";
import type { IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { mock } from "node:test";

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** text is sent as it is, all else as JSON; absent: an empty object */
  readonly body?: unknown;
  /** nothing is ever answered */
  readonly silent?: true;
}

/** No call is made again after it. */
const UNEXPECTED: Reply = { status: 418 };

export class Service {
  readonly asked: Asked[] = [];
  /** how many connections are open */
  open = 0;
  readonly #server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const { method = "", url: path = "", headers } = request;
      this.asked.push({ method, path, headers, body: Buffer.concat(parts).toString("utf8") });
      this.#onAsked?.();
      const { status = 200, headers: more, body = {}, silent } = this.#replies.next().value ?? UNEXPECTED;
      if (silent === true) return;
      response.writeHead(status, { "content-type": "application/json", ...more });
      response.end(typeof body === "string" ? body : JSON.stringify(body));
    });
  });
  #replies: Iterator<Reply, undefined> = [].values();
  #onAsked: (() => void) | undefined;

  /** From now on it answers so, one after the other, and has been asked nothing. */
  answers(...replies: readonly Reply[]): this {
    this.#replies = replies.values();
    this.asked.length = 0;
    return this;
  }

  /** `GET /path` or `POST /path` of each request. */
  get lines(): readonly string[] {
    return this.asked.map(({ method, path }) => `${method} ${path}`);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Resolves when nobody is connected any more. */
  async isLeft(): Promise<void> {
    for (let left = 1_000; this.open > 0; left -= 1) {
      if (left === 0) throw new Error("a connection is open still");
      await turns(1);
    }
  }

  /** Resolves when the next request is there. */
  nextAsked(): Promise<void> {
    return new Promise((resolve) => {
      this.#onAsked = resolve;
    });
  }

  async listen(): Promise<void> {
    this.#server.on("connection", (socket) => {
      this.open += 1;
      socket.on("close", () => (this.open -= 1));
    });
    await new Promise<void>((resolve) => void this.#server.listen(0, "127.0.0.1", resolve));
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

/** One or more services for the time of `work`. Nobody waits before another attempt meanwhile. */
export async function withServices<T>(
  count: number,
  work: (...services: Service[]) => Promise<T>,
): Promise<T> {
  const services = Array.from({ length: count }, () => new Service());
  const random = mock.method(Math, "random", () => 0);
  try {
    await Promise.all(services.map((service) => service.listen()));
    return await work(...services);
  } finally {
    random.mock.restore();
    for (const service of services) service.close();
  }
}

/**
 * Holds an attempt to the time that it may take: a millisecond before it the service is still waited for.
 *
 * @param call must try once only
 */
export async function lastsAtMost(
  timeMs: number,
  service: Service,
  call: () => Promise<unknown>,
): Promise<unknown> {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    service.answers({ silent: true });
    const asked = service.nextAsked();
    const ended = call().then(
      () => "no failure",
      (error: unknown) => error,
    );
    await asked;
    mock.timers.tick(timeMs - 1);
    if ((await Promise.race([ended, turns(5)])) !== undefined) return "too early";
    mock.timers.tick(1);
    return await Promise.race([ended, turns(1_000).then(() => "too late")]);
  } finally {
    mock.timers.reset();
  }
}

async function turns(count: number): Promise<void> {
  for (let left = count; left > 0; left -= 1) await new Promise((resolve) => setImmediate(resolve));
}

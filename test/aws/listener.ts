/** One address that takes connections, and does to them what the connection faults say. */
import { createServer as createHttpServer } from "node:http";
import type { IncomingMessage, Server as HttpServer, ServerResponse } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { startHangingPort } from "./backlog.ts";
import type { HangingPort } from "./backlog.ts";
import type { ConnectionFault } from "./faults.ts";
import { holdPort } from "./held-port.ts";
import type { HeldPort } from "./held-port.ts";
import type { ListenerName } from "./http.ts";

export interface ListenerOptions {
  readonly name: ListenerName | "control";
  readonly host: string;
  readonly port: number;
  readonly tls: { readonly key: string; readonly cert: string } | undefined;
  /** @param raw the TCP socket, also under TLS: for RST */
  readonly onRequest: (message: IncomingMessage, response: ServerResponse, raw: Socket) => void;
  readonly onConnection: () => ConnectionFault | undefined;
}

export class Listener {
  readonly name: ListenerName | "control";
  readonly #options: ListenerOptions;
  readonly #http: HttpServer;
  readonly #sockets = new Map<string, Socket>();
  #tcp: Server | undefined;
  #hanging: HangingPort | undefined;
  /** while nobody listens */
  #held: HeldPort | undefined;
  #port: number;

  constructor(options: ListenerOptions) {
    this.name = options.name;
    this.#options = options;
    this.#port = options.port;
    const handle = (message: IncomingMessage, response: ServerResponse): void => {
      const raw = this.#sockets.get(peer(message.socket));
      if (raw !== undefined) options.onRequest(message, response, raw);
    };
    this.#http =
      options.tls === undefined ? createHttpServer(handle) : createHttpsServer({ ...options.tls }, handle);
    this.#http.on("clientError", (_error, socket) => socket.destroy());
    this.#http.on("tlsClientError", (_error: unknown, socket: Socket) => socket.destroy());
    this.#http.keepAliveTimeout = 60_000;
  }

  get url(): string {
    const host = this.#options.host.includes(":") ? `[${this.#options.host}]` : this.#options.host;
    return `${this.#options.tls === undefined ? "http" : "https"}://${host}:${this.#port}`;
  }

  /** A port of 0 becomes a free one, and stays ours through closing and opening. */
  async open(): Promise<void> {
    await this.#hanging?.close();
    this.#hanging = undefined;
    if (this.#tcp !== undefined) return;
    const tcp = createServer({ noDelay: true }, (socket) => this.#accept(socket));
    this.#tcp = tcp;
    await listen(tcp, this.#options.host, this.#port);
    this.#port = (tcp.address() as AddressInfo).port;
    this.#release();
  }

  /** Connection refused from now on; connections that are there end. */
  async shut(): Promise<void> {
    if (this.#tcp === undefined) return;
    this.#held = await holdPort(this.#options.host, this.#port, () => this.#end());
  }

  /** From now on connect() hangs. */
  async hang(): Promise<void> {
    await this.shut();
    this.#hanging ??= await startHangingPort(this.#options.host, this.#port);
  }

  /** Gives the port back. */
  async close(): Promise<void> {
    this.#end();
    this.#http.closeAllConnections();
    await this.#hanging?.close();
    this.#hanging = undefined;
    this.#release();
  }

  #end(): void {
    this.#tcp?.close();
    this.#tcp = undefined;
    for (const socket of this.#sockets.values()) socket.destroy();
  }

  #release(): void {
    this.#held?.release();
    this.#held = undefined;
  }

  #accept(socket: Socket): void {
    const id = peer(socket);
    this.#sockets.set(id, socket);
    socket.on("close", () => this.#sockets.delete(id));
    socket.on("error", () => socket.destroy());
    const fault = this.#options.onConnection();
    if (fault?.action === "resetOnConnect") socket.resetAndDestroy();
    // http.Server takes a TCP socket from anywhere; https.Server makes it a TLS one.
    else if (fault === undefined) this.#http.emit("connection", socket);
  }
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port }, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function peer(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}

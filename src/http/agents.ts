/**
 * The HTTP agents of the SDK's clients: connections that were opened ahead of their request, under the rules of
 * connecting.ts. Proxies of the environment are not used: what goes here is signed or secret.
 */
import http from "node:http";
import https from "node:https";
import type net from "node:net";
import type { Connecting } from "./connecting.ts";
import { openSocket } from "./wire-node.ts";
import { targetOf, targetTo } from "./target.ts";
import type { Target } from "./target.ts";

export class Agents {
  readonly httpAgent: http.Agent;
  readonly httpsAgent: https.Agent;
  readonly #connecting: Connecting;
  readonly #warm = new Map<string, net.Socket>();

  constructor(connecting: Connecting) {
    this.#connecting = connecting;
    this.httpAgent = new http.Agent({ keepAlive: true });
    this.httpsAgent = new https.Agent({ keepAlive: true });
    this.httpAgent.createConnection = (options) => this.#take(targetOf(options, "http:"));
    this.httpsAgent.createConnection = (options) => this.#take(targetOf(options, "https:"));
  }

  /** Opens a connection now for the first request to `url`. A failure is left for that request to meet. */
  warm(url: URL): void {
    const to = targetTo(url);
    if (this.#warm.has(to.id)) return;
    const socket = this.#open(to);
    socket.on("error", () => this.#warm.delete(to.id));
    this.#warm.set(to.id, socket);
  }

  close(): void {
    this.httpAgent.destroy();
    this.httpsAgent.destroy();
    for (const socket of this.#warm.values()) socket.destroy();
  }

  #take(to: Target): net.Socket {
    const warm = this.#warm.get(to.id);
    this.#warm.delete(to.id);
    return warm !== undefined && !warm.destroyed && warm.readyState !== "closed" ? warm : this.#open(to);
  }

  #open(to: Target): net.Socket {
    this.#connecting.allow(to);
    const socket = openSocket(to, this.#connecting.ca);
    // Before the client's own listener: not every error of the runtime says where it was to go.
    socket.prependListener("error", (error) => Object.assign(error, { hostname: to.host, port: to.port }));
    const timer = setTimeout(
      () => socket.destroy(Object.assign(new Error("connect timed out"), { code: "ETIMEDOUT" })),
      this.#connecting.timeoutMs,
    );
    socket.once(to.secure ? "secureConnect" : "connect", () => clearTimeout(timer));
    socket.once("close", () => clearTimeout(timer));
    return socket;
  }
}

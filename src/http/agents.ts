/** The agents of the SDK's clients. No proxy of the environment is used: what goes here is signed or secret. */
import http from "node:http";
import https from "node:https";
import type net from "node:net";
import { openSocket } from "./connection-node.ts";
import { targetOf, targetTo } from "./connection.ts";
import type { Target } from "./connection.ts";
import type { ConnectionRules } from "./rules.ts";

export class Agents {
  readonly httpAgent = new http.Agent({ keepAlive: true });
  readonly httpsAgent = new https.Agent({ keepAlive: true });
  readonly #rules: ConnectionRules;
  readonly #warm = new Map<string, net.Socket>();

  constructor(rules: ConnectionRules) {
    this.#rules = rules;
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
    this.#rules.allow(to);
    const socket = openSocket(to, this.#rules);
    // Before the client's own listener: not every error of the runtime says where it was to go.
    socket.prependListener("error", (error) => Object.assign(error, { hostname: to.host, port: to.port }));
    return socket;
  }
}

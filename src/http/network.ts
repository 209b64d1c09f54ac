/** The connections of one run: opened ahead of their request, and used again if the answer allows it. */
import type { Context } from "../base/context.ts";
import type { Agents } from "./agents.ts";
import { connectByBun } from "./connection-bun.ts";
import type { BunSockets } from "./connection-bun.ts";
import { targetTo } from "./connection.ts";
import type { Connection, Target } from "./connection.ts";
import { ConnectionRules } from "./rules.ts";
import type { CaVariable } from "./rules.ts";

export class Network {
  readonly #rules: ConnectionRules;
  readonly #idle = new Map<string, Promise<Connection>[]>();
  #agents: Promise<Agents> | undefined;

  constructor(context: Pick<Context, "env" | "deadline">, caVariable?: CaVariable) {
    this.#rules = new ConnectionRules(context, caVariable);
  }

  /** Opens a connection for a request that will come. One that has failed by then is opened anew for it. */
  warm(url: URL): void {
    const target = targetTo(url);
    const idle = this.#idleTo(target);
    const connection = this.#open(target);
    idle.push(connection);
    connection.catch(() => {
      const index = idle.indexOf(connection);
      if (index !== -1) idle.splice(index, 1);
    });
  }

  /** A connection to there that is open already. It is the caller's until it is given back. */
  async takeIdle(url: URL): Promise<Connection | undefined> {
    const connection = await this.#idleTo(targetTo(url)).shift();
    return connection === undefined || connection.closed ? undefined : connection;
  }

  open(url: URL): Promise<Connection> {
    return this.#open(targetTo(url));
  }

  /** Takes back a connection whose answer was read to its end. */
  give(url: URL, connection: Connection): void {
    // Whoever speaks unasked is not spoken to again.
    connection.listen({ onData: () => connection.close(), onClose: () => {} });
    this.#idleTo(targetTo(url)).push(Promise.resolve(connection));
  }

  /** What the SDK's clients take their connections from. */
  agents(): Promise<Agents> {
    this.#agents ??= import("./agents.ts").then(({ Agents }) => new Agents(this.#rules));
    return this.#agents;
  }

  /** Closes every connection that nobody has taken, and the agents'. */
  close(): void {
    for (const connection of [...this.#idle.values()].flat())
      connection.then((opened) => opened.close()).catch(() => undefined);
    this.#idle.clear();
    this.#agents?.then((agents) => agents.close()).catch(() => undefined);
  }

  #idleTo({ id }: Target): Promise<Connection>[] {
    const idle = this.#idle.get(id) ?? [];
    this.#idle.set(id, idle);
    return idle;
  }

  async #open(target: Target): Promise<Connection> {
    this.#rules.allow(target);
    const { Bun: bun } = globalThis as { readonly Bun?: BunSockets };
    if (bun !== undefined) return connectByBun(bun, target, this.#rules);
    const { connectByNode } = await import("./connection-node.ts");
    return connectByNode(target, this.#rules);
  }
}

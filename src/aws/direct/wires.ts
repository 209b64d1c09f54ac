/** The wires of one run: opened ahead of their request where that can be, and used again where the answer allows it. */
import type { Connecting } from "../connecting.ts";
import { targetOf } from "../target.ts";
import type { Target } from "../target.ts";
import { connectByBun } from "./bun-wire.ts";
import type { BunSockets } from "./bun-wire.ts";
import type { Wire } from "./wire.ts";

export class Wires {
  readonly #connecting: Connecting;
  readonly #idle = new Map<string, Promise<Wire>>();

  constructor(connecting: Connecting) {
    this.#connecting = connecting;
  }

  /** Opens a wire now for the first request to `url`. A failure is left for that request to meet. */
  warm(url: URL): void {
    const target = targetOf({ host: url.hostname, port: url.port }, url.protocol);
    if (this.#idle.has(target.id)) return;
    const wire = this.#open(target);
    wire.catch(() => undefined);
    this.#idle.set(target.id, wire);
  }

  /** An idle wire to there, or a new one. It is the caller's until it is given back. */
  async take(url: URL): Promise<Wire> {
    const target = targetOf({ host: url.hostname, port: url.port }, url.protocol);
    const idle = this.#idle.get(target.id);
    this.#idle.delete(target.id);
    const wire = await (idle ?? this.#open(target));
    return wire.closed ? this.#open(target) : wire;
  }

  give(url: URL, wire: Wire): void {
    const { id } = targetOf({ host: url.hostname, port: url.port }, url.protocol);
    if (this.#idle.has(id)) wire.close();
    else this.#idle.set(id, Promise.resolve(wire));
  }

  async #open(target: Target): Promise<Wire> {
    this.#connecting.allow(target);
    const { ca, timeoutMs } = this.#connecting;
    const { Bun: bun } = globalThis as { readonly Bun?: BunSockets };
    if (bun !== undefined) return connectByBun(bun, target, { ca, timeoutMs });
    const { connectByNode } = await import("./node-wire.ts");
    return connectByNode(target, { ca, timeoutMs });
  }
}

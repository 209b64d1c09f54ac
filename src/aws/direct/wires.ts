/** The wires of one run: opened ahead of their request where that can be, and used again where the answer allows it. */
import type { Connecting } from "../connecting.ts";
import { targetOf } from "../target.ts";
import type { Target } from "../target.ts";
import { connectByBun } from "./bun-wire.ts";
import type { BunSockets } from "./bun-wire.ts";
import type { Wire } from "./wire.ts";

export class Wires {
  readonly #connecting: Connecting;
  readonly #idle = new Map<string, Promise<Wire>[]>();

  constructor(connecting: Connecting) {
    this.#connecting = connecting;
  }

  /** Opens a wire now for a request to `url` that will come. One that has failed by then is opened anew for it. */
  warm(url: URL): void {
    const target = targetTo(url);
    const idle = this.#idleTo(target);
    const wire = this.#open(target);
    idle.push(wire);
    wire.catch(() => {
      const index = idle.indexOf(wire);
      if (index !== -1) idle.splice(index, 1);
    });
  }

  /** An idle wire to there, or a new one. It is the caller's until it is given back. */
  async take(url: URL): Promise<Wire> {
    const target = targetTo(url);
    const wire = await (this.#idleTo(target).shift() ?? this.#open(target));
    return wire.closed ? this.#open(target) : wire;
  }

  /** Takes back a wire whose answer was read to its end. */
  give(url: URL, wire: Wire): void {
    this.#idleTo(targetTo(url)).push(Promise.resolve(wire));
  }

  #idleTo({ id }: Target): Promise<Wire>[] {
    const idle = this.#idle.get(id) ?? [];
    this.#idle.set(id, idle);
    return idle;
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

function targetTo(url: URL): Target {
  return targetOf({ host: url.hostname, port: url.port }, url.protocol);
}

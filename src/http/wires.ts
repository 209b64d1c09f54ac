/** The wires of one run: opened ahead of their request where that can be, and used again where the answer allows it. */
import type { Connecting } from "./connecting.ts";
import { targetTo } from "./target.ts";
import type { Target } from "./target.ts";
import { connectByBun } from "./wire-bun.ts";
import type { BunSockets } from "./wire-bun.ts";
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

  /** A wire to there that is open already. It is the caller's until it is given back. */
  async takeIdle(url: URL): Promise<Wire | undefined> {
    const wire = await this.#idleTo(targetTo(url)).shift();
    return wire === undefined || wire.closed ? undefined : wire;
  }

  /** A new wire to there. */
  open(url: URL): Promise<Wire> {
    return this.#open(targetTo(url));
  }

  /** Takes back a wire whose answer was read to its end. */
  give(url: URL, wire: Wire): void {
    // Whoever speaks unasked is not spoken to again.
    wire.listen({ onData: () => wire.close(), onClose: () => {} });
    this.#idleTo(targetTo(url)).push(Promise.resolve(wire));
  }

  /** Closes the wires that nobody has taken. */
  close(): void {
    for (const idle of this.#idle.values()) {
      for (const wire of idle) wire.then((opened) => opened.close()).catch(() => undefined);
    }
    this.#idle.clear();
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
    const { connectByNode } = await import("./wire-node.ts");
    return connectByNode(target, { ca, timeoutMs });
  }
}

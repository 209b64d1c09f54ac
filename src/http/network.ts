/** Connections of one run: direct ones, and the agents that the SDK's clients take theirs from, loaded where one is used. */
import type { Context } from "../base/context.ts";
import type { Agents } from "./agents.ts";
import { Connecting } from "./connecting.ts";
import { Wires } from "./wires.ts";

export class Network {
  readonly wires: Wires;
  readonly #connecting: Connecting;
  #agents: Promise<Agents> | undefined;

  /** @throws "config" where AWS_CA_BUNDLE cannot be read */
  constructor(context: Pick<Context, "env" | "deadline">) {
    this.#connecting = new Connecting(context);
    this.wires = new Wires(this.#connecting);
  }

  /** Closes every connection that nobody waits for. */
  close(): void {
    this.wires.close();
    this.#agents?.then((agents) => agents.close()).catch(() => undefined);
  }

  agents(): Promise<Agents> {
    this.#agents ??= import("./agents.ts").then(({ Agents }) => new Agents(this.#connecting));
    return this.#agents;
  }
}

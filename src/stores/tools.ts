import { AwsSession } from "../aws/session.ts";
import type { Context } from "../context.ts";
import type { Source, Tools } from "./source.ts";

/** The tools of one run, shared by all its sources. */
export class RunTools implements Tools {
  readonly context: Context;
  readonly #key: string | undefined;
  #session: AwsSession | undefined;

  /** @param key the KMS key that must have sealed what is sealed */
  constructor(context: Context, key: string | undefined) {
    this.context = context;
    this.#key = key;
  }

  /** @throws "config" where the environment's endpoints or CA bundle cannot be used */
  get session(): AwsSession {
    this.#session ??= new AwsSession(this.context, this.#key);
    return this.#session;
  }

  /** Puts all that the sources want of AWS on its way. Returns whether that is anything. */
  async begin(sources: readonly Source[]): Promise<boolean> {
    const needs = sources.flatMap(({ aws }) => (aws === undefined ? [] : [aws]));
    if (needs.length === 0) return false;
    await this.session.begin(needs);
    return true;
  }
}

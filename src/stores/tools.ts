import { AwsSession } from "../aws/session.ts";
import type { AwsNeed } from "../aws/session.ts";
import type { Context } from "../context.ts";
import { localKeyPath } from "../key-name.ts";
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

  /** What these sources want of AWS. With a local key, nobody wants only KMS. */
  needs(sources: readonly Source[]): AwsNeed[] {
    const local = localKeyPath(this.#key) !== undefined;
    return sources.flatMap(({ aws }) => (aws === undefined || (local && aws.onlyKms === true) ? [] : [aws]));
  }

  /** Puts all of that on its way. Returns whether it is anything. */
  async begin(sources: readonly Source[]): Promise<boolean> {
    const needs = this.needs(sources);
    if (needs.length === 0) return false;
    await this.session.begin(needs);
    return true;
  }
}

/**
 * Vault for one run: its connections, its token, and its calls. Source: HashiCorp Vault HTTP API. A token that a login
 * gave is used for the run and left to expire: revoking it would be one more round trip before CMD can start, and would
 * revoke dynamic credentials with it.
 */
import type { Answer } from "../http/answer.ts";
import { ask } from "../http/ask.ts";
import { Network } from "../http/network.ts";
import { retry } from "../http/retry.ts";
import { step } from "../base/context.ts";
import type { Context } from "../base/context.ts";
import { VERSION } from "../base/version.ts";
import { activeNode, redirectedTwice } from "./redirect.ts";
import { UnreadableVaultAnswer, VaultRefusal, classifyVault, scanObject } from "./refusal.ts";
import type { Json } from "./refusal.ts";
import { readSettings } from "./settings.ts";
import type { VaultSettings } from "./settings.ts";
import { findToken } from "./token.ts";
import type { LoadIdentity, Token, VaultCall } from "./call.ts";

const ATTEMPT_MS = 10_000;
/** The largest answer that is read, bytes: no secret that fits an environment is larger. */
const LARGEST_ANSWER_BYTES = 4 * 1024 * 1024;

export class VaultClient {
  readonly #context: Context;
  readonly #settings: VaultSettings;
  readonly #network: Network;
  readonly #identity: LoadIdentity;
  #token: Promise<Token> | undefined;
  /** what a login gave last */
  #held: Token | undefined;

  /**
   * @param before the client of an earlier round: the token of its login is used until shortly before it expires
   * @throws "config" where the environment's settings cannot be used
   */
  constructor(context: Context, identity: LoadIdentity, before?: VaultClient) {
    this.#held = before === undefined ? undefined : before.#held;
    this.#context = context;
    this.#settings = readSettings(context.env);
    this.#network = new Network(context, "VAULT_CACERT");
    this.#identity = identity;
  }

  /** A GET with the run's token, which is looked for, or got by a login, at the first of them. */
  async read(call: Omit<VaultCall, "method" | "body">): Promise<Json> {
    const { text } = await this.#findToken();
    return this.#call({ ...call, method: "GET" }, text);
  }

  /** A POST without a token: a login. */
  login(call: Omit<VaultCall, "method" | "query">): Promise<Json> {
    return this.#call({ ...call, method: "POST" }, undefined);
  }

  /** It was refused: a later round looks for another. */
  forgetToken(): void {
    this.#held = undefined;
  }

  /** Closes every connection that nobody waits for. */
  close(): void {
    this.#network.close();
  }

  #findToken(): Promise<Token> {
    const held = this.#held;
    if (held !== undefined && isGood(held, this.#context.now())) return Promise.resolve(held);
    this.#token ??= step(
      this.#context,
      "credentials",
      "Vault",
      async () => {
        const token = await findToken(
          (call) => this.login(call),
          this.#context.env,
          this.#identity,
          this.#context.now(),
        );
        // One that the environment or a file names is looked up again each time: whoever put it there may have renewed it.
        if (token.lease !== undefined) this.#held = token;
        return token;
      },
      ({ from }) => from,
    );
    return this.#token;
  }

  #call(call: VaultCall, token: string | undefined): Promise<Json> {
    const operation = `${call.method} ${call.path}`;
    const classify = (error: unknown) => {
      const explained = error instanceof VaultRefusal ? call.explain?.(error, operation) : undefined;
      return explained === undefined ? classifyVault(operation, error) : { error: explained };
    };
    const { attemptMs = ATTEMPT_MS, mostAttempts = Infinity } = call;
    return retry(this.#context, { attemptMs, mostAttempts, classify }, async (signal) => {
      const answer = await this.#ask(call, token, signal);
      if (answer.status > 299) throw new VaultRefusal(answer);
      const json = answer.status === 200 ? scanObject(answer.body) : undefined;
      if (json === undefined) throw new UnreadableVaultAnswer();
      return json;
    });
  }

  async #ask(call: VaultCall, token: string | undefined, signal: AbortSignal): Promise<Answer> {
    const url = urlOf(this.#settings.address, call);
    const question = {
      method: call.method,
      headers: this.#headers(token),
      largestBody: LARGEST_ANSWER_BYTES,
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
    };
    const answer = await ask(this.#network, { ...question, url }, signal);
    if (answer.status !== 307) return answer;
    const node = activeNode(answer, url, this.#context.env);
    const second = await ask(this.#network, { ...question, url: node }, signal);
    if (second.status === 307) throw redirectedTwice();
    return second;
  }

  #headers(token: string | undefined): Record<string, string> {
    const { namespace } = this.#settings;
    return {
      accept: "application/json",
      "user-agent": `sealexec/${VERSION}`,
      // A Vault Agent in between may insist on it ("require_request_header").
      "x-vault-request": "true",
      ...(namespace === undefined ? {} : { "x-vault-namespace": namespace }),
      ...(token === undefined ? { "content-type": "application/json" } : { "x-vault-token": token }),
    };
  }
}

/** Two thirds of its lease: the Vault Agent renews then, too. */
function isGood({ lease }: Token, now: number): boolean {
  return lease === undefined || now < lease.since + (lease.ms * 2) / 3;
}

function urlOf(address: URL, { path, query = {} }: VaultCall): URL {
  const encoded = path.split("/").map(encodeURIComponent).join("/");
  const url = new URL(`${address.href.replace(/\/+$/, "")}/v1/${encoded}`);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return url;
}

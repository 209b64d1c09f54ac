// Vault for one run: its connections, its token, and its calls. Source: HashiCorp Vault HTTP API. A login's
// token is left to expire: to revoke it takes one more round trip before CMD can start, and dynamic
// credentials go with it.
import type { Answer } from "../http/answer.ts";
import { ask } from "../http/ask.ts";
import type { Question } from "../http/ask.ts";
import { Network } from "../http/network.ts";
import { retry } from "../http/retry.ts";
import { step } from "../base/context.ts";
import type { Context } from "../base/context.ts";
import { defined } from "../base/defined.ts";
import { VERSION } from "../base/version.ts";
import type { LoadIdentity, Token, VaultCall } from "./call.ts";
import { activeNode, redirectRefusal } from "./redirect.ts";
import { UnreadableVaultAnswer, VaultRefusal, classifyVault, scanObject } from "./refusal.ts";
import type { Json } from "./refusal.ts";
import { readSettings } from "./settings.ts";
import type { VaultSettings } from "./settings.ts";
import { findToken } from "./token.ts";

const ATTEMPT_MS = 10_000;
/** No secret that fits an environment is larger. */
const LARGEST_ANSWER_BYTES = 4 * 1024 * 1024;

type Way = Pick<Question, "method" | "headers">;

export class VaultClient {
  readonly #context: Context;
  readonly #settings: VaultSettings;
  readonly #network: Network;
  readonly #identity: LoadIdentity;
  #token: Promise<Token> | undefined;
  /** what a login gave last */
  #held: Token | undefined;

  /** @param before the client of an earlier round: its login's token is used until shortly before its end */
  constructor(context: Context, identity: LoadIdentity, before?: VaultClient) {
    this.#held = before === undefined ? undefined : before.#held;
    this.#context = context;
    this.#settings = readSettings(context.env);
    this.#network = new Network(context, "VAULT_CACERT");
    this.#identity = identity;
  }

  /** A GET with the run's token, which is looked for, or got by a login, at the first of them. */
  async read(call: VaultCall): Promise<Json> {
    const { text } = await this.#findToken();
    return this.#call(call, { method: "GET", headers: { "x-vault-token": text } });
  }

  /** A POST without a token. */
  login(call: VaultCall): Promise<Json> {
    return this.#call(call, { method: "POST", headers: { "content-type": "application/json" } });
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
    const { env, now } = this.#context;
    const held = this.#held;
    // Two thirds of its lease: the Vault Agent renews then, too.
    if (held?.lease !== undefined && now() < held.lease.since + (held.lease.ms * 2) / 3)
      return Promise.resolve(held);
    const find = async (): Promise<Token> => {
      const token = await findToken((call) => this.login(call), env, this.#identity, now());
      // One that the environment or a file names may have been renewed there: it is looked up each time.
      if (token.lease !== undefined) this.#held = token;
      return token;
    };
    this.#token ??= step(this.#context, "credentials", "Vault", find, ({ from }) => from);
    return this.#token;
  }

  #call(call: VaultCall, way: Way): Promise<Json> {
    const operation = `${way.method} ${call.path}`;
    const classify = (error: unknown) => {
      const explained = error instanceof VaultRefusal ? call.explain?.(error, operation) : undefined;
      return explained === undefined ? classifyVault(operation, error) : { error: explained };
    };
    const { attemptMs = ATTEMPT_MS, mostAttempts } = call;
    return retry(this.#context, { attemptMs, ...defined({ mostAttempts }), classify }, async (signal) => {
      const answer = await this.#ask(call, way, signal);
      if (answer.status > 299) throw new VaultRefusal(answer);
      const json = answer.status === 200 ? scanObject(answer.body) : undefined;
      if (json === undefined) throw new UnreadableVaultAnswer();
      return json;
    });
  }

  async #ask(call: VaultCall, { method, headers }: Way, signal: AbortSignal): Promise<Answer> {
    const { address, namespace } = this.#settings;
    const url = urlOf(address, call);
    const question = {
      method,
      headers: {
        accept: "application/json",
        "user-agent": `sealexec/${VERSION}`,
        // A Vault Agent in between may insist on it ("require_request_header").
        "x-vault-request": "true",
        ...defined({ "x-vault-namespace": namespace }),
        ...headers,
      },
      largestBody: LARGEST_ANSWER_BYTES,
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
    };
    const answer = await ask(this.#network, { ...question, url }, signal);
    if (answer.status !== 307) return answer;
    const node = activeNode(answer, url, this.#context.env);
    const second = await ask(this.#network, { ...question, url: node }, signal);
    // An active node that redirects is none.
    if (second.status === 307) throw redirectRefusal("more than once");
    return second;
  }
}

function urlOf(address: URL, { path, query = {} }: VaultCall): URL {
  const encoded = path.split("/").map(encodeURIComponent).join("/");
  const url = new URL(`${address.href.replace(/\/+$/, "")}/v1/${encoded}`);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return url;
}

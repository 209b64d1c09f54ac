/** The loopback Vault: engines, auth methods, tokens, and what a test may see and turn. Nothing is shared between two. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { setTimeout } from "node:timers/promises";
import { Listener } from "../aws/listener.ts";
import type { Aws } from "../aws/server.ts";
import { makeCertificate } from "../aws/tls.ts";
import type { TestCertificate } from "../aws/tls.ts";
import { AppRole, AwsAuth, Kubernetes } from "./auth.ts";
import type { AuthMethod } from "./auth.ts";
import { AwsEngine } from "./aws-engine.ts";
import { Faults } from "./faults.ts";
import type { Rule } from "./faults.ts";
import { VaultError, answer, permissionDenied } from "./http.ts";
import type { Answer, Json, Request } from "./http.ts";
import { KvV1, KvV2 } from "./kv.ts";
import type { Engine } from "./kv.ts";
import { Tokens } from "./tokens.ts";

export interface VaultOptions {
  readonly tls?: boolean;
  readonly expiredCertificate?: boolean;
}

export interface VaultCall {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly token: string | undefined;
  readonly namespace: string;
  /** 0: nothing was sent */
  status: number;
}

/** @param aws where the AWS engine's keys are good, and whose signatures the AWS auth method takes */
export async function startVault(aws: Aws, options: VaultOptions = {}): Promise<Vault> {
  const { tls = false, expiredCertificate: expired = false } = options;
  const certificate = tls ? await makeCertificate(["localhost", "127.0.0.1"], { expired }) : undefined;
  const vault = new Vault(aws, certificate);
  await vault.open();
  return vault;
}

export class Vault {
  readonly tokens = new Tokens();
  readonly kv1 = new KvV1();
  readonly kv2 = new KvV2();
  readonly awsEngine: AwsEngine;
  readonly approle = new AppRole(this.tokens);
  readonly kubernetes = new Kubernetes(this.tokens);
  readonly awsAuth: AwsAuth;
  readonly faults = new Faults();
  /** every request in order */
  readonly calls: VaultCall[] = [];
  readonly engines: Map<string, Engine>;
  readonly auth: Map<string, AuthMethod>;
  sealed = false;
  /** a standby that does not forward: where it sends everybody */
  activeNode: string | undefined;
  readonly #listener: Listener;
  readonly #certificate: TestCertificate | undefined;

  constructor(aws: Aws, certificate: TestCertificate | undefined) {
    this.awsEngine = new AwsEngine(aws);
    this.awsAuth = new AwsAuth(this.tokens, aws);
    this.engines = new Map<string, Engine>([
      ["secret", this.kv2],
      ["kv1", this.kv1],
      ["aws", this.awsEngine],
    ]);
    this.auth = new Map<string, AuthMethod>([
      ["approle", this.approle],
      ["kubernetes", this.kubernetes],
      ["aws", this.awsAuth],
    ]);
    this.#certificate = certificate;
    this.#listener = new Listener({
      name: "control",
      host: "127.0.0.1",
      port: 0,
      tls: certificate,
      onRequest: (message, response, raw) => void this.#exchange(message, response, raw),
      onConnection: () => undefined,
    });
  }

  get address(): string {
    return this.#listener.url;
  }

  /** VAULT_ADDR, and VAULT_CACERT where there is TLS; no token. */
  env(): Record<string, string> {
    return {
      VAULT_ADDR: this.address,
      ...(this.#certificate === undefined ? {} : { VAULT_CACERT: this.#certificate.caFile }),
    };
  }

  /** The same with a token for everything. */
  tokenEnv(): Record<string, string> {
    return { ...this.env(), VAULT_TOKEN: this.tokens.issue().text };
  }

  open(): Promise<void> {
    return this.#listener.open();
  }

  /** Connection refused from now on. */
  shut(): Promise<void> {
    return this.#listener.shut();
  }

  async close(): Promise<void> {
    await this.#listener.close();
    await this.#certificate?.remove();
  }

  async #exchange(message: IncomingMessage, response: ServerResponse, raw: Socket): Promise<void> {
    const request = await readRequest(message);
    const call: VaultCall = { ...request, query: request.query.toString(), status: 0 };
    this.calls.push(call);
    const { fault, delayMs } = this.faults.strike(request.path);
    if (delayMs > 0) await setTimeout(delayMs);
    if (fault?.action === "hang") return;
    if (fault?.action === "reset") return void raw.resetAndDestroy();
    const { status, body, headers } = this.#answer(request, fault);
    call.status = status;
    const text = fault?.action === "body" ? fault.body : JSON.stringify(body ?? {});
    response.writeHead(status, {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(text) + (fault?.action === "cut" ? 10 : 0),
      ...headers,
    });
    response.write(text);
    if (fault?.action === "cut") raw.destroySoon();
    else response.end();
  }

  #answer(request: Request, fault: Rule | undefined): Answer {
    if (fault?.action === "body") return { status: fault.status ?? 200 };
    if (fault?.action === "redirect") return { status: 307, headers: { location: fault.location } };
    if (this.activeNode !== undefined) {
      const location = `${this.activeNode}/v1/${request.path}?${request.query.toString()}`;
      return { status: 307, headers: { location: location.replace(/\?$/, "") } };
    }
    try {
      if (fault?.action === "status") throw new VaultError(fault.status, ...(fault.errors ?? []));
      if (this.sealed) throw new VaultError(503, "Vault is sealed");
      return this.#handle(request);
    } catch (error) {
      if (!(error instanceof VaultError)) throw error;
      return { status: error.status, body: { errors: error.errors } };
    }
  }

  #handle(request: Request): Answer {
    const { method, path } = request;
    const login = /^auth\/(.+)\/login$/.exec(path)?.[1];
    if (login !== undefined) {
      const auth = this.auth.get(login);
      // No token, and nothing there that could do without: Vault says no more than that.
      if (auth === undefined || method !== "POST") throw permissionDenied();
      return auth.login(request);
    }
    this.tokens.check(request, this.engines.keys());
    if (method !== "GET") throw new VaultError(405, "unsupported operation");
    const mount = /^sys\/internal\/ui\/mounts\/(.+)$/.exec(path)?.[1];
    if (mount !== undefined) {
      const { type = "", options = null } = this.engines.get(mount) ?? {};
      return answer({ type, options, path: `${mount}/` });
    }
    const found = [...this.engines].find(([name]) => path.startsWith(`${name}/`));
    if (found === undefined)
      throw new VaultError(404, `no handler for route "${path}". route entry not found.`);
    return found[1].handle(path.slice(found[0].length + 1), request);
  }
}

async function readRequest(message: IncomingMessage): Promise<Request> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  const url = new URL(message.url ?? "/", "http://vault");
  const text = Buffer.concat(chunks).toString("utf8");
  const header = (name: string): string | undefined => message.headers[name]?.toString();
  return {
    method: message.method ?? "",
    path: url.pathname
      .replace(/^\/v1\//, "")
      .split("/")
      .map(decodeURIComponent)
      .join("/"),
    query: url.searchParams,
    body: text === "" ? {} : (JSON.parse(text) as Json),
    token: header("x-vault-token"),
    namespace: header("x-vault-namespace") ?? "",
  };
}

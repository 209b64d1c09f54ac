/** Auth methods: AppRole, Kubernetes, and AWS by a signed GetCallerIdentity (Vault HTTP API, "Auth methods"). */
import { randomUUID } from "node:crypto";
import { ServiceError } from "../aws/http.ts";
import { Clock } from "../aws/http.ts";
import type { Aws } from "../aws/server.ts";
import { SignatureCheck } from "../aws/sigv4-check.ts";
import { VaultError, permissionDenied } from "./http.ts";
import type { Answer, Request } from "./http.ts";
import type { TokenOptions, Tokens } from "./tokens.ts";

export interface AuthMethod {
  login(request: Request): Answer;
}

const text = (value: unknown): string => (typeof value === "string" ? value : "");

export class AppRole implements AuthMethod {
  readonly #tokens: Tokens;
  readonly #roles = new Map<string, { secrets: Map<string, number>; options: TokenOptions }>();

  constructor(tokens: Tokens) {
    this.#tokens = tokens;
  }

  /** @returns its role_id */
  addRole(options: TokenOptions = {}): string {
    const id = randomUUID();
    this.#roles.set(id, { secrets: new Map(), options });
    return id;
  }

  /** @param uses how many logins it is good for */
  addSecretId(roleId: string, uses = Infinity): string {
    const id = randomUUID();
    this.#roles.get(roleId)?.secrets.set(id, uses);
    return id;
  }

  login({ body }: Request): Answer {
    const role = this.#roles.get(text(body["role_id"]));
    const secretId = text(body["secret_id"]);
    const uses = role?.secrets.get(secretId) ?? 0;
    if (role === undefined || uses < 1) throw new VaultError(400, "invalid role or secret ID");
    role.secrets.set(secretId, uses - 1);
    return this.#tokens.login(role.options);
  }
}

export class Kubernetes implements AuthMethod {
  readonly #tokens: Tokens;
  readonly #roles = new Map<string, { jwts: readonly string[]; options: TokenOptions }>();

  constructor(tokens: Tokens) {
    this.#tokens = tokens;
  }

  /** @param jwts the service accounts' tokens that it takes */
  addRole(name: string, jwts: readonly string[], options: TokenOptions = {}): void {
    this.#roles.set(name, { jwts, options });
  }

  login({ body }: Request): Answer {
    const role = this.#roles.get(text(body["role"]));
    if (role === undefined) throw new VaultError(400, `invalid role name "${text(body["role"])}"`);
    if (!role.jwts.includes(text(body["jwt"]))) throw permissionDenied();
    return this.#tokens.login(role.options);
  }
}

/** IAM User Guide, "Managing AWS STS in an AWS Region": the global endpoint is in us-east-1, each other one in its own region. */
function checkScope({ hostname }: URL, headers: ReadonlyMap<string, string>): void {
  const region = /^sts\.(.+)\.amazonaws\.com(?:\.cn)?$/.exec(hostname)?.[1] ?? "us-east-1";
  const scope = /Credential=[^/]+\/\d{8}\/([^/]+)\/sts\//.exec(headers.get("authorization") ?? "")?.[1];
  if (scope !== region)
    throw new VaultError(400, "error making upstream request: received error code 403 from STS");
}

export class AwsAuth implements AuthMethod {
  /** iam_server_id_header_value; undefined: none is asked for */
  serverId: string | undefined;
  readonly #tokens: Tokens;
  readonly #aws: Aws;
  readonly #roles = new Map<string, { principal: RegExp; options: TokenOptions }>();

  constructor(tokens: Tokens, aws: Aws) {
    this.#tokens = tokens;
    this.#aws = aws;
  }

  /** @param principal whose ARN may log in */
  addRole(name: string, principal: RegExp, options: TokenOptions = {}): void {
    this.#roles.set(name, { principal, options });
  }

  login({ body }: Request): Answer {
    const decoded = (name: string): string => Buffer.from(text(body[name]), "base64").toString("utf8");
    const role = this.#roles.get(text(body["role"]));
    if (role === undefined) throw new VaultError(400, "entry for role not found");
    const url = new URL(decoded("iam_request_url"));
    const form = new URLSearchParams(decoded("iam_request_body"));
    if (text(body["iam_http_request_method"]) !== "POST" || form.get("Action") !== "GetCallerIdentity")
      throw new VaultError(400, "invalid request body");
    const headers = new Map<string, string>([["host", url.host]]);
    for (const [name, value] of Object.entries(JSON.parse(decoded("iam_request_headers")) as object))
      headers.set(name.toLowerCase(), [value].flat().join(","));
    checkScope(url, headers);
    this.#checkServerId(headers);
    const arn = this.#callerOf(url, headers, decoded("iam_request_body"));
    if (!role.principal.test(arn)) throw new VaultError(400, "does not belong to the role");
    return this.#tokens.login(role.options);
  }

  #checkServerId(headers: ReadonlyMap<string, string>): void {
    if (this.serverId === undefined) return;
    const signed = /SignedHeaders=([^,]+)/.exec(headers.get("authorization") ?? "")?.[1]?.split(";") ?? [];
    if (headers.get("x-vault-aws-iam-server-id") !== this.serverId)
      throw new VaultError(400, "error validating X-Vault-AWS-IAM-Server-ID header: expected another");
    if (!signed.includes("x-vault-aws-iam-server-id"))
      throw new VaultError(400, "header X-Vault-AWS-IAM-Server-ID not signed");
  }

  #callerOf(url: URL, headers: ReadonlyMap<string, string>, body: string): string {
    const request = {
      method: "POST",
      path: url.pathname,
      query: url.search.slice(1),
      headers,
      body: Buffer.from(body),
      tls: true,
    };
    try {
      return new SignatureCheck(this.#aws.identities, new Clock()).verify(request, "sts", "query").credentials
        .arn;
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      throw new VaultError(
        400,
        `error making upstream request: received error code ${error.status} from STS`,
      );
    }
  }
}

/**
 * The instance metadata service, version 2: "Use the Instance Metadata Service to access instance metadata" and
 * "Retrieve security credentials from instance metadata" (EC2 User Guide).
 */
import { randomBytes } from "node:crypto";
import { Clock, ServiceError } from "./http.ts";
import type { CallInfo, Description, Reply, Request, Service } from "./http.ts";
import type { Credentials, IdentityStore } from "./identity.ts";

const ROLES = "/latest/meta-data/iam/security-credentials/";
const ROLES_EXTENDED = "/latest/meta-data/iam/security-credentials-extended/";
const TOKEN_TTL = "x-aws-ec2-metadata-token-ttl-seconds";
/** New credentials are there "at least five minutes before the expiration of the old" ones. */
const REFRESH_MS = 5 * 60 * 1000;

export class ImdsService implements Service {
  readonly name = "imds";
  /** the role of the instance profile; undefined: none is attached, and the paths under iam/ are 404 */
  role: string | undefined = "sealexec-role";
  /** HttpTokens=optional: a GET without a token is answered too, as IMDSv1 does */
  allowV1 = false;
  /** HttpEndpoint=enabled; false answers 403 to everything */
  enabled = true;
  /** the newer path that names an account; most of the time it is not there (404) */
  extended = false;
  ttlMs = 6 * 3600 * 1000;
  readonly instanceId = "i-0123456789abcdef0";
  #pinned: Credentials | undefined;
  #current: Credentials | undefined;
  readonly #tokens = new Map<string, number>();
  readonly #identities: IdentityStore;
  readonly #clock: Clock;
  readonly #region: string;

  constructor(identities: IdentityStore, clock: Clock, region: string) {
    this.#identities = identities;
    this.#clock = clock;
    this.#region = region;
  }

  /** What is served now: issued on demand, renewed five minutes before its end. */
  get credentials(): Credentials {
    if (this.#pinned !== undefined) return this.#pinned;
    const current = this.#current;
    const sameRole = current?.arn.includes(`:assumed-role/${this.role ?? "none"}/`) === true;
    if (current === undefined || !sameRole || (current.expiration ?? 0) - this.#clock.now() < REFRESH_MS)
      return this.rotate();
    return current;
  }

  /** Serves these as they are, expired or unknown to the services though they may be. */
  set credentials(credentials: Credentials) {
    this.#pinned = credentials;
  }

  /** Issues new credentials, which are served from now on; older ones stay valid until their end. */
  rotate(): Credentials {
    this.#pinned = undefined;
    const arn = `arn:aws:iam::${this.#identities.account}:role/${this.role ?? "none"}`;
    this.#current = this.#identities.issue(arn, this.instanceId, this.ttlMs);
    return this.#current;
  }

  describe(request: Request): Description {
    return { operation: this.#operation(request), detail: { bytes: request.body.length } };
  }

  handle(request: Request, call: CallInfo): Reply {
    if (!this.enabled) throw plain(403, "Forbidden");
    if (call.operation === "GetToken") return this.#token(request);
    if (request.method !== "GET") throw plain(405, "Method Not Allowed");
    const token = request.headers.get("x-aws-ec2-metadata-token");
    const expires = token === undefined ? undefined : this.#tokens.get(token);
    const valid = expires !== undefined && expires > this.#clock.now();
    if (!valid && (token !== undefined || !this.allowV1)) throw plain(401, "Unauthorized");
    return this.#metadata(request.path);
  }

  renderError(error: ServiceError): Reply {
    const html = `<?xml version="1.0" encoding="iso-8859-1"?>\n<html><head><title>${error.status} - ${error.message}</title></head><body><h1>${error.status} - ${error.message}</h1></body></html>\n`;
    return {
      status: error.status,
      headers: { "content-type": "text/html", server: "EC2ws", ...error.headers },
      body: html,
    };
  }

  #operation(request: Request): string {
    if (request.path === "/latest/api/token") return request.method === "PUT" ? "GetToken" : "Unknown";
    if (!request.headers.has("x-aws-ec2-metadata-token")) return "GetWithoutToken";
    if (request.path === "/latest/meta-data/placement/region") return "GetRegion";
    if (request.path === "/latest/meta-data/iam/info") return "GetIamInfo";
    if (request.path === "/latest/dynamic/instance-identity/document") return "GetIdentityDocument";
    if (request.path === ROLES || request.path === ROLES.slice(0, -1)) return "ListRoles";
    if (request.path.startsWith(ROLES)) return "GetCredentials";
    return request.path.startsWith(ROLES_EXTENDED.slice(0, -1)) ? "GetExtended" : "Get";
  }

  /** "How Instance Metadata Service Version 2 works": a TTL of 1 to 21600 s; no token for a proxied request. */
  #token(request: Request): Reply {
    if (request.headers.has("x-forwarded-for")) throw plain(403, "Forbidden");
    const text = request.headers.get(TOKEN_TTL) ?? "";
    const seconds = Number(text);
    if (!/^\d{1,6}$/u.test(text) || seconds < 1 || seconds > 21_600) throw plain(400, "Bad Request");
    const token = randomBytes(40).toString("base64url").padEnd(56, "=");
    this.#tokens.set(token, this.#clock.now() + seconds * 1000);
    return ok(token, { [TOKEN_TTL]: text });
  }

  #metadata(path: string): Reply {
    if (path === "/latest/meta-data/placement/region") return ok(this.#region);
    if (path === "/latest/meta-data/placement/availability-zone") return ok(`${this.#region}a`);
    if (path === "/latest/meta-data/instance-id") return ok(this.instanceId);
    if (path === "/latest/dynamic/instance-identity/document") return ok(this.#identityDocument());
    const { role } = this;
    if (role === undefined) throw plain(404, "Not Found");
    if (path === "/latest/meta-data/iam/info") return ok(this.#iamInfo(role));
    if (path === ROLES || path === ROLES.slice(0, -1)) return ok(role);
    if (path === ROLES + role) return ok(this.#credentialDocument({}));
    if (!this.extended) throw plain(404, "Not Found");
    if (path === ROLES_EXTENDED || path === ROLES_EXTENDED.slice(0, -1)) return ok(role);
    if (path === ROLES_EXTENDED + role)
      return ok(this.#credentialDocument({ AccountId: this.#identities.account }));
    throw plain(404, "Not Found");
  }

  #credentialDocument(more: Readonly<Record<string, string>>): string {
    const now = this.credentials;
    const document = {
      Code: "Success",
      LastUpdated: Clock.seconds((now.expiration ?? this.#clock.now()) - this.ttlMs),
      Type: "AWS-HMAC",
      AccessKeyId: now.accessKeyId,
      SecretAccessKey: now.secretAccessKey,
      Token: now.sessionToken ?? "",
      Expiration: Clock.seconds(now.expiration ?? this.#clock.now() + this.ttlMs),
      ...more,
    };
    return JSON.stringify(document, undefined, 2);
  }

  #iamInfo(role: string): string {
    const profile = `arn:aws:iam::${this.#identities.account}:instance-profile/${role}`;
    const info = {
      Code: "Success",
      LastUpdated: Clock.seconds(this.#clock.now()),
      InstanceProfileArn: profile,
      InstanceProfileId: "AIPA0123456789ABCDEF",
    };
    return JSON.stringify(info, undefined, 2);
  }

  #identityDocument(): string {
    const document = {
      accountId: this.#identities.account,
      architecture: "x86_64",
      availabilityZone: `${this.#region}a`,
      imageId: "ami-0123456789abcdef0",
      instanceId: this.instanceId,
      instanceType: "t3.micro",
      privateIp: "10.0.0.10",
      region: this.#region,
      version: "2017-09-30",
    };
    return JSON.stringify(document, undefined, 2);
  }
}

function ok(body: string, headers: Record<string, string> = {}): Reply {
  return { status: 200, headers: { "content-type": "text/plain", server: "EC2ws", ...headers }, body };
}

function plain(status: number, title: string): ServiceError {
  return new ServiceError(status, title, title);
}

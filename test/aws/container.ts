/**
 * The credential endpoints of containers, on one listener:
 * - ECS agent, GET /v2/credentials/ID: the id in the path is the secret ("Amazon ECS task IAM role", ECS Developer Guide);
 * - EKS Pod Identity agent, GET /v1/credentials: the service account's token in the Authorization header ("How EKS Pod
 *   Identity works", EKS User Guide; "Container credential provider", AWS SDKs and Tools Reference Guide).
 */
import { randomUUID } from "node:crypto";
import { Clock, ServiceError } from "./http.ts";
import type { CallInfo, Description, Reply, Request, Service } from "./http.ts";
import type { Credentials, IdentityStore } from "./identity.ts";

const ECS_PATH = "/v2/credentials/";
const EKS_PATH = "/v1/credentials";

export class ContainerService implements Service {
  readonly name = "container";
  role = "sealexec-task-role";
  /** in the path of the ECS form */
  id: string = randomUUID();
  /** what the EKS form wants in Authorization */
  token = `eyJhbGciOiJSUzI1NiJ9.${randomUUID()}.signature`;
  ttlMs = 6 * 3600 * 1000;
  #credentials: Credentials | undefined;
  readonly #identities: IdentityStore;
  readonly #clock: Clock;

  constructor(identities: IdentityStore, clock: Clock) {
    this.#identities = identities;
    this.#clock = clock;
  }

  /** For AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, which clients take from 169.254.170.2. */
  get relativeUri(): string {
    return ECS_PATH + this.id;
  }

  get path(): string {
    return EKS_PATH;
  }

  get credentials(): Credentials {
    const current = this.#credentials;
    if (current !== undefined && !this.#identities.isExpired(current)) return current;
    return this.rotate();
  }

  /** Serves these as they are. */
  set credentials(credentials: Credentials) {
    this.#credentials = credentials;
  }

  rotate(): Credentials {
    const arn = `arn:aws:iam::${this.#identities.account}:role/${this.role}`;
    this.#credentials = this.#identities.issue(arn, "task-0123456789abcdef", this.ttlMs);
    return this.#credentials;
  }

  describe(request: Request): Description {
    return { operation: "GetCredentials", detail: { bytes: request.body.length } };
  }

  handle(request: Request, call: CallInfo): Reply {
    if (request.method !== "GET") throw new ServiceError(405, "MethodNotAllowed", "method not allowed");
    if (request.path === EKS_PATH) this.#checkToken(request);
    else if (request.path !== this.relativeUri)
      throw new ServiceError(400, "InvalidIdInRequest", "CredentialsV2Request: Credentials not found");
    const now = this.#credentials ?? this.credentials;
    call.arn = now.arn;
    return json(200, {
      RoleArn: `arn:aws:iam::${this.#identities.account}:role/${this.role}`,
      AccessKeyId: now.accessKeyId,
      SecretAccessKey: now.secretAccessKey,
      Token: now.sessionToken ?? "",
      Expiration: Clock.seconds(now.expiration ?? this.#clock.now() + this.ttlMs),
      ...(request.path === EKS_PATH ? { AccountId: this.#identities.account } : {}),
    });
  }

  renderError(error: ServiceError): Reply {
    return json(error.status, { code: error.code, message: error.message, HTTPErrorCode: error.status });
  }

  #checkToken(request: Request): void {
    const given = request.headers.get("authorization");
    if (given === undefined || given === "")
      throw new ServiceError(401, "Unauthorized", "Service account token cannot be empty");
    if (given !== this.token) throw new ServiceError(403, "AccessDeniedException", "Token is not valid");
  }
}

function json(status: number, body: Readonly<Record<string, unknown>>): Reply {
  return { status, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}

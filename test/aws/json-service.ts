/** A service of the AWS JSON 1.1 protocol (smithy.io): signature, region, operation; what it does is its API's. */
import { ServiceError } from "./http.ts";
import type { CallInfo, Clock, Description, Reply, Request, Service, ServiceName } from "./http.ts";
import type { IdentityStore } from "./identity.ts";
import { JsonInput } from "./json-input.ts";
import { SignatureCheck } from "./sigv4-check.ts";
import { wrongScope } from "./sigv4-errors.ts";

export type Output = Readonly<Record<string, unknown>>;

export interface Asked {
  readonly input: JsonInput;
  readonly operation: string;
  readonly region: string;
  /** who asks */
  readonly arn: string;
}

export interface JsonApi {
  readonly name: Extract<ServiceName, "secretsmanager" | "ssm">;
  /** what X-Amz-Target begins with */
  readonly target: string;
  /** the members that may say what a call is about */
  readonly names: readonly string[];
  answer(asked: Asked): Output;
}

export class JsonService implements Service {
  readonly name: JsonApi["name"];
  readonly #api: JsonApi;
  readonly #signatures: SignatureCheck;
  readonly #regions: ReadonlySet<string>;

  constructor(api: JsonApi, identities: IdentityStore, clock: Clock, regions: ReadonlySet<string>) {
    this.name = api.name;
    this.#api = api;
    this.#signatures = new SignatureCheck(identities, clock);
    this.#regions = regions;
  }

  describe(request: Request): Description {
    const target = (request.headers.get("x-amz-target") ?? "").split(".");
    const [first, operation = "Unknown"] = target;
    const input = JsonInput.tryParse(request.body);
    const name = this.#api.names.map((member) => input?.plainText(member)).find((text) => text !== undefined);
    return {
      operation: first === this.#api.target && target.length === 2 ? operation : "Unknown",
      detail: { bytes: request.body.length, ...(name === undefined ? {} : { name }) },
    };
  }

  handle(request: Request, call: CallInfo): Reply {
    const { credentials, region } = this.#signatures.verify(request, this.name, "json");
    call.arn = credentials.arn;
    if (!this.#regions.has(region)) throw wrongScope("json", "region", [...this.#regions].join(", "));
    const input = JsonInput.parse(request.body);
    const asked = { input, operation: call.operation, region, arn: credentials.arn };
    return json(200, this.#api.answer(asked), call);
  }

  renderError(error: ServiceError, _request: Request, call: CallInfo): Reply {
    // Both services write Message, where KMS writes message.
    const reply = json(error.status, { __type: error.code, Message: error.message }, call);
    return { ...reply, headers: { ...reply.headers, ...error.headers } };
  }
}

/** "Troubleshoot access denied error messages" (IAM User Guide, troubleshoot_access-denied). */
export function accessDenied(asked: Asked, action: string, resource: string): ServiceError {
  return new ServiceError(
    400,
    "AccessDeniedException",
    `User: ${asked.arn} is not authorized to perform: ${action} on resource: ${resource} because no identity-based policy allows the ${action} action`,
  );
}

function json(status: number, output: Output, call: CallInfo): Reply {
  return {
    status,
    headers: { "content-type": "application/x-amz-json-1.1", "x-amzn-requestid": call.requestId },
    body: JSON.stringify(output),
  };
}

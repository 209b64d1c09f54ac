/** STS: the AWS query protocol, form parameters in and XML out (STS API Reference, 2011-06-15). */
import { Clock, parameters, ServiceError } from "./http.ts";
import type { CallDetail, CallInfo, Description, Reply, Request, Service } from "./http.ts";
import { userId } from "./identity.ts";
import type { IdentityStore } from "./identity.ts";
import { SignatureCheck } from "./sigv4-check.ts";
import { wrongScope } from "./sigv4-errors.ts";
import { element, textElement, textElements } from "./xml.ts";

const NAMESPACE = 'xmlns="https://sts.amazonaws.com/doc/2011-06-15/"';

export interface WebToken {
  /** what the token is about, as in the assumed role's SubjectFromWebIdentityToken */
  readonly subject: string;
  expired: boolean;
}

export class StsService implements Service {
  readonly name = "sts";
  /** the OIDC tokens that are known; any other is an InvalidIdentityToken */
  readonly webTokens = new Map<string, WebToken>();
  /** operations that are refused with AccessDenied */
  readonly denied = new Set<string>();
  readonly #identities: IdentityStore;
  readonly #clock: Clock;
  readonly #signatures: SignatureCheck;
  readonly #regions: ReadonlySet<string>;

  constructor(identities: IdentityStore, clock: Clock, regions: ReadonlySet<string>) {
    this.#identities = identities;
    this.#clock = clock;
    this.#signatures = new SignatureCheck(identities, clock);
    this.#regions = regions;
  }

  /** From now on this is a token that AssumeRoleWithWebIdentity takes, or says of that it is expired. */
  addWebToken(token: string, options: { subject?: string; expired?: boolean } = {}): WebToken {
    const subject = options.subject ?? "system:serviceaccount:default:sealexec";
    const known = { subject, expired: options.expired ?? false };
    this.webTokens.set(token, known);
    return known;
  }

  deny(operation: string): void {
    this.denied.add(operation);
  }

  allow(operation: string): void {
    this.denied.delete(operation);
  }

  describe(request: Request): Description {
    const form = formOf(request);
    const role = form.get("RoleArn");
    const detail: CallDetail = { bytes: request.body.length, ...(role === null ? {} : { role }) };
    return { operation: form.get("Action") ?? "Unknown", detail };
  }

  handle(request: Request, call: CallInfo): Reply {
    const form = formOf(request);
    if (call.operation === "AssumeRoleWithWebIdentity") return this.#withWebIdentity(form, call);
    const signer = this.#signatures.verify(request, "sts", "query");
    const { arn } = signer.credentials;
    call.arn = arn;
    if (!this.#regions.has(signer.region) && signer.region !== "us-east-1")
      throw wrongScope("query", "region", [...this.#regions].join(", "));
    switch (call.operation) {
      case "GetCallerIdentity":
        return answer(
          call,
          textElements({ Arn: arn, UserId: userId(arn), Account: arn.split(":")[4] ?? "" }),
        );
      case "AssumeRole":
        this.#authorize(call, arn, form);
        return answer(call, this.#session(form));
      default:
        throw new ServiceError(
          400,
          "InvalidAction",
          `Could not find operation ${call.operation} for version 2011-06-15`,
        );
    }
  }

  renderError(error: ServiceError, _request: Request, call: CallInfo): Reply {
    const type = error.status < 500 ? "Sender" : "Receiver";
    const body = element(
      `ErrorResponse ${NAMESPACE}`,
      element("Error", textElements({ Type: type, Code: error.code, Message: error.message })),
      textElement("RequestId", call.requestId),
    );
    return { status: error.status, headers: { ...headers(call), ...error.headers }, body };
  }

  /** Not signed: the token is the proof ("AssumeRoleWithWebIdentity", errors ExpiredTokenException, InvalidIdentityToken). */
  #withWebIdentity(form: URLSearchParams, call: CallInfo): Reply {
    const known = this.webTokens.get(form.get("WebIdentityToken") ?? "");
    if (known === undefined)
      throw new ServiceError(
        400,
        "InvalidIdentityToken",
        "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)",
      );
    if (known.expired)
      throw new ServiceError(
        400,
        "ExpiredTokenException",
        "Token expired: current date/time must be before the expiration date/time",
      );
    this.#authorize(call, known.subject, form);
    const more = textElements({ SubjectFromWebIdentityToken: known.subject, Audience: "sts.amazonaws.com" });
    return answer(call, this.#session(form) + more);
  }

  #authorize(call: CallInfo, who: string, form: URLSearchParams): void {
    if (!this.denied.has(call.operation)) return;
    const web = call.operation === "AssumeRoleWithWebIdentity";
    throw new ServiceError(
      403,
      "AccessDenied",
      web
        ? `Not authorized to perform sts:${call.operation}`
        : `User: ${who} is not authorized to perform: sts:${call.operation} on resource: ${form.get("RoleArn") ?? ""}`,
    );
  }

  #session(form: URLSearchParams): string {
    const roleArn = form.get("RoleArn") ?? "";
    const name = form.get("RoleSessionName") ?? "";
    const seconds = Number(form.get("DurationSeconds") ?? "3600");
    if (!/^arn:aws:iam::\d{12}:role\/.+$/u.test(roleArn)) throw invalid(`${roleArn} is invalid`);
    if (!/^[\w+=,.@-]{2,64}$/u.test(name)) throw invalid("RoleSessionName is invalid");
    if (!(seconds >= 900 && seconds <= 43_200))
      throw invalid("DurationSeconds must be between 900 and 43200");
    const session = this.#identities.issue(roleArn, name, seconds * 1000);
    return (
      element(
        "Credentials",
        textElements({
          AccessKeyId: session.accessKeyId,
          SecretAccessKey: session.secretAccessKey,
          SessionToken: session.sessionToken ?? "",
          Expiration: Clock.seconds(session.expiration ?? this.#clock.now()),
        }),
      ) + element("AssumedRoleUser", textElements({ AssumedRoleId: userId(session.arn), Arn: session.arn }))
    );
  }
}

/** Parameters come in the body of a POST or the query of a GET. */
function formOf(request: Request): URLSearchParams {
  return parameters(request.method === "POST" ? request.body.toString("utf8") : request.query);
}

function answer(call: CallInfo, result: string): Reply {
  const body = element(
    `${call.operation}Response ${NAMESPACE}`,
    element(`${call.operation}Result`, result),
    element("ResponseMetadata", textElement("RequestId", call.requestId)),
  );
  return { status: 200, headers: headers(call), body };
}

function headers(call: CallInfo): Record<string, string> {
  return { "content-type": "text/xml", "x-amzn-requestid": call.requestId };
}

function invalid(message: string): ServiceError {
  return new ServiceError(400, "ValidationError", message);
}

/** The shapes that pass between a listener and a service: one whole request in, one whole reply out. */

export type ServiceName = "imds" | "container" | "s3" | "kms" | "sts" | "secretsmanager" | "ssm";

/** Where a connection arrives: a service's own listener, or `all`, which routes by Host and credential scope. */
export type ListenerName = ServiceName | "all";

export interface Request {
  readonly method: string;
  /** as sent, percent-encoding and all, without the query */
  readonly path: string;
  /** as sent, without the question mark */
  readonly query: string;
  /** lower-case name → values joined by a comma; one char a byte (Latin-1), as Node gives them */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
  readonly tls: boolean;
}

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
}

/** What a request asks for, told before anything is checked: for the call log and for fault rules. */
export interface Description {
  readonly operation: string;
  readonly detail: CallDetail;
}

export interface CallDetail {
  bucket?: string;
  key?: string;
  versionId?: string;
  /** KMS: as the client sent it */
  KeyId?: string;
  EncryptionContext?: Readonly<Record<string, string>>;
  /** length of the request's body */
  bytes?: number;
  role?: string;
  /** Secrets Manager: as the client sent it; Systems Manager: a name or a path */
  name?: string;
}

/** A failure that a service answers in its own protocol (XML, JSON or plain text). */
export class ServiceError extends Error {
  readonly status: number;
  readonly code: string;
  /** more elements of the answer's body, e.g. Region */
  readonly fields: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: string,
    message: string,
    more: { fields?: Record<string, string>; headers?: Record<string, string> } = {},
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.fields = more.fields ?? {};
    this.headers = more.headers ?? {};
  }
}

/** A service is a pure function of its state and one request; transport and faults are the listener's. */
export interface Service {
  readonly name: ServiceName;
  describe(request: Request): Description;
  /** May throw ServiceError. */
  handle(request: Request, call: CallInfo): Reply;
  renderError(error: ServiceError, request: Request, call: CallInfo): Reply;
}

export interface CallInfo {
  readonly operation: string;
  readonly requestId: string;
  readonly detail: CallDetail;
  /** who signed it, once that is known */
  arn?: string;
}

/** Parameters of a query string or form body, decoded; "+" is a space in both. */
export function parameters(text: string): URLSearchParams {
  return new URLSearchParams(text);
}

/** The service's own idea of the time, so that skew can be tested. */
export class Clock {
  offsetMs = 0;

  now(): number {
    return Date.now() + this.offsetMs;
  }

  /** 2015-08-30T12:36:00Z: seconds only, as credentials carry it. */
  static seconds(timeMs: number): string {
    return new Date(timeMs).toISOString().replace(/\.\d{3}Z$/u, "Z");
  }
}

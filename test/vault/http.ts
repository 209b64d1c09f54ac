/** One request in, one answer out: what the engines and auth methods of the loopback Vault are made of. */

export type Json = Readonly<Record<string, unknown>>;

export interface Request {
  readonly method: string;
  /** below /v1/, decoded */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: Json;
  readonly token: string | undefined;
  readonly namespace: string;
}

export interface Answer {
  readonly status: number;
  readonly body?: Json;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An error in Vault's own form: `{"errors": […]}`. */
export class VaultError extends Error {
  readonly status: number;
  readonly errors: readonly string[];

  constructor(status: number, ...errors: string[]) {
    super(errors.join("; "));
    this.status = status;
    this.errors = errors;
  }
}

export const permissionDenied = (): VaultError =>
  new VaultError(403, "1 error occurred:\n\t* permission denied\n\n");

/** `{"data": …}` with what Vault has around it. */
export function answer(data: Json, more: Json = {}): Answer {
  return {
    status: 200,
    body: {
      request_id: "00000000-0000-0000-0000-000000000000",
      lease_id: "",
      renewable: false,
      lease_duration: 0,
      data,
      wrap_info: null,
      warnings: null,
      auth: null,
      ...more,
    },
  };
}

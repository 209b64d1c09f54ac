/** One connection, on either runtime: opened and, where it is TLS, verified before anything is sent on it. */
import type { Target } from "./target.ts";

export interface Wire {
  readonly closed: boolean;
  send(bytes: Buffer): void;
  /** from now on bytes go to `listener`; a wire that was spoken on before is closed */
  listen(listener: WireListener): void;
  close(): void;
}

export interface WireListener {
  readonly onData: (bytes: Buffer) => void;
  /** the other end closed it, or it broke; called once */
  readonly onClose: (error?: Error) => void;
}

export interface WireOptions {
  /** PEM of the only CAs to trust; undefined: the runtime's own */
  readonly ca: Buffer | undefined;
  /** how long connecting may take, TLS included, milliseconds */
  readonly timeoutMs: number;
}

/**
 * Opens a wire. A TLS certificate must be by a trusted CA and for `target.host`.
 *
 * Rejects with an error whose `code` is Node's (ECONNREFUSED, ENOTFOUND, CERT_…) and whose `hostname` and `port` are the target's.
 */
export type Connect = (target: Target, options: WireOptions) => Promise<Wire>;

export class WireError extends Error {
  readonly code: string;
  readonly hostname: string;
  readonly port: number;

  constructor(code: string, { host, port }: Pick<Target, "host" | "port">, cause?: unknown) {
    super(`${host}: ${code}`, { cause });
    this.code = code;
    this.hostname = host;
    this.port = port;
  }
}

/** An error of the runtime as one of ours: its code, and where it was to go. */
export function wireError(error: unknown, target: Target, fallback: string): WireError {
  if (error instanceof WireError) return error;
  const code = (error as { code?: unknown } | undefined)?.code;
  return new WireError(typeof code === "string" ? code : fallback, target, error);
}

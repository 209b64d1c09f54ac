/** One connection, on either runtime: opened and, where it is TLS, verified before anything is sent on it. */

export interface Target {
  readonly id: string;
  /** a name, or an address without brackets */
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
}

export function targetOf(options: { host?: unknown; port?: unknown }, protocol: string): Target {
  const secure = protocol === "https:";
  const host = String(options.host ?? "").replace(/^\[|\]$/g, "");
  const port = Number(options.port ?? 0) || (secure ? 443 : 80);
  return { id: `${protocol}//${host}:${port}`, host, port, secure };
}

export function targetTo(url: URL): Target {
  return targetOf({ host: url.hostname, port: url.port }, url.protocol);
}

export interface Connection {
  readonly closed: boolean;
  send(bytes: Buffer): void;
  /** from now on bytes go to `listener`; a connection that was spoken on before is closed */
  listen(listener: Listener): void;
  close(): void;
}

export interface Listener {
  readonly onData: (bytes: Buffer) => void;
  /** the other end closed it, or it broke; called once */
  readonly onClose: (error?: Error) => void;
}

export interface ConnectOptions {
  /** PEM of the only CAs to trust; undefined: the runtime's own */
  readonly ca: Buffer | undefined;
  /** how long connecting may take, TLS included */
  readonly timeoutMs: number;
}

/** Its code is Node's (ECONNREFUSED, ENOTFOUND, CERT_…), whatever the runtime. */
export class ConnectionError extends Error {
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

/** @param fallback the code of an error that has none */
export function connectionError(error: unknown, target: Target, fallback: string): ConnectionError {
  if (error instanceof ConnectionError) return error;
  const code = (error as { code?: unknown } | undefined)?.code;
  return new ConnectionError(typeof code === "string" ? code : fallback, target, error);
}

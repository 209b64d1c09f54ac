/** Where a connection goes. */
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

/** Where a request to `url` goes. */
export function targetTo(url: URL): Target {
  return targetOf({ host: url.hostname, port: url.port }, url.protocol);
}

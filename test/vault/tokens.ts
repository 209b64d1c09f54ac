/** Tokens and what their policies allow (Vault documentation, "Tokens" and "Policies"). */
import { randomBytes } from "node:crypto";
import { VaultError, answer, permissionDenied } from "./http.ts";
import type { Answer, Request } from "./http.ts";

export interface Token {
  readonly text: string;
  /** paths that it may read, a `*` at the end stands for anything */
  readonly paths: readonly string[];
  /** ms since the epoch */
  readonly expiresAt: number;
  readonly namespace: string;
}

export interface TokenOptions {
  readonly paths?: readonly string[];
  readonly ttlMs?: number;
  readonly namespace?: string;
}

export class Tokens {
  /** every token that was given out */
  readonly issued: Token[] = [];
  readonly #known = new Map<string, Token>();

  /** A new token: for everything, for an hour, where nothing else is said. */
  issue({ paths = ["*"], ttlMs = 3_600_000, namespace = "" }: TokenOptions = {}): Token {
    const text = `hvs.CAESI${randomBytes(24).toString("base64url")}`;
    const token = { text, paths, expiresAt: Date.now() + ttlMs, namespace };
    this.#known.set(text, token);
    this.issued.push(token);
    return token;
  }

  revoke(text: string): void {
    this.#known.delete(text);
  }

  /** What a login answers. */
  login(options: TokenOptions): Answer {
    const { text, expiresAt } = this.issue(options);
    const lease = Math.round((expiresAt - Date.now()) / 1000);
    return answer({}, { auth: { client_token: text, lease_duration: lease, renewable: true } });
  }

  /** @throws VaultError 403 */
  check(request: Request, mounts: Iterable<string>): Token {
    if (request.token === undefined) throw permissionDenied();
    const token = this.#known.get(request.token);
    if (token === undefined || token.expiresAt <= Date.now() || token.namespace !== request.namespace) {
      throw new VaultError(403, "2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n");
    }
    const mount = /^sys\/internal\/ui\/mounts\/(.+)$/.exec(request.path)?.[1];
    const allowed =
      mount === undefined
        ? token.paths.some((pattern) => matches(pattern, request.path))
        : // Whoever may do anything in a mount may ask what it is.
          [...mounts].includes(mount) &&
          token.paths.some((pattern) => pattern === "*" || pattern.startsWith(`${mount}/`));
    if (!allowed) throw permissionDenied();
    return token;
  }
}

function matches(pattern: string, path: string): boolean {
  return pattern.endsWith("*") ? path.startsWith(pattern.slice(0, -1)) : path === pattern;
}

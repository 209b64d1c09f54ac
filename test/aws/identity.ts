import { createHash, randomBytes } from "node:crypto";
import type { Clock } from "./http.ts";

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
  /** ms since the epoch, by the service's clock; undefined for a user's long-lived key */
  readonly expiration?: number | undefined;
  /** who it is, as in error messages and GetCallerIdentity */
  readonly arn: string;
}

export interface AccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
  readonly arn?: string | undefined;
}

const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** An id such as ASIA… or AROA…: the prefix and 16 characters. */
export function uniqueId(prefix: string): string {
  return prefix + [...randomBytes(16)].map((byte) => BASE32[byte & 31]).join("");
}

/** The UserId of GetCallerIdentity: the same for the same principal; of a session "AROA…:NAME". */
export function userId(arn: string): string {
  const session = /:assumed-role\/([^/]+)\/(.+)$/u.exec(arn);
  const bytes = createHash("sha256")
    .update(session?.[1] ?? arn)
    .digest()
    .subarray(0, 16);
  const id = [...bytes].map((byte) => BASE32[byte & 31]).join("");
  return session === null ? `AIDA${id}` : `AROA${id}:${session[2]}`;
}

/** Every key that can sign here: those of users, and the sessions that IMDS, the container agent and STS gave out. */
export class IdentityStore {
  readonly account: string;
  readonly #clock: Clock;
  readonly #known = new Map<string, Credentials>();

  constructor(clock: Clock, account: string) {
    this.#clock = clock;
    this.account = account;
  }

  addAccessKey(key: AccessKey): Credentials {
    const credentials = { ...key, arn: key.arn ?? `arn:aws:iam::${this.account}:user/tester` };
    this.#known.set(key.accessKeyId, credentials);
    return credentials;
  }

  /** A session of a role, as STS gives it: ASIA…, a secret, a token and an end. */
  issue(roleArn: string, sessionName: string, ttlMs: number): Credentials {
    const role = roleArn.slice(roleArn.lastIndexOf("/") + 1);
    const account = roleArn.split(":")[4] ?? this.account;
    const credentials: Credentials = {
      accessKeyId: uniqueId("ASIA"),
      secretAccessKey: randomBytes(30).toString("base64"),
      sessionToken: `IQoJb3JpZ2luX2Vj${randomBytes(270).toString("base64")}`,
      expiration: Math.floor((this.#clock.now() + ttlMs) / 1000) * 1000,
      arn: `arn:aws:sts::${account}:assumed-role/${role}/${sessionName}`,
    };
    this.#known.set(credentials.accessKeyId, credentials);
    return credentials;
  }

  find(accessKeyId: string): Credentials | undefined {
    return this.#known.get(accessKeyId);
  }

  revoke(accessKeyId: string): void {
    this.#known.delete(accessKeyId);
  }

  isExpired(credentials: Credentials): boolean {
    return credentials.expiration !== undefined && credentials.expiration <= this.#clock.now();
  }
}

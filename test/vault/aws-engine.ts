/** The AWS secrets engine: users' keys and sessions of roles, in a running loopback AWS (Vault HTTP API, "AWS secrets engine"). */
import { randomBytes } from "node:crypto";
import { uniqueId } from "../aws/identity.ts";
import type { Aws } from "../aws/server.ts";
import { VaultError, answer } from "./http.ts";
import type { Answer } from "./http.ts";
import type { Engine } from "./kv.ts";

export class AwsEngine implements Engine {
  readonly type = "aws";
  readonly options = null;
  /** how long IAM takes to know a new user's key, ms */
  propagationMs = 0;
  /** what it says of how long they are good, whatever IAM and STS think, seconds */
  leaseSeconds = 3_600;
  /** every access key that was given out */
  readonly issued: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  }[] = [];
  readonly #aws: Aws;
  readonly #roles = new Set<string>();

  constructor(aws: Aws) {
    this.#aws = aws;
  }

  addRole(name: string): void {
    this.#roles.add(name);
  }

  handle(path: string): Answer {
    const [, kind, role = ""] = /^(creds|sts)\/([^/]+)$/.exec(path) ?? [];
    if (kind === undefined) throw new VaultError(404, "unsupported path");
    if (!this.#roles.has(role)) throw new VaultError(400, `Role "${role}" not found`);
    const lease = {
      lease_id: `aws/${kind}/${role}/${randomBytes(9).toString("hex")}`,
      lease_duration: this.leaseSeconds,
    };
    return kind === "creds" ? this.#user(role, lease) : this.#session(role, lease);
  }

  #user(role: string, lease: { lease_id: string; lease_duration: number }): Answer {
    const key = {
      accessKeyId: uniqueId("AKIA"),
      secretAccessKey: randomBytes(30).toString("base64"),
      arn: `arn:aws:iam::${this.#aws.account}:user/vault-token-${role}`,
    };
    this.issued.push(key);
    // Not there before IAM has heard of it.
    if (this.propagationMs === 0) this.#aws.identities.addAccessKey(key);
    else setTimeout(() => this.#aws.identities.addAccessKey(key), this.propagationMs).unref();
    const { accessKeyId: access_key, secretAccessKey: secret_key } = key;
    return answer({ access_key, secret_key, security_token: null }, { ...lease, renewable: true });
  }

  #session(role: string, lease: { lease_id: string; lease_duration: number }): Answer {
    const {
      accessKeyId,
      secretAccessKey,
      sessionToken = "",
    } = this.#aws.identities.issue(`arn:aws:iam::${this.#aws.account}:role/${role}`, "vault-sts", 3_600_000);
    this.issued.push({ accessKeyId, secretAccessKey, sessionToken });
    return answer(
      { access_key: accessKeyId, secret_key: secretAccessKey, security_token: sessionToken },
      lease,
    );
  }
}

/** The secrets of the loopback Secrets Manager, and the switches that a test can turn. */
import { randomBytes, randomUUID } from "node:crypto";
import { ServiceError } from "./http.ts";
import type { Clock } from "./http.ts";

export interface SecretVersion {
  readonly id: string;
  readonly text?: string;
  /** base64 */
  readonly binary?: string;
  readonly created: number;
}

export interface StoredSecret {
  readonly name: string;
  readonly arn: string;
  readonly region: string;
  readonly kmsKeyId: string | undefined;
  readonly created: number;
  /** id → version, oldest first */
  readonly versions: Map<string, SecretVersion>;
  /** stage → id of a version */
  readonly stages: Map<string, string>;
  /** ms since the epoch; there: marked for deletion */
  deletionDate?: number;
}

export type SecretValue = { readonly text: string } | { readonly binary: Buffer };

/** How the secret's KMS key is: usable, or what Secrets Manager says of it. */
export type KeyTrouble = "denied" | "decryption" | "encryption";

export class SecretStore {
  /** operations that are refused with AccessDeniedException */
  readonly denied = new Set<string>();
  /** what is wrong with the KMS keys of all secrets; undefined: nothing */
  keyTrouble: KeyTrouble | undefined;
  readonly #clock: Clock;
  readonly #account: string;
  readonly #region: string;
  readonly #secrets: StoredSecret[] = [];

  constructor(clock: Clock, account: string, region: string) {
    this.#clock = clock;
    this.#account = account;
    this.#region = region;
  }

  deny(operation: string): void {
    this.denied.add(operation);
  }

  allow(operation: string): void {
    this.denied.delete(operation);
  }

  /** Makes a secret, or puts a new version of the one that is there. Returns the version's id. */
  put(name: string, value: SecretValue, region = this.#region): string {
    const secret = this.find(name, region) ?? this.create(name, { region });
    return this.putVersion(secret, randomUUID(), value, ["AWSCURRENT"]).id;
  }

  create(name: string, options: { region?: string; kmsKeyId?: string } = {}): StoredSecret {
    const region = options.region ?? this.#region;
    // "Secrets Manager automatically adds a hyphen and six random characters" (API Reference, CreateSecret).
    const suffix = randomBytes(3).toString("hex");
    const secret: StoredSecret = {
      name,
      arn: `arn:aws:secretsmanager:${region}:${this.#account}:secret:${name}-${suffix}`,
      region,
      kmsKeyId: options.kmsKeyId,
      created: this.#clock.now(),
      versions: new Map(),
      stages: new Map(),
    };
    this.#secrets.push(secret);
    return secret;
  }

  /** @param id name, ARN, or ARN without its suffix */
  find(id: string, region = this.#region): StoredSecret | undefined {
    return this.#secrets.find(
      (secret) =>
        secret.region === region &&
        (secret.name === id || secret.arn === id || secret.arn.slice(0, -7) === id),
    );
  }

  remove(secret: StoredSecret): void {
    this.#secrets.splice(this.#secrets.indexOf(secret), 1);
  }

  /** "PutSecretValue" (API Reference): a token that is there already changes nothing, where the value is the same. */
  putVersion(secret: StoredSecret, id: string, value: SecretValue, stages: readonly string[]): SecretVersion {
    const content = "text" in value ? { text: value.text } : { binary: value.binary.toString("base64") };
    const before = secret.versions.get(id);
    if (before !== undefined) {
      if (before.text === content.text && before.binary === content.binary) return before;
      throw new ServiceError(
        400,
        "ResourceExistsException",
        `The operation failed because the request token ${id} was used for another value.`,
      );
    }
    const version = { id, ...content, created: this.#clock.now() };
    secret.versions.set(id, version);
    for (const stage of stages) this.moveStage(secret, stage, id);
    return version;
  }

  /** AWSPREVIOUS follows AWSCURRENT ("Secret versions", User Guide). */
  moveStage(secret: StoredSecret, stage: string, id: string | undefined): void {
    const current = secret.stages.get(stage);
    if (stage === "AWSCURRENT" && current !== undefined && current !== id)
      secret.stages.set("AWSPREVIOUS", current);
    if (id === undefined) secret.stages.delete(stage);
    else secret.stages.set(stage, id);
  }
}

import { randomBytes, randomUUID } from "node:crypto";
import { ServiceError } from "./http.ts";
import type { Clock } from "./http.ts";
import { canonicalContext } from "./kms-blob.ts";
import type { EncryptionContext, SealingKey } from "./kms-blob.ts";

/** "Key states of AWS KMS keys" (KMS Developer Guide, key-state). */
export type KeyState = "Enabled" | "Disabled" | "PendingDeletion";

export interface KmsKey extends SealingKey {
  readonly arn: string;
  readonly region: string;
  readonly description: string;
  readonly created: number;
  state: KeyState;
  /** ms since the epoch, when PendingDeletion */
  deletionDate?: number;
}

/** A blob that was not made here, and what Decrypt shall give for it. */
interface ImportedBlob {
  readonly plaintext: Buffer;
  /** undefined: whatever the caller says */
  readonly context: Buffer | undefined;
  readonly key: KmsKey;
}

/** Keys, aliases and the switches that a test can turn. A `key` argument is an id, an ARN, an alias or an alias ARN. */
export class KmsStore {
  /** operations that the caller may not do; each answers AccessDeniedException */
  readonly denied = new Set<string>();
  readonly macKey = randomBytes(32);
  /** there from the start, as alias/sealexec */
  readonly defaultKey: KmsKey;
  readonly #account: string;
  readonly #region: string;
  readonly #clock: Clock;
  readonly #keys = new Map<string, KmsKey>();
  /** `REGION alias/NAME` → key */
  readonly #aliases = new Map<string, KmsKey>();
  readonly #imported = new Map<string, ImportedBlob>();

  constructor(clock: Clock, account: string, region: string) {
    this.#clock = clock;
    this.#account = account;
    this.#region = region;
    this.defaultKey = this.createKey({ alias: "alias/sealexec" });
  }

  createKey(options: { alias?: string; region?: string; description?: string } = {}): KmsKey {
    const id = randomUUID();
    const region = options.region ?? this.#region;
    const key: KmsKey = {
      id,
      region,
      arn: `arn:aws:kms:${region}:${this.#account}:key/${id}`,
      material: randomBytes(32),
      description: options.description ?? "",
      created: this.#clock.now(),
      state: "Enabled",
    };
    this.#keys.set(id, key);
    if (options.alias !== undefined) this.createAlias(options.alias, key);
    return key;
  }

  /** @param name alias/NAME; "alias/" is added where it is missing */
  createAlias(name: string, key: KmsKey): void {
    const full = name.startsWith("alias/") ? name : `alias/${name}`;
    const place = `${key.region} ${full}`;
    if (this.#aliases.has(place))
      throw new ServiceError(
        400,
        "AlreadyExistsException",
        `An alias with the name arn:aws:kms:${key.region}:${this.#account}:${full} already exists`,
      );
    this.#aliases.set(place, key);
  }

  setState(key: KmsKey | string, state: KeyState): void {
    const found = typeof key === "string" ? this.find(key, this.#region) : key;
    found.state = state;
    if (state === "PendingDeletion") found.deletionDate = this.#clock.now() + 30 * 86_400_000;
    else delete found.deletionDate;
  }

  /** From now on the operation (Decrypt, GenerateDataKey, …) is refused. */
  deny(operation: string): void {
    this.denied.add(operation);
  }

  allow(operation: string): void {
    this.denied.delete(operation);
  }

  /** Teaches Decrypt a blob that was made elsewhere. Without a context, any context opens it. */
  importDataKey(
    blob: Buffer | string,
    plaintext: Buffer | string,
    options: { encryptionContext?: EncryptionContext; key?: KmsKey } = {},
  ): void {
    const context = options.encryptionContext;
    this.#imported.set(base64(blob), {
      plaintext: typeof plaintext === "string" ? Buffer.from(plaintext, "base64") : plaintext,
      context: context === undefined ? undefined : canonicalContext(context),
      key: options.key ?? this.defaultKey,
    });
  }

  imported(blob: Buffer): ImportedBlob | undefined {
    return this.#imported.get(base64(blob));
  }

  byId(id: string): KmsKey | undefined {
    return this.#keys.get(id);
  }

  /** "Key identifiers (KeyId)" (KMS Developer Guide, concepts): a key id, key ARN, alias name or alias ARN. */
  find(keyId: string, region: string): KmsKey {
    const [prefix, resource] = splitArn(keyId, region);
    const arn = `${prefix ?? `arn:aws:kms:${region}:${this.#account}`}:`;
    if (resource.startsWith("alias/")) {
      const key = arn.endsWith(`:${this.#account}:`) ? this.#aliases.get(`${region} ${resource}`) : undefined;
      return key ?? notFound(`Alias ${arn}${resource} is not found.`);
    }
    const id = prefix === undefined ? resource : resource.replace(/^key\//u, "");
    const key = this.#keys.get(id);
    if (key !== undefined && key.region === region && arn === key.arn.replace(/key\/.*$/u, "")) return key;
    if (!/^[0-9a-f-]{36}$/u.test(id)) return notFound(`Invalid keyId '${keyId}'`);
    return notFound(`Key '${arn}key/${id}' does not exist`);
  }
}

/** ["arn:aws:kms:REGION:ACCOUNT", "key/…"], or [undefined, the whole]. An ARN of another region is refused. */
function splitArn(keyId: string, region: string): [string | undefined, string] {
  if (!keyId.startsWith("arn:")) return [undefined, keyId];
  const parts = keyId.split(":");
  if (parts.length !== 6 || parts[2] !== "kms" || parts[3] !== region)
    notFound(`Invalid arn ${parts[3] ?? ""}`);
  return [parts.slice(0, 5).join(":"), parts[5] ?? ""];
}

function notFound(message: string): never {
  throw new ServiceError(400, "NotFoundException", message);
}

function base64(blob: Buffer | string): string {
  return typeof blob === "string" ? blob : blob.toString("base64");
}

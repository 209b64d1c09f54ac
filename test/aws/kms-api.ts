/** The KMS service: AWS JSON 1.1 with X-Amz-Target TrentService.OPERATION (KMS API Reference). */
import { randomBytes } from "node:crypto";
import { ServiceError } from "./http.ts";
import type { CallDetail, CallInfo, Clock, Description, Reply, Request, Service } from "./http.ts";
import type { IdentityStore } from "./identity.ts";
import { blobKeyId, canonicalContext, openBlob, sealBlob } from "./kms-blob.ts";
import { JsonInput } from "./json-input.ts";
import type { KmsKey, KmsStore } from "./kms-store.ts";
import { SignatureCheck } from "./sigv4-check.ts";
import { wrongScope } from "./sigv4-errors.ts";

type Output = Readonly<Record<string, unknown>>;

interface Asked {
  readonly input: JsonInput;
  readonly region: string;
  readonly arn: string;
  readonly operation: string;
}

const CONTENT_TYPE = "application/x-amz-json-1.1";

export class KmsService implements Service {
  readonly name = "kms";
  readonly #store: KmsStore;
  readonly #signatures: SignatureCheck;
  readonly #regions: ReadonlySet<string>;
  readonly #clock: Clock;

  constructor(store: KmsStore, identities: IdentityStore, clock: Clock, regions: ReadonlySet<string>) {
    this.#store = store;
    this.#signatures = new SignatureCheck(identities, clock);
    this.#regions = regions;
    this.#clock = clock;
  }

  describe(request: Request): Description {
    const target = /^TrentService\.(\w+)$/u.exec(request.headers.get("x-amz-target") ?? "");
    const detail: CallDetail = { bytes: request.body.length };
    const input = JsonInput.tryParse(request.body);
    if (input?.keyId !== undefined) detail.KeyId = input.keyId;
    if (input?.hasContext === true) detail.EncryptionContext = input.context;
    return { operation: target?.[1] ?? "Unknown", detail };
  }

  handle(request: Request, call: CallInfo): Reply {
    const signer = this.#signatures.verify(request, "kms", "json");
    const { arn } = signer.credentials;
    call.arn = arn;
    const hostRegion = /^kms[.-](?:fips\.)?([a-z0-9-]+)\.amazonaws\.com/u.exec(
      request.headers.get("host") ?? "",
    )?.[1];
    if (!this.#regions.has(signer.region)) throw wrongScope("json", "region", [...this.#regions].join(", "));
    if (hostRegion !== undefined && hostRegion !== signer.region)
      throw wrongScope("json", "region", hostRegion);
    if (call.operation === "Unknown") throw new ServiceError(400, "UnknownOperationException", "");
    const asked = {
      input: JsonInput.parse(request.body),
      region: signer.region,
      arn,
      operation: call.operation,
    };
    return json(200, this.#answer(asked), call);
  }

  renderError(error: ServiceError, _request: Request, call: CallInfo): Reply {
    const message = error.message === "" ? {} : { message: error.message };
    const reply = json(error.status, { __type: error.code, ...message }, call);
    return { ...reply, headers: { ...reply.headers, ...error.headers } };
  }

  #answer(asked: Asked): Output {
    const { input } = asked;
    switch (asked.operation) {
      case "GenerateDataKey":
        return this.#generateDataKey(asked);
      case "GenerateDataKeyWithoutPlaintext": {
        const { Plaintext: _, ...rest } = this.#generateDataKey(asked);
        return rest;
      }
      case "Encrypt":
        return this.#encrypt(asked);
      case "Decrypt":
        return this.#decrypt(asked);
      case "CreateKey":
        this.#authorize(asked, "*");
        return metadata(
          this.#store.createKey({ region: asked.region, description: input.text("Description") ?? "" }),
        );
      case "DescribeKey":
        return metadata(this.#key(asked));
      case "CreateAlias":
        this.#store.createAlias(input.required("AliasName"), this.#key(asked, "TargetKeyId"));
        return {};
      case "EnableKey":
        this.#store.setState(this.#key(asked), "Enabled");
        return {};
      case "DisableKey":
        this.#store.setState(this.#key(asked), "Disabled");
        return {};
      case "ScheduleKeyDeletion":
        return this.#scheduleDeletion(asked);
      default:
        throw new ServiceError(400, "UnknownOperationException", "");
    }
  }

  #generateDataKey(asked: Asked): Output {
    const key = this.#usableKey(asked);
    const plaintext = randomBytes(asked.input.dataKeyBytes());
    const blob = sealBlob(key, this.#store.macKey, plaintext, asked.input.context);
    return {
      CiphertextBlob: blob.toString("base64"),
      Plaintext: plaintext.toString("base64"),
      KeyId: key.arn,
    };
  }

  #encrypt(asked: Asked): Output {
    const key = this.#usableKey(asked);
    const plaintext = asked.input.blob("Plaintext", 4096);
    const blob = sealBlob(key, this.#store.macKey, plaintext, asked.input.context);
    return {
      CiphertextBlob: blob.toString("base64"),
      KeyId: key.arn,
      EncryptionAlgorithm: "SYMMETRIC_DEFAULT",
    };
  }

  /** "Decrypt" (KMS API Reference): the blob names its key; a KeyId that is given must be that key. */
  #decrypt(asked: Asked): Output {
    const blob = asked.input.blob("CiphertextBlob", 6144);
    const named =
      asked.input.keyId === undefined ? undefined : this.#store.find(asked.input.keyId, asked.region);
    const imported = this.#store.imported(blob);
    const key = imported?.key ?? this.#keyOfBlob(blob, asked);
    if (named !== undefined && named !== key)
      throw new ServiceError(
        400,
        "IncorrectKeyException",
        "The key ID in the request does not identify a CMK that can perform this operation.",
      );
    this.#authorize(asked, key.arn);
    checkState(key);
    const plaintext =
      imported === undefined
        ? openBlob(key, blob, asked.input.context)
        : openImported(imported, canonicalContext(asked.input.context));
    if (plaintext === undefined) throw invalidCiphertext();
    return {
      KeyId: key.arn,
      Plaintext: plaintext.toString("base64"),
      EncryptionAlgorithm: "SYMMETRIC_DEFAULT",
    };
  }

  #keyOfBlob(blob: Buffer, asked: Asked): KmsKey {
    const id = blobKeyId(blob, this.#store.macKey);
    if (id === undefined) throw invalidCiphertext();
    const key = this.#store.byId(id);
    if (key !== undefined && key.region === asked.region) return key;
    throw new ServiceError(
      400,
      "AccessDeniedException",
      "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.",
    );
  }

  #scheduleDeletion(asked: Asked): Output {
    const key = this.#key(asked);
    if (key.state === "PendingDeletion") checkState(key);
    this.#store.setState(key, "PendingDeletion");
    const days = asked.input.number("PendingWindowInDays") ?? 30;
    key.deletionDate = this.#clock.now() + days * 86_400_000;
    return {
      KeyId: key.arn,
      DeletionDate: key.deletionDate / 1000,
      KeyState: key.state,
      PendingWindowInDays: days,
    };
  }

  #key(asked: Asked, member = "KeyId"): KmsKey {
    const key = this.#store.find(asked.input.required(member), asked.region);
    this.#authorize(asked, key.arn);
    return key;
  }

  #usableKey(asked: Asked): KmsKey {
    const key = this.#key(asked);
    checkState(key);
    return key;
  }

  /** "Troubleshoot access denied error messages" (IAM User Guide, troubleshoot_access-denied). */
  #authorize({ operation, arn }: Asked, resource: string): void {
    if (!this.#store.denied.has(operation)) return;
    throw new ServiceError(
      400,
      "AccessDeniedException",
      `User: ${arn} is not authorized to perform: kms:${operation} on resource: ${resource} because no identity-based policy allows the kms:${operation} action`,
    );
  }
}

function openImported(
  imported: { plaintext: Buffer; context: Buffer | undefined },
  context: Buffer,
): Buffer | undefined {
  return imported.context === undefined || imported.context.equals(context) ? imported.plaintext : undefined;
}

function checkState(key: KmsKey): void {
  if (key.state === "Disabled") throw new ServiceError(400, "DisabledException", `${key.arn} is disabled.`);
  if (key.state === "PendingDeletion")
    throw new ServiceError(400, "KMSInvalidStateException", `${key.arn} is pending deletion.`);
}

/** KMS gives no message with this one. */
function invalidCiphertext(): ServiceError {
  return new ServiceError(400, "InvalidCiphertextException", "");
}

function metadata(key: KmsKey): Output {
  const deletion = key.deletionDate === undefined ? {} : { DeletionDate: key.deletionDate / 1000 };
  return {
    KeyMetadata: {
      AWSAccountId: key.arn.split(":")[4],
      KeyId: key.id,
      Arn: key.arn,
      CreationDate: key.created / 1000,
      Enabled: key.state === "Enabled",
      Description: key.description,
      KeyUsage: "ENCRYPT_DECRYPT",
      KeyState: key.state,
      Origin: "AWS_KMS",
      KeyManager: "CUSTOMER",
      CustomerMasterKeySpec: "SYMMETRIC_DEFAULT",
      KeySpec: "SYMMETRIC_DEFAULT",
      EncryptionAlgorithms: ["SYMMETRIC_DEFAULT"],
      MultiRegion: false,
      ...deletion,
    },
  };
}

function json(status: number, output: Output, call: CallInfo): Reply {
  return {
    status,
    headers: { "content-type": CONTENT_TYPE, "x-amzn-requestid": call.requestId },
    body: JSON.stringify(output),
  };
}

/** KMS as far as an envelope can see: it wraps 32 bytes, and unwraps them under the same context only. */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import type { EncryptionContext } from "../../../src/envelope/index.ts";
import { SealexecError } from "../../../src/base/errors.ts";

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export interface Kms {
  decrypt(wrappedKey: Uint8Array, context: EncryptionContext): Uint8Array;
}

export class ModelKms implements Kms {
  readonly #key = randomBytes(32);

  generate(context: EncryptionContext): { dataKey: Uint8Array; wrappedKey: Uint8Array } {
    const dataKey = new Uint8Array(randomBytes(32));
    return { dataKey, wrappedKey: this.encrypt(dataKey, context) };
  }

  encrypt(plaintext: Uint8Array, context: EncryptionContext): Uint8Array {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv("aes-256-gcm", this.#key, nonce);
    cipher.setAAD(canonical(context));
    return new Uint8Array(
      Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]),
    );
  }

  decrypt(wrappedKey: Uint8Array, context: EncryptionContext): Uint8Array {
    try {
      const tagAt = wrappedKey.length - TAG_BYTES;
      const decipher = createDecipheriv("aes-256-gcm", this.#key, wrappedKey.subarray(0, NONCE_BYTES), {
        authTagLength: TAG_BYTES,
      });
      decipher.setAAD(canonical(context));
      decipher.setAuthTag(wrappedKey.subarray(tagAt));
      const dataKey = decipher.update(wrappedKey.subarray(NONCE_BYTES, tagAt));
      decipher.final();
      return new Uint8Array(dataKey);
    } catch {
      throw kmsRefusal();
    }
  }
}

/** A KMS that knows one blob, for vectors: it gives out their data key for their context only. */
export class VectorKms implements Kms {
  readonly #wrappedKey: Uint8Array;
  readonly #context: Buffer;
  readonly #dataKey: Uint8Array;

  constructor(wrappedKey: Uint8Array, context: EncryptionContext, dataKey: Uint8Array) {
    this.#wrappedKey = wrappedKey;
    this.#context = canonical(context);
    this.#dataKey = dataKey;
  }

  decrypt(wrappedKey: Uint8Array, context: EncryptionContext): Uint8Array {
    const known = Buffer.from(this.#wrappedKey).equals(wrappedKey);
    if (!known || !this.#context.equals(canonical(context))) throw kmsRefusal();
    return Uint8Array.from(this.#dataKey);
  }
}

/** As the kms layer says it: InvalidCiphertextException is about the data. */
function kmsRefusal(): SealexecError {
  return new SealexecError("data", "model KMS: InvalidCiphertextException");
}

/** KMS does not look at the order of pairs. */
function canonical(context: EncryptionContext): Buffer {
  const pairs = Object.entries(context).sort(([a], [b]) => (a < b ? -1 : 1));
  return Buffer.from(JSON.stringify(pairs));
}

/** Sealing what is pushed: a fresh data key, and the envelope around the .env. */
import type { Located } from "../aws/session.ts";
import { step } from "../base/context.ts";
import type { Dialect } from "../text/dialect.ts";
import { seal } from "../envelope/index.ts";
import type { EncryptionContext, Metadata } from "../envelope/index.ts";
import { needsAws } from "./key.ts";
import type { Key } from "./key.ts";
import { wrap } from "./keyring.ts";
import type { Asking, NewDataKey } from "./kms/data-key.ts";

export interface Sealed {
  readonly metadata: Metadata;
  readonly body: Uint8Array;
  /** the ARN of the KMS key, or `local:PATH` */
  readonly key: string;
}

/** What the body is longer than the plaintext by. */
export { GCM_TAG_BYTES as TAG_BYTES } from "../envelope/format.ts";

export interface Sealing {
  readonly key: Key;
  readonly format: "v3" | "v2";
  readonly encryptionContext: EncryptionContext;
  readonly located: Located;
}

/** Seals, and wipes the plaintext. */
export async function sealUnder(sealing: Sealing, plaintext: Uint8Array, asking: Asking): Promise<Sealed> {
  const { key, format, encryptionContext, located } = sealing;
  try {
    const make = (): Promise<NewDataKey> => wrap(key, encryptionContext, located, asking);
    const { plaintext: dataKey, wrapped, keyArn } = await step(asking.context, "key", key.text, make);
    try {
      const how = needsAws(key) ? {} : ({ wrap: "local" } as const);
      const sealed = seal(format, { plaintext, dataKey, wrappedKey: wrapped, encryptionContext, ...how });
      return { ...sealed, key: keyArn };
    } finally {
      dataKey.fill(0);
    }
  } finally {
    plaintext.fill(0);
  }
}

/** What the context says of the text's form: nothing of a .env, which other clients then open without it. */
export function sealedDialect(dialect: Dialect = "dotenv"): Dialect | undefined {
  return dialect === "dotenv" ? undefined : dialect;
}

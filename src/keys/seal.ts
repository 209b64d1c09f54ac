/** Sealing what is pushed: a fresh data key from KMS or for a local key, and the envelope around the .env. */
import type { AwsSession, Located } from "../aws/session.ts";
import { step } from "../base/context.ts";
import type { Context } from "../base/context.ts";
import type { Dialect } from "../text/dialect.ts";
import { generateLocalDataKey, seal } from "../envelope/index.ts";
import type { EncryptionContext, Metadata } from "../envelope/index.ts";
import { LOCAL } from "./key.ts";
import { generateDataKey } from "./kms/generate.ts";
import { readLocalKey } from "./local-key.ts";

export interface Sealed {
  readonly metadata: Metadata;
  readonly body: Uint8Array;
  /** the ARN of the KMS key, or `local:PATH` */
  readonly key: string;
}

/** The tag of AES-GCM, which the body has behind the plaintext, bytes. */
export const TAG_BYTES = 16;

/** Seals under a key of KMS, and wipes the plaintext. */
export async function sealUnderKms(
  plaintext: Uint8Array,
  sealing: {
    readonly key: string;
    readonly format: "v3" | "v2";
    readonly encryptionContext: EncryptionContext;
    readonly located: Located;
  },
  session: AwsSession,
  context: Context,
): Promise<Sealed> {
  const { key, format, encryptionContext, located } = sealing;
  const dataKey = await step(context, "key", key, () =>
    generateDataKey(key, encryptionContext, located, session, context),
  );
  const { plaintext: opened, wrapped: wrappedKey, keyArn } = dataKey;
  try {
    const sealed = seal(format, { plaintext, dataKey: opened, wrappedKey, encryptionContext });
    return { ...sealed, key: keyArn };
  } finally {
    opened.fill(0);
    plaintext.fill(0);
  }
}

/** Seals under the local key at `path`, and wipes the plaintext. */
export function sealUnderLocalKey(
  plaintext: Uint8Array,
  path: string,
  encryptionContext: EncryptionContext,
): Sealed {
  const { dataKey, wrappedKey } = newLocalDataKey(path, encryptionContext);
  try {
    const sealed = seal("v3", { plaintext, dataKey, wrappedKey, wrap: "local", encryptionContext });
    return { ...sealed, key: LOCAL + path };
  } finally {
    dataKey.fill(0);
    plaintext.fill(0);
  }
}

function newLocalDataKey(
  path: string,
  encryptionContext: EncryptionContext,
): ReturnType<typeof generateLocalDataKey> {
  const localKey = readLocalKey(path);
  try {
    return generateLocalDataKey(localKey, encryptionContext);
  } finally {
    localKey.fill(0);
  }
}

/** What the context says of the text's form: nothing of a .env, so that other clients need not name it to open one. */
export function sealedDialect(dialect: Dialect = "dotenv"): Dialect | undefined {
  return dialect === "dotenv" ? undefined : dialect;
}

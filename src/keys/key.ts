/** What --key names, taken apart once: a key of KMS by its id, ARN or alias, or a file. */
import { SealexecError } from "../base/errors.ts";

export type Key =
  /** `text` is what KMS is asked with */
  | { readonly kind: "kms"; readonly text: string }
  | { readonly kind: "local"; readonly text: string; readonly path: string };

export const LOCAL = "local:";

// Key id, key ARN, alias name, alias ARN (KMS API Reference, Decrypt: KeyId).
const KMS_KEY = /^[A-Za-z0-9:/_-]{1,2048}$/;

export function parseKey(text: string): Key {
  if (text.startsWith(LOCAL)) {
    const path = text.slice(LOCAL.length);
    if (path !== "" && !/\p{Cc}/u.test(path)) return { kind: "local", text, path };
    throw new SealexecError("usage", "--key local: names no file", { hint: "the form is local:PATH" });
  }
  if (KMS_KEY.test(text)) return { kind: "kms", text };
  throw new SealexecError("usage", "--key is not a KMS key id, ARN or alias", {
    hint: "for example alias/my-app, arn:aws:kms:eu-west-1:111122223333:key/UUID, or local:PATH",
  });
}

/** What KMS is asked with; undefined: any key of KMS, or none. */
export function kmsKeyOf(key: Key | undefined): string | undefined {
  return key?.kind === "kms" ? key.text : undefined;
}

/** Whether AWS has a part in it; a key that nobody named is one of KMS. */
export function needsAws(key: Key | undefined): boolean {
  return key?.kind !== "local";
}

/** What a key is called: an id, ARN or alias of KMS, or `local:PATH`. */
import { SealexecError } from "../base/errors.ts";

export const LOCAL = "local:";

/** The path of a `local:PATH` key; undefined: it is a key of KMS. */
export function localKeyPath(key: string | undefined): string | undefined {
  return key?.startsWith(LOCAL) === true ? key.slice(LOCAL.length) : undefined;
}

// Key id, key ARN, alias name, alias ARN (KMS API Reference, Decrypt: KeyId).
const KEY = /^[A-Za-z0-9:/_-]{1,2048}$/;

/** A key of KMS, or `local:PATH`. */
export function parseKey(key: string): string {
  const path = localKeyPath(key);
  if (path === "" || (path !== undefined && /\p{Cc}/u.test(path))) {
    throw new SealexecError("usage", "--key local: names no file", { hint: "the form is local:PATH" });
  }
  if (path !== undefined || KEY.test(key)) return key;
  throw new SealexecError("usage", "--key is not a KMS key id, ARN or alias", {
    hint: "for example alias/my-app, arn:aws:kms:eu-west-1:111122223333:key/UUID, or local:PATH",
  });
}

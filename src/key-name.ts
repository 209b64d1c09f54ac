/** What a key is called: an id, ARN or alias of KMS, or `local:PATH`. */

export const LOCAL = "local:";

/** The path of a `local:PATH` key; undefined: it is a key of KMS. */
export function localKeyPath(key: string | undefined): string | undefined {
  return key?.startsWith(LOCAL) === true ? key.slice(LOCAL.length) : undefined;
}

/**
 * SHA-256 and HMAC-SHA256 (RFC 2104): in the npm package by node:crypto, in the binary by Bun's own hasher,
 * as node:crypto costs a start there 3 ms (bench/README.md).
 */
type Data = string | Uint8Array;

/** What is used of bun.com/docs/runtime/hashing, "Bun.CryptoHasher". */
interface BunHasher {
  update(data: Data): BunHasher;
  digest(): Uint8Array;
}

const { Bun: bun } = globalThis as {
  readonly Bun?: { readonly CryptoHasher: new (algorithm: "sha256", hmacKey?: Data) => BunHasher };
};

/** 32 bytes. A text counts as its UTF-8. */
export function sha256(data: Data): Uint8Array {
  if (bun !== undefined) return new bun.CryptoHasher("sha256").update(data).digest();
  return process.getBuiltinModule("node:crypto").createHash("sha256").update(data).digest();
}

/** 32 bytes. A text counts as its UTF-8. */
export function hmacSha256(key: Data, data: Data): Uint8Array {
  if (bun !== undefined) return new bun.CryptoHasher("sha256", key).update(data).digest();
  return process.getBuiltinModule("node:crypto").createHmac("sha256", key).update(data).digest();
}

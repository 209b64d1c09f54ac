/** The calls of node:crypto that are made while something runs, with what they gave: the real functions, looked at. */
import crypto from "node:crypto";
import { syncBuiltinESMExports } from "node:module";
import { mock } from "node:test";

export interface Calls {
  /** what hkdfSync gave, the very memory */
  readonly derived: readonly Uint8Array[];
  /** what deciphers gave before their tag was looked at, the very memory */
  readonly decrypted: readonly Uint8Array[];
  /** what randomBytes gave, the very memory */
  readonly random: readonly Uint8Array[];
  /** how often bytes were compared in constant time */
  readonly compared: number;
}

/** Runs `work`, which may throw, and tells what it asked of node:crypto. */
export function cryptoCallsOf(work: () => unknown): Calls {
  const derived: Uint8Array[] = [];
  const decrypted: Uint8Array[] = [];
  const random: Uint8Array[] = [];
  const { hkdfSync, createDecipheriv, randomBytes, timingSafeEqual } = crypto;
  mock.method(crypto, "randomBytes", (size: number) => {
    const result = randomBytes(size);
    random.push(result);
    return result;
  });
  mock.method(crypto, "hkdfSync", (...args: Parameters<typeof hkdfSync>) => {
    const result = hkdfSync(...args);
    derived.push(new Uint8Array(result));
    return result;
  });
  mock.method(crypto, "createDecipheriv", (...args: Parameters<typeof createDecipheriv>) => {
    const decipher = createDecipheriv(...args);
    const update = decipher.update.bind(decipher) as (data: Uint8Array) => Buffer;
    return Object.assign(decipher, {
      update: (data: Uint8Array) => {
        const result = update(data);
        decrypted.push(result);
        return result;
      },
    });
  });
  const comparing = mock.method(crypto, "timingSafeEqual", timingSafeEqual);
  syncBuiltinESMExports();
  try {
    work();
  } catch {
    // What it says is the affair of other tests.
  } finally {
    mock.restoreAll();
    syncBuiltinESMExports();
  }
  return { derived, decrypted, random, compared: comparing.mock.callCount() };
}

/** Runs `work` with a source of randomness that gives only zeros. */
export function withoutRandomness<T>(work: () => T): T {
  mock.method(crypto, "randomBytes", (size: number) => Buffer.alloc(size));
  syncBuiltinESMExports();
  try {
    return work();
  } finally {
    mock.restoreAll();
    syncBuiltinESMExports();
  }
}

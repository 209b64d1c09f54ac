/**
 * The checksums of "Checking object integrity" (Amazon S3 User Guide): base64 of the big-endian value. CRC32C is
 * RFC 3720's Castagnoli; CRC64NVME is that of the NVM Express specification (both reflected, inverted in and out).
 */
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";

export const CHECKSUM_ALGORITHMS = ["crc32", "crc32c", "crc64nvme", "sha1", "sha256", "sha512"] as const;
export type ChecksumAlgorithm = (typeof CHECKSUM_ALGORITHMS)[number];

export function isChecksumAlgorithm(name: string): name is ChecksumAlgorithm {
  return (CHECKSUM_ALGORITHMS as readonly string[]).includes(name);
}

/** Base64, as in the x-amz-checksum-* headers. */
export function checksum(algorithm: ChecksumAlgorithm, bytes: Buffer): string {
  switch (algorithm) {
    case "crc32":
      return uint32(crc32(bytes)).toString("base64");
    case "crc32c":
      return uint32(crc32c(bytes)).toString("base64");
    case "crc64nvme":
      return crc64nvme(bytes).toString("base64");
    case "sha1":
    case "sha256":
    case "sha512":
      return createHash(algorithm).update(bytes).digest("base64");
  }
}

function uint32(value: number): Buffer {
  const out = Buffer.alloc(4);
  out.writeUInt32BE(value >>> 0);
  return out;
}

const CRC32C = Uint32Array.from({ length: 256 }, (_, index) => {
  let crc = index;
  for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  return crc;
});

function crc32c(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (CRC32C[(crc ^ byte) & 255] ?? 0) ^ (crc >>> 8);
  return ~crc;
}

/** Tables of high and low words: BigInt would be slow. */
const [CRC64_HIGH, CRC64_LOW] = crc64Tables();

function crc64Tables(): [Uint32Array, Uint32Array] {
  const high = new Uint32Array(256);
  const low = new Uint32Array(256);
  for (let index = 0; index < 256; index += 1) {
    let crc = BigInt(index);
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >> 1n) ^ (crc & 1n ? 0x9a6c9329ac4bc9b5n : 0n);
    high[index] = Number(crc >> 32n);
    low[index] = Number(crc & 0xffffffffn);
  }
  return [high, low];
}

function crc64nvme(bytes: Buffer): Buffer {
  let high = 0xffffffff;
  let low = 0xffffffff;
  for (const byte of bytes) {
    const index = (low ^ byte) & 255;
    low = ((low >>> 8) | (high << 24)) ^ (CRC64_LOW[index] ?? 0);
    high = (high >>> 8) ^ (CRC64_HIGH[index] ?? 0);
  }
  return Buffer.concat([uint32(~high), uint32(~low)]);
}

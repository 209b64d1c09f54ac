/** The vectors of other clients: test/vectors/README.md. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { EncryptionContext, Metadata } from "../../../src/envelope/index.ts";

export interface PeerVector {
  readonly name: string;
  readonly object_metadata: Metadata;
  readonly instruction_file: string | null;
  readonly body_base64: string;
  readonly encryption_context: EncryptionContext;
  readonly data_key_base64: string;
  readonly plaintext_base64: string;
}

export interface GoVector {
  readonly source: string;
  readonly metadata: Metadata;
  readonly body_hex: string;
  readonly data_key_base64: string;
  readonly plaintext_hex: string | null;
}

const ROOT = new URL("../../../", import.meta.url);

export const peers: readonly PeerVector[] = parse<PeerVector>(new URL("test/vectors/peers.json", ROOT)) ?? [];

/** undefined where the file is not kept beside the repository */
export const official: readonly GoVector[] | undefined = parse<GoVector>(
  new URL("../shared/vectors/official-go.json", ROOT),
);

export const OFFICIAL_MISSING = "../shared/vectors/official-go.json is not here";

function parse<Vector>(file: URL): readonly Vector[] | undefined {
  let text: string;
  try {
    text = readFileSync(fileURLToPath(file), "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
  const vectors: readonly Vector[] = JSON.parse(text);
  return vectors;
}

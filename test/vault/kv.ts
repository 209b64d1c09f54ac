/** KV secrets engines, version 1 and 2 (Vault HTTP API, "KV secrets engine"). */
import { VaultError, answer } from "./http.ts";
import type { Answer, Json, Request } from "./http.ts";

interface Version {
  readonly data: Json;
  readonly createdAt: string;
  deletedAt: string;
  destroyed: boolean;
}

export interface Engine {
  readonly type: string;
  readonly options: Json | null;
  handle(path: string, request: Request): Answer;
}

export class KvV1 implements Engine {
  readonly type = "kv";
  readonly options: Json | null;
  readonly #secrets = new Map<string, Json>();

  /** @param old mounted without options, as before there was a version 2 */
  constructor(old = false) {
    this.options = old ? null : { version: "1" };
  }

  put(path: string, data: Json): void {
    this.#secrets.set(path, data);
  }

  handle(path: string): Answer {
    const data = this.#secrets.get(path);
    if (data === undefined) throw new VaultError(404);
    return answer(data, { lease_duration: 2_764_800 });
  }
}

export class KvV2 implements Engine {
  readonly type = "kv";
  readonly options = { version: "2" };
  readonly #secrets = new Map<string, Version[]>();

  /** @returns the number of the new version */
  put(path: string, data: Json): number {
    const versions = this.#secrets.get(path) ?? [];
    this.#secrets.set(path, versions);
    versions.push({ data, createdAt: new Date().toISOString(), deletedAt: "", destroyed: false });
    return versions.length;
  }

  delete(path: string, version: number): void {
    this.#version(path, version).deletedAt = new Date().toISOString();
  }

  destroy(path: string, version: number): void {
    this.#version(path, version).destroyed = true;
  }

  /** All versions and their count, as `vault kv metadata delete` does. */
  remove(path: string): void {
    this.#secrets.delete(path);
  }

  handle(path: string, request: Request): Answer {
    const secret = /^data\/(.+)$/.exec(path)?.[1];
    if (secret === undefined) {
      const warning = "Invalid path for a versioned K/V secrets engine. See the API docs for the appropriate";
      return { status: 404, body: { warnings: [warning] } };
    }
    const versions = this.#secrets.get(secret);
    const asked = Number(request.query.get("version") ?? "0");
    const number = asked === 0 ? (versions?.length ?? 0) : asked;
    const version = versions?.[number - 1];
    if (version === undefined) throw new VaultError(404);
    const metadata = {
      created_time: version.createdAt,
      custom_metadata: null,
      deletion_time: version.deletedAt,
      destroyed: version.destroyed,
      version: number,
    };
    const gone = version.destroyed || version.deletedAt !== "";
    const found = answer({ data: gone ? null : version.data, metadata });
    return gone ? { ...found, status: 404 } : found;
  }

  #version(path: string, version: number): Version {
    const found = this.#secrets.get(path)?.[version - 1];
    if (found === undefined) throw new Error(`no version ${version} of ${path}`);
    return found;
  }
}

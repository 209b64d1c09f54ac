/**
 * The file of `--fallback`: objects as S3 had them, still sealed, in JSON. It shows no more than a bucket;
 * but who could write it could put an older object into it, so it is 0600 and its owner's.
 */
import { statSync } from "node:fs";
import { dirname } from "node:path";
import { defined } from "../../base/defined.ts";
import { MOST_AHEAD_MS } from "../../envelope/revision.ts";
import { SealexecError } from "../../base/errors.ts";
import { readFirstBytes, readSmallFile } from "../../base/files/read.ts";
import { isOnlyOurs, writePrivateFile } from "../../base/files/write.ts";

export interface Kept {
  readonly uri: string;
  /** when S3 said last that it is the present one, milliseconds since 1970 */
  readonly confirmed: number;
  readonly etag: string | undefined;
  readonly versionId: string | undefined;
  readonly revision: number | undefined;
  /** by S3's own time, milliseconds since 1970 */
  readonly lastModified?: number | undefined;
  readonly metadata: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

const FORMAT = "sealexec fallback 1";
/** How what any version has written begins: such a file may be replaced, whatever has become of the rest. */
const BEGINNING = /^\s*\{\s*"format":\s*"sealexec fallback /;
const BEGINNING_BYTES = 100;
/** Some objects of the largest size, in base64. */
const LARGEST_BYTES = 64 * 1024 * 1024;
const STAYS = "it stays as it is: name another file";

/** What the file holds; nothing if there is none. */
export function readKept(path: string, uid: number): readonly Kept[] {
  refuseUnsafeFolder(path, uid);
  const bytes = reading(() =>
    readSmallFile(path, LARGEST_BYTES, (stat) => {
      if (isOnlyOurs(stat, uid)) return;
      if (stat.uid !== uid) throw another();
      throw broken("config", "others than its owner could have written it", "remove it, or chmod 600 it");
    }),
  );
  return bytes === undefined ? [] : parseKept(bytes.toString("utf8"));
}

export function writeKept(path: string, uid: number, objects: readonly Kept[]): void {
  try {
    refuseUnsafeFolder(path, uid);
    refuseToReplace(path, uid);
  } catch (error) {
    throw error instanceof SealexecError ? error.at(path) : error;
  }
  // Nobody else can have put anything there since.
  writePrivateFile(path, Buffer.from(printKept(objects)), "anything");
}

/** Whatever is there stays as it is, unless it is an empty file of this user's or one that --fallback has written. */
function refuseToReplace(path: string, uid: number): void {
  const bytes = reading(() =>
    readFirstBytes(path, BEGINNING_BYTES, (stat) => {
      if (stat.uid !== uid) throw another();
    }),
  );
  if (bytes !== undefined && bytes.length > 0) checkBeginning(bytes.toString("latin1"));
}

/** @returns undefined: there is no file */
function reading<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof SealexecError) throw error;
    const { code = "error" } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    if (code === "ENOTFILE" || code === "EISDIR")
      throw broken("config", "it is not a regular file", STAYS, error);
    throw broken("config", `it cannot be read (${code})`, "check its path, mode and owner", error);
  }
}

/** Whether it has a revision of the future. Time is this machine's clock, or the one by which it was kept: some begin in the past. */
export function isAhead({ revision = 0, confirmed }: Kept): boolean {
  return revision > Math.max(Date.now(), confirmed) + MOST_AHEAD_MS;
}

// Who can write to the folder can put an older file there. As for sshd and its keys (StrictModes), the sticky bit is no excuse.
function refuseUnsafeFolder(path: string, uid: number): void {
  const folder = dirname(path);
  const stat = reading(() => statSync(folder));
  if (stat === undefined || isOnlyOurs(stat, uid)) return;
  const hint = `name a file in a folder that only this user can write to: mkdir -m 700 ${folder}/sealexec`;
  throw broken("config", `others can write to its folder ${folder}`, hint);
}

export function printKept(objects: readonly Kept[]): string {
  const shown = objects.map(({ body, confirmed, ...rest }) => ({
    ...rest,
    confirmed: new Date(confirmed).toISOString(),
    body: Buffer.from(body).toString("base64"),
  }));
  return `${JSON.stringify({ format: FORMAT, objects: shown }, undefined, 1)}\n`;
}

export function parseKept(text: string): readonly Kept[] {
  if (text !== "") checkBeginning(text);
  const value = objectOf(parseJson(text));
  if (value?.["format"] !== FORMAT || !Array.isArray(value["objects"])) throw damaged();
  return value["objects"].map((entry: unknown) => {
    const { uri, confirmed, etag, versionId, revision, lastModified, metadata, body } = objectOf(entry) ?? {};
    const time = typeof confirmed === "string" ? Date.parse(confirmed) : Number.NaN;
    const strings = Object.entries(objectOf(metadata) ?? {});
    const isWhole =
      typeof uri === "string" &&
      typeof body === "string" &&
      !Number.isNaN(time) &&
      [etag, versionId].every((text) => isOptional(text, "string")) &&
      [revision, lastModified].every((number) => isOptional(number, "number")) &&
      strings.every((pair): pair is [string, string] => typeof pair[1] === "string");
    if (!isWhole) throw damaged();
    return {
      uri,
      confirmed: time,
      etag: etag as string | undefined,
      versionId: versionId as string | undefined,
      revision: revision as number | undefined,
      ...(defined({ lastModified }) as Pick<Kept, "lastModified">),
      metadata: Object.fromEntries(strings) as Record<string, string>,
      body: Buffer.from(body, "base64"),
    };
  });
}

function isOptional(value: unknown, type: "string" | "number"): boolean {
  return value === undefined || typeof value === type;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw damaged();
  }
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
}

function checkBeginning(text: string): void {
  if (!BEGINNING.test(text)) throw broken("data", "it was not written by --fallback", STAYS);
}

function damaged(): SealexecError {
  return broken("data", "it is damaged, or of another version", "a start with S3 writes a new one");
}

function another(): SealexecError {
  return broken("config", "it belongs to another user", STAYS);
}

function broken(kind: "config" | "data", what: string, hint: string, cause?: unknown): SealexecError {
  return new SealexecError(kind, what, { hint, cause });
}

/** One file a variable, as Docker, Swarm, Compose and Kubernetes mount secrets. */
import { lstatSync, readdirSync, readlinkSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Context } from "../../base/context.ts";
import { isDotenvName } from "../../text/dotenv/name.ts";
import { SealexecError } from "../../base/errors.ts";
import { Secret } from "../../base/secret.ts";
import type { Variables } from "../../base/secret.ts";
import { fileState, stateOfPath } from "../../base/files/read.ts";
import type { Exposed } from "./exposure.ts";
import { accessing } from "./failure.ts";
import { LARGEST_FILE_BYTES, readMember, tooLargeVariable } from "./read.ts";
import type { DirRef } from "./ref.ts";

/** MAX_ARG_STRLEN without the NUL (execve(2)): `NAME=value` in all. */
const LARGEST_VARIABLE_BYTES = 131_071;
const MOST_FILES = 10_000;

interface Folder {
  readonly variables: Variables;
  readonly files: readonly Exposed[];
  /** as folderState gives it */
  readonly state: string;
}

/**
 * Reads every file, in the order of their names. Kubernetes mounts links into `..data`, a link to the folder
 * of one version. It is looked up once, so that an update cannot mix two versions, and once more afterwards:
 * an old version is removed right after the update, and may lack files. Then all is read again.
 */
export function readFolder(ref: DirRef, context: Context): Folder {
  checkFolder(ref.path);
  for (;;) {
    const version = versionOf(ref.path);
    try {
      const read = readVersion(ref, version);
      // An old version loses its files only after the update: if it is still the one, nothing was missing.
      if (versionOf(ref.path) === version) return read;
    } catch (error) {
      const isGone = error instanceof SealexecError && error.kind === "missing";
      if (!isGone || version === undefined || versionOf(ref.path) === version) throw error;
    }
    if (context.deadline.remainingMs === 0) throw context.deadline.error();
  }
}

function checkFolder(path: string): void {
  if (accessing(() => statSync(path).isDirectory())) return;
  const hint = "a file of variables is env-file:PATH";
  throw new SealexecError("config", "a file, where a folder is expected", { hint });
}

/** The folder of the present version; undefined: there are none. Whether it is there shows when it is read. */
function versionOf(path: string): string | undefined {
  return accessing(() => {
    const link = join(path, "..data");
    const stats = lstatSync(link, { throwIfNoEntry: false });
    return stats?.isSymbolicLink() === true ? resolve(path, readlinkSync(link)) : undefined;
  });
}

function readVersion(ref: DirRef, version: string | undefined): Folder {
  const variables = new Map<string, Secret>();
  const files: Exposed[] = [];
  const states: string[] = [];
  let total = 0;
  for (const { file, path } of list(ref.path, version)) {
    const name = nameOf(file, ref.upper);
    if (variables.has(name)) throw refusal(`${name} is there twice: two files come to the same name`, RENAME);
    const { bytes, stats } = readMember(path, name, LARGEST_VARIABLE_BYTES + "\r\n".length);
    total += bytes.length;
    if (total > LARGEST_FILE_BYTES)
      throw refusal(`larger than ${LARGEST_FILE_BYTES} bytes in all`, "no environment takes so much");
    variables.set(name, valueOf(name, bytes, ref.raw));
    files.push({ name, mode: stats.mode });
    states.push(`${path} ${fileState(stats)}`);
  }
  return { variables, files, state: states.join("\n") };
}

/** What tells this state of the folder from any other, without reading its files. */
export function folderState(path: string): string {
  checkFolder(path);
  const entries = list(path, versionOf(path));
  return accessing(() => entries.map((entry) => `${entry.path} ${stateOfPath(entry.path)}`).join("\n"));
}

interface Entry {
  readonly file: string;
  readonly path: string;
}

function list(folder: string, version: string | undefined): Entry[] {
  const entries = visible(folder);
  // What is no link into the versions was mounted over them (subPath), and is as much a file as the others.
  const all =
    version === undefined
      ? entries
      : [...visible(version), ...entries.filter(({ path }) => !leadsToVersion(path))];
  return all.toSorted((a, b) => (a.file < b.file ? -1 : 1));
}

/** Without dot files: they are `..data` and its like, and what editors and tools leave. */
function visible(folder: string): Entry[] {
  const names = accessing(() => readdirSync(folder));
  if (names.length > MOST_FILES) throw refusal(`more than ${MOST_FILES} files`, "check the path");
  return names.filter((name) => !name.startsWith(".")).map((file) => ({ file, path: join(folder, file) }));
}

function leadsToVersion(path: string): boolean {
  return accessing(() => {
    const stats = lstatSync(path, { throwIfNoEntry: false });
    // One that has gone in between was a link to the version before.
    return stats === undefined || (stats.isSymbolicLink() && readlinkSync(path).startsWith("..data/"));
  });
}

const RENAME =
  "letters, digits and _ only, not beginning with a digit; dir:PATH?upper makes DB_PASSWORD of db-password";

function nameOf(file: string, upper: boolean): string {
  const isPlain = /^[A-Za-z0-9_.-]+$/.test(file);
  const name = upper && isPlain ? file.toUpperCase().replaceAll(/[.-]/g, "_") : file;
  if (isDotenvName(name)) return name;
  throw refusal(`the file ${JSON.stringify(file.slice(0, 80))} has not the name of a variable`, RENAME);
}

function valueOf(name: string, bytes: Uint8Array, raw: boolean): Secret {
  const text = raw ? decode(name, bytes) : decode(name, bytes).replace(/\r?\n$/, "");
  bytes.fill(0);
  if (text.includes("\0"))
    throw refusal(`${name} holds a NUL, which no variable can`, "encode it, for example as base64");
  const secret = new Secret(text);
  const sizeBytes = name.length + "=".length + secret.sizeBytes;
  if (sizeBytes > LARGEST_VARIABLE_BYTES) throw tooLargeVariable(name);
  return secret;
}

function decode(name: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw refusal(`${name} is not valid UTF-8`, "encode it, for example as base64");
  }
}

function refusal(what: string, hint: string): SealexecError {
  return new SealexecError("data", what, { hint });
}

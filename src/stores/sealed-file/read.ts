import { createHash } from "node:crypto";
import { SealexecError } from "../../base/errors.ts";
import type { ErrorKind } from "../../base/errors.ts";
import { readSmallFile, stateOfPath } from "../../base/files/read.ts";
import { parameterIn } from "./ref.ts";
import { parseSealedText } from "./text.ts";
import type { SealedText } from "./text.ts";

/** 4 MiB of body in base64, and its metadata. */
const LARGEST_BYTES = 6 * 1024 * 1024;

/** @throws "missing"; "config" if it cannot be read; "data" if it is no sealed file */
export function readSealedFile(path: string): SealedText & { readonly etag: string } {
  const text = readText(path);
  return { ...parseSealedText(text), etag: etagOf(text) };
}

/** Tells one text of a sealed file from another: its SHA-256. It is of what is sealed, and says nothing of a value. */
export function etagOf(text: string): string {
  return `"${createHash("sha256").update(text, "latin1").digest("hex")}"`;
}

/** What tells this state of the file from any other. */
export function sealedFileState(path: string): string {
  return reading(path, () => stateOfPath(path));
}

export function readText(path: string): string {
  return reading(path, () => readSmallFile(path, LARGEST_BYTES).toString("latin1"));
}

function reading(path: string, read: () => string): string {
  try {
    return read();
  } catch (error) {
    const { code = "error" } = error as NodeJS.ErrnoException;
    const [kind, message, hint] = meaningOf(code, path);
    throw new SealexecError(kind, message, { hint, cause: error });
  }
}

function meaningOf(code: string, path: string): readonly [ErrorKind, string, string] {
  switch (code) {
    case "ENOENT":
    case "ENOTDIR": {
      // A parameter with a slip in its name is a part of the path.
      const slip = parameterIn(path);
      const near = slip === undefined ? "" : `${slip.near} if not, `;
      return ["missing", "no such file", `${near}check the path, from the working directory`];
    }
    case "ENOTFILE":
      return ["config", "not a regular file", "name a sealed file"];
    case "EFBIG":
      return ["data", `larger than ${LARGEST_BYTES} bytes`, "it is not a sealed .env"];
    default:
      return ["config", `cannot be read (${code})`, "check its mode, and the user that this runs as"];
  }
}

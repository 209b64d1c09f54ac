import { createHash } from "node:crypto";
import { SealexecError } from "../../base/errors.ts";
import { stateOfPath } from "../../base/files/state.ts";
import { readSmallFile } from "../../base/files/read.ts";
import { parameterIn } from "./ref.ts";
import type { SealedFileRef } from "./ref.ts";
import { parseSealedText } from "./text.ts";
import type { SealedText } from "./text.ts";

/** The largest sealed file that is read, bytes: 4 MiB of body in base64, and its metadata. */
const LARGEST_BYTES = 6 * 1024 * 1024;

/**
 * Reads a sealed file whole.
 *
 * @throws "missing"; "config" where it cannot be read; "data" where it is no sealed file
 */
export function readSealedFile({
  path,
}: Pick<SealedFileRef, "path">): SealedText & { readonly etag: string } {
  const text = readText(path);
  return { ...parseSealedText(text), etag: etagOf(text) };
}

/** Tells one text of a sealed file from another: its SHA-256. It is of what is sealed, and says nothing of a value. */
export function etagOf(text: string): string {
  return `"${createHash("sha256").update(text, "latin1").digest("hex")}"`;
}

/** What tells this state of the file from any other. */
export function sealedFileState({ path }: SealedFileRef): string {
  try {
    return stateOfPath(path);
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** The text of the file that is there. */
export function readText(path: string): string {
  try {
    return readSmallFile(path, LARGEST_BYTES).toString("latin1");
  } catch (error) {
    throw unreadable(path, error);
  }
}

function unreadable(path: string, error: unknown): SealexecError {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOENT" || code === "ENOTDIR") {
    return new SealexecError("missing", "no such file", {
      hint: `${slipIn(path)}check the path, from the working directory`,
      cause: error,
    });
  }
  if (code === "ENOTFILE")
    return new SealexecError("config", "not a regular file", { hint: "name a sealed file", cause: error });
  if (code === "EFBIG") {
    return new SealexecError("data", `larger than ${LARGEST_BYTES} bytes`, {
      hint: "it is not a sealed .env",
      cause: error,
    });
  }
  return new SealexecError("config", `cannot be read (${code ?? "error"})`, {
    hint: "check its mode, and the user that this runs as",
    cause: error,
  });
}

/** For a hint, of a path that is not there: a parameter with a slip in its name is a part of the path. */
function slipIn(path: string): string {
  const slip = parameterIn(path);
  return slip === undefined ? "" : `${slip.near} if not, `;
}

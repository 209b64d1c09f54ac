import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { SealexecError } from "../../errors.ts";
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
export function readSealedFile({ path }: SealedFileRef): SealedText {
  return parseSealedText(readText(path));
}

/** The text of the file that is there. */
export function readText(path: string): string {
  let fd: number;
  try {
    // Not waiting for somebody who writes, where it is a pipe.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw unreadable(error);
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile())
      throw new SealexecError("config", "not a regular file", { hint: "name a sealed file" });
    if (stat.size > LARGEST_BYTES) {
      throw new SealexecError("data", `larger than ${LARGEST_BYTES} bytes`, {
        hint: "it is not a sealed .env",
      });
    }
    return readFileSync(fd, "latin1");
  } catch (error) {
    throw error instanceof SealexecError ? error : unreadable(error);
  } finally {
    closeSync(fd);
  }
}

function unreadable(error: unknown): SealexecError {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOENT" || code === "ENOTDIR") {
    return new SealexecError("missing", "no such file", {
      hint: "check the path, from the working directory",
      cause: error,
    });
  }
  return new SealexecError("config", `cannot be read (${code ?? "error"})`, {
    hint: "check its mode, and the user that this runs as",
    cause: error,
  });
}

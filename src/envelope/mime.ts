/**
 * S3 takes the UTF-8 bytes of a header for Latin-1 characters, and returns these as RFC 2047 encoded words in
 * UTF-8: "double encoding" (s3-encryption/data-format/metadata-strategy.md, Object Metadata).
 */
import { SealexecError } from "../base/errors.ts";
import { decodeBase64 } from "./base64.ts";
import { invalid } from "./invalid.ts";

// RFC 2047, section 2: =?charset?encoding?text?=. White space is let through in the text.
const WORD = "=\\?[^?\\s]+\\?[bBqQ]\\?[^?]*\\?=";
// Section 6.2: white space between two encoded words is not part of the text.
const RUN = new RegExp(`${WORD}(?:\\s+${WORD})*`, "g");

/**
 * A header's value as its writer had it. Latin-1 characters that make up valid UTF-8 are read as that; others
 * stay, for stores that encode once. Nothing hangs on the choice: KMS authenticates the result.
 */
export function decodeHeaderText(value: string, what: string): string {
  const text = value.replace(RUN, (run) => decodeRun(run, what));
  // oxlint-disable-next-line no-control-regex -- the whole of Latin-1
  if (!/^[\x00-\xff]*$/.test(text)) return text;
  return decodeUtf8(Buffer.from(text, "latin1")) ?? text;
}

export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Adjacent encoded words are joined as bytes first: some encoders cut inside a character. */
function decodeRun(run: string, what: string): string {
  const parts: Uint8Array[] = [];
  const charsets = new Set<string>();
  for (const [, charset = "", encoding = "", text = ""] of run.matchAll(/=\?([^?]+)\?([^?])\?([^?]*)\?=/g)) {
    // RFC 2231, section 5: a language may follow the charset, after "*".
    charsets.add(charset.toLowerCase().replace(/\*.*$/, ""));
    const bytes = encoding.toLowerCase() === "b" ? decodeBase64(text) : decodeQ(text);
    if (bytes === undefined) throw notRfc2047(what);
    parts.push(bytes);
  }
  const [charset] = charsets;
  if (charset === undefined || charsets.size > 1) throw notRfc2047(what);
  const decoded = decodeCharset(charset, Buffer.concat(parts));
  if (decoded === undefined) throw notRfc2047(what);
  return decoded;
}

function decodeCharset(charset: string, bytes: Buffer): string | undefined {
  if (charset === "utf-8" || charset === "us-ascii") return decodeUtf8(bytes);
  if (charset === "iso-8859-1") return bytes.toString("latin1");
  return undefined;
}

/** RFC 2047, section 4.2: "_" is a space, "=XX" a byte, other printable ASCII itself. */
function decodeQ(text: string): Uint8Array | undefined {
  if (!/^(?:[ -<>-~]|=[0-9A-Fa-f]{2})*$/.test(text)) return undefined;
  const latin1 = text
    .replaceAll("_", " ")
    .replace(/=(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(latin1, "latin1");
}

function notRfc2047(what: string): SealexecError {
  return invalid(`${what} is not valid RFC 2047 text`);
}

/**
 * Bodies in `aws-chunked` coding with trailing headers, unsigned: "Signature calculations for the authorization
 * header: transferring a payload in multiple chunks … including trailing headers" (S3 API Reference,
 * sigv4-streaming-trailers).
 */
import { ServiceError } from "./http.ts";

export interface Unchunked {
  readonly body: Buffer;
  /** lower-case names */
  readonly trailers: ReadonlyMap<string, string>;
}

/** `HEX[;extension] CRLF data CRLF … 0 CRLF name:value CRLF CRLF` → data and trailers. */
export function decodeAwsChunked(bytes: Buffer, decodedLength: number): Unchunked {
  const parts: Buffer[] = [];
  let at = 0;
  for (;;) {
    const end = bytes.indexOf("\r\n", at);
    const size = /^([0-9a-fA-F]+)(?:;|$)/u.exec(bytes.toString("latin1", at, Math.max(end, at)))?.[1];
    if (end < 0 || size === undefined) throw incomplete();
    at = end + 2;
    const length = Number.parseInt(size, 16);
    if (length === 0) break;
    if (at + length + 2 > bytes.length || bytes.toString("latin1", at + length, at + length + 2) !== "\r\n")
      throw incomplete();
    parts.push(bytes.subarray(at, at + length));
    at += length + 2;
  }
  const body = Buffer.concat(parts);
  if (body.length !== decodedLength) throw incomplete();
  return { body, trailers: readTrailers(bytes.toString("latin1", at)) };
}

function readTrailers(text: string): Map<string, string> {
  const trailers = new Map<string, string>();
  for (const line of text.split(/\r?\n/u).filter((line) => line !== "")) {
    const at = line.indexOf(":");
    if (at < 0)
      throw new ServiceError(
        400,
        "MalformedTrailerError",
        "The request contained trailing data that was not well-formed or did not conform to our published schema.",
      );
    trailers.set(line.slice(0, at).toLowerCase(), line.slice(at + 1).trim());
  }
  return trailers;
}

function incomplete(): ServiceError {
  return new ServiceError(
    400,
    "IncompleteBody",
    "The request body terminated unexpectedly before the declared length was reached",
  );
}

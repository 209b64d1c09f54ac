/**
 * How S3 gives back metadata that is not ASCII: "If the value contains non-ASCII characters, the returned value is
 * encoded per RFC 2047" (S3 User Guide, "User-defined object metadata"). What is encoded is each byte that was sent
 * taken as one Latin-1 character, so UTF-8 text comes back twice encoded.
 */

const CHARSET = "UTF-8";
/** RFC 2047 section 2: an encoded word is at most 75 characters long, 7 of them delimiters. */
const WORD_LIMIT = 75 - 7 - CHARSET.length;

/** @param value Latin-1 text, one char a byte as it came over the wire */
export function encodeHeaderValue(value: string): string {
  if (!/[^\x20-\x7e\t]/u.test(value)) return value;
  const ascii = [...value].filter((char) => char <= "\x7f").length;
  return encodeWords(value, ascii > value.length - ascii ? "Q" : "B").join(" ");
}

function encodeWords(value: string, encoding: "Q" | "B"): string[] {
  const text = encoding === "Q" ? quote(value) : Buffer.from(value, "utf8").toString("base64");
  if (text.length <= WORD_LIMIT || value.length < 2) return [`=?${CHARSET}?${encoding}?${text}?=`];
  const half = value.length >> 1;
  return [...encodeWords(value.slice(0, half), encoding), ...encodeWords(value.slice(half), encoding)];
}

function quote(value: string): string {
  let text = "";
  for (const byte of Buffer.from(value, "utf8")) {
    const char = String.fromCharCode(byte);
    if (char === " ") text += "_";
    else if (byte < 0x20 || byte > 0x7e || "=_?".includes(char))
      text += `=${byte.toString(16).toUpperCase().padStart(2, "0")}`;
    else text += char;
  }
  return text;
}

import { SealexecError } from "../../base/errors.ts";

const LF = 0x0a;
const BYTE_ORDER_MARK = "\uFEFF";

/** `line 3: no "=" in assignment`; `what` has no part of a value or of a malformed line. */
export function refusal(line: number, what: string, hint: string): SealexecError {
  return new SealexecError("data", `line ${line}: ${what}`, { hint });
}

/** UTF-8 without a leading byte order mark, lines ended by LF alone, inside quotes too, as dotenv does it. */
export function decodeText(bytes: Uint8Array): string {
  const text = decodeUtf8(bytes);
  const nul = text.indexOf("\0");
  if (nul !== -1) throw refusal(lineAt(text, nul), "NUL byte", "no environment variable can hold it");
  // dotenv would end a line there: a terminal shows one assignment, and two are set.
  const carriageReturn = text.search(/\r(?!\n)/);
  if (carriageReturn !== -1) {
    const hint = 'end lines with LF or CRLF; in a value write "\\r" in double quotes';
    throw refusal(lineAt(text, carriageReturn), "carriage return without line feed", hint);
  }
  const start = text.startsWith(BYTE_ORDER_MARK) ? 1 : 0;
  return text.slice(start).replaceAll("\r\n", "\n");
}

/** UTF-8 as it stands, a byte order mark too. */
export function decodeUtf8(bytes: Uint8Array): string {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  try {
    return decoder.decode(bytes);
  } catch {
    const hint = "save the file as UTF-8; binary values need an encoding such as base64";
    throw refusal(firstInvalidLine(bytes, decoder), "invalid UTF-8", hint);
  }
}

/** No byte of a multi-byte character is LF, so a text is valid if each of its lines is. */
function firstInvalidLine(bytes: Uint8Array, decoder: TextDecoder): number {
  let line = 1;
  for (let start = 0; ; line += 1) {
    const end = bytes.indexOf(LF, start);
    // Some line is invalid: the last one, if none before it is.
    if (end === -1) return line;
    try {
      decoder.decode(bytes.subarray(start, end));
    } catch {
      return line;
    }
    start = end + 1;
  }
}

function lineAt(text: string, index: number): number {
  let line = 1;
  for (let at = text.indexOf("\n"); at !== -1 && at < index; at = text.indexOf("\n", at + 1)) line += 1;
  return line;
}

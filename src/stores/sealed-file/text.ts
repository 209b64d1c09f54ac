// The text of a sealed file: a first line that says what it is, the envelope's metadata as `name: value`, an
// empty line, and the body in base64. Pure. One object has one text: git shows a change only if there is one.
import type { Metadata } from "../../envelope/format.ts";
import { SealexecError } from "../../base/errors.ts";

const FIRST_LINE = "sealexec sealed file 1";
const LINE_CHARACTERS = 76;
const FIELD = /^(x-amz-[a-z0-9-]{1,40}): ([\x21-\x7e][\x20-\x7e]*)$/;

export interface SealedText {
  readonly metadata: Metadata;
  readonly body: Uint8Array;
}

/** @param sealed what `seal` gave: metadata in printable ASCII */
export function printSealedText({ metadata, body }: SealedText): string {
  const fields = Object.entries(metadata).map(([name, value]) => `${name}: ${value}`);
  const base64 = Buffer.from(body).toString("base64");
  const lines = base64.match(new RegExp(`.{1,${LINE_CHARACTERS}}`, "g")) ?? [];
  return [FIRST_LINE, ...fields.toSorted(), "", ...lines, ""].join("\n");
}

/** @throws SealexecError "data", with a line number and nothing of the text */
export function parseSealedText(text: string): SealedText {
  // Git may write CRLF on checkout.
  const lines = text.replaceAll("\r\n", "\n").split("\n");
  if (lines[0] !== FIRST_LINE) {
    throw new SealexecError("data", `not a sealed file: its first line is not "${FIRST_LINE}"`, {
      hint: "seal it: sealexec push FILE file:PATH --key KEY; a plain .env is env-file:PATH",
    });
  }
  const empty = lines.indexOf("");
  if (empty === -1) throw damaged(lines.length);
  const metadata: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const [index, line] of lines.slice(1, empty).entries()) {
    const [, name, value] = FIELD.exec(line) ?? [];
    if (name === undefined || value === undefined || name in metadata) throw damaged(index + 2);
    metadata[name] = value;
  }
  return { metadata, body: parseBody(lines.slice(empty + 1), empty + 2) };
}

// Full lines but the last, no padding inside, nothing after it.
function parseBody(lines: readonly string[], firstLine: number): Uint8Array {
  if (lines.at(-1) !== "") throw damaged(firstLine + lines.length - 1);
  const body = lines.slice(0, -1);
  const short = body.findIndex((line, index) => index < body.length - 1 && line.length !== LINE_CHARACTERS);
  if (short !== -1) throw damaged(firstLine + short);
  const base64 = body.join("");
  const bytes = Buffer.from(base64, "base64");
  if (bytes.toString("base64") !== base64) throw damaged(firstLine);
  return bytes;
}

function damaged(line: number): SealexecError {
  return new SealexecError("data", `line ${line}: the sealed file is damaged`, {
    hint: "take it from version control again, or seal it again; merge conflicts cannot be resolved by hand",
  });
}

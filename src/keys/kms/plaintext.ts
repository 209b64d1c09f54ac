// The data key in KMS's answer, taken from the bytes: a string of it could not be wiped. Other letters then
// stand in its place, so that the rest can be read as usual.

const NAME = Buffer.from('"Plaintext"');
const [QUOTE, COLON, EQUALS, BLANKED] = [0x22, 0x3a, 0x3d, 0x41];
const ALPHABET = Buffer.from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
// RFC 8259, section 2.
const WHITE_SPACE = [0x20, 0x09, 0x0a, 0x0d];

export interface TakenAnswer {
  readonly plaintext: Buffer;
  /** the other fields */
  readonly fields: Readonly<Record<string, unknown>>;
}

/**
 * Takes the answer's `Plaintext` and reads the rest. The body holds nothing of it any more, whatever the
 * outcome. undefined: it is not one JSON object with one Plaintext in strict base64.
 */
export function takePlaintext(body: Buffer): TakenAnswer | undefined {
  const place = findValue(body);
  // Of what has no one value of that name no text is made either.
  if (place !== undefined) {
    const plaintext = decodeBase64(place);
    place.fill(BLANKED);
    const { Plaintext: blanked, ...fields } = parseObject(body) ?? {};
    // Whole only if it was the field of the object itself, not of one inside.
    if (plaintext !== undefined && blanked === "A".repeat(place.length)) return { plaintext, fields };
    plaintext?.fill(0);
  }
  body.fill(0);
  return undefined;
}

/** The bytes between the quotes of the one value of that name. */
function findValue(body: Buffer): Buffer | undefined {
  const name = body.indexOf(NAME);
  if (name === -1 || body.includes(NAME, name + 1)) return undefined;
  const colon = skipBlanks(body, name + NAME.length);
  const open = skipBlanks(body, colon + 1);
  const close = body.indexOf(QUOTE, open + 1);
  if (body[colon] !== COLON || body[open] !== QUOTE || close === -1) return undefined;
  return body.subarray(open + 1, close);
}

function skipBlanks(body: Buffer, from: number): number {
  let at = from;
  while (WHITE_SPACE.includes(body[at] ?? 0)) at += 1;
  return at;
}

/** RFC 4648, section 4, in its one canonical form; undefined for any other. */
function decodeBase64(text: Uint8Array): Buffer | undefined {
  const padding = text.at(-1) === EQUALS ? (text.at(-2) === EQUALS ? 2 : 1) : 0;
  if (text.length === 0 || text.length % 4 !== 0) return undefined;
  const bytes = Buffer.alloc((text.length / 4) * 3 - padding);
  let [bits, count, size] = [0, 0, 0];
  for (const code of text.subarray(0, text.length - padding)) {
    const value = ALPHABET.indexOf(code);
    if (value === -1) {
      bytes.fill(0);
      return undefined;
    }
    bits = ((bits << 6) | value) & 0xffff;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes[size] = (bits >> count) & 0xff;
    size += 1;
  }
  if ((bits & ((1 << count) - 1)) === 0) return bytes;
  bytes.fill(0);
  return undefined;
}

function parseObject(body: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(body.toString("utf8"));
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** Secrets that are looked for afterwards, in every form in which software is known to spill them. */

export interface Canary {
  readonly name: string;
  readonly bytes: Buffer;
}

/** So much of a canary is enough to be a leak: a message may be cut. */
const FRAGMENT_BYTES = 12;

/** What of which canary is in `haystack`: `value as hex`. Empty: nothing. */
export function findCanaries(haystack: Buffer, canaries: readonly Canary[]): string[] {
  return canaries.flatMap(({ name, bytes }) =>
    formsOf(bytes)
      .filter(([, needle]) => haystack.includes(needle))
      .map(([form]) => `${name} as ${form}`),
  );
}

function formsOf(bytes: Buffer): [string, Buffer][] {
  const forms: [string, string | Buffer][] = [
    ["JSON", JSON.stringify(bytes.toString("utf8")).slice(1, -1)],
    ["hex", bytes.toString("hex")],
    ["upper-case hex", bytes.toString("hex").toUpperCase()],
    ["spaced hex", bytes.toString("hex").replace(/..(?!$)/g, "$& ")],
    ["URL", urlEncoded(bytes, false)],
    ["lower-case URL", urlEncoded(bytes, false).replace(/%../g, (code) => code.toLowerCase())],
    ["form", urlEncoded(bytes, false).replaceAll("%20", "+")],
    ["URL, every byte", urlEncoded(bytes, true)],
    ["decimal", [...bytes].join(",")],
    ["decimal, spaced", [...bytes].join(", ")],
  ];
  for (let shift = 0; shift < 3; shift += 1) {
    const text = base64At(bytes, shift);
    forms.push([`base64 at ${shift}`, text]);
    forms.push([`base64url at ${shift}`, text.replaceAll("+", "-").replaceAll("/", "_")]);
  }
  for (let at = 0; at + FRAGMENT_BYTES <= bytes.length; at += 1) {
    forms.push(["plain bytes", bytes.subarray(at, at + FRAGMENT_BYTES)]);
  }
  return forms.map(([form, needle]) => [form, Buffer.from(needle)]);
}

/** RFC 3986: the unreserved characters stay. */
function urlEncoded(bytes: Buffer, all: boolean): string {
  return [...bytes]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      if (!all && /[A-Za-z0-9._~-]/.test(character)) return character;
      return `%${byte.toString(16).padStart(2, "0").toUpperCase()}`;
    })
    .join("");
}

/** What base64 of anything that has `bytes` behind 3n + shift other bytes must hold: the whole characters of it. */
function base64At(bytes: Buffer, shift: number): string {
  const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString("base64");
  return text.slice(Math.ceil((shift * 8) / 6), Math.floor(((shift + bytes.length) * 8) / 6));
}

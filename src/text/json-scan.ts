/** Loses nothing: of two equal keys JSON.parse keeps one, and it rounds numbers. RFC 8259. */
import { SealexecError } from "../base/errors.ts";
import { ALWAYS_BYTES, MOST_BYTES, POINTER_BYTES, tooMany, type SizeLimit } from "../base/start-size.ts";

export type JsonValue = string | JsonLiteral | null | JsonObject | readonly JsonValue[];
export type JsonObject = ReadonlyMap<string, JsonValue>;

/** A number or a boolean, its text as written. */
export class JsonLiteral {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

const DEEPEST = 64;
// "A=" and its end: as variables no number of values takes less.
const LEAST_VALUE_BYTES = "A=\0".length + POINTER_BYTES;
const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /true|false|null/y;

/** @param limit what a program can be started with: more values than that are not worth their memory */
export function scanJson(text: string, limit: SizeLimit = () => MOST_BYTES): JsonValue {
  const scanner = new Scanner(text, limit);
  const value = scanner.value(0);
  scanner.end();
  return value;
}

class Scanner {
  readonly #text: string;
  readonly #limit: SizeLimit;
  #at = 0;
  #least = 0;
  #most = ALWAYS_BYTES;

  constructor(text: string, limit: SizeLimit) {
    this.#text = text;
    this.#limit = limit;
  }

  value(depth: number): JsonValue {
    if (depth >= DEEPEST) throw this.#refusal("more than 64 values in each other");
    this.#count();
    this.#take(SPACE);
    switch (this.#text[this.#at]) {
      case "{":
        return this.#object(depth);
      case "[":
        return this.#array(depth);
      case '"':
        return this.#string();
      default:
        return this.#literal();
    }
  }

  end(): void {
    this.#take(SPACE);
    if (this.#at < this.#text.length) throw this.#refusal("text behind the JSON");
  }

  #count(): void {
    this.#least += LEAST_VALUE_BYTES;
    if (this.#least <= this.#most) return;
    this.#most = this.#limit();
    if (this.#least > this.#most) throw tooMany(this.#most);
  }

  #object(depth: number): JsonObject {
    const entries = new Map<string, JsonValue>();
    this.#at += 1;
    if (this.#skip("}")) return entries;
    do {
      this.#take(SPACE);
      if (this.#text[this.#at] !== '"') throw this.#refusal("not valid JSON: a name is missing");
      const name = this.#string();
      if (entries.has(name)) throw this.#refusal(`${JSON.stringify(name.slice(0, 80))} is there twice`);
      if (!this.#skip(":")) throw this.#refusal('not valid JSON: no ":" behind a name');
      entries.set(name, this.value(depth + 1));
    } while (this.#skip(","));
    if (this.#skip("}")) return entries;
    throw this.#refusal('not valid JSON: "," or "}" is missing');
  }

  #array(depth: number): JsonValue[] {
    const values: JsonValue[] = [];
    this.#at += 1;
    if (this.#skip("]")) return values;
    do values.push(this.value(depth + 1));
    while (this.#skip(","));
    if (this.#skip("]")) return values;
    throw this.#refusal('not valid JSON: "," or "]" is missing');
  }

  #string(): string {
    const token = this.#text.slice(this.#at, this.#closingQuote() + 1);
    const value = parseString(token);
    if (value === undefined) throw this.#refusal("not valid JSON: a string is not escaped as it must be");
    this.#at += token.length;
    if (value.isWellFormed()) return value;
    throw this.#refusal("half of a surrogate pair");
  }

  // By hand: JavaScriptCore gives up a regular expression for this on half a MiB.
  #closingQuote(): number {
    for (let at = this.#at; ;) {
      at = this.#text.indexOf('"', at + 1);
      if (at === -1) throw this.#refusal("not valid JSON: a string is not closed");
      let slashes = 0;
      while (this.#text[at - 1 - slashes] === "\\") slashes += 1;
      if (slashes % 2 === 0) return at;
    }
  }

  #literal(): JsonValue {
    const text = this.#take(NUMBER) ?? this.#take(WORD);
    if (text === undefined) throw this.#refusal("not valid JSON: a value is missing");
    return text === "null" ? null : new JsonLiteral(text);
  }

  #take(token: RegExp): string | undefined {
    token.lastIndex = this.#at;
    const found = token.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  #skip(mark: string): boolean {
    this.#take(SPACE);
    if (this.#text[this.#at] !== mark) return false;
    this.#at += 1;
    return true;
  }

  #refusal(what: string): SealexecError {
    const line = this.#text.slice(0, this.#at).split("\n").length;
    return new SealexecError("data", `line ${line}: ${what}`, { hint: 'the form is {"NAME": "value", …}' });
  }
}

function parseString(token: string): string | undefined {
  try {
    return JSON.parse(token) as string;
  } catch {
    // Its message would quote the text.
    return undefined;
  }
}

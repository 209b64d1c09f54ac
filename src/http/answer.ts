/** HTTP/1.1 answers: RFC 9112 (sections 2 to 7) without its leniencies. A body that is cut is never whole. */
import { joinAndWipe, wipeable } from "../base/wipeable.ts";

export interface Answer {
  readonly status: number;
  /** names in lower case; values of one name joined by ", " (RFC 9110, section 5.3) */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** the connection can take another request */
  readonly reusable: boolean;
}

/** What came is not HTTP/1.1, or how it ends is not clear. `code` is what messages show of it. */
export class InvalidAnswer extends Error {
  readonly code = "InvalidHttpAnswer";
}

export class AnswerTooLarge extends Error {
  readonly code = "InvalidHttpAnswer";
}

// A refusal says what it says in its first lines; a proxy's error page may go on for megabytes.
const LARGEST_REFUSAL_BYTES = 64 * 1024;

const LARGEST_HEAD_BYTES = 32 * 1024;
const LARGEST_LINE_BYTES = 1024;
// Sizes of chunks, their extensions and the trailers, together: 4 MiB in pieces of a packet take 20 KB of it.
const LARGEST_FRAMING_BYTES = 128 * 1024;
const SMALLEST_BUFFER_BYTES = 4 * 1024;
const CRLF = Buffer.from("\r\n");
const END_OF_HEAD = Buffer.from("\r\n\r\n");
// RFC 9112, section 4: the reason phrase is of blanks, visible characters and bytes above them.
const STATUS_LINE = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/;
// RFC 9110, section 5.6.2 (token) and 5.5 (field-value); no folded lines. One pattern for both, white space and all,
// would take cubic time over a line of blanks.
const FIELD_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
// RFC 9112, section 7.1. Blanks after the size are what smugglers write: nobody else does.
const CHUNK_SIZE = /^([0-9A-Fa-f]{1,8})(?:;[\t\x20-\x7e\x80-\xff]*)?$/;

interface Head {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** how the body ends: after so many bytes, with its last chunk, or with the connection */
  readonly framing: number | "chunked" | "close";
  readonly keepAlive: boolean;
}

export class AnswerReader {
  #largest: number;
  #pending: Buffer = Buffer.alloc(0);
  #head: Head | undefined;
  /** grows by doubling: a body in pieces of one byte costs no more than another */
  #body: Buffer = Buffer.alloc(0);
  #bodySize = 0;
  /** bytes left of the chunk that is being read; undefined: a chunk's first line comes next */
  #chunkLeft: number | undefined;
  #inTrailers = false;
  #framingSize = 0;

  /** @param largestBody bytes; a larger one is refused as soon as that is known */
  constructor(largestBody: number) {
    this.#largest = largestBody;
  }

  /** The bytes are the reader's from now on: what it copies it wipes. @returns the answer once it is whole */
  push(bytes: Buffer): Answer | undefined {
    this.#pending = joinAndWipe([this.#pending, bytes]);
    const head = (this.#head ??= this.#readHead());
    if (head === undefined) return undefined;
    try {
      return this.#readBody(head) ? this.#finish(head) : undefined;
    } catch (error) {
      if (!(error instanceof AnswerTooLarge) || head.status < 300) throw error;
      // What there is of it will do; the rest is left unread, and the connection with it.
      return { ...this.#finish(head), reusable: false };
    }
  }

  /** The other end has closed the connection: the answer if that is its end, undefined if it was cut. */
  end(): Answer | undefined {
    return this.#head?.framing === "close" ? this.#finish(this.#head) : undefined;
  }

  #finish({ status, headers, keepAlive }: Head): Answer {
    const body = this.#body.subarray(0, this.#bodySize);
    // Bytes after the answer were not asked for: nothing that follows on this connection can be trusted.
    return { status, headers, body, reusable: keepAlive && this.#pending.length === 0 };
  }

  #readHead(): Head | undefined {
    for (;;) {
      const text = this.#takeText(END_OF_HEAD, LARGEST_HEAD_BYTES);
      if (text === undefined) {
        // A stranger's protocol is not waited for.
        const first = this.#pending.toString("latin1", 0, "HTTP/1.".length);
        if (!"HTTP/1.".startsWith(first)) throw new InvalidAnswer("not HTTP/1.1");
        return undefined;
      }
      const head = parseHead(text);
      // RFC 9110, section 15.2: interim answers may precede the final one; 101 was not asked for.
      if (head.status === 101) throw new InvalidAnswer("unasked change of protocol");
      if (head.status < 200) continue;
      if (head.status >= 300) this.#largest = LARGEST_REFUSAL_BYTES;
      else if (Number(head.framing) > this.#largest) throw new AnswerTooLarge("body too large");
      return head;
    }
  }

  #readBody({ framing }: Head): boolean {
    if (framing === "chunked") return this.#readChunks();
    const left = framing === "close" ? Infinity : framing - this.#bodySize;
    this.#takeBody(Math.min(left, this.#pending.length));
    return this.#bodySize === framing;
  }

  /** RFC 9112, section 7.1. Extensions and trailers are read and left out. */
  #readChunks(): boolean {
    for (;;) {
      if (this.#chunkLeft !== undefined) {
        const size = Math.min(this.#chunkLeft, this.#pending.length);
        this.#takeBody(size);
        this.#chunkLeft -= size;
        if (this.#chunkLeft > 0 || this.#pending.length < CRLF.length) return false;
        // Its line ends at once, or it is no chunk of that size.
        this.#takeText(CRLF, 0);
        this.#chunkLeft = undefined;
      }
      const line = this.#takeText(CRLF, LARGEST_LINE_BYTES);
      if (line === undefined) return false;
      this.#framingSize += line.length + CRLF.length;
      if (this.#framingSize > LARGEST_FRAMING_BYTES) throw new InvalidAnswer("more framing than data");
      if (this.#inTrailers) {
        if (line === "") return true;
        parseFields([line]);
        continue;
      }
      const size = CHUNK_SIZE.exec(line)?.[1];
      if (size === undefined) throw new InvalidAnswer("chunk without size");
      const bytes = Number.parseInt(size, 16);
      if (bytes === 0) this.#inTrailers = true;
      else this.#chunkLeft = bytes;
    }
  }

  #takeBody(size: number): void {
    if (size === 0) return;
    if (this.#bodySize + size > this.#largest) throw new AnswerTooLarge("body too large");
    this.#makeRoom(this.#bodySize + size);
    const taken = this.#pending.subarray(0, size);
    this.#body.set(taken, this.#bodySize);
    taken.fill(0);
    this.#bodySize += size;
    this.#pending = this.#pending.subarray(size);
  }

  #makeRoom(size: number): void {
    if (size <= this.#body.length) return;
    const told = Number(this.#head?.framing) || 0;
    const asked = Math.max(size, told, this.#body.length * 2, SMALLEST_BUFFER_BYTES);
    const larger = wipeable(Math.min(asked, this.#largest));
    larger.set(this.#body);
    this.#body.fill(0);
    this.#body = larger;
  }

  /** What comes before `end`, which is passed over; undefined: it has not come yet. */
  #takeText(end: Buffer, largestBytes: number): string | undefined {
    const at = this.#pending.indexOf(end);
    if ((at === -1 ? this.#pending.length : at) > largestBytes) throw new InvalidAnswer("a line is too long");
    if (at === -1) return undefined;
    const text = this.#pending.toString("latin1", 0, at);
    this.#pending = this.#pending.subarray(at + end.length);
    return text;
  }
}

function parseHead(text: string): Head {
  const [first = "", ...lines] = text.split("\r\n");
  const [, minor, digits] = STATUS_LINE.exec(first) ?? [];
  if (digits === undefined) throw new InvalidAnswer("no status line");
  const status = Number(digits);
  const headers = parseFields(lines);
  const connection = headers["connection"]?.toLowerCase() ?? "";
  // RFC 9112, section 6.1: HTTP/1.0 knows no transfer coding, and who is in between may not take it for one.
  if (minor === "0" && headers["transfer-encoding"] !== undefined) throw new InvalidAnswer("unclear length");
  const framing = framingOf(status, headers);
  const stays = minor === "1" ? !connection.includes("close") : connection.includes("keep-alive");
  return { status, headers, framing, keepAlive: stays && framing !== "close" };
}

function parseFields(lines: readonly string[]): Record<string, string> {
  // No prototype: a header may have any name.
  const headers: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const line of lines) {
    const colon = line.indexOf(":");
    const [name, value] = [line.slice(0, Math.max(0, colon)), line.slice(colon + 1)];
    if (!FIELD_NAME.test(name) || !FIELD_VALUE.test(value)) throw new InvalidAnswer("a header is not one");
    const key = name.toLowerCase();
    const before = headers[key];
    headers[key] = before === undefined ? trimBlanks(value) : `${before}, ${trimBlanks(value)}`;
  }
  return headers;
}

/** Without the spaces and tabs around it. A pattern would take quadratic time over a line of blanks. */
function trimBlanks(text: string): string {
  const isBlank = (at: number): boolean => text[at] === " " || text[at] === "\t";
  let [start, end] = [0, text.length];
  while (start < end && isBlank(start)) start += 1;
  while (end > start && isBlank(end - 1)) end -= 1;
  return text.slice(start, end);
}

/** RFC 9112, section 6.3. Two ways at once of telling a length are how answers are smuggled: refused. */
function framingOf(status: number, headers: Readonly<Record<string, string>>): Head["framing"] {
  const length = headers["content-length"];
  const encoding = headers["transfer-encoding"];
  if (length !== undefined && !/^\d{1,15}$/.test(length)) throw new InvalidAnswer("unclear length");
  // RFC 9110, section 8.6; RFC 9112, section 6.1: these may not speak of a body; 304 may, and has none.
  const hasNone = status < 200 || status === 204;
  if (hasNone && (length !== undefined || encoding !== undefined))
    throw new InvalidAnswer("a length of no body");
  if (hasNone || status === 304) return 0;
  if (encoding === undefined) return length === undefined ? "close" : Number(length);
  if (encoding.toLowerCase() !== "chunked" || length !== undefined) throw new InvalidAnswer("unclear length");
  return "chunked";
}

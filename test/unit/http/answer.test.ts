/** HTTP answers, byte by byte: RFC 9112. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { AnswerReader, AnswerTooLarge, InvalidAnswer } from "../../../src/http/answer.ts";
import type { Answer } from "../../../src/http/answer.ts";

const OK = "HTTP/1.1 200 OK\r\n";
const LIMIT = 1_000;

/** The bytes in pieces of `size`, then the end of the connection where `ends`. */
function read(text: string, { size = Infinity, ends = false } = {}): Answer | undefined {
  const reader = new AnswerReader(LIMIT);
  const bytes = Buffer.from(text, "latin1");
  for (let at = 0; at < bytes.length; at += size) {
    const answer = reader.push(bytes.subarray(at, Math.min(bytes.length, at + size)));
    if (answer !== undefined) return answer;
  }
  return ends ? reader.end() : undefined;
}

function isWhole(text: string, body: string, reusable: boolean, ends = false): void {
  for (const size of [1, 2, 3, 7, Infinity]) {
    const answer = read(text, { size, ends });
    assert.equal(answer?.body.toString("latin1"), body, `in pieces of ${size}`);
    assert.equal(answer.reusable, reusable);
  }
}

describe("HTTP answers", () => {
  test("by length", () => isWhole(`${OK}Content-Length: 5\r\n\r\nhello`, "hello", true));
  test("by length 0", () => isWhole(`${OK}Content-Length: 0\r\n\r\n`, "", true));
  test("by chunks, with extensions and trailers", () =>
    isWhole(
      `${OK}Transfer-Encoding: chunked\r\n\r\n3;a=b\r\nhel\r\n002\r\nlo\r\n0\r\nX-Trailer: 1\r\n\r\n`,
      "hello",
      true,
    ));
  test("until the connection ends", () => isWhole(`${OK}\r\nhello`, "hello", false, true));
  test("204 and 304 have no body", () => {
    isWhole("HTTP/1.1 204 No Content\r\n\r\n", "", true);
    isWhole("HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", "", true);
  });
  test("interim answers are passed over", () =>
    isWhole(
      `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n${OK}Content-Length: 1\r\n\r\na`,
      "a",
      true,
    ));
  test("connection: close, and HTTP/1.0, are not used again", () => {
    isWhole(`${OK}Connection: close\r\nContent-Length: 1\r\n\r\na`, "a", false);
    isWhole("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na", "a", false);
    isWhole("HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 1\r\n\r\na", "a", true);
  });
  test("bytes behind the answer: it is not used again", () => {
    assert.equal(read(`${OK}Content-Length: 1\r\n\r\naHTTP/1.1 200 OK`)?.reusable, false);
  });
  test("headers: any case, white space around, joined, as latin1", () => {
    const { headers } = read(
      `${OK}X-A:  one \t\r\nx-a:two\r\nX-Empty:\r\nX-L: \xe9\r\n__proto__: p\r\nContent-Length: 0\r\n\r\n`,
    ) as Answer;
    assert.equal(headers["x-a"], "one, two");
    assert.equal(headers["x-empty"], "");
    assert.equal(headers["x-l"], "\u00e9");
    assert.equal(headers["__proto__"], "p");
    assert.equal(Object.getPrototypeOf(headers), null);
  });

  test("a value may have colons in it, and a code of failure is what messages show", () => {
    const { headers } = read(
      `${OK}Date: Mon, 01 Jan 2024 10:20:30 GMT\r\nContent-Length: 0\r\n\r\n`,
    ) as Answer;
    assert.equal(headers["date"], "Mon, 01 Jan 2024 10:20:30 GMT");
    assert.throws(() => read("SSH-2.0-OpenSSH\r\n"), { code: "InvalidHttpAnswer" });
    assert.throws(() => read(`${OK}Content-Length: 1001\r\n\r\n`), { code: "InvalidHttpAnswer" });
  });

  for (const [status, reusable] of [
    [299, undefined],
    [300, true],
  ] as const) {
    test(`${status}: ${reusable === undefined ? "a success, which is what was asked for, and no larger" : "a refusal, of 64 KiB at most"}`, () => {
      const head = `HTTP/1.1 ${status} X\r\nContent-Length: `;
      const body = "x".repeat(LIMIT + 1);
      if (reusable === undefined) {
        assert.throws(() => read(`${head}${body.length}\r\n\r\n${body}`), AnswerTooLarge);
        return;
      }
      const answer = read(`${head}${body.length}\r\n\r\n${body}`);
      assert.deepEqual([answer?.body.length, answer?.reusable], [LIMIT + 1, true]);
      const most = 64 * 1024;
      const whole = read(`${head}${most}\r\n\r\n${"x".repeat(most)}`);
      assert.deepEqual([whole?.body.length, whole?.reusable], [most, true]);
      // What has come by then is kept, and no byte beyond.
      const larger = read(`${head}${most + 1}\r\n\r\n${"x".repeat(most + 1)}`, { size: most / 2 });
      assert.equal(larger?.reusable, false);
      assert.ok(larger.body.length > 0 && larger.body.length <= most);
    });
  }

  test("sizes of chunks and trailers of 128 KiB together are read, and not a byte more", () => {
    const chunk = `1;${"a".repeat(1_020)}\r\na\r\n`;
    const most = 128;
    const chunked = `${OK}Transfer-Encoding: chunked\r\n\r\n`;
    // Each line of a size is 1,024 bytes with its end; the last two are "0" and nothing.
    const text = (extra: number): string =>
      `${chunked}${chunk.repeat(most - 1)}1;${"a".repeat(1_020 - 5 + extra)}\r\na\r\n0\r\n\r\n`;
    assert.equal(read(text(0))?.body.length, most);
    assert.throws(() => read(text(1)), InvalidAnswer);
  });

  for (const [what, text] of [
    ["cut in the head", `${OK}Content-Le`],
    ["cut in the body", `${OK}Content-Length: 5\r\n\r\nhell`],
    ["cut before the body", `${OK}Content-Length: 5\r\n\r\n`],
    ["cut in a chunk", `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhel`],
    ["cut before the last chunk", `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`],
    ["cut in the trailers", `${OK}Transfer-Encoding: chunked\r\n\r\n0\r\nX: 1\r\n`],
    ["only an interim one", "HTTP/1.1 100 Continue\r\n\r\n"],
    ["nothing", ""],
  ] as const) {
    test(`${what}: never a whole one`, () => {
      for (const size of [1, Infinity]) assert.equal(read(text, { size, ends: true }), undefined);
    });
  }

  for (const [what, text] of [
    ["an HTTP answer after something else", `x${OK}Content-Length: 0\r\n\r\n`],
    ["a status of 600", "HTTP/1.1 600 X\r\nContent-Length: 0\r\n\r\n"],
    ["a status of 099", "HTTP/1.1 099 X\r\nContent-Length: 0\r\n\r\n"],
    ["a minor version that is none", "HTTP/1.2 200 OK\r\nContent-Length: 0\r\n\r\n"],
    ["a header without a name", `${OK}: 1\r\nContent-Length: 0\r\n\r\n`],
    ["a length without a number", `${OK}Content-Length:\r\n\r\n`],
    ["a length of sixteen digits", `${OK}Content-Length: 0000000000000001\r\n\r\na`],
    ["a chunk size of nine digits", `${OK}Transfer-Encoding: chunked\r\n\r\n000000001\r\na\r\n0\r\n\r\n`],
    ["a 304 in a length that is none", "HTTP/1.1 304 X\r\nContent-Length: 1, 1\r\n\r\n"],
    ["another protocol", "SSH-2.0-OpenSSH_9.2\r\n"],
    ["the first bytes of TLS", "\x16\x03\x01"],
    ["HTTP/2", "HTTP/2 200\r\n\r\n"],
    ["no status", "HTTP/1.1 OK\r\n\r\n"],
    ["a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n"],
    ["a header without a colon", `${OK}Content-Length\r\n\r\n`],
    ["a space before the colon", `${OK}Content-Length : 1\r\n\r\na`],
    ["a folded header", `${OK}X-A: 1\r\n  2\r\n\r\n`],
    ["a bare LF in a header", `${OK}X-A: 1\nX-B: 2\r\n\r\n`],
    ["a bare CR in a header", `${OK}X-A: 1\rX\r\n\r\n`],
    ["a NUL in a header", `${OK}X-A: \0\r\n\r\n`],
    ["two lengths", `${OK}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`],
    ["two equal lengths", `${OK}Content-Length: 1\r\nContent-Length: 1\r\n\r\na`],
    ["a length with a sign", `${OK}Content-Length: +1\r\n\r\na`],
    ["a negative length", `${OK}Content-Length: -1\r\n\r\na`],
    ["a length in hex", `${OK}Content-Length: 0x1\r\n\r\na`],
    ["length and chunks", `${OK}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n`],
    ["an unknown transfer coding", `${OK}Transfer-Encoding: gzip, chunked\r\n\r\n`],
    ["a chunk without size", `${OK}Transfer-Encoding: chunked\r\n\r\n\r\na`],
    ["a chunk size with a sign", `${OK}Transfer-Encoding: chunked\r\n\r\n-1\r\na`],
    ["a chunk longer than it says", `${OK}Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n`],
    ["chunks in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"],
    ["a blank after a chunk's size", `${OK}Transfer-Encoding: chunked\r\n\r\n1 \r\na\r\n0\r\n\r\n`],
    ["a tab before an extension", `${OK}Transfer-Encoding: chunked\r\n\r\n1\t;a\r\na\r\n0\r\n\r\n`],
    ["a NUL in an extension", `${OK}Transfer-Encoding: chunked\r\n\r\n1;\0\r\na\r\n0\r\n\r\n`],
    ["a bare LF in an extension", `${OK}Transfer-Encoding: chunked\r\n\r\n1;\n\r\na\r\n0\r\n\r\n`],
    ["a NUL in a trailer", `${OK}Transfer-Encoding: chunked\r\n\r\n0\r\nX: \0\r\n\r\n`],
    ["a trailer that is no field", `${OK}Transfer-Encoding: chunked\r\n\r\n0\r\nHTTP/1.1 200 OK\r\n\r\n`],
    ["a 204 with a length", "HTTP/1.1 204 No Content\r\nContent-Length: 1\r\n\r\na"],
    ["a 204 with the length 0", "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"],
    ["a 204 in chunks", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
    ["an interim answer with a length", `HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\n${OK}\r\n`],
    ["a 304 whose length is none", "HTTP/1.1 304 Not Modified\r\nContent-Length: x\r\n\r\n"],
    ["a control character in a header", `${OK}X-A: \x1b[2J\r\nContent-Length: 0\r\n\r\n`],
    ["a control character in the reason", "HTTP/1.1 200 \x07\r\nContent-Length: 0\r\n\r\n"],
    [
      "far more framing than data",
      `${OK}Transfer-Encoding: chunked\r\n\r\n${`1;${"a".repeat(1_000)}\r\na\r\n`.repeat(200)}`,
    ],
    [
      "endless trailers",
      `${OK}Transfer-Encoding: chunked\r\n\r\n0\r\n${`X: ${"a".repeat(999)}\r\n`.repeat(200)}`,
    ],
    ["a change of protocol", "HTTP/1.1 101 Switching Protocols\r\n\r\n"],
    ["an endless head", `${OK}X-A: ${"a".repeat(70_000)}`],
    ["an endless chunk line", `${OK}Transfer-Encoding: chunked\r\n\r\n1;${"a".repeat(2_000)}`],
  ] as const) {
    test(`${what} is refused`, () => {
      assert.throws(() => read(text), InvalidAnswer);
      if (text.length < 1_000) assert.throws(() => read(text, { size: 1 }), InvalidAnswer);
    });
  }

  for (const [what, text] of [
    ["by its length, before any of it came", `${OK}Content-Length: ${LIMIT + 1}\r\n\r\n`],
    [
      "by its chunks",
      `${OK}Transfer-Encoding: chunked\r\n\r\n${(LIMIT + 1).toString(16)}\r\n${"a".repeat(LIMIT + 1)}`,
    ],
    ["by what came", `${OK}\r\n${"a".repeat(LIMIT + 1)}`],
  ] as const) {
    test(`too large ${what}`, () => assert.throws(() => read(text), AnswerTooLarge));
  }

  test("a refusal of any length is one: what came of it", () => {
    const page = "<Error>".padEnd(100_000, "x");
    for (const framing of [
      `Content-Length: ${page.length}\r\n\r\n`,
      "\r\n",
      `Transfer-Encoding: chunked\r\n\r\n${page.length.toString(16)}\r\n`,
    ]) {
      const answer = read(`HTTP/1.1 503 Slow Down\r\n${framing}${page}`, { size: 9_000 });
      assert.equal(answer?.status, 503);
      assert.equal(answer.reusable, false);
      assert.match(answer.body.toString("latin1"), /^<Error>x+$/);
    }
  });

  test("a head of 32 KiB and a chunk's line of 1 KiB are read, and not a byte more", () => {
    const head = (size: number): string =>
      `${OK}X-A: ${"a".repeat(size - OK.length - 5 - 19)}\r\nContent-Length: 0`;
    assert.equal(head(32_768).length, 32_768);
    assert.equal(read(`${head(32_768)}\r\n\r\n`)?.status, 200);
    assert.throws(() => read(`${head(32_769)}\r\n\r\n`), InvalidAnswer);
    const line = (size: number): string => `1;${"a".repeat(size - 2)}\r\na\r\n0\r\n\r\n`;
    const chunked = `${OK}Transfer-Encoding: chunked\r\n\r\n`;
    assert.equal(read(chunked + line(1_024))?.body.toString(), "a");
    assert.throws(() => read(chunked + line(1_025)), InvalidAnswer);
  });

  test("a body as large as it may be is read, by its length and by its chunks", () => {
    const body = "a".repeat(LIMIT);
    const size = LIMIT.toString(16);
    assert.equal(read(`${OK}Content-Length: ${LIMIT}\r\n\r\n${body}`)?.body.length, LIMIT);
    const chunks = `${OK}Transfer-Encoding: chunked\r\n\r\n${size}\r\n${body}\r\n0\r\n\r\n`;
    assert.equal(read(chunks)?.body.length, LIMIT);
  });

  test("a chunk whose end has not come whole is waited for, and a wrong end is refused", () => {
    const chunked = `${OK}Transfer-Encoding: chunked\r\n\r\n1\r\na`;
    assert.equal(read(`${chunked}\r`), undefined);
    for (const end of ["\n\n", "\r\r", "xx", "0\r"]) assert.throws(() => read(chunked + end), InvalidAnswer);
  });

  test("a head of blanks costs no more than its length", () => {
    for (const blanks of [" ".repeat(30_000), "\t ".repeat(15_000)]) {
      assert.equal(read(`${OK}X-A:${blanks}\r\nContent-Length: 0\r\n\r\n`)?.headers["x-a"], "");
      assert.equal(read(`${OK}X-A: b${blanks}c\r\nContent-Length: 0\r\n\r\n`)?.headers["x-a"], `b${blanks}c`);
      assert.throws(() => read(`${OK}X-A:${blanks}\0\r\nContent-Length: 0\r\n\r\n`), InvalidAnswer);
    }
  });

  test("chunks of one byte cost no more than what they hold", () => {
    const reader = new AnswerReader(4 * 1024 * 1024);
    reader.push(Buffer.from(`${OK}Transfer-Encoding: chunked\r\n\r\n`));
    const before = process.memoryUsage().rss;
    // As many as fit below the limit, and many more.
    assert.throws(() => {
      for (let count = 0; count < 400; count += 1) reader.push(Buffer.from("1\r\na\r\n".repeat(10_000)));
    }, InvalidAnswer);
    assert.ok(process.memoryUsage().rss - before < 50_000_000);
  });

  test("no byte that has no place in a line of the framing is taken", () => {
    const lines = ["5;name=value", "hello", "0", "X-Trailer: 1", "", ""];
    const framing = [0, 2, 3];
    const bad = fc.integer({ min: 0, max: 0x1f }).filter((code) => code !== 9);
    const place = fc.tuple(fc.constantFrom(...framing), fc.nat(12), fc.oneof(bad, fc.constant(0x7f)));
    fc.assert(
      fc.property(place, fc.constantFrom(1, 3, Infinity), ([index, at, code], size) => {
        const changed = lines.map((line, number) =>
          number === index ? line.slice(0, at) + String.fromCharCode(code) + line.slice(at) : line,
        );
        const text = `${OK}Transfer-Encoding: chunked\r\n\r\n${changed.join("\r\n")}`;
        assert.throws(() => read(text, { size }), InvalidAnswer);
      }),
    );
  });

  test("nothing of a body is left in what came from the connection", () => {
    const whole = Buffer.from(
      `${OK}Transfer-Encoding: chunked\r\n\r\n${"4\r\n\xe1\xe2\xe3\xe4\r\n".repeat(40)}0\r\n\r\n`,
      "latin1",
    );
    for (const size of [1, 3, 100, Infinity]) {
      const reader = new AnswerReader(LIMIT);
      const pieces = inPieces(Buffer.from(whole), [Math.min(size, whole.length)]);
      const answer = pieces.map((piece) => reader.push(piece)).at(-1);
      assert.equal(answer?.body.toString("latin1"), "\xe1\xe2\xe3\xe4".repeat(40));
      for (const piece of pieces) assert.ok(!piece.some((byte) => byte > 0xe0), `in pieces of ${size}`);
    }
  });

  test("nothing of a body is left in any buffer but the answer's", (t) => {
    const made: Buffer[] = [];
    const alloc = Buffer.alloc.bind(Buffer);
    t.mock.method(Buffer, "alloc", (size: number) => {
      const buffer = alloc(size);
      made.push(buffer);
      return buffer;
    });
    const body = "\xe1\xe2\xe3\xe4".repeat(5_000);
    for (const head of ["\r\n", `Content-Length: ${body.length}\r\n\r\n`]) {
      const reader = new AnswerReader(body.length);
      const pieces = inPieces(Buffer.from(`${OK}${head}${body}`, "latin1"), [3_000]);
      const answer = pieces.map((piece) => reader.push(piece)).at(-1) ?? reader.end();
      assert.equal(answer?.body.toString("latin1"), body);
      for (const buffer of made) {
        if (buffer.buffer === answer.body.buffer) continue;
        assert.ok(!buffer.some((byte) => byte > 0xe0), `in one of ${buffer.length} bytes`);
      }
      made.length = 0;
    }
  });

  test("any body, in any pieces, by length and by chunks", () => {
    const bytes = fc.uint8Array({ maxLength: LIMIT });
    const cuts = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(bytes, cuts, cuts, fc.boolean(), (body, pieces, chunks, chunked) => {
        const whole = Buffer.from(body);
        const message = chunked
          ? Buffer.concat([
              Buffer.from(`${OK}Transfer-Encoding: chunked\r\n\r\n`),
              ...inChunks(whole, chunks),
              Buffer.from("0\r\n\r\n"),
            ])
          : Buffer.concat([Buffer.from(`${OK}Content-Length: ${whole.length}\r\n\r\n`), whole]);
        const reader = new AnswerReader(LIMIT);
        let answer: Answer | undefined;
        for (const piece of inPieces(message, pieces)) {
          assert.equal(answer, undefined, "whole before its last byte");
          answer = reader.push(piece);
        }
        assert.ok(answer?.body.equals(whole));
      }),
    );
  });
});

function inPieces(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0, index = 0; at < bytes.length; index += 1) {
    const size = sizes[index % sizes.length] ?? 1;
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}

function inChunks(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  return inPieces(bytes, sizes).map((piece) =>
    Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from("\r\n")]),
  );
}

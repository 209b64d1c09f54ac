/** The data key in KMS's answer: what is taken, what is refused, and what is left in the buffer. */
import assert from "node:assert/strict";
import { describe, mock, test } from "node:test";
import fc from "fast-check";
import { takePlaintext } from "../../../../src/keys/kms/plaintext.ts";

const KEY = Buffer.from("0123456789abcdef0123456789abcdef");
const TEXT = KEY.toString("base64");

describe("the data key in KMS's answer", () => {
  for (const answer of [
    `{"KeyId":"arn","Plaintext":"${TEXT}","EncryptionAlgorithm":"SYMMETRIC_DEFAULT"}`,
    `{"Plaintext":"${TEXT}","KeyId":"arn"}`,
    `{"KeyId":"arn","Plaintext"\n:\r"${TEXT}"}`,
    ` {\n "Plaintext" : \t"${TEXT}" ,\r\n"KeyId":"arn"} `,
  ]) {
    test(`${JSON.stringify(answer)}: taken, and gone from the buffer`, () => {
      const body = Buffer.from(answer);
      const taken = takePlaintext(body);
      assert.ok(taken !== undefined && taken.plaintext.equals(KEY));
      assert.equal(taken.fields["KeyId"], "arn");
      assert.equal("Plaintext" in taken.fields, false);
      assert.ok(!body.includes(TEXT) && !body.includes(TEXT.slice(4, 12)));
    });
  }

  for (const answer of [
    "",
    "{}",
    "<html>",
    `{"KeyId":"arn"}`,
    `{"Plaintext":"","KeyId":"arn"}`,
    `{"Plaintext":null}`,
    `{"Plaintext" "${TEXT}"}`,
    `{"Plaintext":x${TEXT}"}`,
    ...["@", "[", "`", "{", ".", ",", "*", ":"].map(
      (letter) => `{"Plaintext":"${TEXT.replace("M", letter)}"}`,
    ),
    `{"Plaintext":["${TEXT}"]}`,
    `{"Plaintext":"${TEXT}"`,
    `{"Plaintext":"${TEXT}`,
    `{"Plaintext":"${TEXT}","Plaintext":"${TEXT}"}`,
    // The second is what the first is replaced by.
    `{"Plaintext":"${TEXT}","Plaintext":"${"A".repeat(TEXT.length)}"}`,
    `{"in":{"Plaintext":"${TEXT}"}}`,
    `[{"Plaintext":"${TEXT}"}]`,
    `{"KeyId":"Plaintext","x":"${TEXT}"}`,
    `{"Plaintext":"${TEXT.replace("=", "")}"}`,
    `{"Plaintext":"${TEXT}===="}`,
    `{"Plaintext":" ${TEXT}"}`,
    `{"Plaintext":"${TEXT.replace("M", "-")}"}`,
    `{"Plaintext":"${TEXT.replace("M", "\\u004d")}"}`,
    // The same bytes, with bits that no byte takes.
    `{"Plaintext":"${TEXT.replace(/.=$/, "n=")}"}`,
  ]) {
    test(`${JSON.stringify(answer)}: refused, and nothing is left`, () => {
      const body = Buffer.from(answer);
      assert.equal(takePlaintext(body), undefined);
      assert.ok(body.every((byte) => byte === 0));
    });
  }

  test("what is no base64 to its end is not left half decoded", () => {
    for (const text of [TEXT.replace(/.{2}=$/, "!A="), TEXT.replace(/.=$/, "n=")]) {
      const made: Buffer[] = [];
      const alloc = Buffer.alloc.bind(Buffer) as (size: number) => Buffer;
      const watched = mock.method(Buffer, "alloc", (size: number) => {
        made.push(alloc(size));
        return made.at(-1);
      });
      assert.equal(takePlaintext(Buffer.from(`{"Plaintext":"${text}"}`)), undefined);
      watched.mock.restore();
      assert.ok(made.length > 0 && made.every((buffer) => buffer.every((byte) => byte === 0)));
    }
    // One that is taken out of the answer, and turns out not to be a field of it.
    const made: Buffer[] = [];
    const alloc = Buffer.alloc.bind(Buffer) as (size: number) => Buffer;
    const watched = mock.method(Buffer, "alloc", (size: number) => {
      made.push(alloc(size));
      return made.at(-1);
    });
    assert.equal(takePlaintext(Buffer.from(`{"in":{"Plaintext":"${TEXT}"}}`)), undefined);
    watched.mock.restore();
    assert.ok(made.length > 0 && made.every((buffer) => buffer.every((byte) => byte === 0)));
  });

  test("any bytes, as Buffer writes them; and nothing that Buffer would not write", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 100 }), (bytes) => {
        const text = Buffer.from(bytes).toString("base64");
        const taken = takePlaintext(Buffer.from(`{"Plaintext":"${text}"}`));
        assert.ok(taken?.plaintext.equals(bytes));
      }),
    );
    const letters = fc.constantFrom(..."ABQgwxyz019+/=-_ ");
    fc.assert(
      fc.property(fc.string({ unit: letters, minLength: 1, maxLength: 12 }), (text) => {
        const taken = takePlaintext(Buffer.from(`{"Plaintext":"${text}"}`));
        assert.equal(taken !== undefined, Buffer.from(text, "base64").toString("base64") === text);
      }),
    );
  });
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  generateLocalDataKey,
  openEnvelope,
  readEnvelope,
  seal,
  unwrapLocalDataKey,
  writerContext,
} from "../../../../src/envelope/index.ts";
import { sealedFilePlace } from "../../../../src/stores/sealed-file/ref.ts";
import { parseSealedFileUri } from "../parse.ts";
import { parseSealedText, printSealedText } from "../../../../src/stores/sealed-file/text.ts";
import { refuses } from "../../refuses.ts";

const LOCAL_KEY = Buffer.alloc(32, 7);
const ACCEPT = new Set(["local-key"] as const);
const PLAINTEXT = Buffer.from("TOKEN=canary-5e1d\n");

function sealed(plaintext: Uint8Array = PLAINTEXT) {
  const encryptionContext = writerContext("v3", {}, "file:a");
  return seal("v3", {
    plaintext,
    ...generateLocalDataKey(LOCAL_KEY, encryptionContext),
    wrap: "local",
    encryptionContext,
  });
}

function open(text: string, localKey: Uint8Array = LOCAL_KEY): Uint8Array {
  const object = parseSealedText(text);
  const reading = readEnvelope(object, ACCEPT);
  assert.ok(reading.kind === "envelope");
  return openEnvelope(
    reading.envelope,
    unwrapLocalDataKey(localKey, reading.envelope.wrappedKey, reading.envelope.encryptionContext),
    object.body,
  );
}

describe("sealed files", () => {
  test("any plaintext is there again, from a text of short lines", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), (plaintext) => {
        const text = printSealedText(sealed(plaintext));
        assert.ok(text.split("\n").every((line) => line.length <= 110 && /^[\x20-\x7e]*$/.test(line)));
        assert.deepEqual(Buffer.from(open(text)), Buffer.from(plaintext));
      }),
    );
  });

  test("CRLF of a checkout is read", () => {
    assert.deepEqual(Buffer.from(open(printSealedText(sealed()).replaceAll("\n", "\r\n"))), PLAINTEXT);
  });

  test("another local key, and a changed wrapping, open nothing", () => {
    const text = printSealedText(sealed());
    refuses(() => open(text, Buffer.alloc(32, 8)), "data", /another local key/);
  });

  test("any character changed, dropped or doubled: refused, or the same object", () => {
    const text = printSealedText(sealed());
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: text.length - 1 }),
        fc.constantFrom("A", "b", "0", "=", "\n", " ", "", "xx"),
        (at, put) => {
          const changed = text.slice(0, at) + put + text.slice(at + 1);
          if (changed === text) return;
          try {
            // A CR or nothing else may be read away: what opens is what was sealed.
            assert.deepEqual(Buffer.from(open(changed)), PLAINTEXT);
            assert.fail(`opened with a change at ${at}`);
          } catch (error) {
            assert.match(String((error as { kind?: string }).kind), /^data$/, String(error));
          }
        },
      ),
      { numRuns: 1_000 },
    );
  });

  for (const [what, text, message] of [
    ["a plain .env", "TOKEN=canary-5e1d\n", /not a sealed file/],
    ["nothing", "", /not a sealed file/],
    ["no empty line", "sealexec sealed file 1\nx-amz-c: 115", /line 2/],
    ["a field twice", "sealexec sealed file 1\nx-amz-c: 115\nx-amz-c: 115\n\nAAAA\n", /line 3/],
    ["a stranger's field", "sealexec sealed file 1\nfoo: 115\n\nAAAA\n", /line 2/],
    ["a merge conflict", "sealexec sealed file 1\n<<<<<<< ours\nx-amz-c: 115\n\nAAAA\n", /line 2/],
    ["a short line inside", `sealexec sealed file 1\nx-amz-c: 115\n\nAAAA\nAAAA\n`, /line 4/],
    ["no base64", "sealexec sealed file 1\nx-amz-c: 115\n\nAA*A\n", /line 4/],
    ["no line end", "sealexec sealed file 1\nx-amz-c: 115\n\nAAAA", /line 4/],
  ] as const) {
    test(`${what} is refused by its line`, () => {
      const { message: said } = refuses(() => parseSealedText(text), "data", message);
      assert.ok(!said.includes("canary"));
    });
  }

  test("with a local key named, nothing that KMS sealed is opened, and the other way round", () => {
    const local = sealed();
    refuses(() => readEnvelope(local, new Set()), "data", /x-amz-w is 02/);
    const byKms = {
      ...local,
      metadata: { ...local.metadata, "x-amz-w": "12", "x-amz-t": '{"aws:x-amz-cek-alg":"115"}' },
    };
    refuses(() => readEnvelope(byKms, ACCEPT), "data", /wrapped by KMS/);
    const mixed = { ...local, metadata: { ...local.metadata, "x-amz-t": "{}" } };
    refuses(() => readEnvelope(mixed, ACCEPT), "data", /the context of a local key is in x-amz-m/);
    const rsa = { ...local, metadata: { ...local.metadata, "x-amz-w": "22" } };
    refuses(() => readEnvelope(rsa, ACCEPT), "data", /x-amz-w is/);
  });

  for (const [uri, path] of [
    ["file:app.env.sealed", "app.env.sealed"],
    ["file:/etc/app.env", "/etc/app.env"],
    ["file:./a b?c", "./a b?c"],
  ] as const) {
    test(`${uri} is a path`, () => assert.equal(parseSealedFileUri(uri).path, path));
  }
  test("it is bound to the base name of its path, or to the name that the URI gives", () => {
    for (const [uri, place] of [
      ["file:dir/app.env", "file:app.env"],
      ["file:/etc/app.env?format=json", "file:app.env"],
      ["file:dir/app.env?name=prod", "file:prod"],
      ["file:app.env?format=json&name=prod", "file:prod"],
      ["file:a?b?name=c", "file:c"],
    ] as const) {
      assert.equal(sealedFilePlace(parseSealedFileUri(uri)), place);
    }
    for (const uri of ["file:a?name=", "file:a?name=b&name=c", "file:a?name=b\n", "file:?name=b"]) {
      refuses(() => parseSealedFileUri(uri), "usage");
    }
  });
  test("a format is none of the path", () => {
    assert.deepEqual(parseSealedFileUri("file:a?b?format=docker"), {
      path: "a?b",
      name: "a?b",
      dialect: "docker",
    });
    for (const uri of ["file:a?format=xml", "file:?format=json", "file:a?format="]) {
      refuses(() => parseSealedFileUri(uri), "usage");
    }
  });
  test("what follows a parameter is one, and none of the path", () => {
    for (const uri of [
      "file:a?name=b&nmae=c",
      "file:a?format=json&other",
      "file:a?name=b&",
      "file:a?b?name=c&d=e",
    ])
      refuses(() => parseSealedFileUri(uri), "usage", /has a parameter other than format, name/);
  });
  for (const uri of ["file:", "file:/", "file:dir/", "file:///etc/x", "file://host/x", "file:a\nb"]) {
    test(`${JSON.stringify(uri)} is none`, () => void refuses(() => parseSealedFileUri(uri), "usage"));
  }
});

/** What --key names. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { kmsKeyOf, needsAws, parseKey } from "../../../src/keys/key.ts";
import { sealedDialect } from "../../../src/keys/seal.ts";
import { refuses } from "../refuses.ts";

describe("--key", () => {
  for (const text of [
    "alias/my-app_1",
    "arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-3333-4444-555555555555",
    "11111111-2222-3333-4444-555555555555",
    "a",
    "x".repeat(2_048),
  ]) {
    test(`${text.slice(0, 40)} is a key of KMS`, () => {
      const key = parseKey(text);
      assert.deepEqual(key, { kind: "kms", text });
      assert.deepEqual([kmsKeyOf(key), needsAws(key)], [text, true]);
    });
  }

  for (const path of ["key", "/run/secrets/a key", "../ü:b", " "]) {
    test(`local:${path} is a file`, () => {
      const key = parseKey(`local:${path}`);
      assert.deepEqual(key, { kind: "local", text: `local:${path}`, path });
      assert.deepEqual([kmsKeyOf(key), needsAws(key)], [undefined, false]);
    });
  }

  for (const text of ["", " ", "alias/a b", "alias/ä", "a\n", "alias.app", "LOCAL.key", "x".repeat(2_049)]) {
    test(`${JSON.stringify(text.slice(0, 40))} is none`, () => {
      const { message, hint } = refuses(() => parseKey(text), "usage");
      assert.equal(message, "--key is not a KMS key id, ARN or alias");
      assert.match(hint ?? "", /alias\/my-app, arn:aws:kms:.* local:PATH$/);
    });
  }

  for (const text of ["local:", "local:a\nb", "local:\u0085", "local:a\u0000"]) {
    test(`${JSON.stringify(text)} names no file`, () => {
      const { hint } = refuses(() => parseKey(text), "usage", /^--key local: names no file$/);
      assert.equal(hint, "the form is local:PATH");
    });
  }

  test("that nobody named is one of KMS", () => {
    assert.deepEqual([kmsKeyOf(undefined), needsAws(undefined)], [undefined, true]);
  });
});

test("the context says what the text is, but of a .env", () => {
  assert.deepEqual(
    [undefined, "dotenv", "json", "docker"].map((dialect) => sealedDialect(dialect as "json" | undefined)),
    [undefined, undefined, "json", "docker"],
  );
});

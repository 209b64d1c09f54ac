/** The file of a local key: who else may read it, and what it holds. */
import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { makeLocalKey, readLocalKey } from "../../../src/keys/local-key.ts";
import { refuses } from "../refuses.ts";

const FOLDER = mkdtempSync(join(tmpdir(), "sealexec-key-"));
after(() => rmSync(FOLDER, { recursive: true }));

function fileOf(name: string, text: string, mode = 0o600): string {
  const file = join(FOLDER, name);
  writeFileSync(file, text);
  chmodSync(file, mode);
  return file;
}

describe("the file of a local key", () => {
  const TEXT = makeLocalKey();
  const KEY = Buffer.from(TEXT, "base64");

  test("is a fresh key of 32 bytes, one line of base64", () => {
    assert.match(TEXT, /^[A-Za-z0-9+/]{43}=\n$/);
    assert.notEqual(makeLocalKey(), TEXT);
  });

  for (const [what, text] of [
    ["as it is made", TEXT],
    ["without a line end", TEXT.trim()],
    ["with that of Windows", `${TEXT.trim()}\r\n`],
  ] as const) {
    test(`is read ${what}`, () => assert.deepEqual(readLocalKey(fileOf("good", text)), KEY));
  }

  for (const [what, text] of [
    ["empty", ""],
    ["31 bytes", Buffer.alloc(31, 1).toString("base64")],
    ["33 bytes", Buffer.alloc(33, 1).toString("base64")],
    ["two lines", `${TEXT}\n`],
    ["two keys", TEXT + TEXT],
    ["with a blank", ` ${TEXT}`],
    ["for URLs", Buffer.alloc(32, 0xff).toString("base64url")],
    ["without its padding", TEXT.replace("=", "")],
    ["bytes", KEY.toString("latin1")],
  ] as const) {
    test(`is refused: ${what}`, () => {
      const { message, hint } = refuses(() => readLocalKey(fileOf("bad", text)), "config");
      assert.equal(message, "not a local key");
      assert.match(hint ?? "", /sealexec keygen/);
    });
  }

  for (const mode of [0o600, 0o400, 0o700]) {
    test(`may have the mode ${mode.toString(8)}`, () =>
      assert.deepEqual(readLocalKey(fileOf(`mode-${mode}`, TEXT, mode)), KEY));
  }

  for (const mode of [0o640, 0o620, 0o610, 0o604, 0o602, 0o601, 0o644]) {
    test(`may not have the mode ${mode.toString(8)}`, () => {
      const file = fileOf(`mode-${mode}`, TEXT, mode);
      const { message, hint } = refuses(() => readLocalKey(file), "config");
      assert.equal(message, "others than its owner can read it");
      assert.equal(hint, `chmod 600 ${file}`);
      const link = join(FOLDER, `link-${mode}`);
      symlinkSync(file, link);
      refuses(() => readLocalKey(link), "config", /^others than its owner/);
    });
  }

  test("that is not there is missing, and one that is no file a mistake", () => {
    const { message, hint } = refuses(() => readLocalKey(join(FOLDER, "none")), "missing");
    assert.equal(message, "cannot be read (ENOENT)");
    assert.match(hint ?? "", /keygen FILE/);
    const folder = join(FOLDER, "good", "below");
    refuses(() => readLocalKey(folder), "config", /^cannot be read \(ENOTDIR\)$/);
    chmodSync(FOLDER, 0o700);
    refuses(() => readLocalKey(FOLDER), "config", /^cannot be read \(EISDIR\)$/);
  });
});

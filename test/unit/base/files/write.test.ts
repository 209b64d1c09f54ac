import assert from "node:assert/strict";
import { lstatSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { writePrivateFile } from "../../../../src/base/files/write.ts";
import { refuses } from "../../refuses.ts";

const FOLDER = mkdtempSync(join(tmpdir(), "sealexec-private-"));
after(() => rmSync(FOLDER, { recursive: true, force: true }));

describe("a private file", () => {
  test("that somebody made in the meantime is not written over", () => {
    const file = join(FOLDER, "taken");
    writeFileSync(file, "theirs");
    refuses(() => writePrivateFile(file, Buffer.from("ours"), "nothing"), "usage", /taken: is there already/);
    assert.equal(readFileSync(file, "utf8"), "theirs");
    assert.deepEqual(readdirSync(FOLDER), ["taken"]);
    rmSync(file);
  });

  test("is for its owner alone, whole, and known by what was written", () => {
    const file = join(FOLDER, "new");
    const first = writePrivateFile(file, Buffer.from("one"), "nothing");
    const second = writePrivateFile(file, Buffer.from("two"), "ours");
    const { dev, ino, mode } = statSync(file);
    assert.deepEqual([second.dev, second.ino, mode & 0o7777], [dev, ino, 0o600]);
    assert.notEqual(first.ino, second.ino);
    assert.equal(readFileSync(file, "utf8"), "two");
    assert.ok(lstatSync(file).isFile());
    assert.deepEqual(readdirSync(FOLDER), ["new"]);
  });
});

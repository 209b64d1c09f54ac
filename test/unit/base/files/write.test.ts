import assert from "node:assert/strict";
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import type { Stats } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import {
  isOnlyOurs,
  keepsOurs,
  refuseExisting,
  refuseForeign,
  unwritable,
  writePrivateFile,
} from "../../../../src/base/files/write.ts";
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

const isRoot = process.getuid?.() === 0;

describe("what is there already", () => {
  test("stays, for whoever may not replace it; a link that leads nowhere is there, too", () => {
    const [file, link] = [join(FOLDER, "there"), join(FOLDER, "dangling")];
    refuseExisting(file);
    writeFileSync(file, "");
    symlinkSync("nowhere", link);
    for (const [path, hint, said] of [
      [file, undefined, "name another file, or say --force"],
      [link, "elsewhere", "elsewhere"],
    ] as const) {
      const error = refuses(() => refuseExisting(path, hint), "usage", /: is there already$/);
      assert.deepEqual([error.message, error.hint], [`${path}: is there already`, said]);
    }
    rmSync(file);
    rmSync(link);
  });

  test("is replaced only if it is a file of this user", () => {
    const file = join(FOLDER, "ours");
    assert.equal(refuseForeign(file), undefined);
    writeFileSync(file, "ours");
    const { dev, ino } = statSync(file);
    const found = refuseForeign(file);
    assert.deepEqual([found?.dev, found?.ino], [dev, ino]);
    const link = join(FOLDER, "link");
    symlinkSync(file, link);
    const strange = [
      [link, "is not a regular file", "name the file that the link leads to"],
      ["/dev/null", "is not a regular file", "name another file"],
      [FOLDER, "is not a regular file", "name another file"],
    ];
    for (const [path = "", what, way] of strange) {
      for (const where of [undefined, "", "here: "]) {
        const { message, hint } = refuses(() => refuseForeign(path, where), "config");
        assert.deepEqual([message, hint], [`${where ?? `${path}: `}${what}, and is not replaced`, way]);
      }
      refuses(() => writePrivateFile(path, Buffer.from("x"), "ours"), "config", /and is not replaced$/);
    }
    if (isRoot) {
      chownSync(file, 12_345, 12_345);
      const { hint } = refuses(
        () => refuseForeign(file),
        "config",
        /: belongs to another user, and is not replaced$/,
      );
      assert.equal(hint, "name another file");
      refuses(() => writePrivateFile(file, Buffer.from("x"), "ours"), "config");
    }
    assert.equal(readFileSync(file, "utf8"), "ours");
    writePrivateFile(link, Buffer.from("whatever"), "anything");
    assert.ok(lstatSync(link).isFile());
    assert.deepEqual(readdirSync(FOLDER).toSorted(), ["link", "new", "ours"]);
  });
});

describe("whom a file or a folder is safe from", () => {
  const [OURS, ROOT, THEIRS] = [1_000, 0, 1_001];
  const stats = (mode: number, uid: number): Stats => ({ mode, uid }) as Stats;

  for (const [mode, owner, only, keeps] of [
    [0o100600, OURS, true, true],
    [0o100644, OURS, true, true],
    [0o100644, ROOT, true, true],
    [0o100600, THEIRS, false, false],
    [0o100620, OURS, false, false],
    [0o100602, OURS, false, false],
    [0o040755, OURS, true, true],
    [0o041777, ROOT, false, true],
    [0o041777, OURS, false, true],
    [0o041770, OURS, false, true],
    [0o041777, THEIRS, false, false],
    [0o040777, ROOT, false, false],
  ] as const) {
    test(`mode ${mode.toString(8)}, owner ${owner}`, () => {
      assert.equal(isOnlyOurs(stats(mode, owner), OURS), only);
      assert.equal(keepsOurs(stats(mode, owner), OURS), keeps);
    });
  }
});

describe("what cannot be written", () => {
  test("says so by the name that was given, what the system said, and the way out", () => {
    for (const [code, way] of [
      ["ENOENT", /^mkdir -p \/a$/],
      ["ENOSPC", /^free some space there, or/],
      ["EDQUOT", /^free some space there \(this user's quota/],
      ["EFBIG", /ulimit -f/],
      ["EROFS", /^name a file in a folder that this user can write$/],
    ] as const) {
      const cause = Object.assign(new Error("canary"), { code });
      const { kind, message, hint = "", cause: kept } = unwritable(cause, "/a/b");
      assert.deepEqual([kind, message, kept], ["config", `/a/b: cannot be written (${code})`, cause]);
      assert.match(hint, way);
      assert.equal(unwritable(cause, "/a/b", "").message, `cannot be written (${code})`);
    }
    assert.equal(unwritable(new Error("canary"), "b").message, "b: cannot be written (error)");
  });

  test("leaves no draft", () => {
    const [folder, file] = [join(FOLDER, "none"), join(FOLDER, "file")];
    const bytes = Buffer.from("x");
    for (const replace of ["nothing", "ours", "anything"] as const)
      refuses(() => writePrivateFile(join(folder, "a"), bytes, replace), "config", /\(ENOENT\)$/);
    writeFileSync(file, "");
    for (const path of [join(file, "a"), join(FOLDER, "x".repeat(300))]) {
      refuses(() => refuseExisting(path), "config", /cannot be written \(E(NOTDIR|NAMETOOLONG)\)$/);
      refuses(() => refuseForeign(path, ""), "config", /^cannot be written/);
      refuses(() => writePrivateFile(path, bytes, "anything"), "config");
    }
    const taken = join(FOLDER, "taken");
    mkdirSync(taken);
    refuses(
      () => writePrivateFile(taken, bytes, "anything"),
      "config",
      /taken: cannot be written \(EISDIR\)$/,
    );
    const { hint } = refuses(() => writePrivateFile(taken, bytes, "nothing"), "usage", /: is there already$/);
    assert.equal(hint, "name another file, or say --force");
    assert.deepEqual(readdirSync(FOLDER).toSorted(), ["file", "link", "new", "ours", "taken"]);
  });

  test("a file's mode is its owner's alone, whatever the umask is, and its folder's stays", () => {
    const folder = join(FOLDER, "open");
    mkdirSync(folder);
    chmodSync(folder, 0o755);
    const before = process.umask(0);
    try {
      writePrivateFile(join(folder, "a"), Buffer.from("x"), "anything");
    } finally {
      process.umask(before);
    }
    assert.equal(statSync(join(folder, "a")).mode & 0o7777, 0o600);
    assert.equal(statSync(folder).mode & 0o7777, 0o755);
  });
});

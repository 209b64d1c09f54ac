import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import {
  readFirstBytes,
  readSmallFile,
  refuseUnreadable,
  whyUnread,
} from "../../../../src/base/files/read.ts";
import { fileState, stateOfPath } from "../../../../src/base/files/read.ts";

const FOLDER = mkdtempSync(join(tmpdir(), "sealexec-setting-"));
after(() => rmSync(FOLDER, { recursive: true, force: true }));

describe("a file that a setting names", () => {
  test("is read whole up to the limit, and refused beyond it", () => {
    const file = join(FOLDER, "key");
    for (const size of [0, 1, 999, 1_000]) {
      const bytes = Buffer.alloc(size, "0123456789");
      writeFileSync(file, bytes);
      assert.deepEqual(readSmallFile(file, 1_000), bytes);
      assert.deepEqual(readFirstBytes(file, 7), bytes.subarray(0, 7));
    }
    writeFileSync(file, Buffer.alloc(1_001));
    assert.throws(() => readSmallFile(file, 1_000), { code: "EFBIG" });
  });

  // Linux: those of /proc have no size that stat(2) would tell.
  const files = ["/proc/version", "/proc/self/limits", "/proc/filesystems"];
  for (const file of files) {
    test(
      `is read whole if it does not tell its size: ${file}`,
      { skip: process.platform !== "linux" },
      () => {
        const all = readFileSync(file);
        assert.deepEqual(readSmallFile(file, all.length), all);
        assert.deepEqual(readFirstBytes(file, 20), all.subarray(0, 20));
        assert.throws(() => readSmallFile(file, all.length - 1), { code: "EFBIG" });
      },
    );
  }

  test("is not followed through a link where it is judged, and is judged as it was opened", () => {
    const [file, link] = [join(FOLDER, "file"), join(FOLDER, "link")];
    writeFileSync(file, "text");
    symlinkSync(file, link);
    assert.equal(readSmallFile(link).toString(), "text");
    const judged: number[] = [];
    const judge = ({ ino }: { readonly ino: number }): void => void judged.push(ino);
    assert.equal(readSmallFile(file, 10, judge).toString(), "text");
    assert.throws(() => readSmallFile(link, 10, judge), { code: "ENOTFILE" });
    assert.deepEqual(judged, [statSync(file).ino]);
  });

  test("is 64 KiB at most where nobody says how large it may be", () => {
    const file = join(FOLDER, "token");
    writeFileSync(file, Buffer.alloc(65_536, "x"));
    assert.equal(readSmallFile(file).length, 65_536);
    refuseUnreadable(file);
    writeFileSync(file, Buffer.alloc(65_537, "x"));
    assert.throws(() => readSmallFile(file), { code: "EFBIG" });
    assert.throws(() => refuseUnreadable(file), { code: "EFBIG" });
    refuseUnreadable(file, 65_537);
    assert.throws(() => refuseUnreadable(file, 65_536), { code: "EFBIG" });
  });

  // All that is there of it is read, in several pieces.
  const large = "/proc/kallsyms";
  test("that does not tell its size is read beyond one piece", { skip: !existsSync(large) }, () => {
    const all = execFileSync("head", ["-c", "200000", large]);
    assert.ok(all.length > 150_000);
    assert.deepEqual(readFirstBytes(large, 200_000), all);
    assert.throws(() => readSmallFile(large, 150_000), { code: "EFBIG" });
  });

  test("is a file: nothing else is opened, waited for or read", () => {
    const [folder, fifo] = [join(FOLDER, "folder"), join(FOLDER, "fifo")];
    mkdirSync(folder);
    execFileSync("mkfifo", [fifo]);
    const judge = (): never => assert.fail("it is not opened");
    for (const [path, code] of [
      [folder, "EISDIR"],
      [fifo, "ENOTFILE"],
      ["/dev/zero", "ENOTFILE"],
      [join(FOLDER, "none"), "ENOENT"],
    ] as const) {
      assert.throws(() => readSmallFile(path), { code });
      assert.throws(() => readSmallFile(path, 1, judge), { code });
      assert.throws(() => refuseUnreadable(path), { code });
    }
    // It is an empty file to everybody who reads it by other ways, and no file to us.
    refuseUnreadable("/dev/null");
    assert.throws(() => readSmallFile("/dev/null"), { code: "ENOTFILE" });
  });

  test("that is not believed is not read, and no descriptor of it is left", () => {
    const file = join(FOLDER, "judged");
    writeFileSync(file, "text");
    const open = (): number => readdirSync("/proc/self/fd").length;
    const before = open();
    for (let times = 0; times < 3; times += 1) {
      const judge = (): never => {
        throw new Error("not believed");
      };
      assert.throws(() => readSmallFile(file, 10, judge), /not believed/);
      readSmallFile(file);
    }
    assert.equal(open(), before);
  });

  test("why it was not read, in a few words that hold nothing of it", () => {
    for (const [error, why] of [
      [{ code: "ENOTFILE" }, "not a regular file"],
      [{ code: "EFBIG" }, "too large"],
      [{ code: "EACCES" }, "EACCES"],
      [new Error("canary"), "error"],
    ] as const)
      assert.equal(whyUnread(error), why);
  });
});

test("a file's state is another after each change that can be made to it", () => {
  const [file, other] = [join(FOLDER, "state"), join(FOLDER, "state.new")];
  writeFileSync(file, "one");
  const stats = statSync(file);
  assert.equal(stateOfPath(file), fileState(stats));
  assert.equal(stateOfPath(file), stateOfPath(file));
  for (const field of ["dev", "ino", "size", "mtimeMs", "ctimeMs"] as const)
    assert.notEqual(fileState(Object.assign(statSync(file), { [field]: 1.5 })), fileState(stats), field);
  writeFileSync(other, "one");
  assert.notEqual(stateOfPath(other), stateOfPath(file));
  assert.throws(() => stateOfPath(join(FOLDER, "none")), { code: "ENOENT" });
});

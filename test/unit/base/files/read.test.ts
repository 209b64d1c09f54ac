import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { readFirstBytes, readSmallFile } from "../../../../src/base/files/read.ts";

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
});

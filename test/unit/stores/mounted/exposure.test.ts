/** Who else can read what is mounted, by the modes of the file and of every folder above it. */
import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statfsSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { warnOfReaders } from "../../../../src/stores/mounted/exposure.ts";
import type { Exposed } from "../../../../src/stores/mounted/exposure.ts";
import { makeContext } from "../../refuses.ts";

const URI = "dir:here";
// statfs(2): tmpfs, ramfs, overlayfs.
const onDisk = ![0x01021994, 0x858458f6, 0x794c7630].includes(statfsSync(tmpdir()).type);
const skip = onDisk ? false : "needs a temporary folder on a disk";

/** A folder and a file in it, of these modes. */
function withModes<T>(
  at: string,
  modes: readonly [folder: number, file: number],
  work: (folder: string) => T,
): T {
  const top = mkdtempSync(join(at, "sealexec-exposure-"));
  try {
    const folder = join(top, "folder");
    mkdirSync(folder);
    writeFileSync(join(folder, "A"), "1");
    chmodSync(join(folder, "A"), modes[1]);
    chmodSync(folder, modes[0]);
    chmodSync(top, 0o711);
    return work(folder);
  } finally {
    rmSync(top, { recursive: true, force: true });
  }
}

function warned(path: string, files: readonly Exposed[]): readonly string[] {
  const { context, log } = makeContext();
  context.deadline.clear();
  warnOfReaders(URI, path, files, context);
  return log;
}

describe("a warning that others can read", { skip }, () => {
  for (const [folder, file, isSaid] of [
    [0o755, 0o644, true],
    [0o755, 0o604, true],
    [0o711, 0o604, true],
    [0o755, 0o640, false],
    [0o755, 0o642, false],
    [0o755, 0o641, false],
    [0o750, 0o644, false],
    [0o754, 0o644, false],
  ] as const) {
    test(`folder ${folder.toString(8)}, file ${file.toString(8)}: ${isSaid}`, () =>
      withModes(tmpdir(), [folder, file], (path) => {
        assert.equal(warned(join(path, "A"), [{ mode: file }]).length, isSaid ? 2 : 0);
        assert.equal(warned(path, [{ name: "A", mode: file }]).length, isSaid ? 2 : 0);
      }));
  }

  test("is not said behind a closed folder further up", () =>
    withModes(tmpdir(), [0o755, 0o644], (path) => {
      chmodSync(join(path, ".."), 0o700);
      assert.deepEqual(warned(join(path, "A"), [{ mode: 0o644 }]), []);
    }));

  test("is of where a link leads, and not of where it lies", () =>
    withModes(tmpdir(), [0o755, 0o644], (path) => {
      const closed = mkdtempSync(join(tmpdir(), "sealexec-closed-"));
      try {
        symlinkSync(join(path, "A"), join(closed, "open"));
        assert.equal(warned(join(closed, "open"), [{ mode: 0o644 }]).length, 2);
        writeFileSync(join(closed, "A"), "1");
        symlinkSync(join(closed, "A"), join(path, "closed"));
        assert.deepEqual(warned(join(path, "closed"), [{ mode: 0o644 }]), []);
      } finally {
        rmSync(closed, { recursive: true });
      }
    }));

  test("names the variables, three at most, and how to end it", () =>
    withModes(tmpdir(), [0o755, 0o644], (path) => {
      const files = (...names: readonly string[]): Exposed[] => [
        { name: "CLOSED", mode: 0o100600 },
        ...names.map((name) => ({ name, mode: 0o100644 })),
      ];
      for (const [names, shown] of [
        [["A"], "A"],
        [["A", "B", "C"], "A, B, C"],
        [["A", "B", "C", "D"], "A, B, 2 more"],
        [["A", "B", "C", "D", "E"], "A, B, 3 more"],
      ] as const) {
        assert.deepEqual(warned(path, files(...names)), [
          `sealexec: warning: ${URI} is readable by every user of this machine (${shown})\n`,
          `sealexec: hint: chmod o-rx ${path}\n`,
        ]);
      }
      assert.deepEqual(warned(path, files()), []);
      const file = join(path, "A");
      assert.deepEqual(warned(file, [{ mode: 0o100644 }]), [
        `sealexec: warning: ${URI} is readable by every user of this machine\n`,
        `sealexec: hint: chmod o-r ${file}\n`,
      ]);
    }));

  test("is not said of what has gone", () => {
    assert.deepEqual(warned("/nowhere/at/all", [{ mode: 0o644 }]), []);
  });
});

const memory = "/dev/shm";
test("is not said of what lies in memory", { skip: !existsSync(memory) }, () =>
  withModes(memory, [0o755, 0o644], (path) => {
    assert.deepEqual(warned(join(path, "A"), [{ mode: 0o644 }]), []);
  }),
);

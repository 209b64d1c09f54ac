import assert from "node:assert/strict";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { execFileSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { readFolder } from "../../../../src/stores/mounted/folder.ts";
import { makeContext, refuses } from "../../refuses.ts";

function withFiles<T>(files: Readonly<Record<string, string | Uint8Array>>, work: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "sealexec-folder-"));
  try {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function read(path: string, flags: { upper?: boolean; raw?: boolean } = {}): Record<string, string> {
  const { context } = makeContext();
  try {
    const { variables } = readFolder({ path, upper: false, raw: false, ...flags }, context);
    return Object.fromEntries([...variables].map(([name, secret]) => [name, secret.reveal()]));
  } finally {
    context.deadline.clear();
  }
}

describe("a folder with one file a variable", () => {
  for (const [content, value, rawValue = content] of [
    ["v", "v"],
    ["", ""],
    ["v\n", "v"],
    ["v\r\n", "v"],
    ["v\n\n", "v\n"],
    ["v\r\n\r\n", "v\r\n"],
    ["v\r", "v\r"],
    ["v\n\r", "v\n\r"],
    ["\n", ""],
    ["  a \t", "  a \t"],
    ['"a"=\\n$b # c', '"a"=\\n$b # c'],
    ["\uFEFFżółw 🙂", "\uFEFFżółw 🙂"],
  ] as const) {
    test(`${JSON.stringify(content)} is ${JSON.stringify(value)}`, () =>
      withFiles({ NAME: content }, (folder) => {
        assert.deepEqual(read(folder), { NAME: value });
        assert.deepEqual(read(folder, { raw: true }), { NAME: rawValue });
      }));
  }

  test("dot files are left out, and the order is that of the names", () =>
    withFiles({ B: "2", A: "1", ".hidden": "x", "..x": "y", _C: "3" }, (folder) => {
      assert.deepEqual(Object.entries(read(folder)), [
        ["A", "1"],
        ["B", "2"],
        ["_C", "3"],
      ]);
    }));

  test("an empty folder has no variables", () =>
    withFiles({}, (folder) => assert.deepEqual(read(folder), {})));

  test("?upper makes names of file names", () =>
    withFiles({ "db-password": "1", "tls.key": "2", Api_Token: "3" }, (folder) => {
      assert.deepEqual(read(folder, { upper: true }), { DB_PASSWORD: "1", TLS_KEY: "2", API_TOKEN: "3" });
      const { hint } = refuses(() => read(folder), "data", /^the file "db-password" has not the name/);
      assert.match(hint ?? "", /\?upper/);
    }));

  for (const name of ["1st", "-a", "a b", "straße", "a=b", "żółw", "__proto__"]) {
    test(`a file with the name ${name} is refused, with ?upper too`, () =>
      withFiles({ [name]: "1" }, (folder) => {
        refuses(() => read(folder), "data", /has not the name of a variable/);
        if (name === "-a" || name === "__proto__") return;
        refuses(() => read(folder, { upper: true }), "data", /has not the name of a variable/);
      }));
  }

  test("two files that come to one name are refused", () =>
    withFiles({ "a-b": "1", "a.b": "2" }, (folder) => {
      refuses(() => read(folder, { upper: true }), "data", /^A_B is there twice/);
    }));

  test("what no variable can hold is refused by name, and the value is not in the message", () => {
    for (const [content, message] of [
      ["canary\0", /^NAME holds a NUL/],
      [Buffer.from([0x63, 0xff]), /^NAME is not valid UTF-8/],
      [Buffer.from([0xed, 0xa0, 0x80]), /^NAME is not valid UTF-8/],
    ] as const) {
      const error = withFiles({ NAME: content }, (folder) => refuses(() => read(folder), "data", message));
      assert.doesNotMatch(error.message + (error.hint ?? ""), /canary/);
    }
  });

  test("a variable of exactly 131,071 bytes with its name is read, and not one more", () => {
    const longest = "v".repeat(131_071 - "NAME=".length);
    for (const end of ["", "\n", "\r\n"])
      withFiles({ NAME: longest + end }, (folder) => assert.equal(read(folder)["NAME"], longest));
    for (const more of [`${longest}v`, `${longest}v\n`, "ż".repeat(65_534), "v".repeat(1_000_000)]) {
      withFiles({ NAME: more }, (folder) => {
        refuses(() => read(folder), "data", /^NAME: larger than an environment variable can be/);
      });
    }
  });

  test("not more than 4 MiB in all, and not more than 10,000 files", () => {
    const big = "v".repeat(130_000);
    const files = Object.fromEntries(Array.from({ length: 33 }, (_, index) => [`A${index}`, big]));
    withFiles(files, (folder) => {
      refuses(() => read(folder), "data", /^larger than 4194304 bytes in all/);
    });
    const many = Object.fromEntries(Array.from({ length: 10_001 }, (_, index) => [`A${index}`, ""]));
    withFiles(many, (folder) => {
      refuses(() => read(folder), "data", /^more than 10000 files/);
      rmSync(join(folder, "A0"));
      assert.equal(Object.keys(read(folder)).length, 10_000);
    });
  });

  test("a huge sparse file is not read whole", () =>
    withFiles({ NAME: "" }, (folder) => {
      truncateSync(join(folder, "NAME"), 1e12);
      refuses(() => read(folder), "data", /^NAME: larger/);
    }));

  test("subfolders, FIFOs, dangling links and circles are refused by name", () =>
    withFiles({ A: "1" }, (folder) => {
      const refused = (kind: "config" | "missing", message: RegExp) => {
        refuses(() => read(folder), kind, message);
        rmSync(join(folder, "NAME"), { recursive: true });
      };
      mkdirSync(join(folder, "NAME"));
      refused("config", /^NAME: a folder, where a file is expected/);
      execFileSync("mkfifo", [join(folder, "NAME")]);
      refused("config", /^NAME: a pipe, where a file is expected/);
      symlinkSync("/dev/zero", join(folder, "NAME"));
      refused("config", /^NAME: a device or socket, where a file is expected/);
      symlinkSync("nowhere", join(folder, "NAME"));
      refused("missing", /^NAME: no such file/);
      symlinkSync("NAME", join(folder, "NAME"));
      refused("config", /^NAME: its links lead in a circle/);
    }));

  test("nothing stays open, of files that are read and of those that are refused", () =>
    withFiles({ A: "1", B: "2" }, (folder) => {
      const open = (): number => readdirSync("/proc/self/fd").length;
      read(folder);
      const before = open();
      for (let times = 0; times < 3; times += 1) {
        read(folder);
        execFileSync("mkfifo", [join(folder, "C")]);
        refuses(() => read(folder), "config", /^C: a pipe/);
        rmSync(join(folder, "C"));
      }
      assert.equal(open(), before);
    }));

  test("what is not there, and what is no folder", () =>
    withFiles({ A: "1" }, (folder) => {
      refuses(() => read(join(folder, "none")), "missing", /^no such file or folder/);
      refuses(() => read(join(folder, "A", "none")), "missing", /^no such file or folder/);
      refuses(() => read(join(folder, "A")), "config", /^a file, where a folder is expected/);
      refuses(() => read("/dev/null"), "config", /^a file, where a folder is expected/);
    }));
});

/** A volume as Kubernetes' AtomicWriter makes it. */
function addVersion(folder: string, version: string, files: Readonly<Record<string, string>>): void {
  mkdirSync(join(folder, version));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, version, name), content);
  execFileSync("ln", ["-sfn", version, join(folder, "..data_tmp")]);
  execFileSync("mv", ["-T", join(folder, "..data_tmp"), join(folder, "..data")]);
  for (const name of Object.keys(files)) execFileSync("ln", ["-sfn", `..data/${name}`, join(folder, name)]);
}

describe("a volume of Kubernetes", () => {
  test("is read through ..data", () =>
    withFiles({}, (folder) => {
      addVersion(folder, "..2026_01", { A: "old", B: "old" });
      assert.deepEqual(read(folder), { A: "old", B: "old" });
      addVersion(folder, "..2026_02", { A: "new", B: "new" });
      assert.deepEqual(read(folder), { A: "new", B: "new" });
    }));

  test("shows one version whole, whatever its links say for a moment", () =>
    withFiles({}, (folder) => {
      addVersion(folder, "..2026_01", { A: "old", B: "old" });
      // ..data has been turned, and the links of the files are still those of before: B is gone, C has none yet.
      mkdirSync(join(folder, "..2026_02"));
      for (const name of ["A", "C"]) writeFileSync(join(folder, "..2026_02", name), "new");
      execFileSync("ln", ["-sfn", "..2026_02", join(folder, "..data")]);
      assert.deepEqual(read(folder), { A: "new", C: "new" });
    }));

  test("with a file mounted over it (subPath)", () =>
    withFiles({ EXTRA: "1" }, (folder) => {
      addVersion(folder, "..2026_01", { A: "old" });
      assert.deepEqual(read(folder), { A: "old", EXTRA: "1" });
    }));

  test("with links over it that do not lead into its versions", () =>
    withFiles({ above: "1" }, (folder) => {
      const volume = join(folder, "volume");
      mkdirSync(volume);
      addVersion(volume, "..2026_01", { A: "old" });
      mkdirSync(join(volume, "..data_of_another"));
      writeFileSync(join(volume, "..data_of_another", "file"), "2");
      symlinkSync("../above", join(volume, "ABOVE"));
      symlinkSync("..data_of_another/file", join(volume, "BESIDE"));
      assert.deepEqual(read(volume), { A: "old", ABOVE: "1", BESIDE: "2" });
    }));

  test("whose ..data leads nowhere is missing", () =>
    withFiles({ A: "1" }, (folder) => {
      symlinkSync("..2026_01", join(folder, "..data"));
      refuses(() => read(folder), "missing");
    }));

  for (const isKept of [true, false]) {
    test(`that is updated while it is read is read again: the old version ${isKept ? "stays" : "is removed"}`, () =>
      withFiles({}, (folder) => {
        addVersion(folder, "..2026_01", { A: "old", B: "old" });
        const { context } = makeContext();
        context.deadline.clear();
        let names = 0;
        const ref = {
          path: folder,
          raw: false,
          // It is asked for at each file: the update comes at the second.
          get upper() {
            names += 1;
            if (names !== 2) return false;
            addVersion(folder, "..2026_02", { A: "new", B: "new" });
            if (!isKept) rmSync(join(folder, "..2026_01"), { recursive: true });
            return false;
          },
        };
        const { variables } = readFolder(ref, context);
        assert.deepEqual(
          [...variables].map(([name, value]) => [name, value.reveal()]),
          [
            ["A", "new"],
            ["B", "new"],
          ],
        );
      }));
  }

  test("that changes for ever ends with the deadline", () =>
    withFiles({}, (folder) => {
      addVersion(folder, "..0", { A: "0" });
      let versions = 0;
      const { context } = makeContext({}, 30_000, () => 60_000 * versions);
      context.deadline.clear();
      const ref = {
        path: folder,
        raw: false,
        get upper() {
          versions += 1;
          addVersion(folder, `..${versions}`, { A: String(versions) });
          return false;
        },
      };
      refuses(() => readFolder(ref, context), "timeout", /deadline of 30 s$/);
      assert.equal(versions, 1);
    }));
});

test("what was read of a folder is wiped once it is read, also if it is no value", () => {
  for (const content of ["canary-61", "canary-61\0"]) {
    withFiles({ NAME: content }, (folder) => {
      const made: Buffer[] = [];
      const { concat } = Buffer;
      Buffer.concat = (parts, length) => {
        const joined = concat(parts, length);
        made.push(joined, ...(parts as Buffer[]));
        return joined;
      };
      try {
        read(folder);
      } catch {
        // It holds a NUL.
      } finally {
        Buffer.concat = concat;
      }
      assert.ok(made.length > 1);
      for (const buffer of made) assert.ok(!buffer.includes("canary"), "it is still there");
    });
  }
});

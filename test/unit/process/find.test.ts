import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { findProgram } from "../../../src/process/find.ts";
import { refuses } from "../refuses.ts";

describe("finding CMD", () => {
  let folder: string;
  const file = (...names: string[]) => join(folder, ...names);

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "sealexec-program-"));
    for (const name of ["first", "second", "second/tool-folder"]) mkdirSync(file(name));
    const write = (name: string, content: string | Buffer, mode: number) => {
      writeFileSync(file(name), content);
      chmodSync(file(name), mode);
    };
    write("first/plain", "#!/bin/sh\n", 0o644);
    write("second/plain", "#!/bin/sh\n", 0o755);
    write("first/only-plain", "#!/bin/sh\n", 0o644);
    write("second/tool", "#!/bin/sh\n", 0o755);
    write("second/spaced", "#! \t/bin/sh -e\n", 0o755);
    write("second/no-interpreter", "#!/no/such/interpreter\n", 0o755);
    write("second/crlf", "#!/bin/sh\r\n", 0o755);
    write("second/nothing-named", "#! \n", 0o755);
    write("second/text", "echo no head\n", 0o755);
    write("second/empty", "", 0o755);
    const elf = Buffer.alloc(64);
    elf.write("\u007fELF", "latin1");
    elf.writeUInt8(2, 4);
    elf.writeUInt8(1, 5);
    const built = (machine: number): Buffer => {
      elf.writeUInt16LE(machine, 18);
      return elf;
    };
    write("second/alien", built(0x1234), 0o755);
    // Cut right behind its machine, and one byte before that.
    write("second/shortest", built(process.arch === "arm64" ? 183 : 62).subarray(0, 20), 0o755);
    write("second/too-short", elf.subarray(0, 19), 0o755);
    // e_ident[EI_DATA] is ELFDATA2MSB: read by the other end, its machine would be this one's.
    elf.writeUInt8(2, 5);
    write("second/big-endian", elf, 0o755);
    elf.writeUInt8(1, 5);
    // elf.h: EM_386 and EM_ARM, which the kernels of x86-64 and arm64 run as well.
    write("second/of-32-bits", built(process.arch === "arm64" ? 40 : 3), 0o755);
    write("second/no-program", "#!/bin/sh\n", 0o644);
    write("second/plain-interpreter", `#!${file("second/no-program")}\n`, 0o755);
    symlinkSync(file("second/tool"), file("first/link"));
    symlinkSync(file("nowhere"), file("first/dangling"));
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  const path = () => `${file("none")}:${file("first")}:${file("second")}`;
  const find = (command: string, PATH: string | undefined = path()) => findProgram(command, { PATH });

  test("goes through PATH in its order, past what cannot be executed", () => {
    assert.equal(find("tool"), file("second/tool"));
    assert.equal(find("link"), file("first/link"));
    assert.equal(find("plain"), file("second/plain"));
    assert.equal(find("spaced"), file("second/spaced"));
  });
  test("an ELF file is looked at as far as its machine", () => {
    assert.equal(find("shortest"), file("second/shortest"));
  });
  test("a program of 32 bits is one, as the kernel runs it too", () => {
    assert.equal(find("of-32-bits"), file("second/of-32-bits"));
  });
  test("takes a word with a slash as a path, whatever PATH says", () => {
    assert.equal(find(file("second/tool"), ""), file("second/tool"));
    refuses(() => find("./no-such-file"), "not-found", /no such file/);
  });
  test("an empty entry of PATH is the current directory; without PATH the system's own counts", () => {
    refuses(() => find("tool", ""), "not-found", /not found in PATH/);
    const before = process.cwd();
    process.chdir(file("second"));
    try {
      assert.equal(find("tool", ""), "./tool");
      assert.equal(find("tool", `${file("none")}:`), "./tool");
      // And nothing else: what lies in the system's own folders is not looked for.
      refuses(() => find("sh", ""), "not-found", /not found in PATH/);
    } finally {
      process.chdir(before);
    }
    assert.match(findProgram("sh", {}), /^\/(usr\/)?bin\/sh$/);
  });
  for (const [command, kind, message, way] of [
    ["", "not-found", /^command: "": the command is empty$/, "name a program after --"],
    ["no-such-tool", "not-found", /: not found in PATH$/, "check the image's PATH and the command's name"],
    ["dangling", "not-found", /: not found in PATH$/, "check the image's PATH and the command's name"],
    [
      "only-plain",
      "cannot-execute",
      /: permission denied: not executable$/,
      "chmod +x FOLDER/first/only-plain",
    ],
    ["tool-folder", "cannot-execute", /: is a directory$/, "name a program"],
    [
      "no-interpreter",
      "cannot-execute",
      /: the interpreter of its #! line/,
      "install the interpreter in this image",
    ],
    [
      "plain-interpreter",
      "cannot-execute",
      /: the interpreter of its #! line cannot be executed$/,
      undefined,
    ],
    ["nothing-named", "cannot-execute", /: wrong format: its #! line names no/, "begin it with #!/bin/sh"],
    ["text", "cannot-execute", /: wrong format: neither ELF nor/, "begin a script with #!/bin/sh"],
    ["empty", "cannot-execute", /: wrong format: neither ELF nor/, "begin a script with #!/bin/sh"],
    ["too-short", "cannot-execute", /: wrong format: neither ELF nor/, "begin a script with #!/bin/sh"],
    ["alien", "cannot-execute", /: is built for another arch/, "use an image of this architecture"],
    ["big-endian", "cannot-execute", /: is built for another arch/, "use an image of this architecture"],
  ] as const) {
    test(`${JSON.stringify(command)}: ${kind}`, () => {
      const error = refuses(() => find(command), kind, message);
      const name = command === "" ? '""' : command;
      assert.ok(error.message.startsWith(`command: ${name}: `), error.message);
      assert.deepEqual([error.stage, error.target, error.located], ["command", name, true]);
      if (way !== undefined) assert.equal(error.hint, way.replace("FOLDER", folder));
    });
  }
  test("by a path: what is not there", () => {
    const path = file("second/none");
    const { message, hint } = refuses(() => find(path), "not-found");
    assert.equal(message, `command: ${path}: no such file`);
    assert.equal(hint, "check the path inside this image");
  });
  test("says what is wrong with CRLF behind #!", () => {
    const { hint } = refuses(() => find("crlf"), "cannot-execute", /interpreter/);
    assert.match(hint ?? "", /CRLF/);
  });
  test("a device is no program", () => {
    refuses(() => find("/dev/null"), "cannot-execute", /not a regular file/);
  });
});

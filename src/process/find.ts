/** Finding CMD as execvp(3) does, and finding out beforehand why it could not be executed. */
import { accessSync, constants, readdirSync, statSync } from "node:fs";
import type { Environment } from "../base/env.ts";
import { SealexecError } from "../base/errors.ts";
import { architecture } from "./image.ts";
import { readFirstBytes } from "../base/files/read.ts";

/** Where execvp(3) looks when PATH is not set (glibc's confstr(_CS_PATH)). */
const DEFAULT_PATH = "/bin:/usr/bin";

/** The file to execute for `command`. */
export function findProgram(command: string, env: Environment): string {
  if (command === "") throw refusal("not-found", '""', "the command is empty", "name a program after --");
  if (command.includes("/")) {
    if (checkProgram(command, command)) return command;
    throw refusal("not-found", command, "no such file", "check the path inside this image");
  }
  let found: SealexecError | undefined;
  for (const folder of (env["PATH"] ?? DEFAULT_PATH).split(":")) {
    // An empty entry is the current directory (environ(7)).
    const file = folder === "" ? `./${command}` : `${folder}/${command}`;
    try {
      if (checkProgram(file, command)) return file;
    } catch (error) {
      if (!(error instanceof SealexecError)) throw error;
      // execvp goes on looking, and reports "permission denied" only where nothing better came.
      if (error.kind === "cannot-execute") found ??= error;
    }
  }
  throw (
    found ??
    refusal("not-found", command, "not found in PATH", "check the image's PATH and the command's name")
  );
}

/** Whether there is such a file; one that is there and cannot be executed is refused. */
function checkProgram(file: string, command: string): boolean {
  let isFile: boolean;
  try {
    // Most folders of a PATH do not have it: an error made for each would cost more than the look.
    const stat = statSync(file, { throwIfNoEntry: false });
    if (stat === undefined) return false;
    if (stat.isDirectory()) throw refusal("cannot-execute", command, "is a directory", "name a program");
    isFile = stat.isFile();
  } catch (error) {
    if (error instanceof SealexecError) throw error;
    if ((error as { code?: unknown }).code === "EACCES") {
      throw refusal(
        "cannot-execute",
        command,
        "permission denied on the way to it",
        "check the modes of its folders",
      );
    }
    return false;
  }
  if (!isFile) throw refusal("cannot-execute", command, "is not a regular file", "name a program");
  try {
    accessSync(file, constants.X_OK);
  } catch {
    throw refusal("cannot-execute", command, "permission denied: not executable", `chmod +x ${file}`);
  }
  checkFormat(file, command);
  return true;
}

// ELF e_machine (elf.h) by the runtime's name of the architecture.
const MACHINES: Readonly<Record<string, number>> = {
  x64: 62,
  arm64: 183,
  ia32: 3,
  arm: 40,
  s390x: 22,
  ppc64: 21,
  riscv64: 243,
};
// 32-bit programs that a 64-bit kernel runs as well.
const ALSO_RUN: Readonly<Record<string, readonly number[]>> = { x64: [3], arm64: [40] };

function checkFormat(file: string, command: string): void {
  const head = readHead(file);
  // Execute permission without read permission is enough for the kernel; it cannot be looked at here.
  if (head === undefined) return;
  if (head.length >= 20 && head.subarray(0, 4).equals(ELF_MAGIC)) {
    const machine = head[5] === 2 ? head.readUInt16BE(18) : head.readUInt16LE(18);
    const mine = [MACHINES[architecture], ...(ALSO_RUN[architecture] ?? [])];
    if (mine.includes(machine) || hasOtherFormats()) return;
    throw refusal(
      "cannot-execute",
      command,
      "is built for another architecture",
      "use an image of this architecture",
    );
  }
  if (head.subarray(0, 2).toString("latin1") === "#!") return checkInterpreter(head, command);
  if (hasOtherFormats()) return;
  throw refusal(
    "cannot-execute",
    command,
    "wrong format: neither ELF nor a script with #!",
    "begin a script with #!/bin/sh",
  );
}

const ELF_MAGIC = Buffer.from([0x7f, 0x45, 0x4c, 0x46]);

function checkInterpreter(head: Buffer, command: string): void {
  const line = head.subarray(2).toString("latin1").split("\n")[0] ?? "";
  const interpreter = /^[ \t]*([^ \t\0]+)/.exec(line)?.[1];
  if (interpreter === undefined) {
    throw refusal(
      "cannot-execute",
      command,
      "wrong format: its #! line names no interpreter",
      "begin it with #!/bin/sh",
    );
  }
  try {
    accessSync(interpreter, constants.X_OK);
  } catch {
    const hint = line.endsWith("\r")
      ? "the script has CRLF line ends; save it with LF"
      : "install the interpreter in this image";
    throw refusal("cannot-execute", command, "the interpreter of its #! line cannot be executed", hint);
  }
}

const HEAD_BYTES = 256;

function readHead(file: string): Buffer | undefined {
  try {
    return readFirstBytes(file, HEAD_BYTES);
  } catch {
    return undefined;
  }
}

// binfmt_misc(5): the kernel may know more formats than its own two.
function hasOtherFormats(): boolean {
  try {
    return readdirSync("/proc/sys/fs/binfmt_misc").some((name) => name !== "register" && name !== "status");
  } catch {
    return false;
  }
}

function refusal(
  kind: "not-found" | "cannot-execute",
  command: string,
  what: string,
  hint: string,
): SealexecError {
  return new SealexecError(kind, `command: ${command}: ${what}`, {
    hint,
    stage: "command",
    target: command,
    located: true,
  });
}

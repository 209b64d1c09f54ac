/** Finding CMD as execvp(3) does, and finding out beforehand why it could not be executed. */
import { accessSync, constants, readdirSync, statSync } from "node:fs";
import type { Environment } from "../base/env.ts";
import { SealexecError, type ErrorKind } from "../base/errors.ts";
import { architecture } from "./image.ts";
import { readFirstBytes } from "../base/files/read.ts";

/** Where execvp(3) looks when PATH is not set (glibc's confstr(_CS_PATH)). */
const DEFAULT_PATH = "/bin:/usr/bin";

/** The file to execute for `command`. */
export function findProgram(command: string, env: Environment): string {
  if (command === "") throw refusal("not-found", '""', "the command is empty", "name a program after --");
  const isPath = command.includes("/");
  let unfit: Unfit | undefined;
  for (const file of isPath ? [command] : filesInPath(command, env["PATH"] ?? DEFAULT_PATH)) {
    const why = whyNot(file);
    if (why === undefined) return file;
    // execvp goes on looking, and reports "permission denied" only if nothing better comes.
    if (why !== "absent") unfit ??= why;
  }
  if (unfit !== undefined) throw refusal("cannot-execute", command, ...unfit);
  throw isPath
    ? refusal("not-found", command, "no such file", "check the path inside this image")
    : refusal("not-found", command, "not found in PATH", "check the image's PATH and the command's name");
}

/** An empty entry is the current directory (environ(7)). */
function filesInPath(command: string, path: string): string[] {
  return path.split(":").map((folder) => `${folder === "" ? "." : folder}/${command}`);
}

/** Why a file cannot be executed, and the way out. */
type Unfit = readonly [what: string, hint: string];

function whyNot(file: string): Unfit | "absent" | undefined {
  try {
    // Most folders of a PATH do not have it: an error made for each would cost more than the look.
    const stat = statSync(file, { throwIfNoEntry: false });
    if (stat === undefined) return "absent";
    if (stat.isDirectory()) return ["is a directory", "name a program"];
    if (!stat.isFile()) return ["is not a regular file", "name a program"];
  } catch (error) {
    if ((error as { code?: unknown }).code !== "EACCES") return "absent";
    return ["permission denied on the way to it", "check the modes of its folders"];
  }
  if (!isExecutable(file)) return ["permission denied: not executable", `chmod +x ${file}`];
  const head = readHead(file);
  // Execute permission without read permission is enough for the kernel; it cannot be looked at here.
  return head === undefined ? undefined : whyNotOfFormat(head);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

// ELF e_machine (elf.h) by the runtime's name of the architecture.
type Machines = Readonly<Record<string, number>>;
const MACHINES: Machines = { x64: 62, arm64: 183, ia32: 3, arm: 40, s390x: 22, ppc64: 21, riscv64: 243 };
// 32-bit programs that a 64-bit kernel runs as well.
const ALSO_RUN: Machines = { x64: 3, arm64: 40 };

const ELF_MAGIC = Buffer.from([0x7f, 0x45, 0x4c, 0x46]);

function whyNotOfFormat(head: Buffer): Unfit | undefined {
  if (head.length >= 20 && head.subarray(0, 4).equals(ELF_MAGIC)) {
    const machine = head[5] === 2 ? head.readUInt16BE(18) : head.readUInt16LE(18);
    const mine = [MACHINES[architecture], ALSO_RUN[architecture]];
    if (mine.includes(machine) || hasOtherFormats()) return undefined;
    return ["is built for another architecture", "use an image of this architecture"];
  }
  if (head.subarray(0, 2).toString("latin1") === "#!") return whyNotOfScript(head);
  if (hasOtherFormats()) return undefined;
  return ["wrong format: neither ELF nor a script with #!", "begin a script with #!/bin/sh"];
}

function whyNotOfScript(head: Buffer): Unfit | undefined {
  const line = head.subarray(2).toString("latin1").split("\n")[0] ?? "";
  const interpreter = /^[ \t]*([^ \t\0]+)/.exec(line)?.[1];
  if (interpreter === undefined)
    return ["wrong format: its #! line names no interpreter", "begin it with #!/bin/sh"];
  if (isExecutable(interpreter)) return undefined;
  const hint = line.endsWith("\r")
    ? "the script has CRLF line ends; save it with LF"
    : "install the interpreter in this image";
  return ["the interpreter of its #! line cannot be executed", hint];
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

function refusal(kind: ErrorKind, command: string, what: string, hint: string): SealexecError {
  const details = { hint, stage: "command", target: command, located: true };
  return new SealexecError(kind, `command: ${command}: ${what}`, details);
}

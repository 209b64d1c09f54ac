/** This process where it stands: what its children are started with, and its terminal. Asked for by `run --watch` alone. */
import { constants as FS, closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { isatty } from "node:tty";

export interface Here {
  /** what starts sealexec again: a file and the words before its own arguments */
  readonly self: readonly [file: string, ...words: string[]];
  /** the working directory, open, whatever becomes of its name; undefined: it cannot be opened */
  readonly folder: number | undefined;
  /** the flags (open(2)) of standard input, output and error: the runtime opens what was closed, and clears O_NONBLOCK for a child */
  readonly streamFlags: readonly number[];
}

/** To be called before the first child is started. */
export function takeHere(): Here {
  return { self: ownWords(), folder: openWorkingDirectory(), streamFlags: [0, 1, 2].map(flagsOf) };
}

/** By what the kernel executes: the file of this name may have been removed or upgraded since. */
function ownWords(): Here["self"] {
  const image = "/proc/self/exe";
  const file = existsSync(image) ? image : process.execPath;
  const script = process.versions["bun"] === undefined ? process.argv[1] : undefined;
  return script === undefined ? [file] : [file, script];
}

function openWorkingDirectory(): number | undefined {
  // open(2): without the right to read it.
  const O_PATH = 0o10_000_000;
  try {
    return openSync(".", O_PATH | FS.O_DIRECTORY);
  } catch {
    return undefined;
  }
}

function flagsOf(fd: number): number {
  try {
    const text = readFileSync(`/proc/self/fdinfo/${fd}`, "latin1");
    return Number.parseInt(/^flags:\t([0-7]+)$/m.exec(text)?.[1] ?? "0", 8);
  } catch {
    return 0;
  }
}

/** Whether this process has a controlling terminal now, and whether it leads its session (proc(5)). */
export function ownTerminal(): { readonly isThere: boolean; readonly isLeader: boolean } {
  try {
    const stat = readFileSync("/proc/self/stat", "latin1");
    // The name of the program, in brackets, may hold anything.
    const [, , , session, terminal] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { isThere: terminal !== "0", isLeader: stat.startsWith(`${session} `) };
  } catch {
    return { isThere: isatty(0), isLeader: false };
  }
}

// At its end the runtime gives each terminal of its streams the modes that it had at the start, also from the
// background: those that CMD has set on purpose would be lost, and those of another job in the foreground.
export function leaveTerminalAtExit(): void {
  process.on("exit", () => {
    for (const fd of [0, 1, 2]) {
      try {
        closeSync(fd);
      } catch {
        // It was closed.
      }
    }
  });
}

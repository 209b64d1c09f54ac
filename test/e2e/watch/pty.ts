/** A terminal that a test types at, and what the system knows of the processes on it (proc(5)). */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import type { Writable } from "node:stream";

export const KEYS = { interrupt: "\x03", quit: "\x1c", suspend: "\x1a", end: "\x04" } as const;

const LONGEST_MS = 120_000;

export class Pty {
  /** the exit status of the program that leads the session, 128 + n by signal n */
  readonly ended: Promise<number | null>;
  readonly #terminal: ChildProcess;
  #screen = "";
  #isOpen = true;

  /** @param terminal the program of test/probe/terminal.c */
  constructor(
    terminal: string,
    words: readonly string[],
    options: { readonly env: Readonly<Record<string, string>>; readonly cwd: string },
  ) {
    const env = { PATH: process.env["PATH"] ?? "/usr/bin:/bin", TERM: "dumb", ...options.env };
    this.#terminal = spawn(terminal, words, {
      env,
      cwd: options.cwd,
      stdio: ["pipe", "pipe", "inherit", "pipe"],
    });
    this.#terminal.stdout?.setEncoding("latin1").on("data", (text: string) => (this.#screen += text));
    for (const stream of [this.#terminal.stdin, this.#control]) stream?.on("error", () => undefined);
    // A test must not hang.
    const timer = setTimeout(() => this.#terminal.kill("SIGKILL"), LONGEST_MS);
    this.ended = new Promise((resolve, reject) => {
      this.#terminal.on("error", reject);
      this.#terminal.on("close", (status) => {
        clearTimeout(timer);
        this.#isOpen = false;
        resolve(status);
      });
    });
  }

  get #control(): Writable | undefined {
    return this.#terminal.stdio[3] as Writable | undefined;
  }

  /** All that the screen was sent. */
  get screen(): string {
    return this.#screen;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  type(keys: string): void {
    this.#terminal.stdin?.write(keys);
  }

  resize(rows: number, columns: number): void {
    this.#control?.write(`${rows} ${columns}\n`);
  }

  hangUp(): void {
    this.#terminal.stdin?.end();
  }

  /** The process that leads the session on it. */
  get leader(): number {
    const [leader] = childrenOf(this.#terminal.pid ?? 0);
    if (leader === undefined) throw new Error("nobody is on the terminal");
    return leader;
  }

  /** Hangs up, and ends whatever is left of these processes: behind a test that failed. */
  async close(left: readonly number[]): Promise<void> {
    if (this.#isOpen) this.hangUp();
    for (const pid of left) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It has ended.
      }
    }
    await this.ended;
  }
}

export interface Stat {
  readonly state: string;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  /** the number of its controlling terminal; 0: it has none */
  readonly terminal: number;
  /** the foreground process group of that terminal */
  readonly foreground: number;
}

/** proc_pid_stat(5); undefined: there is no such process. */
export function statOf(pid: number): Stat | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, "latin1");
  } catch {
    return undefined;
  }
  const [state = "", ...numbers] = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [parent = 0, group = 0, session = 0, terminal = 0, foreground = 0] = numbers.map(Number);
  return { state, parent, group, session, terminal, foreground };
}

/** Running or waiting; not a zombie, not stopped. */
export function isAlive(pid: number): boolean {
  return /^[RSD]$/.test(statOf(pid)?.state ?? "");
}

export function isStopped(pid: number): boolean {
  return statOf(pid)?.state === "T";
}

/** Not there, or waiting to be waited for. */
export function hasEnded(pid: number): boolean {
  return /^[ZX]?$/.test(statOf(pid)?.state ?? "");
}

export function childrenOf(pid: number): number[] {
  return allPids().filter((each) => statOf(each)?.parent === pid);
}

/** Processes, those of the dead left out, that have this argument or this entry in their environment. */
export function pidsOf(where: "cmdline" | "environ", entry: string): number[] {
  return allPids().filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/${where}`, "utf8").split("\0").includes(entry);
    } catch {
      return false;
    }
  });
}

function allPids(): number[] {
  return readdirSync("/proc").map(Number).filter(Number.isInteger);
}

/** What test/probe/witness.c has written down. */
export class Witness {
  readonly log: string;
  readonly #program: string;

  constructor(program: string, log: string) {
    this.#program = program;
    this.log = log;
  }

  get lines(): string[] {
    try {
      return readFileSync(this.log, "utf8").split("\n").slice(0, -1);
    } catch {
      return [];
    }
  }

  /** How often this line is there. */
  count(line: string): number {
    return this.lines.filter((each) => each === line).length;
  }

  /** It runs as a program of its own by now: the number of the process, as seen from here. */
  get pid(): number {
    const pids = pidsOf("cmdline", this.log).filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").startsWith(`${this.#program}\0`);
      } catch {
        return false;
      }
    });
    const pid = pids.find((each) => !pids.includes(statOf(each)?.parent ?? 0));
    if (pid === undefined) throw new Error("no witness");
    return pid;
  }
}

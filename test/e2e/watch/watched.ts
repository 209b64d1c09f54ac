/** `run --watch` as a process that a test sends signals to and looks into, as PID 1 and not. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { copyFileSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { startAws } from "../../aws/server.ts";
import type { Aws } from "../../aws/server.ts";
import { firstInNamespace, isRoot, skipReason } from "../exec/programs.ts";
import { putDirect, until, withFolder } from "../expect.ts";
import { ARTEFACTS, BUCKET, KEY, WAITING_LINE } from "../harness.ts";
import type { Artefact } from "../harness.ts";

export interface Place {
  readonly name: string;
  /** words before sealexec */
  readonly prefix: readonly string[];
  readonly skip: string | false;
}

const namespaces = isRoot ? skipReason({}, "unshare") : "needs root";

export const PLAIN: Place = { name: "a plain process", prefix: [], skip: false };
export const FIRST: Place = { name: "PID 1", prefix: firstInNamespace, skip: namespaces };
export const PLACES: readonly Place[] = [PLAIN, FIRST];

export interface End {
  readonly status: number | null;
  /** the signal that ended it */
  readonly by: NodeJS.Signals | null;
}

export interface Start {
  readonly place?: Place;
  /** the binary by default */
  readonly artefact?: Artefact;
  /** options of `run` behind --watch */
  readonly flags?: readonly string[];
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** words right before sealexec */
  readonly launch?: readonly string[];
  /** nobody reads its standard error any more */
  readonly closesStderr?: boolean;
}

/** A loopback AWS with an object that changes, a folder, and an end to everything that was started. */
export class Scene {
  readonly aws: Aws;
  readonly folder: string;
  readonly #started: Watched[] = [];
  #revision = 0;
  #uri: string;

  constructor(aws: Aws, folder: string) {
    this.aws = aws;
    this.folder = folder;
    this.#uri = this.change();
  }

  /** Puts another object where the first was: A counts up. */
  change(): string {
    this.#uri = putDirect(this.aws, "app.env", `A=${this.#revision}\n`);
    this.#revision += 1;
    return this.#uri;
  }

  /** the value of A in the object that is there now */
  get revision(): number {
    return this.#revision - 1;
  }

  /** A program of this test alone, which can be taken away. */
  copyCommand(file: string): string {
    const copy = `${this.folder}/mine`;
    copyFileSync(file, copy);
    return copy;
  }

  removeCommand(): void {
    rmSync(`${this.folder}/mine`);
  }

  start(how: Start): Watched {
    const { place = PLAIN, artefact = binary(), flags = [], command, env = {}, launch = [] } = how;
    const options = ["--every", "1h", "--from", this.#uri, "--accept", "kms-direct", ...flags];
    const words = [
      ...place.prefix,
      ...launch,
      ...artefact.command,
      "run",
      "--watch",
      ...options,
      "--",
      ...command,
    ];
    const mark = `TEST_MARK=${process.pid}-${(started += 1)}`;
    const [name = "", value = ""] = mark.split("=");
    const child = spawn(words[0] ?? "", words.slice(1), {
      env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin", ...this.aws.keyEnv(), [name]: value, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      // In a session of its own, so that it is on no terminal: terminal.test.ts has what is otherwise there.
      detached: true,
    });
    const watched = new Watched(child, mark, place.prefix.length > 0, how.closesStderr === true);
    this.#started.push(watched);
    return watched;
  }

  /** Whatever is left is killed. */
  async close(): Promise<void> {
    for (const { mark } of this.#started) {
      for (const pid of processesWith(mark)) kill(pid, "SIGKILL");
    }
    await Promise.all(this.#started.map(({ ended }) => ended));
  }
}

let started = 0;

/** For the time of one test. */
export async function withScene<T>(work: (scene: Scene) => Promise<T>): Promise<T> {
  return withFolder(async (folder) => {
    const aws = await startAws();
    aws.s3.createBucket(BUCKET);
    aws.kms.createKey({ alias: KEY.replace("alias/", "") });
    const scene = new Scene(aws, folder);
    try {
      return await work(scene);
    } finally {
      await scene.close();
      await aws.close();
    }
  });
}

export class Watched {
  /** an entry of its environment that no other process has, but those that it starts */
  readonly mark: string;
  /** and all that it and those whom it started have written was read */
  readonly ended: Promise<End>;
  /** whatever it has left behind */
  readonly exited: Promise<void>;
  readonly #process: ChildProcess;
  readonly #isInside: boolean;
  #stdout = "";
  #stderr = "";
  #hasEnded = false;

  constructor(child: ChildProcess, mark: string, isInside: boolean, closesStderr: boolean) {
    this.mark = mark;
    this.#process = child;
    this.#isInside = isInside;
    child.stdout?.setEncoding("utf8").on("data", (text: string) => (this.#stdout += text));
    if (closesStderr) child.stderr?.destroy();
    else child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.#stderr += text));
    this.ended = new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (status, by) => resolve({ status, by }));
    });
    this.exited = new Promise((resolve) => {
      child.once("exit", () => {
        this.#hasEnded = true;
        resolve();
      });
    });
  }

  /** sealexec, as it is numbered here */
  get pid(): number {
    const pid = this.#process.pid ?? 0;
    if (!this.#isInside) return pid;
    // The process that `unshare --fork` waits for.
    return childrenOf(pid)[0] ?? 0;
  }

  get stdout(): string {
    return this.#stdout;
  }

  /** without the lines that say what is waited for: on a busy machine they may come in any test */
  get stderr(): string {
    return this.#stderr.replaceAll(WAITING_LINE, "");
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** its children, as they are numbered here, zombies among them */
  get children(): readonly number[] {
    return childrenOf(this.pid);
  }

  /** the first of them */
  get child(): number {
    const [child] = this.children;
    // kill(2): 0 would be the test's own group.
    if (child === undefined) throw new Error("it has no child");
    return child;
  }

  signal(signal: NodeJS.Signals | number): void {
    const { pid } = this;
    if (pid <= 1) throw new Error("it does not run");
    process.kill(pid, signal);
  }
}

function binary(): Artefact {
  const [first] = ARTEFACTS;
  if (first === undefined) throw new Error("no artefact");
  return first;
}

/** proc(5): the children of a process, in the order in which they were started. */
export function childrenOf(pid: number): number[] {
  const text = readProc(`${pid}/task/${pid}/children`).trim();
  return text === "" ? [] : text.split(" ").map(Number);
}

/** The letter by which proc(5) tells what a process does: R, S, T (stopped), Z (zombie); "" where there is none. */
export function stateOf(pid: number): string {
  return /^State:\t(\S)/m.exec(readProc(`${pid}/status`))?.[1] ?? "";
}

/** Its words, with spaces between; "" where there is none. */
export function commandOf(pid: number): string {
  return readProc(`${pid}/cmdline`).replace(/\0$/, "").replaceAll("\0", " ");
}

/** All processes that have this entry in their environment. Zombies have none. */
export function processesWith(mark: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && `\0${readProc(`${name}/environ`)}`.includes(`\0${mark}\0`))
    .map(Number);
}

function readProc(file: string): string {
  try {
    return readFileSync(`/proc/${file}`, "latin1");
  } catch {
    return "";
  }
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}

/** What a recorder has written (test/probe/recorder.c). */
export class Recording {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  get lines(): readonly string[] {
    try {
      return readFileSync(this.#file, "latin1").split("\n").slice(0, -1);
    } catch {
      return [];
    }
  }

  /** The signals, each as `NUMBER SENDER`. */
  get signals(): readonly string[] {
    return this.lines.filter((line) => /^\d/.test(line));
  }

  /** How often it has written a line that begins with this word. */
  count(word: string): number {
    return this.lines.filter((line) => line.startsWith(`${word} `)).length;
  }

  async has(word: string, times = 1): Promise<void> {
    try {
      await until(() => this.count(word) >= times);
    } catch {
      throw new Error(`never ${times} times "${word}": ${this.lines.join(", ")}`);
    }
  }
}

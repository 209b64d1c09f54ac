/** CMD as it is watched: never two at once, replaced as a whole, and its end passed on. */
import { SealexecError } from "../errors.ts";
import { signalsIgnoredAtStart, isOwnSignal } from "../signals.ts";
import type { Program } from "../exec/replace.ts";
import type { ProcessImage } from "../exec/image.ts";
import { startChild } from "./child.ts";
import type { Child, SignalName } from "./child.ts";
import { listenToSignals } from "./forward.ts";
import { loadChildLibc } from "./libc.ts";
import type { ChildLibc } from "./libc.ts";
import { reapOrphans } from "./orphans.ts";
import { Terminal } from "./terminal.ts";

/** Signals by which a program is asked to end: while there is none, they end us. */
const ENDING: Readonly<Partial<Record<SignalName, number>>> = { SIGINT: 2, SIGQUIT: 3, SIGTERM: 15 };

export interface Supervision {
  /** how long CMD has to end by itself, milliseconds */
  readonly graceMs: number;
  /** called where CMD ended by itself: how long to wait before it is started again. Absent: it is not */
  readonly restartAfter?: (status: number, livedMs: number) => number;
  /** a SIGHUP that is for us */
  readonly onHangup: () => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly image: ProcessImage;
}

export class Supervised {
  /** resolves with the exit status to end with, when CMD has ended for good; rejects where it cannot be started */
  readonly finished: Promise<number>;
  readonly #how: Supervision;
  readonly #libc: ChildLibc | undefined = loadChildLibc();
  readonly #terminal: Terminal | undefined;
  #finish: (status: number) => void = () => undefined;
  #fail: (error: SealexecError) => void = () => undefined;
  #child: Child | undefined;
  /** kept only where it may have to be started again: what is secret is in it */
  #program: Program | undefined;
  #startedAt = 0;
  /** a stop of our own is under way */
  #isStopping = false;
  /** somebody has asked CMD to end: it is not started again */
  #isEnding = false;
  /** when that was by SIGTERM */
  #termAt = -Infinity;
  #backoff: NodeJS.Timeout | undefined;

  constructor(how: Supervision) {
    this.#how = how;
    this.#terminal = this.#libc === undefined ? undefined : new Terminal(this.#libc);
    this.finished = new Promise((resolve, reject) => {
      this.#finish = resolve;
      this.#fail = reject;
    });
    const ignored = signalsIgnoredAtStart();
    const listeners = {
      onForwarded: (name: SignalName) => this.#forward(name),
      onHangup: () => (this.#terminal?.isGone === true ? this.#forward("SIGHUP") : how.onHangup()),
      onContinue: () => this.#continue(),
      onChild: () => this.#onChild(),
    };
    listenToSignals(listeners, ignored, isOwnSignal, this.#libc);
  }

  get isRunning(): boolean {
    return this.#child?.isRunning === true;
  }

  /** Starts CMD for the first time. */
  start(program: Program): void {
    this.#startNow(program);
  }

  /** Ends CMD and starts the other in its place; nothing, where CMD ends for good meanwhile. */
  async replace(program: Program): Promise<void> {
    const status = await this.#stop();
    if (this.#isEnding) this.#finish(status);
    else this.#startNow(program);
  }

  /** Ends CMD, and with it the watch. */
  async end(status: number): Promise<void> {
    const own = await this.#stop();
    this.#finish(this.#isEnding ? own : status);
  }

  signal(name: SignalName): void {
    this.#child?.signal(name);
  }

  /** Gives memory back that the start needed. */
  dropCode(): void {
    this.#libc?.dropCode();
  }

  /** @returns the status by which CMD ended, 0 where there was none */
  async #stop(): Promise<number> {
    clearTimeout(this.#backoff);
    const child = this.#child;
    if (child === undefined) return 0;
    this.#isStopping = true;
    // One that was forwarded before, and that CMD has outlived, was not meant for this; of a SIGTERM that has just come,
    // nobody can tell.
    this.#isEnding = this.#isEnding && performance.now() - this.#termAt < this.#how.graceMs;
    const status = await child.stop(this.#how.graceMs);
    this.#isStopping = false;
    return status;
  }

  #startNow(program: Program): void {
    if (this.isRunning) throw new Error("one program too many");
    if (this.#how.restartAfter !== undefined) this.#program = program;
    const { image, env } = this.#how;
    const child = startChild({
      program: { ...program, ignored: signalsIgnoredAtStart() },
      self: selfOf(),
      env,
      inheritedFds: image.inheritedFds,
      foreground: this.#terminal?.isToHandOver ?? false,
      ownGroup: this.#libc !== undefined,
    });
    if (child === undefined) return this.#fail(cannotStart(program.file));
    this.#child = child;
    this.#startedAt = performance.now();
    void child.ended.then((status) => this.#onEnd(child, status));
  }

  #onEnd(child: Child, status: number): void {
    this.#terminal?.takeBack(child);
    this.#onChild();
    if (this.#isStopping) return;
    const livedMs = performance.now() - this.#startedAt;
    const program = this.#program;
    if (program === undefined || this.#how.restartAfter === undefined || this.#isEnding)
      return this.#finish(status);
    this.#backoff = setTimeout(() => this.#startNow(program), this.#how.restartAfter(status, livedMs));
  }

  #onChild(): void {
    const child = this.#child;
    if (this.#libc === undefined) return;
    if (process.pid === 1) reapOrphans(this.#libc, (pid) => pid === child?.pid && child.isRunning);
    if (child?.isRunning === true) this.#terminal?.followStops(child);
  }

  #continue(): void {
    if (this.#child === undefined) return;
    if (this.#terminal === undefined) this.#child.signalGroup("SIGCONT");
    else this.#terminal.continue(this.#child);
  }

  #forward(name: SignalName): void {
    const number = ENDING[name];
    if (this.isRunning) {
      if (number !== undefined) this.#isEnding = true;
      if (name === "SIGTERM") this.#termAt = performance.now();
      this.#child?.signal(name);
    } else if (number !== undefined) {
      clearTimeout(this.#backoff);
      this.#finish(128 + number);
    }
  }
}

function cannotStart(file: string): SealexecError {
  return new SealexecError("cannot-execute", `command: ${file}: no process can be started for it`, {
    hint: "look at the limits of processes and memory (ulimit -u, pids.max, memory.max)",
    located: true,
  });
}

/** What starts sealexec again: the binary by itself, the npm package by the runtime. */
function selfOf(): readonly [string, ...string[]] {
  const script = process.versions["bun"] === undefined ? process.argv[1] : undefined;
  return script === undefined ? [process.execPath] : [process.execPath, script];
}

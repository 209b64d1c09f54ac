/** CMD as it is watched: never two at once, replaced as a whole, and its end passed on. */
import { constants as FS, openSync, readlinkSync } from "node:fs";
import { constants } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { SealexecError } from "../../base/errors.ts";
import { signalsIgnoredAtStart, isOwnSignal } from "../../base/signals.ts";
import type { Program } from "../replace.ts";
import type { ProcessImage } from "../image.ts";
import { startChild } from "./child.ts";
import type { Child, SignalName } from "./child.ts";
import { listenToSignals } from "./forward.ts";
import { loadChildLibc } from "./libc.ts";
import type { ChildLibc } from "./libc.ts";
import { OTHER_VERSION } from "./outcome.ts";
import { reapOrphans } from "./orphans.ts";
import { takeStreamStates } from "./streams.ts";
import { Terminal } from "./terminal.ts";

const { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGTTIN, SIGWINCH } = constants.signals;
/** Signals by which a program is asked to end: while there is none, they end us. */
const ENDING: readonly number[] = [SIGINT, SIGQUIT, SIGTERM];
/** Those that a terminal sends to all of its foreground group. */
const FROM_TERMINAL: readonly number[] = [SIGINT, SIGQUIT, SIGTSTP, SIGWINCH];
/** Of a program that was ended by the keys for SIGINT and SIGQUIT. */
const ENDED_BY_KEY: readonly number[] = [128 + SIGINT, 128 + SIGQUIT];

export interface Supervision {
  /** how long CMD has to end by itself, milliseconds */
  readonly graceMs: number;
  /** called where CMD ended by itself: how long to wait before it is started again; undefined: it is not */
  readonly restartAfter: (status: number, livedMs: number) => number | undefined;
  /** called where CMD cannot be started again: how long to wait before the next attempt; the first is number 1 */
  readonly retryAfter: (error: SealexecError, attempts: number) => number;
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
  readonly #streams = takeStreamStates();
  readonly #folder = openWorkingDirectory();
  #finish: (status: number) => void = () => undefined;
  #fail: (error: SealexecError) => void = () => undefined;
  #child: Child | undefined;
  /** the newest; where it is never started again, its maker has wiped what is secret in it */
  #program: Program | undefined;
  /** what the child was started as */
  #running: Program | undefined;
  #restarted: Promise<void> = Promise.resolve();
  #hasFinished = false;
  #startedAt = 0;
  #hasHungUp = false;
  /** a stop of our own is under way */
  #isStopping = false;
  /** somebody has asked CMD to end: until then (performance.now()) it is not started again */
  #endingUntil = 0;
  #backoff: NodeJS.Timeout | undefined;

  constructor(how: Supervision) {
    this.#how = how;
    this.#terminal = this.#libc === undefined ? undefined : new Terminal(this.#libc);
    this.finished = new Promise((resolve, reject) => {
      this.#finish = (status) => {
        this.#hasFinished = true;
        resolve(status);
      };
      this.#fail = reject;
    });
    const ignored = signalsIgnoredAtStart();
    const listeners = {
      onForwarded: (number: number) => this.#forward(number),
      onHangup: () => (this.#meansEnd(ignored) ? this.#hangUp() : how.onHangup()),
      onContinue: () => this.#continue(),
      onChild: () => this.#onChild(),
    };
    listenToSignals(listeners, ignored, isOwnSignal, this.#libc, this.#terminal?.isThere ?? false);
  }

  get isRunning(): boolean {
    return this.#child?.isRunning === true;
  }

  /** Starts CMD for the first time. */
  start(program: Program): void {
    this.#program = program;
    void this.#startFirst();
    // Of those who ended before we listened nobody tells any more.
    this.#onChild();
  }

  /** Ends CMD and starts the other in its place; nothing, where CMD ends for good meanwhile. */
  replace(program: Program): Promise<void> {
    this.#program = program;
    return this.#restart();
  }

  /** Ends CMD, and with it the watch. */
  async end(status: number): Promise<void> {
    if (await this.#endsByItself()) return;
    const own = await this.#stop();
    this.#finish(this.#isEnding ? own : status);
  }

  /** @param program what CMD is started as where it ends by itself from now on */
  signal(name: SignalName, program: Program): void {
    this.#program = program;
    this.#child?.signal(name);
  }

  /** Gives memory back that the start needed. */
  dropCode(): void {
    this.#libc?.dropCode();
  }

  get #isEnding(): boolean {
    return performance.now() < this.#endingUntil;
  }

  /** Where somebody has asked CMD to end: it is given its time, and nobody else stops it. @returns whether it did end */
  async #endsByItself(): Promise<boolean> {
    while (this.isRunning && this.#isEnding) {
      const restMs = this.#endingUntil - performance.now();
      // An INT may be followed by a TERM meanwhile.
      await Promise.race([this.#child?.ended, ...(restMs === Infinity ? [] : [sleep(restMs)])]);
    }
    return this.#hasFinished;
  }

  /** One after the other: a change may come as CMD is started again by itself. */
  #restart(): Promise<void> {
    const program = this.#program;
    this.#restarted = this.#restarted.then(() => this.#restartNow(program));
    return this.#restarted;
  }

  async #restartNow(program: Program | undefined): Promise<void> {
    if (await this.#endsByItself()) return;
    if (this.isRunning && this.#running === program) return;
    const status = await this.#stop();
    if (this.#isEnding) this.#finish(status);
    else await this.#startAgain();
  }

  /** @returns the status by which CMD ended, 0 where there was none */
  async #stop(): Promise<number> {
    clearTimeout(this.#backoff);
    const child = this.#child;
    if (child === undefined) return 0;
    this.#isStopping = true;
    const status = await child.stop(this.#how.graceMs);
    this.#isStopping = false;
    return status;
  }

  /** @returns when it was executed; or why there is none now */
  async #startNow(): Promise<SealexecError | undefined> {
    if (this.#hasFinished) return undefined;
    if (this.#program === undefined || this.isRunning) throw new Error("no program, or one too many");
    const { image, env } = this.#how;
    const foreground = this.#terminal?.lendAtStart() ?? null;
    const child = startChild({
      program: { ...this.#program, ignored: signalsIgnoredAtStart(), streams: this.#streams },
      self: selfOf(),
      env,
      inheritedFds: image.inheritedFds,
      folder: this.#folder,
      foreground,
      ownGroup: this.#libc !== undefined,
    });
    if (child instanceof SealexecError) {
      this.#terminal?.takeBack(false);
      return child;
    }
    this.#child = child;
    this.#running = this.#program;
    this.#terminal?.lentTo(child);
    this.#startedAt = performance.now();
    void child.ended.then(async (status) => this.#onEnd(status, (await child.began) === undefined));
    return child.began;
  }

  async #startFirst(): Promise<void> {
    const error = await this.#startNow();
    if (error !== undefined && !this.#isEnding) this.#fail(error);
  }

  /** Later there was a CMD, and there may be room for one again. What it is started with is wiped when this is over. */
  async #startAgain(): Promise<void> {
    for (let attempts = 1; ; attempts += 1) {
      const error = await this.#startNow();
      if (error === undefined || this.#isEnding) return;
      if (error.code === OTHER_VERSION) return this.#fail(error);
      await sleep(this.#how.retryAfter(error, attempts));
    }
  }

  #onEnd(status: number, hasBegun: boolean): void {
    // Whoever has the terminal is told of a key and of its end, and we may not be.
    if (this.#terminal?.isLent === true && ENDED_BY_KEY.includes(status)) this.#endingUntil = Infinity;
    if (status === 128 + SIGHUP && this.#terminal?.isGone === true) this.#endingUntil = Infinity;
    this.#terminal?.takeBack(this.#isStopping || status > 128);
    this.#onChild();
    if (this.#isStopping) return;
    // What was never CMD has not ended as CMD: whoever started it knows what to do.
    if (!hasBegun && !this.#isEnding) return;
    const livedMs = performance.now() - this.#startedAt;
    const waitMs = this.#isEnding ? undefined : this.#how.restartAfter(status, livedMs);
    if (waitMs === undefined) return this.#finish(status);
    // It holds the ports and files that the next one needs.
    void this.#child?.endRest(this.#how.graceMs);
    this.#backoff = setTimeout(() => void this.#restart(), waitMs);
  }

  #onChild(): void {
    const child = this.#child;
    if (this.#libc === undefined) return;
    if (process.pid === 1) reapOrphans(this.#libc, (pid) => pid === child?.pid && child.isRunning);
    if (child?.isRunning === true) this.#terminal?.followStops(child);
  }

  #continue(): void {
    if (this.#child?.isRunning !== true) return;
    if (this.#terminal === undefined) this.#child.signalGroup("SIGCONT");
    else this.#terminal.continue(this.#child);
  }

  #forward(number: number): void {
    const ends = ENDING.includes(number);
    if (ends) this.#askedToEnd(number);
    if (this.isRunning) {
      if (number === SIGTTIN && this.#terminal?.share() === true) return;
      if (ends) this.#terminal?.askedToEnd();
      if (FROM_TERMINAL.includes(number) && this.#terminal?.isOurs === true) this.#child?.signalGroup(number);
      else this.#child?.signal(number);
    } else if (ends && !this.#isStopping) this.#giveUp(number);
    else if (number === SIGTSTP) this.#terminal?.stop();
  }

  /** A signal that ends, while there is no CMD: none is started again. */
  #giveUp(number: number): void {
    this.#endingUntil = Infinity;
    clearTimeout(this.#backoff);
    this.#finish(128 + number);
  }

  /** Once the terminal has gone, and nobody has said that this is nothing to us (nohup). Who outlives it is followed on. */
  #meansEnd(ignored: readonly number[]): boolean {
    if (ignored.includes(SIGHUP) || this.#terminal?.isGone !== true) return false;
    return !this.#hasHungUp || this.#isEnding;
  }

  /** The terminal has gone: all of a job are told. */
  #hangUp(): void {
    this.#hasHungUp = true;
    if (!this.isRunning) return this.#giveUp(SIGHUP);
    this.#askedToEnd(SIGHUP);
    // The leader of a session is told alone, and when it ends, the kernel tells the others.
    if (this.#libc?.sessionOf(0) === process.pid) this.#child?.signal("SIGHUP");
    else this.#child?.signalGroup("SIGHUP");
  }

  /** TERM is meant as such. A program may make something else of HUP, INT and QUIT: one that outlives them goes on. */
  #askedToEnd(number: number): void {
    const isFinal = number === SIGTERM || this.#isStopping;
    const untilMs = isFinal ? Infinity : performance.now() + this.#how.graceMs;
    this.#endingUntil = Math.max(this.#endingUntil, untilMs);
  }
}

/**
 * What starts sealexec again: the binary by itself, the npm package by the runtime. By what the kernel executes, as the file of this
 * name may have been removed or upgraded since (proc(5)).
 */
function selfOf(): readonly [string, ...string[]] {
  const script = process.versions["bun"] === undefined ? process.argv[1] : undefined;
  const file = isLink(OWN_IMAGE) ? OWN_IMAGE : process.execPath;
  return script === undefined ? [file] : [file, script];
}

const OWN_IMAGE = "/proc/self/exe";

function isLink(path: string): boolean {
  try {
    readlinkSync(path);
    return true;
  } catch {
    return false;
  }
}

/** open(2): for fchdir(2) and nothing else, and so without the right to read it. */
const O_PATH = 0o10_000_000;

/** CMD is to run in it again, whatever becomes of its name. */
function openWorkingDirectory(): number | undefined {
  try {
    return openSync(".", O_PATH | FS.O_DIRECTORY);
  } catch {
    return undefined;
  }
}

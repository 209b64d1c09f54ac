/** CMD as it is watched: one life after the other and never two at once, replaced as a whole, and its end passed on. */
import { constants } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { SealexecError } from "../../base/errors.ts";
import { signalsIgnoredAtStart } from "../../base/signals.ts";
import { leaveTerminalAtExit, ownTerminal, takeHere } from "../here.ts";
import type { ProcessImage } from "../image.ts";
import type { Program } from "../replace.ts";
import { Child, startChild } from "./child.ts";
import type { Setting } from "./child.ts";
import { Leftovers } from "./leftovers.ts";
import { loadChildLibc } from "./libc.ts";
import { OTHER_VERSION } from "./plan.ts";
import { listenToSignals } from "./signals.ts";

const { SIGHUP, SIGINT, SIGQUIT, SIGTERM } = constants.signals;
const OF_KEYS: readonly number[] = [SIGINT, SIGQUIT];
/** Signals by which a program is asked to end: while there is none, they end us. */
const ENDING: readonly number[] = [...OF_KEYS, SIGTERM];

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
  readonly #finish: (status: number) => void;
  readonly #fail: (error: unknown) => void;
  readonly #how: Supervision;
  readonly #setting: Setting;
  readonly #leftovers: Leftovers | undefined;
  readonly #onTerminal = ownTerminal().isThere;
  #child: Child | undefined;
  /** the newest; where it is never started again, its maker has wiped what is secret in it */
  #program: Program | undefined;
  /** CMD is to be stopped, see #give */
  #order: { readonly status: number | undefined; readonly done: () => void } | undefined;
  /** ends a wait before its time */
  #wake: () => void = () => undefined;
  /** performance.now() when the grace of an order is over that is being carried out */
  #graceEndsAt: number | undefined;
  /** performance.now() until when CMD is not started again, as somebody has asked it to end */
  #endingUntil = 0;
  #hasHungUp = false;

  constructor(how: Supervision) {
    this.#how = how;
    const [libc, ignored] = [loadChildLibc(), signalsIgnoredAtStart()];
    this.#leftovers = libc && new Leftovers(libc);
    const same = { env: how.env, fds: how.image.inheritedFds, ignored, ownGroup: !this.#onTerminal, libc };
    this.#setting = { ...takeHere(), ...same };
    ({ promise: this.finished, resolve: this.#finish, reject: this.#fail } = Promise.withResolvers<number>());
    listenToSignals({
      onSignal: (number) => this.#onSignal(number),
      onHangup: () => this.#onHangup(),
      onChild: () => void this.#leftovers?.reap(),
      onTerminal: this.#onTerminal,
      ignored,
      libc,
    });
    leaveTerminalAtExit();
  }

  /** Starts CMD for the first time. */
  start(program: Program): void {
    this.#program = program;
    this.#live().then(this.#finish, this.#fail);
    // Of those who ended before we listened nobody tells any more.
    this.#leftovers?.reap();
  }

  /** Ends CMD and starts the other in its place. Resolves when that runs; never, where CMD ends for good meanwhile. */
  replace(program: Program): Promise<void> {
    this.#program = program;
    return this.#give(undefined);
  }

  /** Ends CMD, and with it the watch. */
  async end(status: number): Promise<void> {
    if (this.#isRunning) await this.#give(status);
    else this.#finish(status);
  }

  /** @param program what CMD is started as where it ends by itself from now on */
  signal(name: NodeJS.Signals, program: Program): void {
    this.#program = program;
    this.#child?.signal(constants.signals[name]);
  }

  /** @param status to end with; undefined: CMD is started anew */
  #give(status: number | undefined): Promise<void> {
    const done = new Promise<void>((resolve) => (this.#order = { status, done: resolve }));
    this.#wake();
    return done;
  }

  get #isRunning(): boolean {
    return this.#child?.isRunning === true;
  }

  get #isEnding(): boolean {
    return performance.now() < this.#endingUntil;
  }

  /** @returns the status to end with */
  async #live(): Promise<number> {
    for (let isFirst = true; ; isFirst = false) {
      const child = await this.#begin(isFirst);
      const status = await this.#untilEnd(child);
      if (this.#isEnding) return status;
      const order = this.#order;
      const now = performance.now();
      const waitMs = order === undefined ? this.#how.restartAfter(status, now - child.startedAt) : 0;
      if (waitMs === undefined) return status;
      // What CMD has left behind holds the ports and files that the next one needs.
      const killAt = this.#graceEndsAt ?? now + this.#how.graceMs;
      await Promise.all([this.#leftovers?.end(killAt), this.#pause(waitMs)]);
      this.#graceEndsAt = undefined;
      if (this.#isEnding) return status;
      if (order?.status !== undefined) return order.status;
    }
  }

  /** Starts CMD. Later there was one, and there may be room for one again: it is tried until it runs. */
  async #begin(isFirst: boolean): Promise<Child> {
    for (let attempts = 1; ; attempts += 1) {
      if (this.#program === undefined || this.#isRunning) throw new Error("no program, or one too many");
      const order = this.#order;
      const child = startChild(this.#program, this.#setting);
      const error = child instanceof Child ? await (this.#child = child).began : child;
      if (child instanceof Child && (error === undefined || this.#isEnding)) {
        // It was started as the newest that there was by then.
        if (this.#order === order) this.#order = undefined;
        order?.done();
        return child;
      }
      if (isFirst || error?.code === OTHER_VERSION) throw error;
      if (error !== undefined) await this.#pause(this.#how.retryAfter(error, attempts));
    }
  }

  /** Waits until it has ended, by itself or as ordered. @returns its status */
  async #untilEnd(child: Child): Promise<number> {
    while (child.isRunning) {
      if (this.#order === undefined) {
        await Promise.race([child.ended, this.#untilWoken()]);
      } else if (this.#isEnding) {
        // Who was asked to end is given its time, and nobody else stops it. An INT may be followed by a TERM meanwhile.
        const restMs = this.#endingUntil - performance.now();
        await Promise.race([child.ended, ...(restMs === Infinity ? [] : [sleep(restMs)])]);
      } else {
        this.#graceEndsAt = performance.now() + this.#how.graceMs;
        await child.stop(this.#how.graceMs);
      }
    }
    return child.ended;
  }

  /** Waits so long, or until an order comes. */
  async #pause(ms: number): Promise<void> {
    await Promise.race([sleep(ms), this.#untilWoken()]);
  }

  #untilWoken(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve));
  }

  #onSignal(number: number): void {
    const ends = ENDING.includes(number);
    if (ends) this.#askedToEnd(number);
    if (!this.#isRunning && ends && this.#graceEndsAt === undefined) this.#giveUp(number);
    // To CMD that was sent already.
    else if (!this.#onTerminal || !OF_KEYS.includes(number)) this.#child?.signal(number);
  }

  /** TERM is meant as such. A program may make something else of HUP, INT and QUIT: one that outlives them goes on. */
  #askedToEnd(number: number): void {
    const isFinal = number === SIGTERM || this.#graceEndsAt !== undefined;
    const untilMs = isFinal ? Infinity : performance.now() + this.#how.graceMs;
    this.#endingUntil = Math.max(this.#endingUntil, untilMs);
  }

  /** A signal that ends, while there is no CMD: none is started again. */
  #giveUp(number: number): void {
    this.#endingUntil = Infinity;
    this.#finish(128 + number);
  }

  #onHangup(): void {
    const isMeant = this.#onTerminal && !this.#hasHungUp && !this.#setting.ignored.includes(SIGHUP);
    if (!isMeant || ownTerminal().isThere) return this.#how.onHangup();
    // The terminal has gone, which is told once; by nohup that would be nothing to us.
    this.#hasHungUp = true;
    if (!this.#isRunning) return this.#giveUp(SIGHUP);
    this.#askedToEnd(SIGHUP);
    // The leader of a session is told alone, and when it ends, the kernel tells the others.
    if (ownTerminal().isLeader) this.#child?.signal(SIGHUP);
  }
}

/** What wakes the one that watches: the time, a SIGHUP, and changes that the system tells of. */
import { watch, type FSWatcher } from "node:fs";
import { waitBeforeLook } from "./schedule.ts";

/** What is to be looked at: all sources, or those on this machine. */
export type Range = "all" | "local";

/** A file is seldom changed by one call: so long after the last of them it is looked at. */
const QUIET_MS = 200;
/** And so long after the first at the latest: where others write all the time it is never quiet. */
const LATEST_MS = 1_000;

export class Alarm {
  readonly #everyMs: number;
  readonly #watchers: FSWatcher[];
  #rung: Range | undefined;
  #wake: (() => void) | undefined;
  #quiet: NodeJS.Timeout | undefined;
  /** when the first change came that was not looked at (performance.now()) */
  #changedAt: number | undefined;

  /** @param folders in which a change is seen at once, if the system tells of it (inotify(7)) */
  constructor(everyMs: number, folders: readonly string[]) {
    this.#everyMs = everyMs;
    this.#watchers = [...new Set(folders)].flatMap((folder) => this.#watch(folder));
  }

  /** Looks now. One that is rung during a look leads to another behind it. */
  ring(range: Range): void {
    if (this.#rung !== "all") this.#rung = range;
    this.#wake?.();
  }

  /** Resolves when it is time to look. */
  async next(): Promise<Range> {
    if (this.#rung === undefined) await this.#sleep();
    const range = this.#rung ?? "all";
    this.#rung = undefined;
    return range;
  }

  close(): void {
    clearTimeout(this.#quiet);
    for (const watcher of this.#watchers) watcher.close();
  }

  #sleep(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, waitBeforeLook(this.#everyMs));
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #changed(): void {
    const now = performance.now();
    this.#changedAt ??= now;
    const waitMs = Math.min(QUIET_MS, Math.max(0, this.#changedAt + LATEST_MS - now));
    clearTimeout(this.#quiet);
    this.#quiet = setTimeout(() => {
      this.#changedAt = undefined;
      this.ring("local");
    }, waitMs);
  }

  // Without it a change is found when its time comes.
  #watch(folder: string): FSWatcher[] {
    try {
      const watcher = watch(folder, () => this.#changed());
      watcher.on("error", () => undefined);
      return [watcher];
    } catch {
      return [];
    }
  }
}

/** SEALEXEC_TRACE=1: when each moment of a start was reached. Otherwise nothing is loaded or counted. */
import { readFileSync } from "node:fs";

export interface Trace {
  mark(moment: string): void;
  /** the lines to show, one for each moment */
  lines(): string[];
}

/** USER_HZ, in which proc(5) tells times, is 100 on every Linux of ours. */
const TICK_MS = 10;

/** @param epochMs a clock of milliseconds since 1970, with fractions */
export function createTrace(epochMs: () => number): Trace {
  const moments: (readonly [string, number])[] = [];
  return {
    mark: (moment) => void moments.push([moment, epochMs()]),
    lines: () => {
      // A clock of ticks and a finer one: nothing is before the beginning all the same.
      const began = Math.min(processStart(epochMs()), moments[0]?.[1] ?? 0);
      let before = began;
      return moments.map(([moment, at]) => {
        const line = `${ms(at - began)} ms  +${ms(at - before)}  ${moment}  (${at.toFixed(3)})`;
        before = at;
        return line;
      });
    },
  };
}

function ms(duration: number): string {
  return duration.toFixed(2).padStart(8);
}

/** When the kernel began this process, ms since 1970, to a tick: finer from outside (bench/start.ts). */
function processStart(nowMs: number): number {
  try {
    // The second field is the name, in parentheses, and may hold anything; starttime is the 22nd.
    const stat = readFileSync("/proc/self/stat", "latin1")
      .replace(/^.*\) /s, "")
      .split(" ");
    const upMs = Number(readFileSync("/proc/uptime", "latin1").split(" ")[0]) * 1_000;
    const startedMs = Number(stat[19]) * TICK_MS;
    return Number.isNaN(startedMs + upMs) ? nowMs : nowMs - (upMs - startedMs);
  } catch {
    return nowMs;
  }
}

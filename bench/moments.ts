/** When a start reaches each of its moments: medians of SEALEXEC_TRACE over many starts, counted from the spawn. */
import { spawnSync } from "node:child_process";
import { median } from "./rounds.ts";
import type { Contestant } from "./rounds.ts";

interface Moment {
  readonly name: string;
  /** since the process was spawned, median, milliseconds */
  readonly atMs: number;
  /** since the moment before, median, milliseconds */
  readonly stepMs: number;
}

const LINE = /^sealexec: trace: .* ms {2}\+ *[\d.]+ {2}(.+) {2}\(([\d.]+)\)$/;

/** @param contestant a `sealexec run` that ends with 0 */
export function traceStarts({ words, env, name }: Contestant, rounds: number): Moment[] {
  const at = new Map<string, number[]>();
  const step = new Map<string, number[]>();
  for (let round = -3; round < rounds; round += 1) {
    const started = performance.timeOrigin + performance.now();
    const ended = spawnSync(words[0] ?? "", words.slice(1), { env: { ...env, SEALEXEC_TRACE: "1" } });
    const after = performance.timeOrigin + performance.now();
    if (ended.status !== 0) throw new Error(`${name}: ${ended.status}: ${String(ended.stderr)}`);
    if (round < 0) continue;
    let before = started;
    for (const [moment, epochMs] of [...readLines(String(ended.stderr)), ["CMD ended", after] as const]) {
      push(at, moment, epochMs - started);
      push(step, moment, epochMs - before);
      before = epochMs;
    }
  }
  return [...at].map(([moment, times]) => ({
    name: moment,
    atMs: median(times),
    stepMs: median(step.get(moment) ?? []),
  }));
}

function readLines(text: string): [string, number][] {
  const lines = text.split("\n").filter((line) => line.startsWith("sealexec: trace: "));
  if (lines.length === 0) throw new Error("nothing was traced");
  return lines.map((line) => {
    const [, moment, epochMs] = LINE.exec(line) ?? [];
    if (moment === undefined) throw new Error(`not a line of the trace: ${line}`);
    return [moment, Number(epochMs)];
  });
}

function push(map: Map<string, number[]>, key: string, value: number): void {
  const list = map.get(key) ?? [];
  list.push(value);
  map.set(key, list);
}

export function printMoments(moments: readonly Moment[]): string {
  const rows = moments.map(
    ({ name, atMs, stepMs }) =>
      `${name.padEnd(16)}${atMs.toFixed(1).padStart(8)}${stepMs.toFixed(2).padStart(8)}\n`,
  );
  return `moment             at ms    step\n${rows.join("")}`;
}

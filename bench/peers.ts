/**
 * npm run bench:peers [-- --runs N] [--http] [--svg FILE]
 *
 * What a start costs beside other ways to it: sealexec, and clients in Go, Ruby and shell, that take turns at one sealed
 * object of one loopback AWS, over TLS or plain HTTP; and for scale dotenvx, which asks nobody, and two empty programs.
 * Who is not installed stays out. The slow ones take part in a quarter of the rounds, beside the two that the ratios
 * are to.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { startBenchAws } from "./aws.ts";
import { GO, NODE, VARIABLES, findPeers, versions } from "./peers/contestants.ts";
import type { Field } from "./peers/contestants.ts";
import { plot } from "./peers/plot.ts";
import { pairedRatio, takeTurns } from "./rounds.ts";
import type { Figures } from "./rounds.ts";

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "40" },
    http: { type: "boolean", default: false },
    svg: { type: "string", default: fileURLToPath(new URL("./peers/peers.svg", import.meta.url)) },
  },
});
const runs = Number(values.runs);
const fewRuns = Math.max(3, Math.ceil(runs / 4));

const folder = mkdtempSync(join(tmpdir(), "sealexec-peers-"));
const aws = await startBenchAws({ tls: !values.http, count: VARIABLES });
let rows: Row[];
let notes: string;
try {
  const field = findPeers(aws, folder);
  process.stdout.write(field.absent.map((line) => `${line}\n`).join(""));
  notes = field.notes.join(" ");
  rows = measure(field);
} finally {
  aws.stop();
  rmSync(folder, { recursive: true });
}

const transport = values.http ? "plain HTTP" : "TLS";
const rounds = `${runs} rounds (${fewRuns} of the slow) over ${transport}`;
const machine = `${availableParallelism()} cores, ${cpus()[0]?.model ?? "unknown CPU"}`;
process.stdout.write(`${rounds}; ${machine}\n${versions()}\n\n${table(rows)}${notes}\n`);
const svg = plot(
  "From start to exec: fetch, decrypt, become the program",
  `median wall time, and peak memory; ${rounds}; ${machine}`,
  rows.map(({ figures, ours }) => ({ ...figures, ours })),
  notes,
);
writeFileSync(values.svg, svg);

interface Row {
  readonly figures: Figures;
  readonly ours: boolean;
  /** paired, of the rounds it took part in; NaN where the base stays out */
  readonly toGo: number;
  readonly toNode: number;
}

function measure({ quick, slow }: Field): Row[] {
  const among = (all: readonly Figures[]): Row[] =>
    all.map((figures) => ({
      figures,
      ours: figures.name.startsWith("sealexec"),
      toGo: ratio(figures, all, GO),
      toNode: ratio(figures, all, NODE),
    }));
  const bases = quick.filter(({ name }) => name === GO || name === NODE);
  const many = among(takeTurns(quick, runs));
  const few = slow.length === 0 ? [] : among(takeTurns([...bases, ...slow], fewRuns)).slice(bases.length);
  return [...many, ...few].toSorted((a, b) => a.figures.wallMs - b.figures.wallMs);
}

function ratio(figures: Figures, all: readonly Figures[], name: string): number {
  const base = all.find((one) => one.name === name);
  return base === undefined ? Number.NaN : pairedRatio(figures, base);
}

function table(rows: readonly Row[]): string {
  const lines = rows.map(({ figures, toGo, toNode }) => [
    figures.name.padEnd(20),
    figures.wallMs.toFixed(1).padStart(8),
    times(toGo).padStart(6),
    times(toNode).padStart(8),
    figures.cpuMs.toFixed(1).padStart(7),
    figures.peakMb.toFixed(1).padStart(8),
  ]);
  return [
    "what                  wall ms  to Go  to node  cpu ms  peak MB",
    ...lines.map((cells) => cells.join(" ")),
  ]
    .map((line) => `${line}\n`)
    .join("");
}

function times(ratio: number): string {
  return Number.isNaN(ratio) ? "-" : ratio.toFixed(2);
}

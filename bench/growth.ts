/**
 * npm run bench:growth -- [--runs 20] [--http]
 *
 * What a start costs with more in the .env (after npm run build): `run -- true` and `check` (which opens and parses, but does
 * not exec) against the loopback AWS. Two tables: by the number of small variables, and by the size of the .env, as
 * ten values of equal length, or more where one would pass the 131,071 bytes that Linux takes.
 *
 * Prints the medians, and after the wall time and the memory an exponent: how the cost above that of the first row
 * grows from the row before (1 is linear; ≥ where the row before is still within the noise, - where this one is). The
 * ± is one standard error, from the rounds' own differences. Worse than linear is what passes 1 by three of them;
 * the last line says whether anything does. CPU comes in steps of 10 ms.
 *
 * exec takes a quarter of the stack's limit, 2 MiB by default: everything is run under `ulimit -s 32768`, where
 * it takes 6 MiB. Where the hard limit forbids that, what exec cannot take is left out.
 */
import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";
import { BINARY, BUCKET, dotenvOf, startBenchAws } from "./aws.ts";
import { median, takeTurns } from "./rounds.ts";
import type { Figures } from "./rounds.ts";

const { values } = parseArgs({
  options: { runs: { type: "string", default: "20" }, http: { type: "boolean", default: false } },
});

const COUNTS = [1, 10, 100, 1_000, 10_000];
const SIZES = [1_000, 10_000, 100_000, 1_000_000, 4_000_000];
const VALUES = 10;
/** of one value */
const LARGEST_BYTES = 100_000;
const STACK_KB = 32_768;
/** of the wall time: two runs of the same differ by so much */
const SMALLEST_ERROR = 0.02;
/** how far the median of equal starts was seen to differ */
const MEMORY_ERROR_MB = 0.5;
const DEFAULT_EXEC_BYTES = 2 * 1024 * 1024;

const raised = spawnSync("sh", ["-c", `ulimit -s ${STACK_KB}`]).status === 0;
const prefix = raised ? ["sh", "-c", `ulimit -s ${STACK_KB}; exec "$@"`, "sh"] : [];
const worse: string[] = [];
const aws = await startBenchAws({ tls: !values.http });

print(
  `${values.runs} rounds over ${values.http ? "plain HTTP" : "TLS"}, ulimit -s ${raised ? STACK_KB : "as it is"}`,
);
measure("variables", COUNTS, dotenvOf);
const sizes = SIZES.filter((bytes) => raised || bytes < DEFAULT_EXEC_BYTES);
if (sizes.length < SIZES.length) print("4 MB is left out: the stack's hard limit cannot be raised");
measure("bytes", sizes, (bytes) => {
  const count = Math.max(VALUES, bytes / LARGEST_BYTES);
  return Array.from({ length: count }, (_, index) => {
    const name = `VARIABLE_${index}=`;
    return `${name}${"x".repeat(bytes / count - name.length - 1)}\n`;
  }).join("");
});
aws.stop();
print(worse.length === 0 ? "\nnothing grows worse than linear" : `\nworse than linear: ${worse.join("; ")}`);

function measure(what: string, amounts: readonly number[], text: (amount: number) => string): void {
  for (const amount of amounts) aws.push(text(amount), uriOf(what, amount));
  const programs = [["run", "--", "true"], ["check"]];
  const figures = takeTurns(
    programs.flatMap((program) =>
      amounts.map((amount) => ({
        name: `${program.join(" ")}, ${amount} ${what}`,
        words: [...prefix, BINARY, ...program],
        env: { ...aws.env, SEALEXEC_FROM: uriOf(what, amount) },
      })),
    ),
    Number(values.runs),
  );
  for (const [index, program] of programs.entries()) {
    const own = figures.slice(index * amounts.length, (index + 1) * amounts.length);
    print(
      `\n${`${program.join(" ")}, by ${what}`.padEnd(28)}wall ms       exponent  cpu ms  peak MB       exponent`,
    );
    const excesses = own.map((one) => excessOf(one, own[0] ?? one));
    const memory = own.map(({ peakMb }) => ({
      cost: peakMb - (own[0]?.peakMb ?? 0),
      error: MEMORY_ERROR_MB,
    }));
    for (const [at, one] of own.entries()) print(row(one, at, { amounts, excesses, memory }));
  }
}

interface Excess {
  /** above that of the first row */
  readonly cost: number;
  /** one standard error */
  readonly error: number;
}

/** The median of the rounds' own differences; the error of a median by the median deviation from it, 2 % of the base at least. */
function excessOf(figures: Figures, base: Figures): Excess {
  const differences = figures.walls.map((ms, round) => ms - (base.walls[round] ?? Number.NaN));
  const cost = median(differences);
  const deviation = 1.4826 * median(differences.map((ms) => Math.abs(ms - cost)));
  const error = (1.2533 * deviation) / Math.sqrt(differences.length);
  return { cost, error: Math.max(error, SMALLEST_ERROR * base.wallMs) };
}

interface Column {
  readonly amounts: readonly number[];
  readonly excesses: readonly Excess[];
  readonly memory: readonly Excess[];
}

function row(one: Figures, at: number, { amounts, excesses, memory }: Column): string {
  const growth = [excesses, memory].map((excess) => exponent(excess[at - 1], excess[at], amounts, at));
  for (const [index, part] of growth.entries())
    if (part?.isWorse === true) worse.push(`${one.name} (${index === 0 ? "time" : "memory"})`);
  return [
    (amounts[at] ?? 0).toLocaleString("en").padEnd(28),
    one.wallMs.toFixed(1).padStart(7),
    (growth[0]?.text ?? "").padStart(15),
    one.cpuMs.toFixed(1).padStart(8),
    one.peakMb.toFixed(1).padStart(9),
    (growth[1]?.text ?? "").padStart(15),
  ].join("");
}

function exponent(
  before: Excess | undefined,
  now: Excess | undefined,
  amounts: readonly number[],
  at: number,
): { text: string; isWorse: boolean } | undefined {
  // The first row is what the others are measured from.
  if (at < 2 || before === undefined || now === undefined) return undefined;
  if (now.cost < 2 * now.error) return { text: "-", isWorse: false };
  const hidden = before.cost < 2 * before.error;
  // The most that the row before can have cost.
  const from = hidden ? Math.max(before.cost, 0) + 3 * before.error : before.cost;
  const factor = Math.log((amounts[at] ?? Number.NaN) / (amounts[at - 1] ?? Number.NaN));
  const value = Math.log(now.cost / from) / factor;
  const error = Math.hypot(now.error / now.cost, hidden ? 0 : before.error / before.cost) / factor;
  return {
    text: `${hidden ? "≥ " : ""}${value.toFixed(2)} ± ${error.toFixed(2)}`,
    isWorse: value - 3 * error > 1,
  };
}

function uriOf(what: string, amount: number): string {
  return `s3://${BUCKET}/${what}-${amount}.env`;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/**
 * npm run bench:start [-- --runs N]
 *
 * What a start costs: `sealexec run -- true` against the loopback AWS over plain HTTP (IMDSv2, one GetObject, one
 * Decrypt), by the binary and by the npm bundle, as a ratio to `node -e 0` of the same Node. The three take turns, so
 * that what else the machine does falls on all alike; medians of wall time, CPU time (user + system) and peak memory.
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const TIME = "/usr/bin/time";
const { values } = parseArgs({ options: { runs: { type: "string", default: "60" } } });
const runs = Number(values.runs);

interface Sample {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly peakMb: number;
}

interface Served {
  readonly env: Record<string, string>;
  readonly defaultKey: string;
  readonly endpoints: { readonly control: string };
}

const aws = spawn(process.execPath, [`${ROOT}test/aws/main.ts`], { stdio: ["pipe", "pipe", "inherit"] });
const served = await new Promise<Served>((resolve) => {
  aws.stdout.once("data", (line: Buffer) => resolve(JSON.parse(line.toString("utf8")) as Served));
});
const URI = "s3://bench-secrets/app.env";
await fetch(`${served.endpoints.control}/_control`, {
  method: "POST",
  body: JSON.stringify({ do: "s3.createBucket", bucket: "bench-secrets" }),
});
const env = { ...served.env, PATH: process.env["PATH"] ?? "" };
const text = Array.from({ length: 30 }, (_, index) => `VARIABLE_${index}='value ${index}'\n`).join("");
const pushed = spawnSync(`${ROOT}dist/sealexec`, ["push", "-", URI, "--key", served.defaultKey], {
  env,
  input: text,
});
if (pushed.status !== 0) throw new Error(pushed.stderr.toString("utf8"));

const run = ["run", "--from", URI, "--key", served.defaultKey, "--", "true"];
const contestants = {
  "node -e 0": [process.execPath, "-e", "0"],
  binary: [`${ROOT}dist/sealexec`, ...run],
  "npm bundle": [process.execPath, `${ROOT}dist/sealexec.cjs`, ...run],
};
type Name = keyof typeof contestants;
const names = Object.keys(contestants) as Name[];
const samples: Record<Name, Sample[]> = { "node -e 0": [], binary: [], "npm bundle": [] };

for (let round = -3; round < runs; round += 1) {
  for (const name of names) {
    const sample = measure(contestants[name]);
    // The first rounds fill the page cache.
    if (round >= 0) samples[name].push(sample);
  }
}
aws.kill();

function measure(words: readonly string[]): Sample {
  const timed = existsSync(TIME);
  const [file = "", ...rest] = timed ? [TIME, "-f", "%U %S %M", ...words] : words;
  const started = performance.now();
  const { status, stderr } = spawnSync(file, rest, { env, stdio: ["ignore", "ignore", "pipe"] });
  const wallMs = performance.now() - started;
  const last = stderr.toString("utf8").trim();
  if (status !== 0) throw new Error(`${words.join(" ")} ended with ${status}: ${last}`);
  const [user = Number.NaN, system = Number.NaN, peakKb = Number.NaN] = timed
    ? last.split(" ").map(Number)
    : [];
  return { wallMs, cpuMs: (user + system) * 1000, peakMb: peakKb / 1024 };
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}

// CPU time comes in steps of 10 ms: its median would too, so it is the mean.
const figures = Object.fromEntries(
  names.map((name) => [
    name,
    {
      wallMs: median(samples[name].map(({ wallMs }) => wallMs)),
      cpuMs: mean(samples[name].map(({ cpuMs }) => cpuMs)),
      peakMb: median(samples[name].map(({ peakMb }) => peakMb)),
    },
  ]),
) as Record<Name, Sample>;
const base = figures["node -e 0"];
// Paired: each round's own ratio, then the median of the ratios.
const paired = (name: Name): number =>
  median(
    samples[name].map(({ wallMs }, index) => wallMs / (samples["node -e 0"][index]?.wallMs ?? Number.NaN)),
  );

process.stdout.write(`${runs} rounds, Node ${process.version}\n`);
process.stdout.write("what          wall ms  ratio   cpu ms  ratio  peak MB  ratio\n");
for (const name of names) {
  const { wallMs, cpuMs, peakMb } = figures[name];
  const cells = [
    name.padEnd(12),
    wallMs.toFixed(1).padStart(8),
    paired(name).toFixed(2).padStart(6),
    cpuMs.toFixed(1).padStart(8),
    (cpuMs / base.cpuMs).toFixed(2).padStart(6),
    peakMb.toFixed(1).padStart(8),
    (peakMb / base.peakMb).toFixed(2).padStart(6),
  ];
  process.stdout.write(`${cells.join(" ")}\n`);
}

/**
 * npm run bench:latency -- [--runs 15] [--delays 0,1,5,20,50] [--http] [--self-check] [--words "CMD ARGS"]…
 *
 * How many round trips of the network a start takes. `sealexec run -- true` against the loopback
 * AWS over TLS, with S3 and KMS behind proxies that put them 0 to 50 ms away (bench/latency/proxy.ts says how); IMDS
 * stays at zero, as it is on the host. A least-squares line through the medians: its slope is the number of round trips,
 * its floor what is left where the network costs nothing. The rounds take turns between the delays and the programs.
 *
 * Prints a line for each program: the medians, `slope: N.NN round trips, floor M ms`, the median of the slopes of the
 * single rounds with its quartiles, and how far the worst median is off the line.
 *
 * --http        plain HTTP, which has one round trip less
 * --self-check  also a client whose round trips are known (6 over TLS, 4 over HTTP): is the proxy right on this machine?
 * --words       also another program, split at blanks; it finds its way by AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL_KMS,
 *               AWS_EC2_METADATA_SERVICE_ENDPOINT, AWS_CA_BUNDLE, SEALEXEC_FROM and SEALEXEC_KEY. May be repeated.
 *
 * tc netem would do the same from the kernel, but it needs the module sch_netem, which the machines of this
 * project do not have ("Specified qdisc kind is unknown").
 */
import { spawn } from "node:child_process";
import { parseArgs } from "node:util";
import { fileURLToPath } from "node:url";
import { BINARY, startBenchAws } from "./aws.ts";
import { median, takeTurns } from "./rounds.ts";
import type { Contestant, Figures } from "./rounds.ts";

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "15" },
    delays: { type: "string", default: "0,1,5,20,50" },
    http: { type: "boolean", default: false },
    "self-check": { type: "boolean", default: false },
    words: { type: "string", multiple: true, default: [] },
  },
});
const delaysMs = values.delays.split(",").map(Number);

const aws = await startBenchAws({ tls: !values.http });
const proxies = await startProxies();
const programs = [
  { name: "sealexec run -- true", words: [BINARY, "run", "--", "true"] },
  ...(values["self-check"] ? [stepByStep()] : []),
  ...values.words.map((text) => ({ name: text, words: text.split(/\s+/u) })),
];
const contestants = programs.flatMap(({ name, words }) =>
  delaysMs.map((delayMs): Contestant => ({ name: `${name}, ${delayMs} ms`, words, env: envAt(delayMs) })),
);
const figures = takeTurns(contestants, Number(values.runs));
proxies.stop();
aws.stop();

print(`${values.runs} rounds over ${values.http ? "plain HTTP" : "TLS"}; median wall ms, by the round trip`);
print(
  row(
    "",
    delaysMs.map((delayMs) => `${delayMs} ms`),
  ),
);
for (const [index, { name }] of programs.entries()) {
  const own = figures.slice(index * delaysMs.length, (index + 1) * delaysMs.length);
  print(
    row(
      name,
      own.map(({ wallMs }) => wallMs.toFixed(1)),
    ),
  );
  for (const line of describe(own)) print(`  ${line}`);
}

function describe(own: readonly Figures[]): string[] {
  const medians = own.map(({ wallMs }) => wallMs);
  const { slope, floor } = fit(medians);
  const off = Math.max(...medians.map((ms, index) => Math.abs(ms - floor - slope * (delaysMs[index] ?? 0))));
  const slopes = Array.from({ length: Number(values.runs) }, (_, round) =>
    fit(own.map(({ walls }) => walls[round] ?? Number.NaN)),
  )
    .map((line) => line.slope)
    .toSorted((a, b) => a - b);
  const [low, high] = [0.25, 0.75].map((part) => slopes[Math.floor(slopes.length * part)]?.toFixed(2));
  return [
    `slope: ${slope.toFixed(2)} round trips, floor ${floor.toFixed(0)} ms`,
    `(of single rounds: ${median(slopes).toFixed(2)}, quartiles ${low} to ${high}; off the line by ${off.toFixed(1)} ms at most)`,
  ];
}

/** Least squares: wall = floor + slope x round trip. */
function fit(wallsMs: readonly number[]): { slope: number; floor: number } {
  const mean = (numbers: readonly number[]): number =>
    numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
  const [x, y] = [mean(delaysMs), mean(wallsMs)];
  const slope =
    mean(delaysMs.map((delayMs, index) => (delayMs - x) * ((wallsMs[index] ?? Number.NaN) - y))) /
    mean(delaysMs.map((delayMs) => (delayMs - x) ** 2));
  return { slope, floor: y - slope * x };
}

function stepByStep(): { name: string; words: string[] } {
  const file = fileURLToPath(new URL("latency/step-by-step.ts", import.meta.url));
  return { name: `self-check: ${values.http ? 4 : 6} are known`, words: [process.execPath, file] };
}

/** For each delay one proxy to S3 and one to KMS, in a process of their own. */
async function startProxies(): Promise<{ ports: readonly number[]; stop(): void }> {
  const targets = delaysMs.flatMap((delayMs) =>
    [aws.endpoints.s3, aws.endpoints.kms].map((url) => {
      const { hostname, port } = new URL(url);
      return [hostname, Number(port), delayMs];
    }),
  );
  const file = fileURLToPath(new URL("latency/proxies.ts", import.meta.url));
  const child = spawn(process.execPath, [file, JSON.stringify(targets)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const line = await new Promise<Buffer>((resolve) => child.stdout.once("data", resolve));
  return { ports: JSON.parse(line.toString("utf8")) as number[], stop: () => void child.kill() };
}

function envAt(delayMs: number): Record<string, string> {
  const at = delaysMs.indexOf(delayMs) * 2;
  const through = (url: string, port: number | undefined): string =>
    Object.assign(new URL(url), { port: String(port) }).origin;
  return {
    ...aws.env,
    AWS_ENDPOINT_URL_S3: through(aws.endpoints.s3, proxies.ports[at]),
    AWS_ENDPOINT_URL_KMS: through(aws.endpoints.kms, proxies.ports[at + 1]),
  };
}

function row(name: string, cells: readonly string[]): string {
  return [name.padEnd(28), ...cells.map((cell) => cell.padStart(8))].join("");
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

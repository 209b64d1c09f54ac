/**
 * npm run bench:start [-- --runs N] [--tls] [--trace] [--against DIST]
 *
 * What a start costs: `sealexec run -- true` against the loopback AWS (IMDSv2, one GetObject, one Decrypt) over plain
 * HTTP or TLS, by the binary and by the npm bundle, as a ratio to `node -e 0` of the same Node. With --trace: when the
 * binary reaches each moment of its start. With --against: this build beside another one's dist folder, on fresh copies
 * of both, the other one twice: how far its duplicate is from 1 is what the ratio can tell.
 */
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { BINARY, BUNDLE, startBenchAws } from "./aws.ts";
import { printMoments, traceStarts } from "./moments.ts";
import { pairedRatio, takeTurns } from "./rounds.ts";
import type { Contestant } from "./rounds.ts";

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "60" },
    tls: { type: "boolean", default: false },
    trace: { type: "boolean", default: false },
    binary: { type: "string", default: BINARY },
    against: { type: "string" },
  },
});
const runs = Number(values.runs);

const { env, stop } = await startBenchAws({ tls: values.tls });
const run = ["run", "--", "true"];
const transport = values.tls ? "TLS" : "plain HTTP";
if (values.trace) {
  const moments = traceStarts({ name: "binary", words: [values.binary, ...run], env }, runs);
  stop();
  process.stdout.write(`${runs} starts over ${transport}\n${printMoments(moments)}`);
  process.exit(0);
}
process.stdout.write(`${runs} rounds over ${transport}, Node ${process.version}\n`);
const bundle = (file: string) => [process.execPath, file, ...run];
if (values.against === undefined) {
  compare([
    { name: "node -e 0", words: [process.execPath, "-e", "0"], env },
    { name: "binary", words: [values.binary, ...run], env },
    { name: "npm bundle", words: bundle(BUNDLE), env },
  ]);
} else {
  const copies = mkdtempSync(join(tmpdir(), "sealexec-bench-"));
  const builds = { other: values.against, "other again": values.against, this: dirname(BINARY) };
  for (const [name, folder] of Object.entries(builds))
    cpSync(folder, join(copies, name), { recursive: true });
  const named = Object.keys(builds).map((name) => ({ name, env, folder: join(copies, name) }));
  process.stdout.write("the binary:\n");
  compare(named.map(({ name, folder }) => ({ name, words: [join(folder, "sealexec"), ...run], env })));
  process.stdout.write("the npm bundle:\n");
  compare(named.map(({ name, folder }) => ({ name, words: bundle(join(folder, "sealexec.cjs")), env })));
  rmSync(copies, { recursive: true });
}
stop();

/** Prints what each took, beside the first. */
function compare(contestants: readonly Contestant[]): void {
  const figures = takeTurns(contestants, runs);
  const [base] = figures;
  if (base === undefined) throw new Error("nothing was measured");
  process.stdout.write("what          wall ms  ratio   cpu ms  ratio  peak MB  ratio\n");
  for (const one of figures) {
    const cells = [
      one.name.padEnd(12),
      one.wallMs.toFixed(1).padStart(8),
      pairedRatio(one, base).toFixed(2).padStart(6),
      one.cpuMs.toFixed(1).padStart(8),
      (one.cpuMs / base.cpuMs).toFixed(2).padStart(6),
      one.peakMb.toFixed(1).padStart(8),
      (one.peakMb / base.peakMb).toFixed(2).padStart(6),
    ];
    process.stdout.write(`${cells.join(" ")}\n`);
  }
}

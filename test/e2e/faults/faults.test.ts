/**
 * Every case of the fault table, from a shell and as PID 1. What is asserted: status, messages, calls, and that the
 * process ended by itself. Whether it was late is only told here, as a busy machine decides it; the soak asserts it.
 */
import { spawnSync } from "node:child_process";
import { after, describe, it } from "node:test";
import { runCase } from "./run-case.ts";
import type { Mode } from "./run-case.ts";
import { FAULT_TABLE } from "./table.ts";

const UNSHARE = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child=SIGKILL"];
const noPid1 = spawnSync(UNSHARE[0] ?? "", [...UNSHARE.slice(1), "true"]).status !== 0;

const MODES: readonly (Mode & { readonly skip: string | false })[] = [
  { name: "from a shell", prefix: [], skip: false },
  { name: "as PID 1", prefix: UNSHARE, skip: noPid1 && "needs the right to unshare --pid" },
];

const tally = { cases: 0, right: 0, skipped: 0, late: [] as string[] };

// They wait more than they work.
describe("faults", { concurrency: 12 }, () => {
  for (const mode of MODES) {
    for (const row of FAULT_TABLE) {
      const name = `${row.id}, ${mode.name}: ${row.fault}`;
      const skip = mode.skip === false ? (row.skip ?? false) : mode.skip;
      if (skip !== false) tally.skipped += 1;
      else tally.cases += 1;
      it(name, { skip }, async () => {
        const { durationMs } = await runCase(row, mode);
        tally.right += 1;
        if (durationMs > row.boundMs) tally.late.push(`${name} (${(durationMs / 1_000).toFixed(1)} s)`);
      });
    }
  }
  after(() => {
    const { cases, right, skipped, late } = tally;
    const lines = late.map((name) => `late: ${name}\n`).join("");
    const more = skipped === 0 ? "" : `, ${skipped} skipped`;
    process.stdout.write(
      `${lines}faults: ${cases} cases, ${cases - right} wrong, ${late.length} late${more}\n`,
    );
  });
});

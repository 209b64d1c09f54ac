/**
 * What 200 looks of `run --watch` leave in memory, on Bun: the objects of its heap by type, before and after, as JSON, and how
 * much they have read from files. A look is what the watch does: new tools out of the old ones, a deadline of its own, one request a source.
 */
import { readFileSync } from "node:fs";
import { Deadline } from "../../src/base/deadline.ts";
import { createLogger } from "../../src/base/logger.ts";
import { parseSource } from "../../src/stores/registry.ts";
import { RunTools } from "../../src/sources/tools.ts";
import { Lookout } from "../../src/watch/lookout.ts";

/** proc(5): what was read from files, bytes. Sockets are read by other calls. */
function bytesRead(): number {
  return Number(/^rchar: (\d+)$/m.exec(readFileSync("/proc/self/io", "latin1"))?.[1]);
}

/** What is used of Bun's API. */
interface Heap {
  heapStats(): { readonly objectTypeCounts: Readonly<Record<string, number>> };
}

const { Bun: bun } = globalThis as unknown as { readonly Bun: { gc(force: true): void } };
const { heapStats } = process.getBuiltinModule("bun:jsc") as unknown as Heap;
const [uri = "", validator = ""] = process.argv.slice(2);
const LOOKS = 200;
const now = (): number => performance.now();

const source = await parseSource(uri);
const lookout = new Lookout([source]);
lookout.opened([{ uri: source.uri, validator, state: {}, sealed: undefined, variables: new Map() }]);
const log = createLogger("text", false, (line) => process.stderr.write(line));
let tools = new RunTools({ env: process.env, deadline: deadline(), log, now }, undefined);
await tools.begin([source]);

function deadline(): Deadline {
  return new Deadline(30_000, now);
}

async function look(times: number): Promise<Readonly<Record<string, number>>> {
  for (let count = 0; count < times; count += 1) {
    const { context } = tools;
    context.deadline.clear();
    tools.close();
    tools = tools.renew({ ...context, deadline: deadline() });
    const { unchanged, failure } = await lookout.look("all", tools);
    if (unchanged.size !== 1) throw failure ?? new Error("it has changed");
  }
  // What the last look has used is let go of by then.
  for (let count = 0; count < 3; count += 1) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    bun.gc(true);
  }
  return { ...heapStats().objectTypeCounts };
}

const before = await look(20);
const readBefore = bytesRead();
const after = await look(LOOKS);
process.stdout.write(`${JSON.stringify({ looks: LOOKS, before, after, read: bytesRead() - readBefore })}\n`);
process.exit(0);

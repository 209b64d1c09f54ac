/**
 * Runs the tests of a room on one fault after the other, in one process: to start Node.js for each fault took most of the
 * time. The project's own modules are loaded anew for each, under a URL with the number of the round.
 */
import { readFileSync } from "node:fs";
import { registerHooks, stripTypeScriptTypes } from "node:module";
import { takeTests } from "./tests.ts";

/** A round: the tests, and one source that has another text than its file. */
export interface Order {
  readonly tests: readonly string[];
  readonly source?: { readonly url: string; readonly text: string };
}

export interface Answer {
  /** how many tests ended well, to the first that did not */
  readonly passed: number;
  /** the first that failed; absent: none did */
  readonly failed?: string;
}

/** Tests of what a large text costs. */
const SLOW = "on large input";
const TESTS = new URL("tests.ts", import.meta.url).href;

const stripped = new Map<string, string>();
let round = 0;
let source: Order["source"];

registerHooks({
  resolve(specifier, context, next) {
    if (context.parentURL?.endsWith(`?${round}`) !== true) return next(specifier, context);
    if (specifier === "node:test") return { url: TESTS, shortCircuit: true };
    const resolved = next(specifier, context);
    return /^\.{1,2}\//.test(specifier) ? { ...resolved, url: `${resolved.url}?${round}` } : resolved;
  },
  load(url, context, next) {
    const [file = "", ofRound] = url.split("?");
    if (ofRound === undefined) return next(url, context);
    const text = file === source?.url ? stripTypeScriptTypes(source.text) : strippedFile(file);
    return { format: "module", shortCircuit: true, source: text };
  },
});

function strippedFile(url: string): string {
  const known = stripped.get(url) ?? stripTypeScriptTypes(readFileSync(new URL(url), "utf8"));
  stripped.set(url, known);
  return known;
}

async function run(order: Order): Promise<Answer> {
  round += 1;
  source = order.source;
  let passed = 0;
  let name = "its modules cannot be loaded";
  takeTests();
  try {
    for (const url of order.tests) await import(`${url}?${round}`);
    for (const test of takeTests()) {
      if (test.name.includes(SLOW)) continue;
      ({ name } = test);
      await test.run();
      passed += 1;
    }
    return { passed };
  } catch {
    return { passed, failed: name };
  }
}

process.on("message", (order: Order) => {
  void run(order).then((answer) => process.send?.(answer));
});

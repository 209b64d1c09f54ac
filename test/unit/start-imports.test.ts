/** What a start loads before its first request leaves: everything here is waited for by everybody, so nothing heavy may be in it. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const SRC = fileURLToPath(new URL("../../src/", import.meta.url));
/** The command line of a plain `run`, and what it imports before it opens anything. */
const FIRST = [
  "cli/main.ts",
  "cli/run.ts",
  "commands/run.ts",
  "commands/run-options.ts",
  "process/find.ts",
  "process/environment.ts",
];
const IMPORT = /^(?:import|export)\s+(?!type\s)[^;]*?from\s+"([^"]+)"/gm;

/** Every module that these import, whether at once or by another; without those of types only. */
function reached(files: readonly string[]): Set<string> {
  const found = new Set<string>();
  const queue = files.map((file) => resolve(SRC, file));
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (found.has(file)) continue;
    found.add(file);
    const code = readFileSync(file, "utf8").replace(/\/\*[^]*?\*\//g, "");
    for (const [, name = ""] of code.matchAll(IMPORT)) {
      if (name.startsWith(".")) queue.push(resolve(dirname(file), name));
      else found.add(name);
    }
  }
  return found;
}

test("neither the envelope nor node:crypto, commander, the SDK or the child's code is among it", () => {
  const found = [...reached(FIRST)];
  assert.ok(found.length > 30, "the walk has lost its way");
  const heavy = /^(?:node:(?:crypto|tls|net|http|https|stream|child_process)|commander|execa|dotenv|@.*)$/;
  assert.deepEqual(
    found.filter((name) => heavy.test(name)),
    [],
  );
  assert.ok(!found.includes(resolve(SRC, "envelope/index.ts")));
  assert.ok(!found.includes(resolve(SRC, "refused-names.ts")));
});

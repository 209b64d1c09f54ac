#!/usr/bin/env node
/** Only the plain form of `run`: Node reads the whole of a file before it runs a line of it. */
import { writeSync } from "node:fs";
import { mentionsWatching, readRunLine } from "../src/cli/run-line.ts";

const BUG = 70;

const line = readRunLine(process.argv.slice(2));
if (line === undefined || mentionsWatching(line.flags, process.env)) {
  // One that is cut short may say nothing at all, and the guard against a status 0 by accident is in it.
  import("./every-command.ts").then(({ isWhole }) => isWhole === true || fail(), fail);
} else {
  void import("./sealexec.ts");
}

function fail(): never {
  const hint = "sealexec: hint: install the npm package again, whole\n";
  writeSync(2, `sealexec: error: sealexec-commands.cjs cannot be loaded\n${hint}`);
  process.exit(BUG);
}

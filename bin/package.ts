#!/usr/bin/env node
/**
 * The npm package's first file has the plain form of `run` and no other command: Node reads the whole of a file before it
 * runs a line of it (bench/README.md). All else is for the file beside it.
 */
import { mentionsWatching, readRunLine } from "../src/cli/run-line.ts";

const line = readRunLine(process.argv.slice(2));
if (line === undefined || mentionsWatching(line.flags, process.env)) void import("./every-command.ts");
else void import("./sealexec.ts");

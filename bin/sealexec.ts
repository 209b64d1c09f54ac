#!/usr/bin/env node
/** argv, environment, clock and process in; exit status out. Nothing else. */
import "../src/signals.ts";
import { logFormat, main } from "../src/cli.ts";
import { errorName } from "../src/context.ts";
import { SealexecError, exitStatus } from "../src/errors.ts";
import { takeImage } from "../src/exec/image.ts";
import { createLogger } from "../src/logger.ts";
import { readInput, wantsColour, writeError, writeOutput } from "../src/streams.ts";

const args = process.argv.slice(2);
const env = { ...process.env };

// Whatever ends this process without having set a status was not meant to: never 0 by accident.
let status: number | undefined;
process.on("exit", (code) => {
  if (code === 0) process.exitCode = status ?? exitStatus("internal");
});
process.on("uncaughtException", fail);
process.on("unhandledRejection", fail);

function fail(error: unknown): never {
  const known =
    error instanceof SealexecError
      ? error
      : new SealexecError("internal", `unexpected ${errorName(error)}`, {
          hint: "this is a bug in sealexec: please report it, with the command and this line",
          cause: error,
        });
  createLogger(logFormat(args, env), false, writeError).failure(known);
  process.exit(exitStatus(known.kind));
}

main({
  args,
  env,
  image: takeImage(env, process.ppid),
  now: () => performance.now(),
  readInput,
  writeOutput,
  writeError,
  wantsColour: () => wantsColour(env),
}).then((ended) => {
  status = ended;
  process.exit(ended);
}, fail);

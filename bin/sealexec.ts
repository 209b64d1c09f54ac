#!/usr/bin/env node
/** argv, environment, clock and process in; exit status out. Nothing else. */
import { hasDebugger } from "../src/base/signals.ts";
import { logFormat, namingCommand } from "../src/cli/context.ts";
import { main } from "../src/cli/main.ts";
import { errorName } from "../src/base/context.ts";
import { SealexecError, exitStatus } from "../src/base/errors.ts";
import { forbidDumps } from "../src/process/dumps.ts";
import { takeImage } from "../src/process/image.ts";
import { loadLibc } from "../src/process/libc.ts";
import { createLogger } from "../src/base/logger.ts";
import { createTrace } from "../src/base/trace.ts";
import { leaveStreams, readInput, wantsColour, writeError, writeOutput } from "../src/base/streams.ts";

const env = { ...process.env };
const trace =
  env["SEALEXEC_TRACE"] === "1" ? createTrace(() => performance.timeOrigin + performance.now()) : undefined;
trace?.mark("first line");
const args = process.argv.slice(2);
const runtime = process.versions["bun"] === undefined ? "node" : "bun";
// Node waits at its exit for a look-up at a dead name server: glibc's 10 s, unless told otherwise.
// Our own retries stand in for its second attempt; CMD's environment is the one we were started with.
if (runtime === "node") process.env["RES_OPTIONS"] ??= "timeout:1 attempts:1";
const image = takeImage(env, process.ppid);
const libc = loadLibc();
// Behind the image: /proc/self/environ cannot be read by a process that cannot be dumped, unless by root.
const allowDumps = forbidDumps(libc);

// Whatever ends this process without having set a status was not meant to: never 0 by accident.
let status: number | undefined;
process.on("exit", (code) => {
  if (code === 0) process.exitCode = status ?? exitStatus("internal");
});
process.on("uncaughtException", fail);
process.on("unhandledRejection", fail);

function showTrace(): void {
  if (trace === undefined) return;
  trace.mark("exec");
  for (const line of trace.lines()) writeError(`sealexec: trace: ${line}\n`);
}

function fail(error: unknown): never {
  const known =
    error instanceof SealexecError
      ? error
      : new SealexecError("internal", `unexpected ${errorName(error)}`, {
          hint: "this is a bug in sealexec: please report it, with the command and this line",
          cause: error,
        });
  createLogger(logFormat(args, env), false, writeError).failure(namingCommand(known, args));
  process.exit(exitStatus(known.kind));
}

trace?.mark("image, libc");
main({
  args,
  env,
  runtime,
  hasDebugger,
  image,
  libc,
  allowDumps,
  beforeExec: showTrace,
  trace,
  now: () => performance.now(),
  readInput,
  writeOutput,
  writeError,
  leaveStreams,
  wantsColour: () => wantsColour(env),
}).then((ended) => {
  status = ended;
  process.exit(ended);
}, fail);

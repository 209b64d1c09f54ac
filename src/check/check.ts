/** `sealexec check`: all that `run` does but the exec, step by step, for a person or a CI. */
import type { Context, StepReport } from "../context.ts";
import { step } from "../context.ts";
import type { AwsSession } from "../aws/session.ts";
import { SealexecError, exitStatus } from "../errors.ts";
import type { OpenFlags } from "../options.ts";
import { underneath } from "../run/environment.ts";
import type { EnvironmentPolicy } from "../run/environment.ts";
import { parseSourceOptions } from "../run/options.ts";
import type { SourceFlags } from "../run/options.ts";
import { findProgram, refuseSource } from "../run/program.ts";
import { mergeSources, openSource, tellCredentials, toolsFor } from "../run/sources.ts";
import type { OpenedSource } from "../run/sources.ts";
import type { SourceOptions } from "../run/sources.ts";
import { RunTools } from "../stores/tools.ts";
import type { World } from "../world.ts";
import { callerArn } from "./caller.ts";
import { formatReport } from "./report.ts";
import type { Expectation, ReportFormat } from "./report.ts";

export interface CheckFlags extends SourceFlags, OpenFlags {
  readonly format: ReportFormat;
}

// As `run` without its options does.
const PLAIN: EnvironmentPolicy = { keepExisting: false, pristine: false, pass: new Set() };

type MakeContext = (onStep: NonNullable<Context["onStep"]>) => Promise<Context>;

/** Prints the report and returns the exit status that `run` would have: 0 where all is well. */
export async function checkSources(
  command: string | undefined,
  flags: CheckFlags,
  world: World,
  makeContext: MakeContext,
): Promise<number> {
  const reports: StepReport[] = [];
  const context = await makeContext((report) => reports.push(report));
  refuseSource(command ?? "", "check");
  const parsed = await parseSourceOptions(flags, world.env);
  const options = flags.explain === true ? { ...parsed, explain: underneath(world.image, PLAIN) } : parsed;
  // As `run`, which looks for the program first: its failure decides the exit status.
  const failures = [...(await findCommand(command, context)), ...(await openAll(options, context))];
  context.deadline.clear();
  await world.writeOutput(
    formatReport(
      flags.format,
      reports,
      failures.length,
      world.wantsColour(),
      expectationOf(options, context),
    ),
  );
  return failures[0] === undefined ? 0 : exitStatus(failures[0].kind);
}

async function findCommand(command: string | undefined, context: Context): Promise<SealexecError[]> {
  if (command === undefined) return [];
  return failuresOf(
    step(
      context,
      "command",
      command,
      () => findProgram(command, context.env),
      (file) => file,
    ),
  );
}

async function openAll(options: SourceOptions, context: Context): Promise<SealexecError[]> {
  const tools = toolsFor(options, context);
  try {
    if (tools.needs(options.sources).length > 0) {
      const session = openSession(tools, context);
      await tools.begin(options.sources);
      const credentials = await session.credentials();
      await tellCredentials(credentials, options, context);
      await callerArn(session, credentials, context);
    }
  } catch (error) {
    return [toFailure(error)];
  }
  const opened: OpenedSource[] = [];
  const failures: SealexecError[] = [];
  // One after the other, so that the report reads in their order.
  for (const source of options.sources) {
    try {
      const one = await openSource(source, options, tools);
      if (one.sealed?.isBound === false) {
        context.log.warn(
          `${one.uri}: not bound to its place: who may write there can put any object of its key there`,
          "seal it again there with push, and leave unbound out of --accept and ?accept=",
        );
      }
      opened.push(one);
    } catch (error) {
      failures.push(toFailure(error));
    }
  }
  // With a source missing, which names would be there cannot be known.
  if (failures.length > 0) return failures;
  return failuresOf(mergeSources(opened, options, context));
}

function expectationOf(options: SourceOptions, context: Context): Expectation {
  const tools = toolsFor(options, context);
  return {
    asksAws: tools.needs(options.sources).length > 0,
    gives: options.sources.map(({ gives }) => gives),
  };
}

/** What is wrong with the environment is a line of the report; that nothing is wrong is none. */
function openSession(tools: RunTools, context: Context): AwsSession {
  const started = context.now();
  try {
    return tools.session;
  } catch (error) {
    const named = toFailure(error).at("configuration");
    const durationMs = context.now() - started;
    context.onStep?.({ stage: "configuration", target: "environment", ok: false, durationMs, error: named });
    throw named;
  }
}

async function failuresOf(work: Promise<unknown>): Promise<SealexecError[]> {
  try {
    await work;
    return [];
  } catch (error) {
    return [toFailure(error)];
  }
}

function toFailure(error: unknown): SealexecError {
  if (error instanceof SealexecError) return error;
  throw error;
}

/** `sealexec check`: all that `run` does but the exec, step by step, for a person or a CI. */
import { step, type Context, type Stage, type StepReport } from "../base/context.ts";
import { SealexecError, exitStatus } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import { findCommand, prepareStart, withVariables, type Command } from "../process/command.ts";
import type { RunOptions } from "../sources/options.ts";
import { mergeSources, openSource, tellCredentials, toolsFor } from "../sources/sources.ts";
import type { OpenedSource } from "../sources/sources.ts";
import type { RunTools } from "../sources/tools.ts";
import { EnvOut } from "../watch/env-out.ts";
import type { WatchOptions } from "../watch/how.ts";
import type { World } from "./world.ts";
import { callerArn } from "../inspect/caller.ts";
import { formatReport, type ReportFormat } from "../inspect/report.ts";
import { collecting, warnOfSource, type Warning } from "../inspect/warnings.ts";

export interface CheckFlags {
  readonly format: ReportFormat;
  /** fail also where there is only a warning */
  readonly strict?: boolean;
}

/** The start that is checked. */
export interface CheckedStart {
  readonly options: RunOptions;
  /** undefined: not to watch */
  readonly how: WatchOptions | undefined;
  /** undefined: none was named, and none is looked for */
  readonly command: string | undefined;
}

/** Hears each step and each warning of what is done with a context that is made with it. */
export class Heard {
  readonly steps: StepReport[] = [];
  readonly warnings: Warning[] = [];
  readonly onStep = (report: StepReport): void => void this.steps.push(report);
  readonly listenTo = (log: Logger): Logger => collecting(log, this.warnings);
}

/** Does what may fail. A failure is kept for the report, and the check goes on. */
type Attempt = <T>(work: () => T | Promise<T>) => Promise<T | undefined>;

/** @returns the exit status that `run` would have: 0 if all is well */
export async function checkStart(
  start: CheckedStart,
  { format, strict = false }: CheckFlags,
  world: World,
  context: Context,
  { steps, warnings }: Heard,
): Promise<number> {
  const { options } = start;
  const failures: SealexecError[] = [];
  const attempt: Attempt = async (work) => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof SealexecError)) throw error;
      failures.push(error);
      return undefined;
    }
  };
  // As `run`, which looks for the program first: the first failure decides the exit status.
  const command = await attempt(() => prepare(start, world, context));
  const tools = toolsFor(options, context);
  const asksAws = tools.needs(options.sources).length > 0;
  const isReady = !asksAws || (await attempt(() => beginWithAws(options, tools))) !== undefined;
  const opened = isReady ? await openAll(options, tools, attempt) : options.sources.map(() => undefined);
  const whole = opened.filter((source) => source !== undefined);
  // With a source missing, which names would be there cannot be known.
  const merged =
    whole.length < opened.length ? undefined : await attempt(() => mergeSources(whole, options, context));
  if (command !== undefined && merged !== undefined) {
    const complete = () => withVariables(command, merged, options, world);
    await attempt(() => stepOnlyIfFailed(context, "command", nameOf(start), complete));
  }
  context.deadline.clear();
  const status = statusOf(failures, strict ? warnings : []);
  const sources = options.sources.map(({ uri }, index) => ({ uri, opened: opened[index] }));
  const expected = { asksAws, gives: options.sources.map(({ gives }) => gives) };
  const findings = { steps, expected, sources, warnings, strict, failures: failures.length, status };
  await world.writeOutput(formatReport(format, findings, world.wantsColour()));
  return status;
}

function statusOf([failure]: readonly SealexecError[], counted: readonly Warning[]): number {
  if (failure !== undefined) return exitStatus(failure.kind);
  return counted.length === 0 ? 0 : exitStatus("data");
}

/** What `run` finds out before it opens anything. */
async function prepare(start: CheckedStart, world: World, context: Context): Promise<Command> {
  const { command, options, how } = start;
  const { envOut } = how ?? {};
  if (envOut !== undefined)
    await stepOnlyIfFailed(context, "configuration", envOut, () => new EnvOut(envOut, context.log));
  if (command === undefined) {
    const work = () => prepareStart(options, world);
    return { file: "", ...(await stepOnlyIfFailed(context, "command", nameOf(start), work)) };
  }
  const find = () => findCommand(options, world, context);
  return step(context, "command", command, find, ({ file }) => file);
}

function nameOf({ command }: CheckedStart): string {
  return command ?? "any";
}

async function beginWithAws(options: RunOptions, tools: RunTools): Promise<true> {
  const { context } = tools;
  const session = await stepOnlyIfFailed(context, "configuration", "environment", () => tools.session);
  await tools.begin(options.sources);
  const credentials = await session.credentials();
  await tellCredentials(credentials, options, context);
  await callerArn(session, credentials, context);
  return true;
}

/** @returns what was opened of each source, in their order */
async function openAll(
  options: RunOptions,
  tools: RunTools,
  attempt: Attempt,
): Promise<readonly (OpenedSource | undefined)[]> {
  const opened: (OpenedSource | undefined)[] = [];
  // One after the other, so that the report reads in their order.
  for (const source of options.sources) {
    const one = await attempt(() => openSource(source, options, tools));
    if (one !== undefined) warnOfSource(one, tools.context.log);
    opened.push(one);
  }
  return opened;
}

/** What is wrong is a line of the report; that nothing is wrong is none. */
async function stepOnlyIfFailed<T>(
  context: Context,
  stage: Stage,
  target: string,
  work: () => T | Promise<T>,
): Promise<T> {
  const { onStep, ...rest } = context;
  const reportFailure: Context["onStep"] = (report) => {
    if (!report.ok) onStep?.(report);
  };
  return step({ ...rest, onStep: reportFailure }, stage, target, work);
}

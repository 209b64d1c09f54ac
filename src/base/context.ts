/** Passed down to everything, and made in bin/ only: nothing below reads `process.env` or `process.argv`. */
import type { Deadline } from "./deadline.ts";
import { SealexecError } from "./errors.ts";
import type { Logger } from "./logger.ts";
import type { Trace } from "./trace.ts";
import type { Waiting } from "./waiting.ts";
import type { Environment } from "./env.ts";

/** The steps of opening a source, in their order. `check` shows one line for each. */
export type Stage =
  | "configuration"
  | "credentials"
  | "role"
  | "region"
  | "object"
  | "format"
  | "key"
  | "context"
  | "decrypt"
  | "dotenv"
  | "required names"
  | "refused names"
  | "command";

export interface StepReport {
  readonly stage: Stage;
  readonly target: string;
  readonly ok: boolean;
  readonly durationMs: number;
  /** facts of a step that went well; never a value */
  readonly detail?: string | undefined;
  readonly error?: SealexecError;
}

export interface Context {
  readonly env: Environment;
  readonly deadline: Deadline;
  readonly log: Logger;
  /** milliseconds of a monotonic clock */
  readonly now: () => number;
  /** called as each step ends */
  readonly onStep?: (report: StepReport) => void;
  /** for whoever waits for us */
  readonly waiting?: Waiting;
  readonly trace?: Trace | undefined;
}

/** An error that leaves a step names its stage and target first. What `describe` says is never a value. */
export async function step<T>(
  context: Context,
  stage: Stage,
  target: string,
  work: () => T | Promise<T>,
  describe?: (result: T) => string,
): Promise<T> {
  const started = context.now();
  const end = context.waiting?.begin(stage, target);
  try {
    const result = await work();
    context.trace?.mark(stage);
    const detail = describe?.(result);
    const durationMs = context.now() - started;
    context.onStep?.({ stage, target, ok: true, durationMs, detail });
    const said = detail === undefined ? target : `${target}: ${detail}`;
    const facts = { code: "step", stage, target, durationMs: Math.round(durationMs) };
    context.log.info(`${stage}: ${said} (${durationMs.toFixed(0)} ms)`, facts);
    return result;
  } catch (error) {
    const named = nameStage(error, stage, target);
    context.onStep?.({ stage, target, ok: false, durationMs: context.now() - started, error: named });
    throw named;
  } finally {
    end?.();
  }
}

function nameStage(error: unknown, stage: Stage, target: string): SealexecError {
  const own =
    error instanceof SealexecError
      ? error
      : new SealexecError("internal", `unexpected ${errorName(error)}`, { cause: error });
  // A step inside this one may have said already where it happened.
  return own.located ? own : own.at(stage, target);
}

/** The class of an unknown error: its message could hold anything, so it is not shown. */
export function errorName(error: unknown): string {
  return error instanceof Error ? error.name : "error";
}

import assert from "node:assert/strict";
import { Deadline } from "../../src/base/deadline.ts";
import type { Context, StepReport } from "../../src/base/context.ts";
import type { Environment } from "../../src/base/env.ts";
import { SealexecError } from "../../src/base/errors.ts";
import type { ErrorKind } from "../../src/base/errors.ts";
import { createLogger } from "../../src/base/logger.ts";

/** `work` throws our error of this kind, whose message reads so. */
export function refuses(work: () => unknown, kind: ErrorKind, message: RegExp = /./): SealexecError {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof SealexecError, String(error));
    assert.equal(error.kind, kind, error.message);
    assert.match(error.message, message);
    return error;
  }
  return assert.fail(`nothing was thrown; expected ${kind}`);
}

export interface Stage {
  readonly context: Context;
  readonly steps: StepReport[];
  readonly log: string[];
}

/** A context with a clock of its own where one is given. */
export function makeContext(
  env: Environment = {},
  timeoutMs = 30_000,
  now: () => number = () => performance.now(),
): Stage {
  const steps: StepReport[] = [];
  const log: string[] = [];
  const context: Context = {
    env,
    deadline: new Deadline(timeoutMs, now),
    log: createLogger("text", true, (line) => void log.push(line)),
    now,
    onStep: (report) => void steps.push(report),
  };
  return { context, steps, log };
}

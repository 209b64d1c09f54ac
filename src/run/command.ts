/** CMD: found before anything is fetched, and completed with the variables that were. */
import type { Context } from "../context.ts";
import { argumentLimit, chooseFileLimit } from "../exec/limits.ts";
import type { Host, Program } from "../exec/replace.ts";
import type { Variables } from "../secret.ts";
import { buildEnvironment } from "./environment.ts";
import { checkArgumentSize } from "./limits.ts";
import type { RunOptions } from "./options.ts";
import { findProgram } from "./program.ts";

/** What is to be executed, but for its environment. */
export type Command = Omit<Program, "env">;

/** @throws "not-found", "cannot-execute", "usage", "config": what could not be executed with any variables */
export function findCommand(options: RunOptions, { image, libc }: Host, { env }: Context): Command {
  const file = findProgram(options.command, env);
  const fileLimit = chooseFileLimit(image.fileLimit, options.softFileLimit, libc !== undefined);
  checkArgumentSize(options.args, image.environment, argumentLimit);
  return { file, args: options.args, fileLimit };
}

/** @throws "cannot-execute" where arguments and environment are too large together */
export function withVariables(
  command: Command,
  variables: Variables,
  { policy }: RunOptions,
  { image }: Host,
): Program {
  const env = buildEnvironment(image.environment, variables, policy);
  checkArgumentSize(command.args, env, argumentLimit);
  return { ...command, env };
}

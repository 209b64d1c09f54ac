/** CMD: found before anything is fetched, and completed with the variables that were. */
import type { Context } from "../context.ts";
import { argumentLimit, chooseFileLimit } from "../exec/limits.ts";
import { refuseWithoutExec } from "../exec/replace.ts";
import type { Host, Program } from "../exec/replace.ts";
import type { Variables } from "../secret.ts";
import { buildEnvironment } from "./environment.ts";
import { checkArgumentSize } from "./limits.ts";
import type { RunOptions } from "./options.ts";
import { findProgram } from "./program.ts";

/** What is to be executed, but for its environment. */
export type Command = Omit<Program, "env">;

/** @throws "not-found", "cannot-execute", "usage", "config": what could not be executed with any variables */
export function findCommand(options: RunOptions, host: Host, { env }: Context): Command {
  refuseWithoutExec(host);
  const file = findProgram(options.command, env);
  return { file, ...prepareStart(options, host) };
}

/** What a start takes whatever CMD is, as findCommand. */
export function prepareStart(
  { args, softFileLimit }: Pick<RunOptions, "args" | "softFileLimit">,
  host: Host,
): Omit<Command, "file"> {
  refuseWithoutExec(host);
  const { image, libc } = host;
  const fileLimit = chooseFileLimit(image.fileLimit, softFileLimit, libc !== undefined);
  checkArgumentSize(args, image.environment, argumentLimit);
  return { args, fileLimit };
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

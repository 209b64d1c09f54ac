/** CMD: found before anything is fetched, and completed with the variables that were. */
import type { Context } from "../base/context.ts";
import { argumentLimit, chooseFileLimit } from "./limits.ts";
import { refuseWithoutExec, type Host, type Program } from "./replace.ts";
import type { Variables } from "../base/secret.ts";
import { buildEnvironment, type EnvironmentPolicy } from "./environment.ts";
import { checkArgumentSize } from "./size.ts";
import { findProgram } from "./find.ts";

export interface CommandOptions {
  readonly command: string;
  /** argv of CMD, byte for byte, argv[0] as given */
  readonly args: readonly Buffer[];
  readonly policy: EnvironmentPolicy;
  /** the soft limit of open files that CMD gets; undefined: the inherited one, where that can be told */
  readonly softFileLimit: number | undefined;
}

/** What is to be executed, but for its environment. */
export type Command = Omit<Program, "env">;

/** @throws "not-found", "cannot-execute", "usage", "config": what could not be executed with any variables */
export function findCommand(options: CommandOptions, host: Host, { env }: Context): Command {
  refuseWithoutExec(host);
  const file = findProgram(options.command, env);
  return { file, ...prepareStart(options, host) };
}

/** What a start takes whatever CMD is, as findCommand. */
export function prepareStart(
  { args, softFileLimit }: Pick<CommandOptions, "args" | "softFileLimit">,
  host: Host,
): Omit<Command, "file"> {
  refuseWithoutExec(host);
  const { image, libc } = host;
  const fileLimit = chooseFileLimit(image.fileLimit, softFileLimit, libc !== undefined);
  checkArgumentSize(args, image.environment, argumentLimit);
  return { args, fileLimit };
}

export function withVariables(
  command: Command,
  variables: Variables,
  { policy }: CommandOptions,
  { image }: Host,
): Program {
  const env = buildEnvironment(image.environment, variables, policy);
  checkArgumentSize(command.args, env, argumentLimit);
  return { ...command, env };
}

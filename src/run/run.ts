/** The entrypoint: open the sources, merge, and become the program that needs the variables. */
import type { Context } from "../context.ts";
import { replaceProcess } from "../exec/replace.ts";
import { argumentLimit } from "../exec/image.ts";
import type { ProcessImage } from "../exec/image.ts";
import { buildEnvironment } from "./environment.ts";
import { checkArgumentSize } from "./limits.ts";
import type { RunOptions } from "./options.ts";
import { findProgram } from "./program.ts";
import { openSources } from "./sources.ts";

/**
 * Never returns: the process is CMD's afterwards, or an error is thrown.
 *
 * @param image what the kernel gave this process: the environment block, the arguments, the open files
 */
export async function run(options: RunOptions, image: ProcessImage, context: Context): Promise<never> {
  const program = findProgram(options.command, context.env);
  checkArgumentSize(options.args, image.environment, argumentLimit);
  const secrets = await openSources(options, context);
  const env = buildEnvironment(image.environment, secrets, options.policy);
  checkArgumentSize(options.args, env, argumentLimit);
  context.deadline.clear();
  return replaceProcess(program, options.args, env, image);
}

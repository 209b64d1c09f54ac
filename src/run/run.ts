/** The entrypoint: open the sources, merge, and become the program that needs the variables. */
import type { Context } from "../context.ts";
import { replaceProcess } from "../exec/replace.ts";
import type { Host } from "../exec/replace.ts";
import { argumentLimit, chooseFileLimit } from "../exec/limits.ts";
import { buildEnvironment } from "./environment.ts";
import { checkArgumentSize } from "./limits.ts";
import type { RunOptions } from "./options.ts";
import { findProgram } from "./program.ts";
import { openSources } from "./sources.ts";

/**
 * Never returns: the process is CMD's afterwards, or an error is thrown.
 *
 * @param host this process: what the kernel gave it, and what can be done to it
 */
export async function run(options: RunOptions, host: Host, context: Context): Promise<never> {
  const { image, libc } = host;
  const file = findProgram(options.command, context.env);
  const fileLimit = chooseFileLimit(image.fileLimit, options.softFileLimit, libc !== undefined);
  checkArgumentSize(options.args, image.environment, argumentLimit);
  const secrets = await openSources(options, context);
  const env = buildEnvironment(image.environment, secrets, options.policy);
  checkArgumentSize(options.args, env, argumentLimit);
  context.deadline.clear();
  return replaceProcess({ file, args: options.args, env, fileLimit }, host);
}

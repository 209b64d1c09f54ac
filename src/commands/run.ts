/** The entrypoint: open the sources, merge, and become the program that needs the variables. */
import type { Context } from "../base/context.ts";
import { replaceProcess, type Host } from "../process/replace.ts";
import { findCommand, withVariables } from "../process/command.ts";
import type { RunOptions } from "../sources/options.ts";
import { openFallback, openKeeping } from "../sources/fallback/keeping.ts";
import { toolsFor } from "../sources/sources.ts";

/** @param host this process: what the kernel gave it, and what can be done to it */
export async function run(options: RunOptions, host: Host, context: Context): Promise<never> {
  const command = findCommand(options, host, context);
  const fallback = await openFallback(options, host, context);
  const { variables } = await openKeeping(fallback, options, toolsFor(options, context));
  const program = withVariables(command, variables, options, host);
  context.deadline.clear();
  return replaceProcess(program, host);
}

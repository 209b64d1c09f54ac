/** The plain form of `run` is read here, all else by commander. */
import { BECOME } from "../process/child/word.ts";
import type { World } from "../commands/world.ts";
import { startRun } from "./run.ts";
import { readRunLine } from "./run-line.ts";

/** @returns the exit status of a command that has done its work; `run` without --watch never returns */
export async function main(world: World): Promise<number> {
  if (world.args[0] === BECOME) {
    const { become } = await import("../process/child/become.ts");
    return become(Number(world.args[1]), world);
  }
  const line = readRunLine(world.args);
  if (line !== undefined) return startRun(line.words, line.flags, world);
  const { runProgram } = await import("./program.ts");
  return runProgram(world);
}

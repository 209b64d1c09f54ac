/** The plain form of `run`, read without commander: to load that takes as long as two calls of AWS. */
// What cannot be read exactly as by commander (test/unit/cli/run-line.test.ts) is left to it, mistakes too.
import type { Environment } from "../base/env.ts";
import type { RunFlags } from "../commands/run-options.ts";
import type { WatchFlags } from "../commands/watch-options.ts";
import type { CommonFlags } from "./context.ts";
import { OPTIONS, flagName, type OptionRow } from "./table.ts";

export type RunCliFlags = CommonFlags & RunFlags & WatchFlags;

export interface RunLine {
  readonly flags: RunCliFlags;
  /** CMD and its arguments, one at least */
  readonly words: readonly string[];
}

/** @returns undefined: it is not `run` in its plain form */
export function readRunLine(args: readonly string[]): RunLine | undefined {
  if (args[0] !== "run") return undefined;
  const flags: Record<string, string | string[] | boolean> = {};
  let at = 1;
  for (; at < args.length; at += 1) {
    const word = args[at] ?? "";
    if (!word.startsWith("-")) break;
    if (word === "--") {
      at += 1;
      break;
    }
    const equals = word.startsWith("--") ? word.indexOf("=") : -1;
    const given = equals === -1 ? word : word.slice(0, equals);
    const row = rowOf(given);
    if (row === undefined || row.conflicts !== undefined || (row.kind === "switch" && equals !== -1))
      return undefined;
    const name = flagName(row.long);
    if (row.kind === "switch") {
      flags[name] = true;
      continue;
    }
    if (equals === -1) at += 1;
    const value = equals === -1 ? args[at] : word.slice(equals + 1);
    if (value === undefined || row.choices?.includes(value) === false) return undefined;
    flags[name] = row.kind === "list" ? [...((flags[name] as string[] | undefined) ?? []), value] : value;
  }
  const words = args.slice(at);
  return words.length === 0 ? undefined : { flags, words };
}

// A line has a few options: to walk the table for each takes less than to make an index of it at every start.
function rowOf(given: string): OptionRow | undefined {
  for (const row of OPTIONS) {
    if ((row.long === given || row.short === given) && row.commands.includes("run")) return row;
  }
  return undefined;
}

const WATCH_FLAGS = ["watch", "onChange", "every", "grace", "onExit", "envOut"] as const;

/** Whether the code of watching has to be loaded to know what is meant. */
export function mentionsWatching(flags: RunCliFlags, env: Environment): boolean {
  return WATCH_FLAGS.some((name) => flags[name] !== undefined) || env["SEALEXEC_WATCH"] !== undefined;
}

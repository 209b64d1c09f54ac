/**
 * The command line of `run` in its plain form, read without commander: loading that, and declaring the commands to it,
 * takes as long as two calls of AWS. Never a second opinion: what is not read here exactly as commander would read it
 * (test/unit/cli/run-line.test.ts) is left to commander, mistakes and --help among it.
 */
import type { Environment } from "../env.ts";
import type { RunCliFlags } from "./run-flags.ts";

type Kind = "once" | "list" | "switch";

const OPTIONS: Readonly<Record<string, readonly [keyof RunCliFlags, Kind]>> = {
  "--from": ["from", "list"],
  "-f": ["from", "list"],
  "--key": ["key", "once"],
  "--context": ["context", "list"],
  "--accept": ["accept", "list"],
  "--min-revision": ["minRevision", "once"],
  "--max-lag": ["maxLag", "once"],
  "--credentials": ["credentials", "once"],
  "--require": ["require", "list"],
  "--allow": ["allow", "list"],
  "--only": ["only", "list"],
  "--drop": ["drop", "list"],
  "--keep-existing": ["keepExisting", "switch"],
  "--pristine": ["pristine", "switch"],
  "--pass": ["pass", "list"],
  "--nofile": ["nofile", "once"],
  "--fallback": ["fallback", "once"],
  "--fallback-age": ["fallbackAge", "once"],
  "--explain": ["explain", "switch"],
  "--watch": ["watch", "switch"],
  "--on-change": ["onChange", "once"],
  "--every": ["every", "once"],
  "--grace": ["grace", "once"],
  "--on-exit": ["onExit", "once"],
  "--env-out": ["envOut", "once"],
  "--timeout": ["timeout", "once"],
  "--log": ["log", "once"],
  "--verbose": ["verbose", "switch"],
  "-v": ["verbose", "switch"],
};

export interface RunLine {
  readonly flags: RunCliFlags;
  /** CMD and its arguments, one at least */
  readonly words: readonly string[];
}

/** @returns undefined where it is not `run` in its plain form */
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
    const [name, kind] = (Object.hasOwn(OPTIONS, given) ? OPTIONS[given] : undefined) ?? [];
    if (name === undefined || (kind === "switch" && equals !== -1)) return undefined;
    if (kind === "switch") {
      flags[name] = true;
      continue;
    }
    if (equals === -1) at += 1;
    const value = equals === -1 ? args[at] : word.slice(equals + 1);
    if (value === undefined || (name === "log" && value !== "text" && value !== "json")) return undefined;
    flags[name] = kind === "list" ? [...((flags[name] as string[] | undefined) ?? []), value] : value;
  }
  const words = args.slice(at);
  return words.length === 0 ? undefined : { flags, words };
}

const WATCH_FLAGS = ["watch", "onChange", "every", "grace", "onExit", "envOut"] as const;

/** Whether the code of watching has to be loaded to know what is meant. */
export function mentionsWatching(flags: RunCliFlags, env: Environment): boolean {
  return WATCH_FLAGS.some((name) => flags[name] !== undefined) || env["SEALEXEC_WATCH"] !== undefined;
}

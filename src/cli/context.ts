/** What a command is given to work with, made of its common options and of the world. */
import type { Context } from "../base/context.ts";
import { defined } from "../base/defined.ts";
import type { Environment } from "../base/env.ts";
import { Deadline } from "../base/deadline.ts";
import { SealexecError } from "../base/errors.ts";
import { createLogger, type LogFormat, type Logger } from "../base/logger.ts";
import { refuseInspector, refuseTellingDebug } from "../base/node-debug.ts";
import { Waiting } from "../base/waiting.ts";
import type { Heard } from "../commands/check.ts";
import type { World } from "../commands/world.ts";
import { checkGiven } from "./given.ts";
import { isCommand } from "./table.ts";

/** The command that was typed; a placeholder if it is none. */
function commandOf([first = ""]: readonly string[]): string {
  return isCommand(first) ? first : "COMMAND";
}

/** A usage error whose hint leads to the help of a command leads to that of the one that was typed. */
export function namingCommand(error: SealexecError, args: readonly string[]): SealexecError {
  return error.hinting(error.hint?.replace("help COMMAND", `help ${commandOf(args)}`));
}

/** The options that every command has. */
export interface CommonFlags {
  readonly log?: string;
  readonly verbose?: boolean;
  readonly timeout?: string;
}

/** The format of messages, also for what fails before the command line is read. */
export function logFormat(args: readonly string[], env: Environment): LogFormat {
  const end = args.indexOf("--");
  const flags = end === -1 ? args : args.slice(0, end);
  // What prints a document says what went wrong as one, too.
  if (flags[0] === "push" && flags.includes("--json")) return "json";
  if (flags[0] === "check" && valueOf(flags, "--format") === "json") return "json";
  return (valueOf(flags, "--log") ?? env["SEALEXEC_LOG"]) === "json" ? "json" : "text";
}

function valueOf(flags: readonly string[], option: string): string | undefined {
  const index = flags.indexOf(option);
  if (index !== -1) return flags[index + 1];
  return flags.find((word) => word.startsWith(`${option}=`))?.slice(option.length + 1);
}

/** What listens to all that a command does, from its first warning on. */
export type Listener = Pick<Heard, "onStep" | "listenTo">;

export async function createContext(world: World, flags: CommonFlags, listener?: Listener): Promise<Context> {
  const unknown = checkGiven(flags, world.env);
  const plain = commandLogger(world, flags);
  const log = listener === undefined ? plain : listener.listenTo(plain);
  if (unknown.length > 0) (await import("./unknown.ts")).warnUnknown(unknown, commandOf(world.args), log);
  refuseTellingDebug(world.env, world.runtime === "bun");
  refuseInspector(world.env, world.runtime === "bun", world.hasDebugger);
  const deadline = new Deadline(parseTimeout(flags.timeout, world.env), world.now);
  const { env, now, trace } = world;
  const waiting = new Waiting(log, deadline);
  return { env, deadline, log, waiting, now, trace, ...defined({ onStep: listener?.onStep }) };
}

function commandLogger(world: World, flags: CommonFlags): Logger {
  const format = flags.log ?? world.env["SEALEXEC_LOG"] ?? "text";
  if (format !== "text" && format !== "json")
    throw new SealexecError("usage", "SEALEXEC_LOG is neither text nor json");
  return createLogger(format, flags.verbose ?? false, world.writeError);
}

const LONGEST_TIMEOUT_S = 3_600;

/** Seconds of --timeout or SEALEXEC_TIMEOUT as milliseconds. */
export function parseTimeout(flag: string | undefined, env: Environment): number {
  const text = flag ?? env["SEALEXEC_TIMEOUT"] ?? "30";
  const seconds = /^\d{1,4}(\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN;
  if (seconds > 0 && seconds <= LONGEST_TIMEOUT_S) return seconds * 1_000;
  const what = "--timeout (SEALEXEC_TIMEOUT) is not a number of seconds from 0.001 to 3600";
  throw new SealexecError("usage", what);
}

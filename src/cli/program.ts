/** The command line by commander: what the table has is declared to it, and its refusals are said as ours. */
import { SealexecError } from "../base/errors.ts";
import { VERSION } from "../base/version.ts";
import type { World } from "../commands/world.ts";
import { ACTIONS, type Action, type Actions } from "./actions.ts";
import { Argument, Command, CommanderError, Option } from "./commander.ts";
import { helpAfter, optionHelp, plain } from "./help.ts";
import { COMMANDS, COMMAND_NAMES, GROUPS, flagName, optionsOf } from "./table.ts";
import type { CommandName, OptionRow } from "./table.ts";

/** @param start what `run` does once its line is read */
export async function runProgram(world: World, start: Actions["run"] = ACTIONS.run): Promise<number> {
  const shown: string[] = [];
  let status = 0;
  const program = new Command("sealexec")
    .description("Opens secrets from S3 and other stores, and becomes the program that needs them.")
    .version(VERSION, "-V, --version")
    .configureOutput({
      writeOut: (text) => void shown.push(text),
      // Usage errors are thrown and printed by bin/ like all others.
      writeErr: () => {},
    })
    .enablePositionalOptions()
    .showHelpAfterError(false)
    .exitOverride();
  const actions = { ...ACTIONS, run: start };
  for (const name of COMMAND_NAMES) {
    // The flags are of the type that the table and the action agree on.
    const act = actions[name] as Action<object>;
    const command = declareCommand(program, name);
    command.action(async () => {
      status = await act(command.processedArgs.flat() as string[], command.opts(), world);
    });
  }
  program.addHelpText("after", "\nsealexec help COMMAND shows the options of a command, with examples.");
  if (world.args.length === 0) {
    world.writeError(program.helpInformation());
    throw new SealexecError("usage", "no command", {
      hint: "sealexec run --from URI -- CMD, or sealexec --help",
    });
  }
  try {
    await program.parseAsync(withoutLostHelp(world.args, program), { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode !== 0) throw usageError(error, program);
    await world.writeOutput(shown.join(""));
  }
  return status;
}

function declareCommand(program: Command, name: CommandName): Command {
  const { summary, description, usage, arguments: words, endsAtCommand = false } = COMMANDS[name];
  const command = program
    .command(name)
    .summary(summary)
    .description(plain(description))
    .usage(usage)
    .passThroughOptions(endsAtCommand)
    .addHelpOption(new Option("-h, --help", "display help for command").helpGroup(heading("common")))
    .addHelpText("after", helpAfter(name));
  for (const word of words) {
    const argument = new Argument(word.name, plain(word.help));
    command.addArgument(word.choices === undefined ? argument : argument.choices(word.choices));
  }
  for (const row of optionsOf(name)) command.addOption(optionOf(row));
  return command;
}

function optionOf(row: OptionRow): Option {
  const names = row.short === undefined ? row.long : `${row.short}, ${row.long}`;
  const option = new Option(row.value === undefined ? names : `${names} <${row.value}>`, optionHelp(row));
  option.helpGroup(heading(row.group));
  if (row.conflicts !== undefined) option.conflicts(row.conflicts.map(flagName));
  // A default beside a variable is for whoever has looked at both.
  if (row.default !== undefined && row.variable === undefined) option.default(row.default);
  if (row.kind === "list") option.argParser(adding);
  return row.choices === undefined ? option : option.choices(row.choices);
}

/** Values add up, whether they are given at once or one after the other. */
function adding(value: string, before: readonly string[] | undefined): string[] {
  return [...(before ?? []), value];
}

function heading(group: OptionRow["group"]): string {
  return `${GROUPS[group]}:`;
}

/** `help hepl`, `help --json`: what is no command is taken for itself, and answered as such. */
function withoutLostHelp(args: readonly string[], program: Command): string[] {
  const [first, second] = args;
  const isLost =
    first === "help" &&
    second !== undefined &&
    !program.commands.some((command) => command.name() === second);
  return isLost ? withoutLostHelp(args.slice(1), program) : [...args];
}

/** Commander's message in our form: lower case, no full stop, and no words of the command line but names. */
function usageError(error: CommanderError, program: Command): SealexecError {
  const [first = "", ...rest] = error.message.replace(/^error: /, "").split("\n");
  const [, given] = /^unknown option '([^=']*)=/.exec(first) ?? [];
  if (given !== undefined && isSwitch(given, program))
    return new SealexecError("usage", `option '${given}' takes no value`, { cause: error });
  const message = first
    .replace(/\.$/, "")
    .replace(/\. ([A-Z])/g, (_, letter: string) => `: ${letter.toLowerCase()}`)
    // What was given too much, or behind "=" to an option that is not there, could be a value.
    .replace(/(but got \d+): .*$/, "$1")
    .replace(/^(unknown option '[^=']*)=.*$/, "$1'");
  const suggestion = rest.join(" ").replace(/[()]/g, "").trim().toLowerCase();
  return new SealexecError("usage", message, { hint: suggestion || undefined, cause: error });
}

/** An option that there is, and that commander did not take with a value. */
function isSwitch(given: string, program: Command): boolean {
  const known = [program, ...program.commands].flatMap(({ options }) => options.map(({ long }) => long));
  return given === "--help" || known.includes(given);
}

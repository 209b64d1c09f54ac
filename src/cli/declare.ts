/** What commander is told of the commands and their options: all of it from the table. */
import { Argument, Option, type Command } from "./commander.ts";
import { helpAfter, optionHelp, plain } from "./help.ts";
import { COMMANDS, GROUPS, flagName, optionsOf, type CommandName, type OptionRow } from "./table.ts";

export function declareCommand(program: Command, name: CommandName): Command {
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

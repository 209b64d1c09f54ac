/** The completion for fish: complete(1). */
import { plain } from "../help.ts";
import { COMMANDS, COMMAND_NAMES, OPTIONS, type CommandName, type OptionRow } from "../table.ts";
import { TARGETS, URIS, offerForArgument, offerOf, type Offer } from "./words.ts";

export function fishScript(): string {
  return `
function __sealexec_is_first
    test (count (commandline -opc)) -eq 1
end

function __sealexec_in
    set -l words (commandline -opc)
    test (count $words) -gt 1; and contains -- $words[2] $argv
end

function __sealexec_programs
    set -l token (commandline -ct)
    for path in $PATH/"$token"*
        test -f $path -a -x $path; and string replace -r '.*/' '' -- $path
    end
end

complete -c sealexec -f
complete -c sealexec -s h -l help -d 'display help'
complete -c sealexec -n __sealexec_is_first -s V -l version -d 'output the version number'
${COMMAND_NAMES.map((name) => `complete -c sealexec -n __sealexec_is_first -a ${name} -d ${quoted(COMMANDS[name].summary)}`).join("\n")}
complete -c sealexec -n __sealexec_is_first -a help -d 'display help for command'
complete -c sealexec -n '__sealexec_in help' -a ${quoted(COMMAND_NAMES.join(" "))}
${COMMAND_NAMES.flatMap(argumentsOf).join("\n")}
${OPTIONS.map(optionLine).join("\n")}
`;
}

function argumentsOf(name: CommandName): string[] {
  return COMMANDS[name].arguments.map(
    (argument) =>
      `complete -c sealexec -n '__sealexec_in ${name}' ${offered(offerForArgument(name, argument))}`,
  );
}

function optionLine(row: OptionRow): string {
  const short = row.short === undefined ? "" : ` -s ${row.short.slice(1)}`;
  const offer = offerOf(row);
  const value = offer === undefined ? "" : ` -r ${offered(offer)}`;
  const where = quoted(`__sealexec_in ${row.commands.join(" ")}`);
  return `complete -c sealexec -n ${where}${short} -l ${row.long.slice(2)}${value} -d ${quoted(plain(row.help))}`;
}

/** -F: files too; -f: none. */
const OFFERED = {
  file: "-F",
  uri: `-F -a ${quoted(URIS.join(" "))}`,
  target: `-F -a ${quoted(TARGETS.join(" "))}`,
  program: "-F -a '(__sealexec_programs)'",
  anything: "-f",
} as const;

function offered(offer: Offer): string {
  return typeof offer === "string" ? OFFERED[offer] : `-f -a ${quoted(offer.join(" "))}`;
}

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}

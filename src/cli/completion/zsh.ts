/** The completion for zsh, by its own _arguments: zshcompsys(1). */
import { plain } from "../help.ts";
import { COMMANDS, COMMAND_NAMES, optionsOf, type CommandName, type OptionRow } from "../table.ts";
import { TARGETS, URIS, offerForArgument, offerOf, type Offer } from "./words.ts";

export function zshScript(): string {
  return `#compdef sealexec

_sealexec_uris() {
  if compset -P '(file|env-file|json-file):'; then
    _files
  elif compset -P 'dir:'; then
    _files -/
  else
    compadd -S '' "$@"
  fi
}

_sealexec() {
  local curcontext=$curcontext state line ret=1
  local -a commands
  typeset -A opt_args
  _arguments -C \\
    '(- *)'{-h,--help}'[display help]' \\
    '(- *)'{-V,--version}'[output the version number]' \\
    '1: :->command' \\
    '*:: :->words' && ret=0
  case $state in
    command)
      commands=(
${[...COMMAND_NAMES.map((name) => [name, COMMANDS[name].summary]), ["help", "display help for command"]]
  .map(([name = "", text = ""]) => `        '${name}:${escaped(text)}'`)
  .join("\n")}
      )
      _describe -t commands command commands && ret=0
      ;;
    words)
      case $words[1] in
${COMMAND_NAMES.map(branch).join("\n")}
        help) _arguments '1:command:(${COMMAND_NAMES.join(" ")})' && ret=0 ;;
      esac
      ;;
  esac
  return ret
}

# Sourced, or found as a file in $fpath.
if [[ $funcstack[1] == _sealexec ]]; then
  _sealexec "$@"
else
  compdef _sealexec sealexec
fi
`;
}

function branch(name: CommandName): string {
  const { arguments: words, endsAtCommand } = COMMANDS[name];
  const places = words.map((word, at) => {
    // After CMD there are no options of ours.
    const excludes = endsAtCommand === true ? "(-)" : "";
    return `'${excludes}${at + 1}:${word.name.replace(/\W/g, "")}:${actionOf(offerForArgument(name, word))}'`;
  });
  const rest = endsAtCommand === true ? ["'*:argument:_files'"] : [];
  const help = "'(- *)'{-h,--help}'[display help]'";
  const lines = [...optionsOf(name).flatMap(specsOf), help, ...places, ...rest];
  return [
    `        ${name})`,
    `          _arguments -s -S \\`,
    `            ${lines.join(" \\\n            ")} && ret=0`,
    "          ;;",
  ].join("\n");
}

/** One for each of its names. */
function specsOf(row: OptionRow): string[] {
  const { long, short, kind, value, help, conflicts = [] } = row;
  const names = [...(short === undefined ? [] : [short]), long];
  const offer = offerOf(row);
  const argument = offer === undefined ? "" : `:${value ?? ""}:${actionOf(offer)}`;
  const before = kind === "list" ? "*" : `(${[...names, ...conflicts].join(" ")})`;
  return names.map((name) => {
    const equals = offer !== undefined && name === long ? "=" : "";
    return `'${before}${name}${equals}[${escaped(plain(help))}]${argument}'`;
  });
}

const ACTIONS = {
  file: "_files",
  uri: `_sealexec_uris ${URIS.join(" ").replaceAll(":", "\\:")}`,
  target: `_sealexec_uris ${TARGETS.join(" ").replaceAll(":", "\\:")}`,
  program: "_command_names -e",
  anything: " ",
} as const;

function actionOf(offer: Offer): string {
  return typeof offer === "string" ? ACTIONS[offer] : `(${offer.join(" ")})`;
}

/** In a text between single quotes, in which brackets and colons mean something to _arguments. */
function escaped(text: string): string {
  return text.replace(/[\\[\]:]/g, "\\$&").replaceAll("'", "'\\''");
}

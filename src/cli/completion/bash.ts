/** The completion for bash: what the table says, and a reader of the line that the table does not change. */
import { COMMANDS, COMMAND_NAMES, optionsOf } from "../table.ts";
import { TARGETS, URIS, offerForArgument, offerOf, type Offer } from "./words.ts";

/** `words` and `count` are the line, `current` what is completed, `lead` what is before it in its word. */
const READER = `
# Words that begin as the current one does.
_sealexec_offer() {
  local word
  for word in $1; do
    [[ $word == "$current"* ]] && COMPREPLY+=("$word")
  done
}

# Nothing is offered: then Readline completes files by itself.
_sealexec_files() {
  compopt -o default 2>/dev/null
}

_sealexec_programs() {
  local IFS=: folder path name
  for folder in $PATH; do
    for path in "$folder/$current"*; do
      [[ -f $path && -x $path ]] || continue
      # Any name may stand in PATH, one that a shell would run among them.
      printf -v name %q "\${path##*/}"
      COMPREPLY+=("$name")
    done
  done
}

_sealexec_uris() {
  case $current in
    dir:*) compopt -o dirnames 2>/dev/null ;;
    file:* | env-file:* | json-file:*) _sealexec_files ;;
    *)
      compopt -o nospace 2>/dev/null
      _sealexec_offer "$1"
      ;;
  esac
}

_sealexec_value() {
  case $1 in
    words\\ *) _sealexec_offer "\${1#words }" ;;
    file) _sealexec_files ;;
    program) if [[ $current == */* ]]; then _sealexec_files; else _sealexec_programs; fi ;;
    uri) _sealexec_uris "URIS" ;;
    target) _sealexec_uris "TARGETS" ;;
  esac
}

_sealexec_candidates() {
  local command=\${words[1]} at word place=0 ended=
  if ((count == 1)); then
    _sealexec_offer "NAMES help --help --version"
    return
  fi
  for ((at = 2; at < count; at++)); do
    word=\${words[at]}
    if [[ $ended ]]; then
      ((place += 1))
    elif [[ $word == -- ]]; then
      ended=1
    elif [[ $word == -* ]]; then
      _sealexec_takes "$command $word" || continue
      ((at += 1))
      if ((at == count)); then
        _sealexec_value "$takes"
        return
      fi
    else
      ((place += 1))
      # What follows CMD is CMD's own.
      [[ " STARTS " == *" $command "* ]] && ended=1
    fi
  done
  if [[ ! $ended && $current == --*=* ]]; then
    lead=\${current%%=*}=
    current=\${current#*=}
    _sealexec_takes "$command \${lead%=}" && _sealexec_value "$takes"
  elif [[ ! $ended && $current == -* ]]; then
    _sealexec_options "$command"
    _sealexec_offer "$options --help"
  elif [[ ! $ended && ! $current && " STARTS " == *" $command "* ]]; then
    # Rather these than every program there is.
    _sealexec_options "$command"
    _sealexec_offer "$options --"
  else
    takes=
    _sealexec_argument "$command $place"
    _sealexec_value "$takes"
  fi
}

_sealexec() {
  local IFS=$' \\t\\n' line=$COMP_LINE at piece word count=-1 current lead= typed takes= options=
  local -a words=()
  # Readline splits at = and : too. What has no blank before it belongs to the word before.
  for ((at = 0; at <= COMP_CWORD; at++)); do
    piece=\${COMP_WORDS[at]}
    if ((at == 0)) || [[ $line == [[:space:]]* ]]; then
      ((count += 1))
      words[count]=$piece
    else
      words[count]+=$piece
    fi
    line=\${line#"\${line%%[![:space:]]*}"}
    line=\${line#"$piece"}
  done
  current=\${words[count]}
  # It replaces what stands after the last of them.
  [[ $piece == *[!=:]* ]] || piece=
  typed=\${current%"$piece"}
  COMPREPLY=()
  _sealexec_candidates
  for at in "\${!COMPREPLY[@]}"; do
    word=$lead\${COMPREPLY[at]}
    COMPREPLY[at]=\${word#"$typed"}
  done
}

complete -F _sealexec sealexec
`;

export function bashScript(): string {
  const takes = COMMAND_NAMES.flatMap((name) =>
    optionsOf(name).flatMap((row) => {
      const offer = offerOf(row);
      if (offer === undefined) return [];
      const flags = [row.long, ...(row.short === undefined ? [] : [row.short])];
      const patterns = flags.map((flag) => `${name} ${flag}`);
      return [branch(patterns, `takes=${kindOf(offer)}`)];
    }),
  );
  const options = COMMAND_NAMES.map((name) => {
    const flags = optionsOf(name).map(({ long }) => long);
    return branch([name], `options='${flags.join(" ")}'`);
  });
  const places = COMMAND_NAMES.flatMap((name) =>
    COMMANDS[name].arguments.map((argument, at) =>
      branch([`${name} ${at}`], `takes=${kindOf(offerForArgument(name, argument))}`),
    ),
  );
  const starts = COMMAND_NAMES.filter((name) => COMMANDS[name].endsAtCommand === true);
  const rest = `    ${starts.map((name) => `"${name} "*`).join(" | ")}) takes=file ;;`;
  const names = branch(["help 0"], `takes=${kindOf(COMMAND_NAMES)}`);
  return [
    cases("_sealexec_takes", [...takes, "    *) return 1 ;;"]),
    cases("_sealexec_options", options),
    cases("_sealexec_argument", [...places, rest, names]),
    READER.replace("URIS", URIS.join(" "))
      .replace("TARGETS", TARGETS.join(" "))
      .replace("NAMES", COMMAND_NAMES.join(" "))
      .replaceAll("STARTS", starts.join(" ")),
  ].join("\n");
}

function cases(name: string, branches: readonly string[]): string {
  return `${name}() {\n  case $1 in\n${branches.join("\n")}\n  esac\n}\n`;
}

function branch(patterns: readonly string[], act: string): string {
  return `    ${patterns.map((pattern) => `"${pattern}"`).join(" | ")}) ${act} ;;`;
}

function kindOf(offer: Offer): string {
  return typeof offer === "string" ? offer : `'words ${offer.join(" ")}'`;
}

/** Makes docs/sealexec.1, the manual page, of the table in src/cli/table.ts: `node scripts/manual.ts > docs/sealexec.1`. */
import { SOURCES, STATUSES, STATUS_OF_CMD, STATUS_OF_WATCH } from "../src/cli/help.ts";
import { COMMANDS, COMMAND_NAMES, GROUPS, OPTIONS, SWITCHES, optionsOf } from "../src/cli/table.ts";
import type { CommandName, OptionRow } from "../src/cli/table.ts";
import { VERSION } from "../src/base/version.ts";

/** Text as it stands: in roff, a backslash, a hyphen and a quote mean something else. */
function literal(text: string): string {
  return (
    text
      .replaceAll("\\", "\\e")
      .replaceAll("-", "\\-")
      .replaceAll("'", "\\(aq")
      .replaceAll("`", "\\(ga")
      .replaceAll("^", "\\(ha")
      .replaceAll("~", "\\(ti")
      .replaceAll('"', "\\(dq")
      // At the start of a line a dot would be a request.
      .replace(/^\./gm, "\\&.")
  );
}

/** Text of the table: what is between backticks is bold. */
function prose(text: string): string {
  return text
    .split("`")
    .map((part, at) => (at % 2 === 0 ? literal(part) : bold(part)))
    .join("");
}

const bold = (text: string): string => `\\fB${literal(text)}\\fR`;
const italic = (text: string): string => `\\fI${literal(text)}\\fR`;

function entry(term: string, ...lines: readonly string[]): string {
  return [".TP", term, ...lines].join("\n");
}

function option(row: OptionRow): string {
  const { short, long, value, choices, help, more, variable, between } = row;
  const names = [...(short === undefined ? [] : [short]), long].map(bold).join(", ");
  const form = choices === undefined ? value : choices.join("|");
  const facts = [
    more === undefined ? undefined : prose(more),
    row.default === undefined ? undefined : `default ${bold(row.default)}`,
  ].filter((part) => part !== undefined);
  return entry(
    form === undefined ? names : `${names} ${italic(form)}`,
    [prose(help), ...facts].join("; "),
    ...(variable === undefined
      ? []
      : [`(${bold(variable)}${between === undefined ? "" : `, ${between} between`})`]),
  );
}

function command(name: CommandName): string {
  const { description, usage, arguments: words } = COMMANDS[name];
  const own = optionsOf(name);
  const groups = Object.entries(GROUPS).flatMap(([group, title]) => {
    const rows = own.filter((row) => row.group === group);
    return rows.length === 0 ? [] : [`.PP\n${italic(`${title}:`)}`, ...rows.map(option)];
  });
  return [
    `.SS sealexec ${name}`,
    `${bold(`sealexec ${name}`)} ${literal(usage)}`,
    ".PP",
    prose(description),
    ...words.map((word) => entry(literal(word.name), prose(word.help))),
    ...groups,
  ].join("\n");
}

function example(lines: readonly string[]): string {
  return [".PP", ".EX", ...lines.map(literal), ".EE"].join("\n");
}

function variables(): string[] {
  const named = [...new Map(OPTIONS.map((row) => [row.variable, row])).values()];
  return [
    ...named.flatMap(({ variable, long }) =>
      variable === undefined ? [] : [entry(bold(variable), bold(long))],
    ),
    ...SWITCHES.map(({ variable, help }) => entry(bold(variable), prose(help))),
  ];
}

/** The whole page. */
export function manualPage(): string {
  return `${[
    '.\\" Made by scripts/manual.ts of src/cli/table.ts.',
    `.TH SEALEXEC 1 "" "sealexec ${VERSION}" "User Commands"`,
    ".SH NAME",
    "sealexec \\- open secrets, and become the program that needs them",
    ".SH SYNOPSIS",
    ...COMMAND_NAMES.flatMap((name, at) => [
      ...(at === 0 ? [] : [".br"]),
      `${bold(`sealexec ${name}`)} ${literal(COMMANDS[name].usage)}`,
    ]),
    ".SH DESCRIPTION",
    prose("Opens secrets from S3 and other stores, and replaces itself with the program that needs them."),
    prose("It starts that program only after every source was opened and verified whole."),
    ".PP",
    prose("An option wins over its variable. What is given empty, option or variable, is an error."),
    ".SH COMMANDS",
    ...COMMAND_NAMES.map(command),
    ".SH SOURCES",
    "Each over the one before it.",
    ...SOURCES.map(({ uri, what }) => entry(bold(uri), literal(what))),
    ".SH ENVIRONMENT",
    ...variables(),
    ".SH EXIT STATUS",
    prose(STATUS_OF_CMD),
    ...STATUSES.map(([status, meaning]) => entry(bold(status), prose(meaning))),
    ".PP",
    prose(STATUS_OF_WATCH),
    ".SH EXAMPLES",
    ...COMMAND_NAMES.map((name) => example(COMMANDS[name].examples)),
  ].join("\n")}\n`;
}

if (import.meta.main) process.stdout.write(manualPage());

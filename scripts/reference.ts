/**
 * Makes docs/reference.md, and the tables of commands and options in README.md, of the table in src/cli/table.ts:
 * `node scripts/reference.ts`.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { SOURCES, STATUSES, STATUS_OF_CMD, STATUS_OF_WATCH } from "../src/cli/help.ts";
import { COMMANDS, COMMAND_NAMES, GROUPS, OPTIONS, SWITCHES, optionsOf } from "../src/cli/table.ts";
import type { CommandName, OptionRow } from "../src/cli/table.ts";

const code = (text: string): string => `\`${text.replaceAll("|", "\\|")}\``;

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

function optionCell({ short, long, value, choices }: OptionRow): string {
  const name = code(value === undefined ? long : `${long} ${choices?.join("|") ?? value}`);
  return short === undefined ? name : `${code(short)}, ${name}`;
}

/** @param folder where the document is, from the root */
function meaningCell(row: OptionRow, folder: "" | "docs/"): string {
  const { help, more, see, variable, kind, between } = row;
  const parts = [
    help,
    more,
    row.default === undefined ? undefined : `default ${code(row.default)}`,
    between === undefined ? undefined : `in the variable: ${between} between`,
    variable === undefined || kind !== "switch" ? undefined : "in the variable: `1`",
  ].filter((part) => part !== undefined);
  const page = see?.slice(folder.length);
  return parts.join("; ") + (page === undefined ? "" : ` ([${page}](${page}))`);
}

const variableCell = ({ variable }: OptionRow): string => (variable === undefined ? "" : code(variable));

export function commandsTable(): string {
  const rows = COMMAND_NAMES.map((name) => [
    code(`sealexec ${name} ${COMMANDS[name].usage}`),
    COMMANDS[name].description,
  ]);
  return table(["command", "what it does"], rows);
}

export function optionsTable(): string {
  const rows = OPTIONS.map((row) => [
    optionCell(row),
    row.commands.join(", "),
    variableCell(row),
    meaningCell(row, ""),
  ]);
  return table(["option", "commands", "variable", "meaning"], rows);
}

/** What is between the marks of a table is that table. */
export function withTables(readme: string): string {
  const tables = { commands: commandsTable(), options: optionsTable() };
  return Object.entries(tables).reduce((text, [name, made]) => {
    const [begin, end] = [`<!-- ${name}: made by scripts/reference.ts -->`, `<!-- end of ${name} -->`];
    const [before, rest = ""] = text.split(begin);
    const [, after] = rest.split(end);
    if (before === undefined || after === undefined) throw new Error(`README.md has no marks of ${name}`);
    return `${before}${begin}\n<!-- prettier-ignore-start -->\n\n${made}\n\n<!-- prettier-ignore-end -->\n${end}${after}`;
  }, readme);
}

function commandSection(name: CommandName): string {
  const { description, usage, arguments: words, examples } = COMMANDS[name];
  const groups = Object.entries(GROUPS).map(([group, title]) => {
    const rows = optionsOf(name).filter((row) => row.group === group);
    if (rows.length === 0) return "";
    const cells = rows.map((row) => [optionCell(row), variableCell(row), meaningCell(row, "docs/")]);
    return `**${title}**\n\n${table(["option", "variable", "meaning"], cells)}`;
  });
  return [
    `## sealexec ${name}`,
    description,
    `\`\`\`text\nsealexec ${name} ${usage}\n\`\`\``,
    table(
      ["argument", "meaning"],
      words.map((word) => [code(word.name), word.help]),
    ),
    ...groups.filter((group) => group !== ""),
    "**Examples**",
    `\`\`\`text\n${examples.join("\n")}\n\`\`\``,
  ].join("\n\n");
}

function variablesTable(): string {
  const named = [...new Map(OPTIONS.map((row) => [row.variable, row])).values()];
  const rows = named.flatMap(({ variable, long, value, choices, between }) => {
    if (variable === undefined) return [];
    const form = value === undefined ? "`1` or `0`" : code(choices?.join("|") ?? value);
    return [[code(variable), code(long), between === undefined ? form : `${form}, ${between} between`]];
  });
  const alone = SWITCHES.map(({ variable, help }) => [code(variable), "", help]);
  return table(["variable", "option", "value"], [...rows, ...alone]);
}

/** The whole document. */
export function referenceDocument(): string {
  return `# Reference

Every command, its options and their variables. An option wins over its variable; given empty, either is an error (64), and never "not given".
\`sealexec help COMMAND\` shows the same.

<!-- prettier-ignore-start -->

${COMMAND_NAMES.map(commandSection).join("\n\n")}

## Sources

Each over the one before it. [sources.md](sources.md) has the parameters of each.

${table(
  ["URI", "what it is", "push"],
  SOURCES.map(({ uri, what, writable }) => [code(uri), what, writable ? "writes it" : ""]),
)}

## Variables

${variablesTable()}

## Exit status

${STATUS_OF_CMD}

${table(["status", "meaning"], STATUSES)}

${STATUS_OF_WATCH} Causes and cures of each: [operations.md](operations.md).

<!-- prettier-ignore-end -->

This page is made by \`node scripts/reference.ts\` of [src/cli/table.ts](../src/cli/table.ts).
`;
}

if (import.meta.main) {
  const path = (file: string): string => fileURLToPath(new URL(`../${file}`, import.meta.url));
  writeFileSync(path("docs/reference.md"), referenceDocument());
  writeFileSync(path("README.md"), withTables(readFileSync(path("README.md"), "utf8")));
}

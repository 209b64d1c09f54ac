/** What help says beside the table. The manual page and docs/reference.md say the same. */
import { COMMANDS, type CommandName, type OptionRow } from "./table.ts";

/** Each form of a source's URI. */
export const SOURCES = [
  { uri: "s3://BUCKET/KEY", what: "a sealed object", writable: true },
  { uri: "file:PATH", what: "a sealed file", writable: true },
  { uri: "secretsmanager://NAME[#KEY]", what: "AWS Secrets Manager", writable: true },
  { uri: "ssm:///PATH/", what: "SSM Parameter Store", writable: true },
  { uri: "vault://MOUNT/PATH", what: "HashiCorp Vault", writable: false },
  { uri: "env-file:PATH", what: "a mounted .env", writable: false },
  { uri: "dir:PATH", what: "a file for each variable", writable: false },
  { uri: "json-file:PATH", what: "a flat JSON object", writable: false },
] as const;

export const STATUSES: readonly (readonly [status: string, meaning: string])[] = [
  ["64", "wrong usage"],
  ["65", "the sealed data is not valid"],
  ["66", "no such object or version"],
  ["69", "a service cannot be reached"],
  ["70", "a bug in sealexec"],
  ["75", "the deadline passed"],
  ["77", "no credentials, or refused"],
  ["78", "configuration: region, endpoint, key state"],
  ["79", "`--on-change exit`: start it again"],
  ["80", "`push`: somebody else's change stands in the way"],
  ["126, 127", "CMD cannot be executed, is not there"],
  ["128+n", "a signal ended it before exec"],
];

export const STATUS_OF_CMD = "CMD's own, because sealexec is CMD by then. Before that:";
export const STATUS_OF_WATCH = "With `--watch`, CMD's own or 128+n.";

/** Text of the table where code cannot be shown as such. */
export function plain(text: string): string {
  return text.replaceAll("`", "");
}

/** The help of an option, without the choices and the default that commander shows itself. */
export function optionHelp(row: OptionRow): string {
  const { help, variable, kind } = row;
  const fallback = variable === undefined || row.default === undefined ? "" : `, default ${row.default}`;
  const other = variable === undefined ? "" : ` (${variable}${kind === "switch" ? "=1" : ""})`;
  return plain(help) + fallback + other;
}

/** What stands below the options of a command. */
export function helpAfter(name: CommandName): string {
  const examples = `Examples:\n${indented(COMMANDS[name].examples)}`;
  if (name !== "run") return `\n${examples}`;
  const width = Math.max(...SOURCES.map(({ uri }) => uri.length)) + 2;
  const sources = SOURCES.map(({ uri, what }) => uri.padEnd(width) + what);
  const statuses = STATUSES.map(([status, meaning]) => `${status} ${plain(meaning)}`);
  const half = statuses.length / 2;
  const columns = statuses.slice(0, half).map((left, at) => left.padEnd(36) + (statuses[half + at] ?? ""));
  return [
    `\nURIs of sources, each over the one before it:\n${indented(sources)}`,
    examples,
    `Exit status: ${STATUS_OF_CMD}\n${indented(columns)}\n${plain(STATUS_OF_WATCH)}`,
  ].join("\n\n");
}

function indented(lines: readonly string[]): string {
  return lines.map((line) => `  ${line}`).join("\n");
}

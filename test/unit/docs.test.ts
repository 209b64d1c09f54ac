/** Keeps the documents to the code: what they quote, list and link is there. The options are those of the built binary. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { parseDotenv } from "../../src/text/dotenv/parse.ts";
import { exitStatus } from "../../src/base/errors.ts";
import type { ErrorKind } from "../../src/base/errors.ts";
import { LOG_FIELDS } from "../e2e/expect.ts";
import { COMMAND_NAMES } from "../../src/cli/table.ts";
import { VARIABLES } from "../../src/cli/table.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

const read = (file: string): string => readFileSync(join(ROOT, file), "utf8");
const README = read("README.md");
const OPERATIONS = read("docs/operations.md");

/** All files under a folder, as paths from the root. */
function filesUnder(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((file) => statSync(join(ROOT, file)).isFile());
}

/** The cells of every row of every table, without the escapes of a pipe. */
function tableRows(markdown: string): string[][] {
  return markdown
    .split("\n")
    .filter((line) => line.startsWith("| ") && !/^\|[ :-]+\|[ :|-]*$/.test(line))
    .map((line) =>
      line
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim().replaceAll("\\|", "|")),
    );
}

test("the README begins with the two commands", () => {
  const blocks = [...README.matchAll(/^```sh\n([^`]*)\n```$/gm)].map((match) => match[1]);
  assert.deepEqual(blocks.slice(0, 2), ["npm ci && npm run demo", "npm ci && npm test"]);
});

/** kind → status, as src/base/errors.ts has them. */
function kinds(): Map<string, number> {
  const names = [...read("src/base/errors.ts").matchAll(/^ {2}"?([a-z-]+)"?: (\d+),(?: \/\/.*)?$/gm)].map(
    (match) => match[1],
  );
  assert.ok(names.length >= 10, "the table of src/base/errors.ts was not found");
  return new Map(names.map((name) => [name ?? "", exitStatus(name as ErrorKind)]));
}

test("the README's exit statuses are those of src/base/errors.ts", () => {
  const rows = tableRows(README).filter(([status = "", kind = ""]) => /^\d+$/.test(status) && kind !== "");
  const listed = rows.map(([status, kind = ""]) => [kind.replaceAll("`", ""), Number(status)] as const);
  assert.deepEqual(listed, [...kinds()]);
});

test("docs/operations.md has each field of --log json, and each code", () => {
  const fields = tableRows(OPERATIONS).flatMap(([cell = ""]) => cell.split(", "));
  for (const field of Object.keys(LOG_FIELDS)) assert.ok(fields.includes(`\`${field}\``), field);
  const code = filesUnder("src").map(read).join("\n");
  const codes = [...code.matchAll(/\bcode: (?:\w+ \? )?("[a-z-]+"(?: : "[a-z-]+")?)/g)].flatMap(
    ([, found = ""]) => [...found.matchAll(/[a-z-]+/g)].map(([name]) => name),
  );
  assert.ok(codes.length > 40, `only ${codes.length} codes were found`);
  for (const name of codes) assert.ok(OPERATIONS.includes(`\`${name}\``), name);
});

test("docs/operations.md has a section for each exit status", () => {
  const headings = [...OPERATIONS.matchAll(/^## ([^:]+):/gm)].map((match) => match[1] ?? "").join(" ");
  for (const status of kinds().values()) assert.match(headings, new RegExp(`\\b${status}\\b`));
});

const BINARY = join(ROOT, "dist/sealexec");
const skip = existsSync(BINARY) ? false : "dist/sealexec is not built";

test("the README lists the options that the binary has, for each command, and no others", { skip }, () => {
  const rows = tableRows(README).filter(([option = ""]) => /^`-{1,2}[a-z]/.test(option));
  for (const command of COMMAND_NAMES) {
    const help = execFileSync(BINARY, ["help", command], { encoding: "utf8" });
    const offered = [...help.matchAll(/^ {2}(?:-[a-zA-Z], )?(--[a-z-]+)/gm)].map((match) => match[1]);
    const listed = rows
      .filter(([, commands = ""]) => commands.split(", ").includes(command))
      .map(([option = ""]) => /--[a-z-]+/.exec(option)?.[0]);
    const expected = offered.filter((option) => option !== "--help");
    assert.deepEqual(listed.toSorted(), expected.toSorted(), `sealexec ${command}`);
  }
});

test("the README names the variables that the code reads, and no others", () => {
  const readers = filesUnder("src").filter((file) => file !== "src/cli/table.ts");
  const code = readers.map(read).join("\n");
  const variables = (text: string): string[] =>
    [...new Set(text.match(/\bSEALEXEC_[A-Z]+(?:_[A-Z]+)*\b/g))].toSorted();
  assert.deepEqual(variables(code), [...VARIABLES].toSorted());
  assert.deepEqual(variables(README), [...VARIABLES].toSorted());
});

/** GitHub's anchor of a heading. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");
}

const DOCUMENTS = [
  "README.md",
  "CHANGELOG.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  "bench/README.md",
  "test/aws/README.md",
  ...filesUnder("docs"),
].filter((file) => existsSync(join(ROOT, file)));

for (const file of DOCUMENTS) {
  test(`${file}: every relative link leads somewhere`, () => {
    const links = [...read(file).matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? "");
    for (const link of links.filter((target) => !/^https?:/.test(target))) {
      const [path = "", anchor] = link.split("#");
      const target = path === "" ? file : join(dirname(file), path);
      assert.ok(existsSync(join(ROOT, target)), `${link} is not there`);
      if (anchor === undefined) continue;
      const anchors = [...read(target).matchAll(/^#+ (.+)$/gm)].map((match) => anchorOf(match[1] ?? ""));
      assert.ok(anchors.includes(anchor), `${link}: no such heading`);
    }
  });
}

test("the messages that docs/operations.md and docs/dotenv.md quote are in the code", () => {
  // Of commander's own messages the words are not ours.
  const foreign = ["unknown option …", "missing required argument …"];
  const code = filesUnder("src")
    .map(read)
    .join("\n")
    .replaceAll(/["'`]\s*\+\s*["'`]/g, "")
    .replaceAll(/\\(["'`])/g, "$1");
  const quoted = [OPERATIONS, read("docs/dotenv.md")].flatMap((text) => messagesIn(text));
  assert.ok(quoted.length > 80, `only ${quoted.length} messages were found`);
  const parts = quoted
    .filter((text) => !foreign.includes(text))
    .flatMap((message) => message.split("…"))
    .filter((text) => /[a-z]{2}/i.test(text));
  assert.deepEqual(
    parts.filter((part) => !code.includes(part)),
    [],
  );
});

/** The code spans in the column "message" of every table. */
function messagesIn(markdown: string): string[] {
  const messages: string[] = [];
  for (const table of markdown.split(/\n\n+/).filter((block) => block.startsWith("| "))) {
    const [head = [], ...rows] = tableRows(table);
    const column = head.indexOf("message");
    if (column === -1) continue;
    messages.push(
      ...rows.flatMap((row) =>
        [...(row[column] ?? "").matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? ""),
      ),
    );
  }
  return messages;
}

const EXAMPLES = filesUnder("examples");

test("the examples are JSON where they say so, and app.env is a .env with a password and a token", () => {
  const json = EXAMPLES.filter((file) => file.endsWith(".json"));
  assert.ok(json.length >= 4);
  for (const file of json) assert.doesNotThrow(() => void JSON.parse(read(file)), file);
  const variables = parseDotenv(readFileSync(join(ROOT, "examples/app.env")));
  for (const name of ["APP_NAME", "DATABASE_PASSWORD", "API_TOKEN"]) assert.ok(variables.has(name), name);
});

test("the task definition starts nothing that sealexec would refuse for its own settings", () => {
  const task = JSON.parse(read("examples/ecs-task-definition.json")) as {
    containerDefinitions: { environment: { name: string; value: string }[] }[];
  };
  const names = task.containerDefinitions.flatMap(({ environment }) => environment.map(({ name }) => name));
  assert.deepEqual(names, ["SEALEXEC_FROM", "SEALEXEC_KEY", "SEALEXEC_REQUIRE"]);
});

interface Statement {
  readonly Sid: string;
  readonly Action: string | readonly string[];
  readonly Condition?: unknown;
}

/** What IAM calls the permission for each command of the SDK. Source: Service Authorization Reference. */
const PERMISSIONS: Readonly<Record<string, readonly string[]>> = {
  GetObjectCommand: ["s3:GetObject", "s3:GetObjectVersion"],
  // Without s3:ListBucket a missing object answers 403.
  HeadObjectCommand: ["s3:GetObject", "s3:ListBucket"],
  PutObjectCommand: ["s3:PutObject"],
  DecryptCommand: ["kms:Decrypt"],
  GenerateDataKeyCommand: ["kms:GenerateDataKey"],
  // Needs none.
  GetCallerIdentityCommand: [],
};

const statementsOf = (file: string): readonly Statement[] =>
  (JSON.parse(read(file)) as { Statement: readonly Statement[] }).Statement;
const actionsOf = (statement: Statement): readonly string[] => [statement.Action].flat();
const administers = ({ Sid }: Statement): boolean => Sid === "AdministerButNotUse";

test("the policies allow what the code calls, and nothing else", () => {
  const called = new Set(
    filesUnder("src").flatMap((file) =>
      [...read(file).matchAll(/new (\w+Command)\(/g)].map((match) => match[1] ?? ""),
    ),
  );
  const needed = new Set([...called].flatMap((command) => PERMISSIONS[command] ?? assert.fail(command)));
  const policies = EXAMPLES.filter((file) => file.includes("/iam/"));
  const allowed = new Set(
    policies
      .flatMap(statementsOf)
      .filter((statement) => !administers(statement))
      .flatMap(actionsOf),
  );
  assert.deepEqual([...allowed].toSorted(), [...needed].toSorted());
});

test("every use of the key is for one object, and who administers it cannot use it", () => {
  const statements = EXAMPLES.filter((file) => file.includes("/iam/")).flatMap(statementsOf);
  // Both kinds are looked at: with none there would be nothing to be wrong.
  assert.ok(statements.some(administers), "no statement administers the key");
  const uses = statements.filter(
    (statement) =>
      !administers(statement) && actionsOf(statement).some((action) => action.startsWith("kms:")),
  );
  assert.ok(uses.length >= 2, `only ${uses.length} statements use the key`);
  for (const statement of statements) {
    const actions = actionsOf(statement);
    if (administers(statement)) {
      assert.deepEqual(
        actions.filter((action) => /\*|crypt|GenerateData|CreateGrant|Sign|Mac/.test(action)),
        [],
      );
    } else if (actions.some((action) => action.startsWith("kms:"))) {
      assert.deepEqual(statement.Condition, {
        StringEquals: { "kms:EncryptionContext:sealexec:object": "s3://my-secrets/app.env" },
      });
    }
  }
});

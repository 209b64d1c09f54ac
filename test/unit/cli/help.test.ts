/** What help shows is the table, group after group. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { runProgram } from "../../../src/cli/program.ts";
import { COMMAND_NAMES, GROUPS, optionsOf } from "../../../src/cli/table.ts";
import type { World } from "../../../src/commands/world.ts";

async function helpOf(...args: readonly string[]): Promise<string> {
  const shown: string[] = [];
  const writeOutput = async (text: string): Promise<void> => void shown.push(text);
  assert.equal(await runProgram({ args, env: {}, writeOutput } as unknown as World), 0);
  return shown.join("");
}

/** Heading → the options below it. */
function groupsIn(help: string): Record<string, string[]> {
  const groups: Record<string, string[]> = {};
  for (const block of help.split("\n\n")) {
    const [heading = "", ...lines] = block.split("\n");
    const options = lines.flatMap((line) => /^ {2}(?:-\w, )?(--[a-z-]+)/.exec(line)?.[1] ?? []);
    if (options.length > 0) groups[heading] = options;
  }
  return groups;
}

describe("help", () => {
  for (const command of COMMAND_NAMES) {
    test(`${command}: the options in their groups, in the order of the table`, async () => {
      const expected: Record<string, string[]> = {};
      for (const [group, title] of Object.entries(GROUPS)) {
        const own = optionsOf(command).flatMap((row) => (row.group === group ? row.long : []));
        // The option that every command has beside those of the table.
        if (group === "common") own.push("--help");
        if (own.length > 0) expected[`${title}:`] = own;
      }
      const groups = groupsIn(await helpOf("help", command));
      assert.deepEqual(groups, expected);
      assert.deepEqual(Object.keys(groups), Object.keys(expected));
    });
  }

  test("an option that has a variable says so, and its default", async () => {
    const help = (await helpOf("help", "run")).replace(/\s+/g, " ");
    for (const { variable, default: value } of optionsOf("run")) {
      if (variable === undefined) continue;
      assert.match(
        help,
        new RegExp(`${value === undefined ? "" : `, default ${value} `}\\(${variable}(=1)?\\)`),
      );
    }
  });

  test("no text has the marks of code", async () => {
    for (const command of COMMAND_NAMES) assert.doesNotMatch(await helpOf("help", command), /`/);
  });
});

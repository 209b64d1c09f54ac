/** The manual page is what the table says, and groff shows all of it. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { manualPage } from "../../scripts/manual.ts";
import { COMMANDS, OPTIONS } from "../../src/cli/table.ts";
import { VARIABLES } from "../../src/cli/table.ts";

const FILE = fileURLToPath(new URL("../../docs/sealexec.1", import.meta.url));
const hasGroff = spawnSync("groff", ["--version"]).status === 0;

describe("docs/sealexec.1", () => {
  test("is made of the table", () => {
    assert.equal(readFileSync(FILE, "utf8"), manualPage());
  });

  test("every line that begins with a dot is a request of man(7)", () => {
    for (const [line, name = ""] of manualPage().matchAll(/^[.'](\S*).*$/gm))
      assert.match(name, /^(\\"|TH|SH|SS|TP|PP|br|EX|EE)$/, line);
  });

  test(
    "groff has no warning, and shows every command, option, variable and example",
    {
      skip: hasGroff ? false : "groff is not installed",
    },
    () => {
      const grotty = ["-P-c", "-P-b", "-P-u"];
      // A line that is wide enough is not broken inside a word.
      const { status, stdout, stderr } = spawnSync(
        "groff",
        ["-man", "-Tascii", "-ww", "-rLL=200n", ...grotty, FILE],
        { encoding: "utf8" },
      );
      assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
      const words = stdout.replace(/\s+/g, " ");
      const expected = [
        ...OPTIONS.map(({ long, short }) => (short === undefined ? ` ${long} ` : ` ${short}, ${long} `)),
        ...VARIABLES,
        ...Object.entries(COMMANDS).flatMap(([name, { usage, examples }]) => [
          `sealexec ${name} ${usage}`,
          ...examples.map((line) => line.trim().replace(/\s+/g, " ")),
        ]),
      ];
      for (const text of expected) assert.ok(words.includes(text), text);
    },
  );
});

/** What is made of the table of commands and options is what the table says. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { referenceDocument, withTables } from "../../scripts/reference.ts";
import { SOURCES, STATUSES } from "../../src/cli/help.ts";
import { COMMAND_NAMES, OPTIONS, optionsOf } from "../../src/cli/table.ts";
import { exitStatus } from "../../src/base/errors.ts";
import type { ErrorKind } from "../../src/base/errors.ts";
import { SCHEMES } from "../../src/stores/registry.ts";

const read = (file: string): string =>
  readFileSync(fileURLToPath(new URL(`../../${file}`, import.meta.url)), "utf8");

describe("the table of commands and options", () => {
  test("docs/reference.md is made of it", () => {
    assert.equal(read("docs/reference.md"), referenceDocument());
  });

  test("the README's tables are made of it", () => {
    const readme = read("README.md");
    assert.equal(readme, withTables(readme));
  });

  test("no command has an option twice", () => {
    for (const command of COMMAND_NAMES) {
      const words = optionsOf(command).flatMap(({ long, short }) => [
        long,
        ...(short === undefined ? [] : [short]),
      ]);
      assert.deepEqual(words, [...new Set(words)], command);
    }
  });

  test("a switch has no value, all else has one, and rows of one variable are of one kind", () => {
    for (const row of OPTIONS) {
      assert.equal(row.kind === "switch", row.value === undefined, row.long);
      assert.ok(
        row.choices === undefined || row.default === undefined || row.choices.includes(row.default),
        row.long,
      );
      const others = OPTIONS.filter(({ variable }) => variable !== undefined && variable === row.variable);
      for (const { long, kind, short, value } of others) {
        assert.deepEqual(
          { long, kind, short, value },
          { long: row.long, kind: row.kind, short: row.short, value: row.value },
        );
      }
    }
  });

  test("each option that a row conflicts with is one of its commands", () => {
    for (const { long, conflicts = [], commands } of OPTIONS)
      for (const command of commands)
        for (const other of conflicts)
          assert.ok(
            optionsOf(command).some((row) => row.long === other),
            `${long}: ${other}`,
          );
  });

  test("help has each exit status", () => {
    const kinds = [...read("src/base/errors.ts").matchAll(/^ {2}"?([a-z-]+)"?: \d+,(?: \/\/.*)?$/gm)].map(
      ([, kind = ""]) => kind,
    );
    assert.ok(kinds.length >= 12);
    const shown = STATUSES.flatMap(([status]) => status.split(", "));
    assert.deepEqual(shown, [...kinds.map((kind) => String(exitStatus(kind as ErrorKind))), "128+n"]);
  });

  test("help has each scheme of a source, in the order of the stores", () => {
    assert.deepEqual(
      SOURCES.map(({ uri }) => uri.split(":")[0]),
      SCHEMES,
    );
  });
});

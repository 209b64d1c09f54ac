/** docs/envelope-musts.md is true of the files here, and each test of the envelope says which clauses it is about. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, test } from "node:test";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const PAGE = readFileSync(join(ROOT, "docs/envelope-musts.md"), "utf8");
/** The files of the specification that demand anything. */
const CLAUSES = [
  "data-format/content-metadata.md",
  "data-format/metadata-strategy.md",
  "client.md",
  "decryption.md",
  "encryption.md",
  "key-commitment.md",
  "key-derivation.md",
  "materials/keyrings.md",
  "materials/s3-keyring.md",
  "materials/s3-kms-keyring.md",
];

interface Row {
  readonly what: string;
  readonly count: number;
  readonly status: string;
  readonly where: string;
}

const ROWS: readonly Row[] = PAGE.split("\n")
  .map((line) => line.split("|").map((cell) => cell.trim()))
  .filter(([, , count]) => /^\d+$/.test(count ?? ""))
  .map(([, what = "", count = "", status = "", where = ""]) => ({
    what,
    count: Number(count),
    status,
    where,
  }));

describe("the specification's MUSTs", () => {
  test("all of its files are on the page", () => {
    for (const clause of CLAUSES) assert.ok(PAGE.includes(`\`${clause}\``), clause);
  });

  test("the sums are those of the rows", () => {
    const sum = (status?: string): number =>
      ROWS.filter((row) => status === undefined || row.status === status).reduce(
        (all, { count }) => all + count,
        0,
      );
    assert.ok(ROWS.length > 60);
    const [, ...said] =
      /^In all (\d+): (\d+) met, (\d+) exceptions, (\d+) not applicable\.$/m.exec(PAGE)?.map(Number) ?? [];
    assert.deepEqual(said, [sum(), sum("met"), sum("exception"), sum("not applicable")]);
    assert.equal(sum(), sum("met") + sum("exception") + sum("not applicable"));
  });

  for (const { what, status, where } of ROWS) {
    test(what, () => {
      if (status !== "met")
        assert.match(where, /[a-z]{3} [a-z]|^never$|^the same$|^as above$|^it is decoded$/, "no reason");
      else {
        const [, file = ""] = /^\[[^\]]+\]\(\.\.\/(test\/[^)]+\.ts)\)$/.exec(where) ?? [];
        assert.ok(existsSync(join(ROOT, file)) && file !== "", where);
        assert.match(readFileSync(join(ROOT, file), "utf8"), /assert|expect|status/, "it asserts nothing");
      }
    });
  }
});

describe("tests of the envelope cite their clauses", () => {
  const folder = join(ROOT, "test/unit/envelope");
  for (const name of readdirSync(folder).filter((file) => file.endsWith(".test.ts"))) {
    if (name === "musts.test.ts") continue;
    test(name, () => {
      const head = readFileSync(join(folder, name), "utf8").split("import ")[0] ?? "";
      const cited = [...head.matchAll(/s3-encryption\/([a-z0-9/-]+\.md)/g)].map(([, clause = ""]) => clause);
      assert.ok(cited.length > 0, "it cites no clause of s3-encryption/");
      for (const clause of cited) assert.ok(CLAUSES.includes(clause), clause);
    });
  }
});

/** No text is read beyond what a program can be started with: each variable takes far more memory than its text. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DIALECTS } from "../../../src/text/dialect.ts";
import type { Dialect } from "../../../src/text/dialect.ts";
import { parseJson } from "../../../src/text/json.ts";
import { parseText } from "../../../src/text/parse.ts";
import { SizedVariables } from "../../../src/base/start-size.ts";
import type { SizeLimit } from "../../../src/base/start-size.ts";
import type { Variables } from "../../../src/base/secret.ts";
import { refuses } from "../refuses.ts";

const LIMIT_BYTES = 300_000;
// A name of five letters, "=", the end, and a pointer (execve(2)).
const EACH_BYTES = 5 + 1 + 1 + 8;
const FITTING = LIMIT_BYTES / EACH_BYTES;
const limit = (): number => LIMIT_BYTES;

function written(dialect: Dialect, count: number): string {
  const names = Array.from({ length: count }, (_, index) => `A${index.toString(36).padStart(4, "0")}`);
  switch (dialect) {
    case "dotenv":
    case "docker":
      return names.map((name) => `${name}=\n`).join("");
    case "json":
      return JSON.stringify(Object.fromEntries(names.map((name) => [name, ""])));
    case "yaml":
      return names.map((name) => `${name}: ""\n`).join("");
  }
}

function parse(text: string, dialect: Dialect, most?: SizeLimit): Promise<Variables> {
  return parseText(Buffer.from(text), dialect, () => undefined, most);
}

describe("what a program can be started with", () => {
  for (const dialect of DIALECTS) {
    test(`${dialect} is read up to it, and not beyond`, async () => {
      assert.equal((await parse(written(dialect, FITTING), dialect, limit)).size, FITTING);
      const what = new RegExp(`^arguments and environment are ${LIMIT_BYTES + EACH_BYTES} bytes together`);
      const more = parse(written(dialect, FITTING + 1), dialect, limit);
      await assert.rejects(more, { kind: "cannot-execute", message: what });
    });

    test(`${dialect} has a limit where the caller knows of none: six MiB`, async () => {
      // Four MiB of names, far more as variables.
      const text = written(dialect, 600_000);
      await assert.rejects(parse(text, dialect), { kind: "cannot-execute", message: /\b6291456\b/ });
    });
  }

  test("it is asked for only if it could matter", async () => {
    const never = (): number => assert.fail("the limit is not needed");
    for (const dialect of DIALECTS) await parse(written(dialect, 100), dialect, never);
  });

  test("JSON that is no variables yet, and names that grow as they are joined", () => {
    const array = Buffer.from(`{"A":[${"1,".repeat(400_000)}1]}`);
    refuses(() => parseJson(array, { key: "B", limit }), "cannot-execute", /^more values than the 300000/);
    const inner = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`B${index}`, ""]));
    const joined = Buffer.from(JSON.stringify({ ["A".repeat(10_000)]: inner }));
    refuses(() => parseJson(joined, { flatten: "_", limit }), "cannot-execute", /together/);
  });

  test("what is set again counts once, as bytes, and takes the last place", () => {
    const variables = new SizedVariables(() => 200_000);
    for (let time = 0; time < 10; time += 1) {
      variables.set("A", "é".repeat(45_000));
      variables.set("B", String(time));
    }
    variables.set("A", "1");
    assert.deepEqual(
      [...variables.all].map(([name, value]) => [name, value.reveal()]),
      [
        ["B", "9"],
        ["A", "1"],
      ],
    );
    const error = refuses(
      () => variables.set("C", "é".repeat(100_000)),
      "cannot-execute",
      /C with 200002 bytes/,
    );
    assert.match(error.hint ?? "", /ulimit -s/);
  });
});

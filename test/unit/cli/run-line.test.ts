/** The plain form of `run` is read as commander reads it, or not at all. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { runProgram } from "../../../src/cli/program.ts";
import { readRunLine } from "../../../src/cli/run-line.ts";
import type { RunLine } from "../../../src/cli/run-line.ts";
import type { World } from "../../../src/commands/world.ts";

/** What commander makes of it; undefined: a mistake, or help. */
async function byCommander(args: readonly string[]): Promise<RunLine | undefined> {
  let line: RunLine | undefined;
  const world = { args, env: {}, writeOutput: async () => {}, writeError: () => {} } as unknown as World;
  try {
    await runProgram(world, async (words, flags) => {
      line = { words, flags };
      return 0;
    });
  } catch {
    return undefined;
  }
  return line;
}

const PLAIN: readonly (readonly string[])[] = [
  ["run", "--", "true"],
  ["run", "true"],
  ["run", "sh", "-c", "exit 3"],
  ["run", "--", "sh", "--", "-v", "--key", "k"],
  ["run", "-f", "s3://b/k", "--from", "s3://b/l", "--from=s3://b/m", "--", "env"],
  ["run", "--key=k=1", "--key", "l", "--context", "a=b", "--context=c=d", "--", "x"],
  ["run", "--accept", "v2,kms-gcm", "--require", "A,B", "--require=C", "--allow", "PATH", "--", "x"],
  [
    "run",
    "--keep-existing",
    "--pristine",
    "--pass",
    "A",
    "--nofile",
    "10",
    "--timeout",
    "3",
    "-v",
    "--",
    "x",
  ],
  ["run", "--verbose", "--key", "--", "--", "x"],
  ["run", "--key", "-x", "--", ""],
  ["run", "--timeout=", "--", "x"],
  ["run", "--credentials", "vault:aws/sts/app", "--credentials=vault:aws/creds/app", "--", "x"],
  ["run", "--log", "json", "--log=text", "--", "x"],
];

const OTHERS: readonly (readonly string[])[] = [
  [],
  ["run"],
  ["run", "--"],
  ["run", "--key"],
  ["run", "--help"],
  ["run", "-h", "--", "x"],
  ["run", "--frm", "x", "--", "x"],
  ["run", "-vf", "s3://b/k", "--", "x"],
  ["run", "-fs3://b/k", "--", "x"],
  ["run", "--verbose=1", "--", "x"],
  ["run", "--log", "xml", "--", "x"],
  ["run", "-", "x"],
  ["run", "--constructor", "--", "x"],
  ["check", "--", "true"],
  ["--version"],
];

describe("the line of run", () => {
  for (const args of PLAIN) {
    test(`${args.join(" ")}: as commander reads it`, async () => {
      const line = readRunLine(args);
      assert.notEqual(line, undefined);
      assert.deepEqual(line, await byCommander(args));
    });
  }
  for (const args of OTHERS) {
    test(`${args.join(" ")}: left to commander`, () => assert.equal(readRunLine(args), undefined));
  }

  test("every option of the help is one of the plain form", async () => {
    const shown: string[] = [];
    const writeOutput = async (text: string): Promise<void> => void shown.push(text);
    await runProgram({ args: ["run", "--help"], env: {}, writeOutput } as unknown as World);
    const options = [...shown.join("").matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)( <)?/gm)];
    assert.ok(options.length > 10);
    for (const [, name = "", value] of options.filter(([, option]) => option !== "--help")) {
      const line = [
        "run",
        name,
        ...(value === undefined ? [] : [name === "--log" ? "json" : "x"]),
        "--",
        "y",
      ];
      assert.notEqual(readRunLine(line), undefined, name);
    }
  });

  test("any line that is read is read as commander reads it", async () => {
    const names = [
      "--from",
      "-f",
      "--key",
      "--context",
      "--accept",
      "--require",
      "--allow",
      "--keep-existing",
    ];
    const more = [
      "--pristine",
      "--pass",
      "--nofile",
      "--timeout",
      "--verbose",
      "-v",
      "--log",
      "--",
      "-",
      "--x",
    ];
    const word = fc.oneof(
      fc.constantFrom(...names, ...more),
      fc.constantFrom(
        "a",
        "a=b",
        "",
        "json",
        "true",
        "-c",
        "--from=",
        "--key=k",
        "--pass=A,B",
        "-v=1",
        "--log=json",
      ),
    );
    let read = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(word, { maxLength: 8 }), async (rest) => {
        const args = ["run", ...rest];
        const line = readRunLine(args);
        if (line === undefined) return;
        read += 1;
        assert.deepEqual(line, await byCommander(args));
      }),
      { numRuns: 3_000 },
    );
    assert.ok(read > 300, `only ${read} lines were read`);
  });
});

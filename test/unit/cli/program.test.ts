/** What is wrong with a command line, in our words: the same form as every message, and nothing of what was typed but names. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SealexecError } from "../../../src/base/errors.ts";
import { runProgram } from "../../../src/cli/program.ts";
import { COMMAND_NAMES } from "../../../src/cli/table.ts";
import type { World } from "../../../src/commands/world.ts";

interface Said {
  readonly out: string;
  readonly err: string;
  readonly status: number | SealexecError;
}

async function program(...args: string[]): Promise<Said> {
  const [out, err]: [string[], string[]] = [[], []];
  const world = {
    args,
    env: {},
    writeOutput: async (text: string) => void out.push(text),
    writeError: (text: string) => void err.push(text),
  } as unknown as World;
  const status = await runProgram(world, async () => 7).catch((error: unknown) => {
    assert.ok(error instanceof SealexecError, String(error));
    return error;
  });
  return { out: out.join(""), err: err.join(""), status };
}

describe("a command line", () => {
  for (const [line, message, hint] of [
    ["rnu", "unknown command 'rnu'", "did you mean run?"],
    ["canary", "unknown command 'canary'", undefined],
    ["help canary", "unknown command 'canary'", undefined],
    ["help help rnu", "unknown command 'rnu'", "did you mean run?"],
    ["help --json", "unknown option '--json'", undefined],
    ["run --frm x -- y", "unknown option '--frm'", "did you mean --from?"],
    ["push a b --forse", "unknown option '--forse'", "did you mean --force?"],
    ["run --nonsense=canary -- y", "unknown option '--nonsense'", undefined],
    ["pull --replace s3://b/k", "unknown option '--replace'", undefined],
    ["pull s3://b/k --verbose=canary", "option '--verbose' takes no value", undefined],
    ["pull s3://b/k --help=canary", "option '--help' takes no value", undefined],
    ["--version=canary", "option '--version' takes no value", undefined],
    ["pull", "missing required argument 'uri'", undefined],
    ["push a", "missing required argument 'uri'", undefined],
    ["run", "missing required argument 'cmd'", undefined],
    ["pull a canary", "too many arguments for 'pull': expected 1 argument but got 2", undefined],
    ["push a b canary canary", "too many arguments for 'push': expected 2 arguments but got 4", undefined],
    ["pull a -o", "option '-o, --output <FILE>' argument missing", undefined],
    [
      "check --format xml",
      "option '--format <FORMAT>' argument 'xml' is invalid: allowed choices are text, json, github",
      undefined,
    ],
    [
      "completion tcsh",
      "command-argument value 'tcsh' is invalid for argument 'shell': allowed choices are bash, zsh, fish",
      undefined,
    ],
    ["push a b --replace --create", "option '--replace' cannot be used with option '--create'", undefined],
  ] as const)
    test(`${line}: ${message}`, async () => {
      const { out, err, status } = await program(...line.split(" "));
      assert.ok(status instanceof SealexecError);
      assert.deepEqual([status.kind, status.message, out, err], ["usage", message, "", ""]);
      if (hint !== undefined) assert.equal(status.hint, hint);
      else assert.match(status.hint ?? "", /^sealexec help COMMAND shows/);
      if (line !== "canary" && line !== "help canary")
        assert.doesNotMatch(`${status.message} ${status.hint}`, /canary/);
    });

  test("without a word is answered with the help, as an error", async () => {
    const { out, err, status } = await program();
    assert.ok(status instanceof SealexecError);
    assert.deepEqual([status.kind, status.message, out], ["usage", "no command", ""]);
    for (const name of COMMAND_NAMES) assert.match(err, new RegExp(`^ {2}${name} `, "m"));
  });

  test("its version and its help are output, and no error", async () => {
    for (const word of ["--version", "-V"]) {
      const { out, err, status } = await program(word);
      assert.match(out, /^\d+\.\d+\.\d+\S*\n$/);
      assert.deepEqual([err, status], ["", 0]);
    }
    for (const line of [["--help"], ["help"]]) {
      const { out, err, status } = await program(...line);
      for (const name of COMMAND_NAMES) assert.match(out, new RegExp(`^ {2}${name} `, "m"));
      assert.match(out, /sealexec help COMMAND shows the options of a command, with examples\.\n$/);
      assert.deepEqual([err, status], ["", 0]);
    }
    for (const name of COMMAND_NAMES) {
      const asked = await program("help", name);
      assert.deepEqual([asked.err, asked.status], ["", 0]);
      assert.match(asked.out, new RegExp(`^Usage: sealexec ${name} `));
      assert.equal((await program(name, "--help")).out, asked.out);
    }
  });

  test("what a command ends with is passed on", async () => {
    assert.deepEqual(await program("run", "--", "x"), { out: "", err: "", status: 7 });
    const { out, status } = await program("completion", "bash");
    assert.equal(status, 0);
    assert.match(out, /^complete -F _sealexec sealexec$/m);
  });
});

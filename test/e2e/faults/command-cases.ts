/** Row 40: CMD cannot be executed. */
import assert from "node:assert/strict";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Aws } from "../../aws/server.ts";
import { push } from "../harness.ts";
import { seconds } from "./fault-case.ts";
import type { Expected, FaultCase, Scene } from "./fault-case.ts";

const nothingAsked = (aws: Aws): void => assert.deepEqual(aws.calls, []);

interface Command {
  readonly name: string;
  readonly make: (scene: Scene) => Promise<string>;
  readonly expected: Expected;
}

async function file({ folder }: Scene, content: string, mode = 0o755): Promise<string> {
  const path = join(folder, "program");
  await writeFile(path, content);
  await chmod(path, mode);
  return path;
}

const COMMANDS: readonly Command[] = [
  {
    name: "is not in PATH",
    make: async () => "no-such-program",
    expected: { status: 127, error: /command: no-such-program: not found in PATH/, hint: /PATH/ },
  },
  {
    name: "is not there",
    make: async ({ folder }) => join(folder, "nothing"),
    expected: { status: 127, error: /command: \/.*\/nothing: no such file/, hint: /path/ },
  },
  {
    name: "is not executable",
    make: (scene) => file(scene, "#!/bin/sh\n", 0o644),
    expected: {
      status: 126,
      error: /command: \/.*\/program: permission denied: not executable/,
      hint: /chmod \+x/,
    },
  },
  {
    name: "is a directory",
    make: async ({ folder }) => {
      await mkdir(join(folder, "program"));
      return join(folder, "program");
    },
    expected: { status: 126, error: /command: \/.*\/program: is a directory/, hint: /name a program/ },
  },
  {
    name: "has a wrong format",
    make: (scene) => file(scene, "neither ELF nor a script\n"),
    expected: { status: 126, error: /command: \/.*\/program: wrong format/, hint: /#!/ },
  },
  {
    name: "has an interpreter that is not there",
    make: (scene) => file(scene, "#!/no/such/interpreter\n"),
    expected: {
      status: 126,
      error: /command: \/.*\/program: the interpreter/,
      hint: /install the interpreter/,
    },
  },
];

const LONGEST_BYTES = 131_072;

const tooLong = (id: string, fault: string, dotenv: () => string, error: RegExp): FaultCase => ({
  id,
  fault,
  prepare: async ({ aws }) => ({ uri: await push(aws, "long.env", dotenv()) }),
  boundMs: seconds(1),
  expected: { status: 126, error, hint: /put large values into files/ },
});

export const COMMAND_CASES: readonly FaultCase[] = [
  ...COMMANDS.map(({ name, make, expected }, index): FaultCase => ({
    id: `40${["", "b", "c", "d", "e", "f"][index] ?? ""}`,
    fault: `CMD ${name}`,
    prepare: async (scene) => ({ command: [await make(scene)] }),
    boundMs: seconds(1),
    expected,
    verify: nothingAsked,
  })),
  tooLong(
    "40g",
    "one variable is too long",
    () => `LONG=${"x".repeat(LONGEST_BYTES)}\n`,
    new RegExp(`command: LONG is ${LONGEST_BYTES + "LONG=".length} bytes long`),
  ),
  tooLong(
    "40h",
    "all variables together are too long",
    () => Array.from({ length: 30 }, (_, index) => `LONG_${index}=${"x".repeat(120_000)}\n`).join(""),
    /dotenv: .*: arguments and environment are 2\d{6} bytes together.*LONG_\d+ with 12\d{4} bytes/,
  ),
];

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SealexecError } from "../../../src/base/errors.ts";
import { createContext, logFormat, namingCommand } from "../../../src/cli/context.ts";
import type { CommonFlags, Listener } from "../../../src/cli/context.ts";
import type { World } from "../../../src/commands/world.ts";

describe("the format of what fails before the line is read", () => {
  const json = { SEALEXEC_LOG: "json" };
  for (const [line, format, env = {}] of [
    ["run -- x", "text"],
    ["run -- x", "json", json],
    ["run --log json -- x", "json"],
    ["run --log=json -- x", "json"],
    ["run --log text -- x", "text", json],
    ["run --log=text -- x", "text", json],
    ["run --log xml -- x", "text"],
    ["run --log", "text"],
    ["run -- x --log json", "text"],
    ["run -- x --log=json", "text"],
    ["push a b", "text"],
    ["push a b --json", "json"],
    ["push --json a b --log text", "json"],
    ["push a b -- --json", "text"],
    ["pull a --json", "text"],
    ["check --format json", "json"],
    ["check --format=json", "json"],
    ["check --format text", "text"],
    ["check --format text", "json", json],
    ["check -- x --format json", "text"],
    ["run --format json", "text"],
    ["push a b --format json", "text"],
  ] as const)
    test(`${line}${Object.keys(env).length === 0 ? "" : ", by the variable"}: ${format}`, () => {
      assert.equal(logFormat(line.split(" "), env), format);
    });
});

describe("a hint that leads to the help", () => {
  for (const [args, shown] of [
    [["push", "a"], "sealexec help push shows the options of a command, with examples"],
    [["canary"], "sealexec help COMMAND shows the options of a command, with examples"],
    [[], "sealexec help COMMAND shows the options of a command, with examples"],
  ] as const)
    test(`of ${args[0] ?? "nothing"}: ${shown}`, () => {
      const named = namingCommand(new SealexecError("usage", "wrong"), args);
      assert.deepEqual([named.kind, named.message, named.hint], ["usage", "wrong", shown]);
    });
  test("another stays as it is, and so does none", () => {
    assert.equal(namingCommand(new SealexecError("usage", "x", { hint: "y" }), ["run"]).hint, "y");
    assert.equal(namingCommand(new SealexecError("data", "x"), ["run"]).hint, undefined);
  });
});

describe("what a command is given to work with", () => {
  /** The lines that were written, and the context; its deadline is cleared. */
  async function made(flags: CommonFlags, more: Partial<World> = {}, listener?: Listener) {
    const lines: string[] = [];
    const world = {
      args: ["run"],
      env: {},
      runtime: "node",
      hasDebugger: () => false,
      now: () => 5,
      trace: undefined,
      writeError: (text: string) => void lines.push(text),
      ...more,
    } as unknown as World;
    const context = await createContext(world, flags, listener);
    context.deadline.clear();
    return { lines, context };
  }
  const refused = (kind: string, message: RegExp) => ({ name: "SealexecError", kind, message });

  test("a log of the format and with the words that were asked for, by the flag before the variable", async () => {
    const SEALEXEC_LOG = "json";
    for (const [flags, env, isJson] of [
      [{}, {}, false],
      [{ log: "json" }, {}, true],
      [{}, { SEALEXEC_LOG }, true],
      [{ log: "text" }, { SEALEXEC_LOG }, false],
    ] as const) {
      const { lines, context } = await made(flags, { env });
      context.log.warn("w");
      assert.equal(lines[0]?.startsWith("{"), isJson);
    }
    for (const verbose of [true, false]) {
      const { lines, context } = await made({ verbose });
      context.log.info("i");
      assert.equal(lines.length, verbose ? 1 : 0);
    }
    await assert.rejects(
      made({}, { env: { SEALEXEC_LOG: "xml" } }),
      refused("usage", /^SEALEXEC_LOG is neither text nor json$/),
    );
  });
  test("a deadline of the flag, of the variable, or of 30 s, by the clock of the world", async () => {
    for (const [flags, env, ms] of [
      [{}, {}, 30_000],
      [{}, { SEALEXEC_TIMEOUT: "7" }, 7_000],
      [{ timeout: "2.5" }, { SEALEXEC_TIMEOUT: "7" }, 2_500],
    ] as const) {
      const { deadline, now, env: given } = (await made(flags, { env })).context;
      assert.deepEqual([deadline.timeoutMs, deadline.remainingMs, now(), given], [ms, ms, 5, env]);
    }
    await assert.rejects(made({ timeout: "0" }), refused("usage", /^--timeout /));
  });
  test("who listens hears the warnings from the first one on, and each step", async () => {
    const heard: string[] = [];
    const listener: Listener = {
      onStep: () => void heard.push("step"),
      listenTo: (log) => ({ ...log, warn: (message) => void heard.push(message) }),
    };
    const { context, lines } = await made({}, { env: { SEALEXEC_FORM: "x" } }, listener);
    assert.deepEqual([heard, lines], [["SEALEXEC_FORM is no variable of sealexec"], []]);
    context.onStep?.({ stage: "object", target: "t", ok: true, durationMs: 1 });
    assert.equal(heard[1], "step");
    assert.equal((await made({})).context.onStep, undefined);
  });
  test("a variable that is none is a warning that names the help of the command", async () => {
    const { lines } = await made({}, { args: ["check"], env: { SEALEXEC_WHATEVER: "x" } });
    assert.deepEqual(lines, [
      "sealexec: warning: SEALEXEC_WHATEVER is no variable of sealexec\n",
      "sealexec: hint: sealexec help check names those that there are\n",
    ]);
  });
  test("what would show or hand out secrets is refused, by the runtime that does", async () => {
    const telling = { env: { NODE_DEBUG: "http" } };
    await assert.rejects(made({}, telling), refused("config", /NODE_DEBUG/));
    await made({}, { ...telling, runtime: "bun" });
    await assert.rejects(made({}, { hasDebugger: () => true }), refused("config", /./));
    await assert.rejects(made({}, { hasDebugger: () => true, runtime: "bun" }), refused("config", /./));
  });
  test("what is given empty is refused before anything is said", async () => {
    await assert.rejects(made({ log: "" }), refused("usage", /^--log is given empty$/));
    const env = { SEALEXEC_FORM: "x", SEALEXEC_MIN_REVISION: "" };
    await assert.rejects(made({}, { env }), refused("usage", /^SEALEXEC_MIN_REVISION is set, but empty$/));
  });
});

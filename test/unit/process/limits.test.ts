import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, test } from "node:test";
import { argumentLimit, chooseFileLimit, fileLimit, parseFileLimit } from "../../../src/process/limits.ts";
import type { FileLimit } from "../../../src/process/limits.ts";
import { refuses } from "../refuses.ts";

/** What is told of the limit of open files where this parent had these limits (setrlimit(2)). */
async function withParent(ulimits: string): Promise<FileLimit> {
  // It says "ready" once the limits hold, and lives until its input ends.
  const parent = spawn("sh", ["-c", `${ulimits} && echo ready && read end`], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  try {
    await once(parent.stdout, "data");
    return fileLimit(parent.pid ?? 0);
  } finally {
    parent.stdin.end();
    await once(parent, "exit");
  }
}

const skip = process.platform === "linux" ? false : "needs /proc";

describe("the limit of open files that was inherited", { skip }, () => {
  const { now } = fileLimit(process.pid);

  test("is the parent's, where its hard half is still ours", async () => {
    const hard = now?.hard ?? assert.fail("no limit");
    assert.deepEqual(await withParent("ulimit -Sn 64"), { now, inherited: { soft: 64, hard } });
  });
  test("cannot be told where the parent's hard half is another", async () => {
    assert.deepEqual(await withParent("ulimit -n 64"), { now, inherited: undefined });
  });
  test("cannot be told of a parent that is gone", () => {
    // pid_max of 64-bit Linux is 4,194,304 (proc(5)).
    assert.deepEqual(fileLimit(4_194_305), { now, inherited: undefined });
  });
});

describe("the limit of open files that CMD gets", () => {
  const limits = { now: { soft: 1_000, hard: 1_000 }, inherited: { soft: 64, hard: 1_000 } };

  test("the inherited one, unless another is asked for", () => {
    assert.deepEqual(chooseFileLimit(limits, undefined, true), { soft: 64, hard: 1_000 });
    assert.deepEqual(chooseFileLimit(limits, 128, true), { soft: 128, hard: 1_000 });
  });
  test("as many as the hard limit, and no more", () => {
    assert.deepEqual(chooseFileLimit(limits, 1_000, true), { soft: 1_000, hard: 1_000 });
    refuses(() => chooseFileLimit(limits, 1_001, true), "usage", /more than the hard limit of 1000$/);
    const unlimited = { ...limits, now: { soft: Infinity, hard: Infinity } };
    assert.deepEqual(chooseFileLimit(unlimited, Infinity, true), { soft: Infinity, hard: Infinity });
  });
  test("cannot be asked for where it cannot be set, or is not known", () => {
    refuses(() => chooseFileLimit(limits, 64, false), "config", /cannot be set here$/);
    refuses(() => chooseFileLimit({ now: undefined, inherited: undefined }, 64, true), "config");
    assert.deepEqual(chooseFileLimit(limits, undefined, false), limits.inherited);
  });
});

describe("--nofile", () => {
  test("is a number from 1, or unlimited", () => {
    assert.equal(parseFileLimit(undefined), undefined);
    assert.equal(parseFileLimit("unlimited"), Infinity);
    for (const text of ["1", "1024", "9999999999"]) assert.equal(parseFileLimit(text), Number(text));
    for (const text of ["0", "01", "-1", "1.5", "1e3", "10k", " 1", "99999999999", "infinity", ""])
      refuses(() => parseFileLimit(text), "usage", /is neither a number of files nor unlimited$/);
  });
});

/** What a process with such a stack limit finds (setrlimit(2)). */
async function limitWithStack(stack: string): Promise<number> {
  const module = new URL("../../../src/process/limits.ts", import.meta.url).href;
  const code = `import(${JSON.stringify(module)}).then(({ argumentLimit }) => console.log(argumentLimit()))`;
  const child = spawn("sh", ["-c", `ulimit -Ss ${stack} && exec "$0" -e '${code}'`, process.execPath], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [output] = (await once(child.stdout, "data")) as [Buffer];
  return Number(output.toString("utf8"));
}

describe("how much arguments and environment may take", { skip }, () => {
  test("a quarter of the stack's soft limit, and never less than 128 KiB nor more than 6 MiB", async () => {
    assert.ok(argumentLimit() >= 128 * 1024 && argumentLimit() <= 6 * 1024 * 1024);
    // In KiB; no runtime starts with the few that would come to less than 128 KiB.
    for (const [stack, bytes] of [
      ["4096", 1024 * 1024],
      ["8192", 2 * 1024 * 1024],
    ] as const)
      assert.equal(await limitWithStack(stack), bytes);
  });
});

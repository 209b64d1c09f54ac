import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { hasLivingMember } from "../../../../src/process/child/group.ts";

const skip = process.platform === "linux" ? false : "needs Linux";

/** Runs `work` with a process of this name that leads a group of its own. */
async function withProcess(name: string, work: (pid: number) => void): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "sealexec-group-"));
  const program = join(folder, name);
  copyFileSync("/bin/sleep", program);
  const child = spawn(program, ["60"], { detached: true, stdio: "ignore" });
  const ended = new Promise((resolve) => {
    child.once("close", resolve);
  });
  try {
    // It is executed by then, so that it has its name.
    await new Promise((resolve, reject) => {
      child.once("spawn", resolve).once("error", reject);
    });
    work(child.pid ?? 0);
  } finally {
    child.kill("SIGKILL");
    await ended;
    rmSync(folder, { recursive: true });
  }
}

describe("who lives in a process group", { skip }, () => {
  // proc(5): the name stands in brackets before the state and the group, and may hold brackets itself.
  for (const name of ["sleep", "a) Z 0 0 (b", "))", "a b c"]) {
    test(`a process that is called ${JSON.stringify(name)}`, () =>
      withProcess(name, (pid) => {
        const known = new Set<string>();
        assert.equal(hasLivingMember(pid, known), true);
        assert.deepEqual(known, new Set([String(pid)]));
        // Who is no member any more is forgotten.
        const others = new Set([String(process.pid)]);
        assert.equal(hasLivingMember(pid, others), true);
        assert.deepEqual(others, new Set([String(pid)]));
      }));
  }
});

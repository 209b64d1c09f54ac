/** A crash while secrets are in memory leaves none of them on disk. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ARTEFACTS, KEY, onPath, push, runProcess, withAws } from "../harness.ts";
import type { Artefact } from "../harness.ts";
import { asUser, buildPrograms, canUserRun, isRoot, skipReason } from "./programs.ts";

const programs = buildPrograms();
const CANARY = "canary-3f7a1c-of-the-session";
const SIGNALS = ["SIGSEGV", "SIGABRT", "SIGBUS", "SIGTRAP"] as const;

describe("a crash before exec", { skip: skipReason(programs) || noCores() }, () => {
  for (const artefact of ARTEFACTS) {
    test(`${artefact.name}: no core file holds a secret`, async () => {
      for (const signal of SIGNALS) {
        const { cores, ended } = await crash(artefact, signal);
        // The control: a program that does not forbid it leaves one, with its environment.
        assert.equal(ended, signal);
        if (artefact.name === "binary") assert.equal(cores.length, 0);
        for (const core of cores) assert.equal(core.includes(CANARY), false);
      }
    });
  }

  test("a program that does not forbid it leaves a core file with its environment", async () => {
    await inFolder(async (folder) => {
      const child = spawn(programs?.launch ?? "", ["core", "--", "sleep", "60"], {
        cwd: folder,
        env: { PATH: process.env["PATH"], CANARY },
        stdio: "ignore",
      });
      await sleep(200);
      child.kill("SIGSEGV");
      await new Promise((resolve) => child.once("close", resolve));
      const cores = coresIn(folder);
      assert.equal(cores.length, 1);
      assert.ok(cores[0]?.includes(CANARY));
    });
  });
});

/** Kills it by `signal` while it waits for KMS, its credentials in its memory and its environment. */
function crash(
  artefact: Artefact,
  signal: NodeJS.Signals,
): Promise<{ cores: Buffer[]; ended: string | null }> {
  return inFolder((folder) =>
    waiting(artefact, [programs?.launch ?? "", "core", "--"], folder, async (pid, ended) => {
      process.kill(pid, signal);
      return { ended: await ended, cores: coresIn(folder) };
    }),
  );
}

const skipUser = isRoot ? skipReason(programs, "setpriv", "gcore") : "needs root";

test("binary: another process of the same user cannot dump it", { skip: skipUser }, async (context) => {
  const [binary] = ARTEFACTS;
  assert.ok(binary !== undefined);
  if (!canUserRun(binary)) return context.skip("uid 1000 may not run the artefact");
  await inFolder(async (folder) => {
    const gcore = (pid: number): ReturnType<typeof runProcess> =>
      runProcess([...asUser, onPath("gcore") ?? "", "-o", `${folder}/core`, String(pid)], { cwd: folder });
    await waiting(binary, asUser, folder, async (pid, ended) => {
      const { stdout, stderr } = await gcore(pid);
      assert.match(stdout + stderr, /not permitted/);
      assert.deepEqual(coresIn(folder), []);
      const environ = await runProcess([...asUser, "cat", `/proc/${pid}/environ`, `/proc/${pid}/mem`]);
      assert.equal(environ.stdout, "");
      process.kill(pid, "SIGTERM");
      await ended;
    });
    // The control: of a plain program of that user, it can.
    const child = spawn(asUser[0] ?? "", [...asUser.slice(1), "sleep", "60"], { stdio: "ignore" });
    await sleep(200);
    await gcore(child.pid ?? 0);
    child.kill("SIGKILL");
    assert.equal(coresIn(folder).length, 1);
  });
});

/** Runs the artefact until it waits for KMS. */
async function waiting<T>(
  { command }: Artefact,
  prefix: readonly string[],
  cwd: string,
  work: (pid: number, ended: Promise<string | null>) => Promise<T>,
): Promise<T> {
  return withAws(async (aws) => {
    const uri = await push(aws, "app.env", "A=b\n");
    const fault = aws.faults.add({ service: "kms", operation: "Decrypt", action: "silent" });
    const words = [...prefix, ...command, "run", "--from", uri, "--key", KEY, "--", "false"];
    const child = spawn(words[0] ?? "", words.slice(1), {
      cwd,
      env: { PATH: process.env["PATH"], ...aws.keyEnv(), CANARY },
      stdio: "ignore",
    });
    const ended = new Promise<string | null>((resolve) => {
      child.once("close", (status, signal) => resolve(signal ?? String(status)));
    });
    for (let tries = 0; fault.hits === 0 && tries < 1_000; tries += 1) await sleep(5);
    assert.ok(fault.hits > 0 && child.pid !== undefined);
    try {
      return await work(child.pid, ended);
    } finally {
      child.kill("SIGKILL");
    }
  });
}

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(`${tmpdir()}/sealexec-core-`);
  chmodSync(folder, 0o777);
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function coresIn(folder: string): Buffer[] {
  return readdirSync(folder).map((name) => readFileSync(`${folder}/${name}`));
}

/** Where the kernel hands core files to a program, or to another folder, there is nothing to look at here. */
function noCores(): string | false {
  try {
    const pattern = readFileSync("/proc/sys/kernel/core_pattern", "latin1").trim();
    return /^[|/@]/.test(pattern) ? "core files go elsewhere (core_pattern)" : false;
  } catch {
    return "needs /proc/sys/kernel/core_pattern";
  }
}

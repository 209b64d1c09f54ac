/** A debugger that a variable has the runtime open: nothing is fetched while one is there. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { Server } from "node:net";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { ARTEFACTS, KEY, push, sealexec, withAws } from "./harness.ts";
import type { Artefact } from "./harness.ts";

const OPENING: Readonly<Record<string, (socket: string) => Readonly<Record<string, string>>>> = {
  binary: (socket) => ({ BUN_INSPECT: `ws+unix://${socket}` }),
  "npm bundle": () => ({ NODE_OPTIONS: "--inspect=127.0.0.1:0" }),
};

for (const artefact of ARTEFACTS) {
  for (const command of ["run", "check"]) {
    test(`${artefact.name}: ${command} does not go on with an open debugger`, () =>
      withAws(async (aws) => {
        const uri = await push(aws, "app.env", "A=b\n");
        aws.resetCalls();
        await inFolder(async (folder) => {
          const env = { ...aws.env(), ...OPENING[artefact.name]?.(`${folder}/socket`) };
          const words = [command, "--from", uri, "--key", KEY, ...(command === "run" ? ["--", "true"] : [])];
          const { status, stderr } = await sealexec(words, { env, artefact });
          assert.equal(status, 78);
          assert.match(stderr, /^sealexec: error: (BUN_INSPECT|NODE_OPTIONS) opens a debugger/m);
          assert.deepEqual(aws.calls, []);
        });
      }));
  }
}

const npm = ARTEFACTS.find(({ name }) => name === "npm bundle");

// What Node does with a signal that comes before our first line, or with an option of its own.
const SIGNAL_AT_BOOT = `process.kill(process.pid, "SIGUSR1");
const inspector = require("node:inspector");
while (inspector.url() === undefined);`;

for (const [what, prepare] of Object.entries({
  "that a signal opened before our first line": (folder: string) => {
    writeFileSync(`${folder}/boot.cjs`, SIGNAL_AT_BOOT);
    return ["--inspect-port=127.0.0.1:0", "--require", `${folder}/boot.cjs`];
  },
  "that Node's own option opened": () => ["--inspect=127.0.0.1:0"],
})) {
  test(`npm bundle: nor with one ${what}`, () =>
    withAws(async (aws) => {
      const uri = await push(aws, "app.env", "A=b\n");
      aws.resetCalls();
      await inFolder(async (folder) => {
        const [node = "", bundle = ""] = npm?.command ?? [];
        const artefact: Artefact = { name: "npm bundle", command: [node, ...prepare(folder), bundle] };
        const words = ["run", "--from", uri, "--key", KEY, "--", "true"];
        const { status, stderr } = await sealexec(words, { env: aws.env(), artefact });
        assert.equal(status, 78, stderr);
        assert.match(stderr, /^sealexec: error: a debugger is open in sealexec/m);
        assert.deepEqual(aws.calls, []);
      });
    }));
}

test("npm bundle: to look for one says nothing, whatever Node is asked to warn of", async () => {
  await inFolder(async (folder) => {
    writeFileSync(`${folder}/.env`, "A=b\n", { mode: 0o600 });
    const words = ["run", "--from", `env-file:${folder}/.env`, "--", "true"];
    const env = { NODE_OPTIONS: "--pending-deprecation --throw-deprecation" };
    const outcome = await sealexec(words, { env, ...(npm === undefined ? {} : { artefact: npm }) });
    assert.deepEqual([outcome.status, outcome.stderr], [0, ""]);
  });
});

test("binary: nor where it dials one itself", () =>
  withAws(async (aws) => {
    const uri = await push(aws, "app.env", "A=b\n");
    aws.resetCalls();
    await inFolder(async (folder) => {
      const server = await listen(`${folder}/socket`);
      const env = { ...aws.env(), BUN_INSPECT_CONNECT_TO: `${folder}/socket` };
      const { status, stderr } = await sealexec(["run", "--from", uri, "--key", KEY, "--", "true"], { env });
      server.close();
      assert.equal(status, 78);
      assert.match(stderr, /^sealexec: error: BUN_INSPECT_CONNECT_TO opens a debugger/m);
      assert.deepEqual(aws.calls, []);
    });
  }));

function listen(path: string): Promise<Server> {
  const server = createServer((socket) => socket.on("error", () => socket.destroy()).resume());
  return new Promise((resolve) => server.listen(path, () => resolve(server)));
}

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(`${tmpdir()}/sealexec-debugger-`);
  try {
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

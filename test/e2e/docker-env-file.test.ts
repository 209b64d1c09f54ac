/** `?format=docker` against the real docker client: what it would hand to the engine, as a stand-in of the engine hears it. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { after, before, describe, test } from "node:test";
import fc from "fast-check";
import { parseDocker } from "../../src/text/docker.ts";
import { SealexecError } from "../../src/base/errors.ts";
import { onPath, runProcess } from "./harness.ts";

const skip = onPath("docker") === undefined ? "needs docker" : false;
const SET: Readonly<Record<string, string>> = { SET: "from outside", EMPTY: "" };

const FILES = 300;
/** A process for each would take as long as all the rest of the test. */
const AT_ONCE = 30;

let folder = "";
/** the variables of each container that was asked for */
const heard: string[][] = [];

/** As much of the engine's API as `docker create` asks for; no container is ever made. */
async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  response.setHeader("Api-Version", "1.44").setHeader("Ostype", "linux");
  if (request.url?.endsWith("/_ping") === true) return void response.end("OK");
  if (request.url?.includes("/containers/create") === true) {
    const body = JSON.parse(Buffer.concat(chunks).toString("utf8")) as { Env: string[] | null };
    heard.push(body.Env ?? []);
  }
  response.setHeader("Content-Type", "application/json").writeHead(500).end('{"message":"heard"}');
}

const server = createServer((request, response) => void answer(request, response));

/** What docker makes of the file: name → value, the last one wins; undefined: it refuses it. */
async function docker(bytes: Uint8Array): Promise<Map<string, string> | undefined> {
  const [found] = (await dockerAll([bytes])) ?? [];
  return found;
}

const BETWEEN = "--between-two-files--";

/** The same of many files, by one process; undefined: it refuses one of them. */
async function dockerAll(files: readonly Uint8Array[]): Promise<Map<string, string>[] | undefined> {
  writeFileSync(`${folder}/between.env`, `${BETWEEN}=\n`);
  heard.length = 0;
  const words = files.flatMap((bytes, index) => {
    writeFileSync(`${folder}/${index}.env`, bytes);
    return ["--env-file", `${folder}/${index}.env`, "--env-file", `${folder}/between.env`];
  });
  const command = ["docker", "-H", `unix://${folder}/engine`, "create", ...words, "image"];
  const { stderr } = await runProcess(command, { env: { ...SET, HOME: folder } });
  const [env] = heard;
  if (env === undefined) {
    assert.match(stderr, /invalid env file/);
    return undefined;
  }
  const found: Map<string, string>[] = [];
  let variables = new Map<string, string>();
  for (const entry of env) {
    const equals = entry.indexOf("=");
    const name = entry.slice(0, equals);
    if (name !== BETWEEN) {
      variables.set(name, entry.slice(equals + 1));
      continue;
    }
    found.push(variables);
    variables = new Map();
  }
  assert.deepEqual([found.length, variables.size], [files.length, 0]);
  return found;
}

function ours(bytes: Uint8Array): Map<string, string> | undefined {
  try {
    const variables = parseDocker(bytes, (name) => SET[name]);
    return new Map([...variables].map(([name, secret]) => [name, secret.reveal()]));
  } catch (error) {
    assert.ok(error instanceof SealexecError, String(error));
    return undefined;
  }
}

describe("?format=docker is what docker does", { skip }, () => {
  before(async () => {
    folder = mkdtempSync(`${tmpdir()}/sealexec-docker-`);
    await new Promise<void>((resolve) => void server.listen(`${folder}/engine`, resolve));
  });
  after(() => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  for (const text of [
    "",
    "A=1\nB=2",
    "\uFEFFA=1\n",
    `A="1"\nB='2'\nC= x # y \n`,
    "A=1\r\nB=2\r\r\nC=3\r",
    "SET\nEMPTY\nUNSET\r\nSET\r\n",
    "A=1\nA=2\nSET=x\nSET\n",
    "\v\f\u0085\u00a0\u1680\u2000\u200a\u2028\u2029\u202f\u205f\u3000A=1\n",
    "with.dots=1\nx-y=2\n__proto__=3\n",
    "f   =1",
    "=1",
    "a b",
    `A=${"x".repeat(65_533)}\nB=1`,
    `A=${"x".repeat(65_533)}`,
    `A=${"x".repeat(65_534)}\nB=1`,
    `A=${"x".repeat(65_534)}`,
    `A=${"x".repeat(65_532)}\r\nB=1`,
    `A=${"x".repeat(65_533)}\r\nB=1`,
  ]) {
    test(JSON.stringify(text.slice(0, 50)), async () => {
      assert.deepEqual(ours(Buffer.from(text)), await docker(Buffer.from(text)));
    });
  }

  test("invalid UTF-8", async () => {
    const bytes = Buffer.from("A=1\nB=\xff\n", "latin1");
    assert.equal(await docker(bytes), undefined);
    assert.equal(ours(bytes), undefined);
  });

  test("any file of these pieces", async () => {
    const pieces = [
      "A",
      "B",
      "SET",
      "=",
      "=",
      "\n",
      "\n",
      "\r\n",
      "\r",
      " ",
      "\t",
      "#",
      '"',
      "'",
      "$x",
      "\u00a0",
      "\u0085",
      "ż",
      "\\",
      "export ",
      "A=",
      "\nB=",
    ];
    const files = fc
      .sample(fc.array(fc.constantFrom(...pieces), { maxLength: 16 }), FILES)
      .map((words) => Buffer.from(words.join("")));
    const taken: Buffer[] = [];
    for (const bytes of files) {
      if (ours(bytes) !== undefined) taken.push(bytes);
      // What is refused beyond docker: in a name, white space that is neither blank nor tab.
      else if ((await docker(bytes)) !== undefined)
        assert.match(bytes.toString("utf8"), /^[^=\n]*[^=\n\s\u0085][^=\n]*[\r\u00a0\u0085]/m);
    }
    assert.ok(taken.length > FILES / 4, String(taken.length));
    for (let from = 0; from < taken.length; from += AT_ONCE) {
      const some = taken.slice(from, from + AT_ONCE);
      const expected = await dockerAll(some);
      for (const [index, bytes] of some.entries()) {
        // Where docker refuses one of them, each by itself: the one is then named.
        const one = expected === undefined ? await docker(bytes) : expected[index];
        assert.deepEqual(ours(bytes), one, JSON.stringify(bytes.toString("utf8")));
      }
    }
  });
});

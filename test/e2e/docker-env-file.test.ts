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
  writeFileSync(`${folder}/file.env`, bytes);
  heard.length = 0;
  const words = [
    "docker",
    "-H",
    `unix://${folder}/engine`,
    "create",
    "--env-file",
    `${folder}/file.env`,
    "image",
  ];
  const { stderr } = await runProcess(words, { env: { ...SET, HOME: folder } });
  const [env] = heard;
  if (env === undefined) {
    assert.match(stderr, /invalid env file/);
    return undefined;
  }
  return new Map(
    env.map((entry) => [entry.slice(0, entry.indexOf("=")), entry.slice(entry.indexOf("=") + 1)]),
  );
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
    let taken = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...pieces), { maxLength: 16 }), async (words) => {
        const bytes = Buffer.from(words.join(""));
        const expected = await docker(bytes);
        const found = ours(bytes);
        if (expected !== undefined && found === undefined) {
          // What is refused beyond docker: in a name, white space that is neither blank nor tab.
          assert.match(words.join(""), /^[^=\n]*[^=\n\s\u0085][^=\n]*[\r\u00a0\u0085]/m);
          return;
        }
        assert.deepEqual(found, expected);
        if (expected !== undefined && expected.size > 0) taken += 1;
      }),
      { numRuns: 300 },
    );
    assert.ok(taken > 25, `${taken}`);
  });
});

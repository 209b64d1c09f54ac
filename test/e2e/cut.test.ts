/** Answers that tell no length: they end with their connection, unless it was broken. */
import assert from "node:assert/strict";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { assertPrinted } from "./expect.ts";
import { ARTEFACTS, sealexec } from "./harness.ts";

const secretOf = (value: string): string =>
  `HTTP/1.1 200 OK\r\n\r\n${JSON.stringify({ data: { data: { A: value }, metadata: { version: 1 } } })}`;
const MOUNT = `HTTP/1.1 200 OK\r\n\r\n${JSON.stringify({ data: { type: "kv", options: { version: "2" } } })}`;

for (const artefact of ARTEFACTS) {
  test(`one whose connection is reset is asked for again, whatever came of it, by the ${artefact.name}`, async () => {
    let secrets = 0;
    const server = createServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", (request) => {
        if (request.includes("/mounts/")) return void socket.end(MOUNT);
        secrets += 1;
        if (secrets > 1) return void socket.end(secretOf("whole"));
        // What came before a reset is lost with it if it has not been read by then.
        socket.write(secretOf("cut"), () => void setTimeout(() => socket.resetAndDestroy(), 300));
      });
    });
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    try {
      const env = { VAULT_ADDR: `http://127.0.0.1:${port}`, VAULT_TOKEN: "hvs.A", HOME: "/nonexistent" };
      const run = ["run", "--from", "vault://secret/app", "--", "printenv", "A"];
      assertPrinted(await sealexec(run, { env, artefact }), "whole\n");
      assert.equal(secrets, 2);
    } finally {
      server.close();
    }
  });
}

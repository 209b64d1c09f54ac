/** The wire by Bun's sockets, over sockets of Node's that take little at once, as Bun's do under load. */
import assert from "node:assert/strict";
import { createServer, connect } from "node:net";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { targetTo } from "../../../src/http/target.ts";
import { connectByBun } from "../../../src/http/wire-bun.ts";
import type { BunSockets } from "../../../src/http/wire-bun.ts";

/** Takes so many bytes with each write, none with every third, and drains afterwards. */
function takingAtMost(most: number): BunSockets {
  return {
    connect: ({ hostname, port, socket: handlers }) => {
      const socket = connect({ host: hostname, port });
      let writes = 0;
      const ours = {
        authorized: false,
        write: (bytes: Buffer) => {
          writes += 1;
          setImmediate(() => {
            if (!socket.destroyed) handlers.drain(ours);
          });
          if (writes % 3 === 0) return -1;
          const taken = bytes.subarray(0, most);
          socket.write(Buffer.from(taken));
          return taken.length;
        },
        setNoDelay: (on: boolean) => void socket.setNoDelay(on),
        terminate: () => void socket.destroy(),
      };
      socket.on("connect", () => handlers.open(ours));
      socket.on("data", (bytes: Buffer) => handlers.data(ours, bytes));
      socket.on("error", () => {});
      return new Promise((resolve) => void socket.on("connect", () => resolve(ours)));
    },
  };
}

test("what a socket does not take at once follows when it drains: each byte once, in its order", async () => {
  const server = createServer((socket) => void socket.pipe(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const requests = ["a request of some length", " and, while it is on its way, ", "others"];
  try {
    const target = targetTo(new URL(`http://127.0.0.1:${port}`));
    const wire = await connectByBun(takingAtMost(5), target, { ca: undefined, timeoutMs: 10_000 });
    const wanted = requests.join("");
    const echoed = await new Promise<string>((resolve, reject) => {
      let text = "";
      wire.listen({
        onData: (bytes) => {
          text += bytes.toString();
          if (text.length >= wanted.length) resolve(text);
        },
        onClose: () => reject(new Error(`closed after ${text}`)),
      });
      for (const request of requests) wire.send(Buffer.from(request));
    });
    wire.close();
    assert.equal(echoed, wanted);
  } finally {
    server.close();
  }
});

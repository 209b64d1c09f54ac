/** The proxy of bench/latency.ts: it loses nothing, keeps the order, and is never faster than what was asked for. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { buffer } from "node:stream/consumers";
import { describe, test } from "node:test";
import type { TestContext } from "node:test";
import { DelayLine } from "../../bench/latency/delay-line.ts";
import { startProxy } from "../../bench/latency/proxy.ts";
import { holdPort } from "../aws/held-port.ts";

const ROUND_TRIP_MS = 30;

describe("a delay line", () => {
  test("delivers in order, nothing before its time, and the early ones as if sent later", async () => {
    const began = performance.now();
    const line = new DelayLine(10, began + 20);
    const delivered: { item: number; ms: number }[] = [];
    await new Promise<void>((resolve) => {
      for (const item of [0, 1, 2])
        line.put(() => void delivered.push({ item, ms: performance.now() - began }));
      setTimeout(() => {
        const sentMs = performance.now() - began;
        line.put(() => void delivered.push({ item: 3, ms: performance.now() - began - sentMs }));
        line.put(resolve);
      }, 25);
    });
    assert.deepEqual(
      delivered.map(({ item }) => item),
      [0, 1, 2, 3],
    );
    for (const { ms } of delivered.slice(0, 3)) assert.ok(ms >= 30, `${ms} ms`);
    assert.ok((delivered[3]?.ms ?? 0) >= 10, `${delivered[3]?.ms} ms`);
  });
  test("takes more while it delivers, and after it was empty", async () => {
    const line = new DelayLine(1, 0);
    const order: string[] = [];
    const put = (name: string): Promise<void> =>
      new Promise((resolve) => line.put(() => resolve(void order.push(name))));
    await new Promise<void>((resolve) => {
      line.put(() => {
        order.push("first");
        void put("from within").then(resolve);
      });
      void put("second");
    });
    await put("later");
    assert.deepEqual(order, ["first", "second", "from within", "later"]);
  });
});

describe("the proxy", () => {
  test("carries every byte both ways, in order, and then the end", async (t) => {
    const up = Array.from({ length: 200 }, (_, index) => randomBytes(1 + ((index * 7919) % 20_000)));
    const down = Array.from({ length: 200 }, (_, index) => randomBytes(1 + ((index * 104_729) % 20_000)));
    let received: Promise<Buffer> | undefined;
    const client = await throughProxy(t, (socket) => {
      received = buffer(socket);
      void sendInParts(socket, down);
    });
    void sendInParts(client, up);
    // The end of one direction leaves the other open.
    assert.ok(Buffer.concat(down).equals(await buffer(client)));
    assert.ok(Buffer.concat(up).equals((await received) ?? Buffer.alloc(0)));
  });
  test("the first answer takes two round trips from the connect, each further one a round trip", async (t) => {
    const began = performance.now();
    const client = await throughProxy(t, (socket) => void socket.pipe(socket));
    for (const leastMs of [2 * ROUND_TRIP_MS, ROUND_TRIP_MS, ROUND_TRIP_MS]) {
      const sent = leastMs === ROUND_TRIP_MS ? performance.now() : began;
      client.write("ping");
      await once(client, "data");
      const ms = performance.now() - sent;
      assert.ok(ms >= leastMs, `${ms} ms is less than ${leastMs}`);
    }
  });
  test("a server that speaks first is heard a round trip after the connect", async (t) => {
    const began = performance.now();
    const client = await throughProxy(t, (socket) => void socket.end("hello"));
    await once(client, "data");
    const ms = performance.now() - began;
    assert.ok(ms >= ROUND_TRIP_MS, `${ms} ms`);
  });
  test("passes on a reset", async (t) => {
    const client = await throughProxy(t, (socket) => {
      socket.write("half an ans");
      socket.once("data", () => socket.resetAndDestroy());
    });
    const [half] = (await once(client, "data")) as [Buffer];
    assert.equal(half.toString(), "half an ans");
    client.write("break it");
    await assert.rejects(once(client, "close"), { code: "ECONNRESET" });
  });
  test("breaks the connection where the server is not there", async (t) => {
    const nobody = await listen(createServer());
    const { port } = nobody.address() as AddressInfo;
    const held = await holdPort("127.0.0.1", port, () => nobody.close());
    t.after(() => held.release());
    const { server, port: proxyPort } = await startProxy({ host: "127.0.0.1", port }, ROUND_TRIP_MS);
    t.after(() => server.close());
    const client = connect({ host: "127.0.0.1", port: proxyPort });
    await assert.rejects(once(client, "close"), { code: "ECONNRESET" });
  });
});

/** A client of a server of its own, with a proxy between them. */
async function throughProxy(t: TestContext, serve: (socket: Socket) => void): Promise<Socket> {
  const upstream = await listen(createServer({ allowHalfOpen: true, noDelay: true }, serve));
  const { port } = upstream.address() as AddressInfo;
  const { server, port: proxyPort } = await startProxy({ host: "127.0.0.1", port }, ROUND_TRIP_MS);
  const client = connect({ host: "127.0.0.1", port: proxyPort, allowHalfOpen: true, noDelay: true });
  t.after(() => {
    client.destroy();
    upstream.close();
    server.close();
  });
  return client;
}

async function listen(server: Server): Promise<Server> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

/** With pauses, so that the parts do not all come at once. */
async function sendInParts(socket: Socket, parts: readonly Buffer[]): Promise<void> {
  for (const [index, part] of parts.entries()) {
    socket.write(part);
    if (index % 10 === 0) await new Promise((resolve) => setTimeout(resolve, index % 3));
  }
  socket.end();
}

/** Connections of one run: opened ahead, lent, given back, closed. And what holds for each, by Node's sockets. */
import assert from "node:assert/strict";
import { createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { describe, test } from "node:test";
import type { TestContext } from "node:test";
import { createServer as createTlsServer } from "node:tls";
import { readFileSync } from "node:fs";
import { Network } from "../../../src/http/network.ts";
import { targetTo } from "../../../src/http/connection.ts";
import { connectByNode } from "../../../src/http/connection-node.ts";
import { startHangingPort } from "../../aws/backlog.ts";
import { makeCertificate } from "../../aws/tls.ts";
import { until } from "../../e2e/expect.ts";
import { makeContext } from "../refuses.ts";

interface Place {
  readonly url: URL;
  /** those that were taken, also those that have ended */
  readonly sockets: readonly Socket[];
  readonly port: number;
  /** of those that are still open at the other end */
  open(): number;
}

async function withServer(server: Server, work: (place: Place) => Promise<void>): Promise<void> {
  const sockets: Socket[] = [];
  const isTls = "setSecureContext" in server;
  server.on("connection", (socket: Socket) => {
    sockets.push(socket.on("error", () => {}));
    // So that its end is seen. TLS reads by itself.
    if (!isTls) socket.resume();
  });
  await new Promise<void>((resolve) => server.listen(0, isTls ? "0.0.0.0" : "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const open = (): number => sockets.filter((socket) => !socket.destroyed && !socket.readableEnded).length;
  try {
    await work({ url: new URL(`http://127.0.0.1:${port}/`), sockets, port, open });
  } finally {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
}

function withNetwork(work: (network: Network, place: Place) => Promise<void>): Promise<void> {
  return withServer(createServer(), async (place) => {
    const { context } = makeContext();
    const network = new Network(context);
    try {
      await work(network, place);
    } finally {
      network.close();
      context.deadline.clear();
    }
  });
}

/** From now on timers end as the test says. What has ended before is let go of by the clock that it began with. */
async function stopTime(t: TestContext): Promise<void> {
  for (let turns = 0; turns < 10; turns += 1) await new Promise((resolve) => setImmediate(resolve));
  t.mock.timers.enable({ apis: ["setTimeout"] });
}

describe("connections of a run", () => {
  test("each that was opened ahead is lent once, also one that is on its way", () =>
    withNetwork(async (network, { url, sockets }) => {
      network.warm(url);
      network.warm(url);
      const [first, second] = [await network.takeIdle(url), await network.takeIdle(new URL("/other", url))];
      assert.ok(first !== undefined && second !== undefined && first !== second);
      assert.equal(await network.takeIdle(url), undefined);
      await until(() => sockets.length === 2);
      first.close();
      second.close();
    }));

  test("one that is given back is lent again; one that was closed by then is not", () =>
    withNetwork(async (network, { url }) => {
      const connection = await network.open(url);
      network.give(url, connection);
      assert.equal(await network.takeIdle(url), connection);
      network.give(url, connection);
      connection.close();
      assert.equal(await network.takeIdle(url), undefined);
    }));

  test("one that the other end has closed is not lent", () =>
    withNetwork(async (network, { url, sockets }) => {
      const connection = await network.open(url);
      network.give(url, connection);
      await until(() => sockets.length === 1);
      sockets[0]?.end();
      await until(() => connection.closed);
      assert.equal(await network.takeIdle(url), undefined);
    }));

  test("none is lent to another host, port or scheme", () =>
    withNetwork(async (network, { url, port }) => {
      network.warm(url);
      for (const other of [`http://localhost:${port}/`, "http://127.0.0.1:1/", `https://127.0.0.1:${port}/`])
        assert.equal(await network.takeIdle(new URL(other)), undefined, other);
      const connection = await network.takeIdle(url);
      assert.ok(connection !== undefined);
      connection.close();
    }));

  test("close ends those that nobody has taken, and no other", () =>
    withNetwork(async (network, { url, sockets, open }) => {
      const taken = await network.open(url);
      network.give(url, await network.open(url));
      network.warm(url);
      await until(() => sockets.length === 3);
      network.close();
      await until(() => open() === 1);
      assert.equal(taken.closed, false);
      assert.equal(await network.takeIdle(url), undefined);
      taken.close();
      await until(() => open() === 0);
    }));

  test("one that speaks before it is asked is closed, and one that was given back, too", () =>
    withNetwork(async (network, { url, sockets }) => {
      const connection = await network.open(url);
      await until(() => sockets.length === 1);
      sockets[0]?.write("HTTP/1.1 200 OK\r\n\r\n");
      await until(() => connection.closed);
      const other = await network.open(url);
      network.give(url, other);
      await until(() => sockets.length === 2);
      sockets[1]?.write("HTTP/1.1 200 OK\r\n\r\n");
      await until(() => other.closed);
    }));

  test("no plain HTTP to another machine, neither asked for nor ahead", () =>
    withNetwork(async (network) => {
      const url = new URL("http://stranger.test/");
      await assert.rejects(network.open(url), { kind: "config" });
      network.warm(url);
      await assert.rejects(async () => network.takeIdle(url), { kind: "config" });
    }));

  test("a network closes its connections and its agents', which are made once", () =>
    withServer(createServer(), async ({ url, sockets, open }) => {
      const { context } = makeContext();
      const network = new Network(context);
      network.warm(url);
      const agents = await network.agents();
      assert.equal(await network.agents(), agents);
      agents.warm(url);
      await until(() => sockets.length === 2);
      network.close();
      await until(() => open() === 0);
      context.deadline.clear();
    }));
});

describe("a connection by Node's sockets", () => {
  test("tells whom it was for where it is refused, or takes too long", async (t) => {
    const hanging = await startHangingPort();
    try {
      const target = targetTo(new URL(`http://127.0.0.1:${hanging.port}`));
      await stopTime(t);
      const connecting = connectByNode(target, { ca: undefined, timeoutMs: 3_000 });
      t.mock.timers.tick(3_000);
      const { host: hostname, port } = target;
      await assert.rejects(connecting, { code: "ETIMEDOUT", hostname, port });
    } finally {
      t.mock.timers.reset();
      await hanging.close();
    }
    const refused = connectByNode(targetTo(new URL("http://127.0.0.1:1")), {
      ca: undefined,
      timeoutMs: 3_000,
    });
    await assert.rejects(refused, { code: "ECONNREFUSED", hostname: "127.0.0.1", port: 1 });
  });

  test("is given no time limit once it is there", (t) =>
    withServer(createServer(), async ({ url }) => {
      await stopTime(t);
      const connection = await connectByNode(targetTo(url), { ca: undefined, timeoutMs: 3_000 });
      t.mock.timers.tick(3_000);
      t.mock.timers.reset();
      assert.equal(connection.closed, false);
      connection.close();
      assert.equal(connection.closed, true);
    }));

  test("says once that it is over, and why where it broke", () =>
    withServer(createServer(), async ({ url, sockets }) => {
      for (const [end, code] of [
        ["destroy", undefined],
        ["resetAndDestroy", "ECONNRESET"],
      ] as const) {
        const connection = await connectByNode(targetTo(url), { ca: undefined, timeoutMs: 3_000 });
        const ends: unknown[] = [];
        connection.listen({ onData: () => {}, onClose: (error) => void ends.push(error) });
        await until(() => sockets.at(-1)?.destroyed === false);
        sockets.at(-1)?.[end]();
        await until(() => ends.length > 0);
        assert.deepEqual(
          ends.map((error) => (error as NodeJS.ErrnoException | undefined)?.code),
          [code],
        );
      }
    }));
});

describe("a connection by TLS", () => {
  test("is for the one who has the certificate, by a trusted CA, and says its name where it is one", async () => {
    const names: (string | false | null | undefined)[] = [];
    const certificate = await makeCertificate(["localhost", "127.0.0.1"]);
    const { key, cert, caFile } = certificate;
    const server = createTlsServer({ key, cert }, (socket) => void names.push(socket.servername));
    server.on("tlsClientError", () => {});
    await withServer(server, async ({ port }) => {
      const ca = readFileSync(caFile);
      const at = (host: string) => targetTo(new URL(`https://${host}:${port}`));
      for (const host of ["localhost", "127.0.0.1"]) {
        const connection = await connectByNode(at(host), { ca, timeoutMs: 3_000 });
        await until(() => names.length > 0);
        assert.deepEqual(names.splice(0), [host === "localhost" ? host : false]);
        connection.close();
      }
      for (const [host, trusted, code] of [
        ["127.0.0.1", undefined, "UNABLE_TO_VERIFY_LEAF_SIGNATURE"],
        ["127.0.0.2", ca, "ERR_TLS_CERT_ALTNAME_INVALID"],
      ] as const) {
        const strange = connectByNode(at(host), { ca: trusted, timeoutMs: 3_000 });
        await assert.rejects(strange, { code, hostname: host, port });
      }
    });
    await certificate.remove();
  });

  test("takes no longer than it may, its handshake included", (t) =>
    withServer(createServer(), async ({ port, sockets }) => {
      await stopTime(t);
      const target = targetTo(new URL(`https://127.0.0.1:${port}`));
      const connecting = connectByNode(target, { ca: undefined, timeoutMs: 3_000 });
      const failed = assert.rejects(connecting, { code: "ETIMEDOUT", hostname: "127.0.0.1", port });
      // It is connected by now, and nobody answers.
      while (sockets.length === 0) await new Promise((resolve) => setImmediate(resolve));
      t.mock.timers.tick(3_000);
      await failed;
      t.mock.timers.reset();
    }));
});

/** The connections of the SDK's clients, which are node:http's under rules of our own. */
import assert from "node:assert/strict";
import http from "node:http";
import https from "node:https";
import { createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { describe, test } from "node:test";
import { Agents } from "../../../src/http/agents.ts";
import { ConnectionRules } from "../../../src/http/rules.ts";
import { holdPort } from "../../aws/held-port.ts";
import { makeCertificate } from "../../aws/tls.ts";
import { until } from "../../e2e/expect.ts";
import { makeContext } from "../refuses.ts";

interface Place {
  readonly agents: Agents;
  readonly url: URL;
  readonly sockets: readonly Socket[];
  open(): number;
}

async function withPlace(
  server: Server,
  work: (place: Place) => Promise<void>,
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const sockets: Socket[] = [];
  server.on("connection", (socket: Socket) => void sockets.push(socket.on("error", () => {})));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const { context } = makeContext(env);
  const agents = new Agents(new ConnectionRules(context));
  const open = (): number => sockets.filter(({ destroyed }) => !destroyed).length;
  try {
    await work({ agents, url: new URL(`http://127.0.0.1:${port}/`), sockets, open });
  } finally {
    agents.close();
    context.deadline.clear();
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
}

/** The status of an answer. */
function get({ httpAgent, httpsAgent }: Agents, url: URL): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const secure = url.protocol === "https:";
    const request = secure ? https.get(url, { agent: httpsAgent }) : http.get(url, { agent: httpAgent });
    request.on("error", reject);
    request.on("response", (response) => response.resume().on("end", () => resolve(response.statusCode)));
  });
}

const answering = (): Server => http.createServer((_, response) => response.end("ok"));

describe("the agents of the SDK's clients", () => {
  test("the first request has the connection that was opened ahead, and each other one of its own", () =>
    withPlace(answering(), async ({ agents, url, sockets }) => {
      agents.warm(url);
      agents.warm(new URL("/other", url));
      await until(() => sockets.length > 0);
      assert.deepEqual(await Promise.all([get(agents, url), get(agents, url)]), [200, 200]);
      assert.equal(sockets.length, 2);
      // One after the other they share one.
      assert.equal(await get(agents, url), 200);
      assert.equal(sockets.length, 2);
    }));

  test("one that was opened ahead and has ended by then costs nothing", () =>
    withPlace(answering(), async ({ agents, url, sockets }) => {
      agents.warm(url);
      await until(() => sockets.length === 1);
      sockets[0]?.resetAndDestroy();
      await new Promise((resolve) => setTimeout(resolve, 10));
      assert.equal(await get(agents, url), 200);
      assert.equal(sockets.length, 2);
    }));

  test("one that could not be opened ahead is opened anew, and may be so again", async () => {
    const place = createServer();
    await new Promise<void>((resolve) => place.listen(0, "127.0.0.1", resolve));
    const { port } = place.address() as AddressInfo;
    const held = await holdPort("127.0.0.1", port, () => place.close());
    const { context } = makeContext();
    const agents = new Agents(new ConnectionRules(context));
    const url = new URL(`http://127.0.0.1:${port}/`);
    const server = answering();
    let connections = 0;
    server.on("connection", () => (connections += 1));
    try {
      agents.warm(url);
      await assert.rejects(get(agents, url), { code: "ECONNREFUSED", hostname: "127.0.0.1", port });
      agents.warm(url);
      await new Promise((resolve) => setTimeout(resolve, 10));
      await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
      agents.warm(url);
      await until(() => connections === 1);
      assert.equal(await get(agents, url), 200);
      assert.equal(connections, 1);
    } finally {
      agents.close();
      context.deadline.clear();
      await new Promise((resolve) => server.close(resolve));
      held.release();
    }
  });

  test("close ends what was opened ahead, and what is kept for the next request", () =>
    withPlace(answering(), async ({ agents, url, sockets, open }) => {
      assert.equal(await get(agents, url), 200);
      agents.warm(url);
      await until(() => sockets.length === 2);
      assert.equal(open(), 2);
      agents.close();
      await until(() => open() === 0);
    }));

  test("no plain HTTP to another machine", () =>
    withPlace(answering(), async ({ agents }) => {
      const url = new URL("http://stranger.test/");
      assert.throws(() => agents.warm(url), { kind: "config" });
      await assert.rejects(async () => get(agents, url), { kind: "config" });
    }));

  test("a CA of one's own is the only one, ahead and later; close ends these, too", async () => {
    const certificate = await makeCertificate(["localhost"]);
    const { key, cert, caFile } = certificate;
    const server = https.createServer({ key, cert }, (_, response) => response.end("ok"));
    try {
      const places = (env: Readonly<Record<string, string>>, work: (place: Place) => Promise<void>) =>
        withPlace(
          server,
          (place) => work({ ...place, url: new URL(`https://localhost:${place.url.port}/`) }),
          env,
        );
      await places({ AWS_CA_BUNDLE: caFile }, async ({ agents, url, sockets, open }) => {
        agents.warm(url);
        await until(() => sockets.length === 1);
        assert.deepEqual(await Promise.all([get(agents, url), get(agents, url)]), [200, 200]);
        const address = new URL(`https://127.0.0.1:${url.port}/`);
        await assert.rejects(get(agents, address), { code: "ERR_TLS_CERT_ALTNAME_INVALID" });
        agents.warm(url);
        agents.close();
        await until(() => open() === 0);
      });
      await places({}, async ({ agents, url }) => {
        const [hostname, port] = [url.hostname, Number(url.port)];
        const error = { code: "UNABLE_TO_VERIFY_LEAF_SIGNATURE", hostname, port };
        await assert.rejects(get(agents, url), error);
      });
    } finally {
      await certificate.remove();
    }
  });

  test("https: what is connected has no limit either", async (t) => {
    const { key, cert, caFile, remove } = await makeCertificate(["localhost"]);
    const server = https.createServer({ key, cert }, (_, response) => response.end("ok"));
    await withPlace(
      server,
      async ({ agents, url, sockets }) => {
        t.mock.timers.enable({ apis: ["setTimeout"] });
        const there = new URL(`https://localhost:${url.port}/`);
        assert.equal(await get(agents, there), 200);
        t.mock.timers.tick(3_000);
        assert.equal(await get(agents, there), 200);
        t.mock.timers.reset();
        assert.equal(sockets.length, 1);
      },
      { AWS_CA_BUNDLE: caFile },
    );
    await remove();
  });

  for (const scheme of ["http", "https"] as const) {
    test(`${scheme}: connecting takes no longer than it may, and what is connected has no limit`, (t) =>
      withPlace(createServer(), async ({ agents, url, sockets }) => {
        t.mock.timers.enable({ apis: ["setTimeout"] });
        const asked = get(agents, new URL(`${scheme}://127.0.0.1:${url.port}/`));
        const ended = asked.then(
          () => assert.fail("nobody answers"),
          (error: NodeJS.ErrnoException) => error.code,
        );
        while (sockets.length === 0) await new Promise((resolve) => setImmediate(resolve));
        for (let turns = 0; turns < 5; turns += 1) await new Promise((resolve) => setImmediate(resolve));
        t.mock.timers.tick(3_000);
        t.mock.timers.reset();
        // A server that has taken it may think for as long as it likes; one that does not speak TLS is not connected.
        setTimeout(() => sockets[0]?.resetAndDestroy(), 10);
        assert.equal(await ended, scheme === "http" ? "ECONNRESET" : "ETIMEDOUT");
      }));
  }
});

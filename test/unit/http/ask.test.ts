/** Requests over network, by Node's sockets, against servers that misbehave. The binary's sockets are in test/e2e. */
import assert from "node:assert/strict";
import { getEventListeners, once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { describe, test } from "node:test";
import { AnswerTooLarge, InvalidAnswer } from "../../../src/http/answer.ts";
import { ask } from "../../../src/http/ask.ts";
import type { Question } from "../../../src/http/ask.ts";
import { Network } from "../../../src/http/network.ts";
import { holdPort } from "../../aws/held-port.ts";
import { until } from "../../e2e/expect.ts";
import { makeContext } from "../refuses.ts";

interface Served {
  readonly question: Question;
  readonly network: Network;
  readonly sockets: readonly Socket[];
  connections(): number;
  /** bytes */
  received(): number;
}

/** A server that does `answer` for each piece of a request, by the numbers of both, from 1. */
async function serve(
  answer: (
    socket: Socket,
    bytes: string,
    count: { readonly request: number; readonly connection: number },
  ) => void,
  work: (served: Served) => Promise<void>,
): Promise<void> {
  let connections = 0;
  let size = 0;
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    connections += 1;
    sockets.push(socket);
    const connection = connections;
    let request = 0;
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      request += 1;
      size += bytes.length;
      answer(socket, bytes.toString(), { request, connection });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { context } = makeContext({});
  try {
    const { port } = server.address() as AddressInfo;
    const url = new URL(`http://127.0.0.1:${port}/`);
    const question: Question = { method: "GET", url, headers: {}, largestBody: 1_000 };
    const network = new Network(context);
    await work({ question, network, sockets, connections: () => connections, received: () => size });
  } finally {
    context.deadline.clear();
    // A test that fails leaves connections open, which close() would wait for.
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
}

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const { signal } = new AbortController();
const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

describe("asking", () => {
  test("one connection takes one request after the other", () =>
    serve(
      (socket) => socket.write(OK),
      async ({ question, network, connections }) => {
        for (let count = 0; count < 3; count += 1) {
          assert.equal((await ask(network, question, signal)).body.toString(), "ok");
        }
        assert.equal(connections(), 1);
        (await network.takeIdle(question.url))?.close();
      },
    ));

  test("a server that closes behind each answer, without saying so, is asked anew", () =>
    serve(
      (socket, _bytes, { request }) =>
        void (request === 1 ? socket.write(OK, () => socket.end()) : socket.destroy()),
      async ({ question, network, connections }) => {
        for (let count = 0; count < 3; count += 1) {
          assert.equal((await ask(network, question, signal)).status, 200);
        }
        assert.equal(connections(), 3);
      },
    ));

  test("an idle connection that is reset as it is used again costs no attempt", () =>
    serve(
      (socket, _bytes, { request }) => void (request === 1 ? socket.write(OK) : socket.resetAndDestroy()),
      async ({ question, network, connections }) => {
        await ask(network, question, signal);
        assert.equal((await ask(network, question, signal)).status, 200);
        assert.equal(connections(), 2);
        (await network.takeIdle(question.url))?.close();
      },
    ));

  test("the Host is named with its port, and once where the request has it", async () => {
    const heads: string[] = [];
    const server = createServer((socket) =>
      socket.on("data", (bytes) => {
        heads.push(bytes.toString());
        socket.write(OK);
      }),
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { context } = makeContext({});
    const network = new Network(context);
    const { port } = server.address() as AddressInfo;
    const url = new URL(`http://127.0.0.1:${port}/`);
    const question = { method: "GET", url, largestBody: 100 } as const;
    try {
      await ask(network, { ...question, headers: {} }, signal);
      await ask(network, { ...question, headers: { host: "signed.example.com" } }, signal);
    } finally {
      network.close();
      server.close();
      context.deadline.clear();
    }
    const hosts = heads.map((head) => head.split("\r\n").filter((line) => /^host:/i.test(line)));
    assert.deepEqual(hosts, [[`host: 127.0.0.1:${port}`], ["host: signed.example.com"]]);
  });

  test("a request is its line, its headers, and as many bytes of body as it says", async () => {
    for (const { method, body, wanted } of [
      { method: "GET", wanted: "GET /a%20b?c=d&e HTTP/1.1\r\nhost: HOST\r\nx-a: 1\r\n\r\n" },
      {
        method: "PUT",
        wanted: "PUT /a%20b?c=d&e HTTP/1.1\r\nhost: HOST\r\nx-a: 1\r\ncontent-length: 0\r\n\r\n",
      },
      {
        method: "POST",
        body: "żółw",
        wanted: "POST /a%20b?c=d&e HTTP/1.1\r\nhost: HOST\r\nx-a: 1\r\ncontent-length: 7\r\n\r\nżółw",
      },
    ] as const) {
      let sent = "";
      await serve(
        (socket, bytes) => {
          sent += bytes;
          if (Buffer.byteLength(sent) >= Buffer.byteLength(wanted)) socket.write(OK);
        },
        async ({ question, network }) => {
          const url = new URL("/a%20b?c=d&e#f", question.url);
          const asked = { ...question, method, url, headers: { "x-a": "1" } };
          await ask(network, { ...asked, ...(body === undefined ? {} : { body }) }, signal);
          assert.equal(sent.replace(url.host, "HOST"), wanted);
          network.close();
        },
      );
    }
  });

  test("an answer that ends with its connection is whole where that is closed, and not where it is reset", () =>
    serve(
      (socket, _bytes, { connection }) => {
        socket.write("HTTP/1.1 200 OK\r\n\r\nok", () => {
          if (connection === 1) socket.end();
          else setTimeout(() => socket.resetAndDestroy(), 20);
        });
      },
      async ({ question, network }) => {
        const { body, reusable } = await ask(network, question, signal);
        assert.deepEqual([body.toString(), reusable], ["ok", false]);
        await assert.rejects(ask(network, question, signal), { code: "ECONNRESET" });
      },
    ));

  test("an answer that ends its connection leaves it to nobody, and one that is refused closes it", () =>
    serve(
      (socket, _bytes, { connection }) => {
        socket.write(connection === 1 ? OK.replace("OK\r\n", "OK\r\nConnection: close\r\n") : "SSH-2.0\r\n");
      },
      async ({ question, network, sockets }) => {
        await ask(network, question, signal);
        assert.equal(await network.takeIdle(question.url), undefined);
        await until(() => sockets[0]?.readableEnded === true);
        await assert.rejects(ask(network, question, signal), InvalidAnswer);
        assert.equal(await network.takeIdle(question.url), undefined);
        await until(() => sockets[1]?.readableEnded === true);
      },
    ));

  test("an answer larger than what was asked for may be closes the connection", () =>
    serve(
      (socket) => socket.write(OK),
      async ({ question, network, sockets }) => {
        await assert.rejects(ask(network, { ...question, largestBody: 1 }, signal), AnswerTooLarge);
        await until(() => sockets[0]?.readableEnded === true);
      },
    ));

  test("where it was to go stands in what is thrown", () =>
    serve(
      (socket) => socket.destroy(),
      async ({ question, network }) => {
        const { hostname, port } = question.url;
        await assert.rejects(ask(network, question, signal), {
          code: "ECONNRESET",
          hostname,
          port: Number(port),
        });
      },
    ));

  test("nothing is sent once it is aborted, and no listener stays at a signal", () =>
    serve(
      (socket) => socket.write(OK),
      async ({ question, network, received }) => {
        const controller = new AbortController();
        await ask(network, question, controller.signal);
        await ask(network, question, controller.signal);
        assert.equal(getEventListeners(controller.signal, "abort").length, 0);
        const before = received();
        await assert.rejects(ask(network, question, AbortSignal.abort(new Error("enough"))), /enough/);
        assert.equal(await network.takeIdle(question.url), undefined);
        assert.equal(received(), before);
      },
    ));

  test("an answer that was begun is not asked for again", () =>
    serve(
      (socket, _bytes, { request }) => void (request === 1 ? socket.write(OK) : socket.end("HTTP/1.1 2")),
      async ({ question, network, connections }) => {
        await ask(network, question, signal);
        await assert.rejects(ask(network, question, signal), { code: "ECONNRESET" });
        assert.equal(connections(), 1);
      },
    ));

  test("a connection that speaks unasked is closed, and not used again", () => {
    let first: Socket | undefined;
    return serve(
      (socket) => {
        first ??= socket;
        socket.write(OK);
      },
      async ({ question, network, connections }) => {
        await ask(network, question, signal);
        assert.ok(first !== undefined);
        const closed = once(first, "close");
        // Only now: what comes with the answer would be a part of it.
        first.write("HTTP/1.1 200 OK\r\n");
        await closed;
        await ask(network, question, signal);
        assert.equal(connections(), 2);
      },
    );
  });

  test("a connection that was warmed and has failed by then costs no attempt", async () => {
    // Nobody listens there yet.
    const place = createServer();
    await new Promise<void>((resolve) => place.listen(0, "127.0.0.1", resolve));
    const { port } = place.address() as AddressInfo;
    const held = await holdPort("127.0.0.1", port, () => place.close());
    const { context } = makeContext({});
    const network = new Network(context);
    const url = new URL(`http://127.0.0.1:${port}/`);
    network.warm(url);
    await turn();
    const server = createServer((socket) => socket.on("data", () => socket.end(OK)));
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    try {
      const question: Question = { method: "GET", url, headers: {}, largestBody: 1_000 };
      assert.equal((await ask(network, question, signal)).status, 200);
    } finally {
      context.deadline.clear();
      network.close();
      await new Promise((resolve) => server.close(resolve));
      held.release();
    }
  });

  test("an abort closes the connection", () =>
    serve(
      () => {},
      async ({ question, network, connections }) => {
        const controller = new AbortController();
        const asked = ask(network, question, controller.signal);
        setTimeout(() => controller.abort(new Error("enough")), 20);
        await assert.rejects(asked, /enough/);
        assert.equal(connections(), 1);
        assert.equal(await network.takeIdle(question.url), undefined);
      },
    ));

  test("a header that would begin another one is not sent", () =>
    serve(
      (socket) => socket.write(OK),
      async ({ question, network, connections }) => {
        for (const value of ["1\r\nx-b: 2", "1\nx-b: 2", "1\rx-b: 2", "1\0", "\u010a"]) {
          await assert.rejects(ask(network, { ...question, headers: { "x-a": value } }, signal), TypeError);
        }
        assert.equal(connections(), 0);
      },
    ));
});

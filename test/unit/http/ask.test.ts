/** Requests over wires, by Node's sockets, against servers that misbehave. The binary's sockets are in test/e2e. */
import assert from "node:assert/strict";
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { describe, test } from "node:test";
import { ask } from "../../../src/http/ask.ts";
import type { Question } from "../../../src/http/ask.ts";
import { Wires } from "../../../src/http/wires.ts";
import { Connecting } from "../../../src/http/connecting.ts";
import { holdPort } from "../../aws/held-port.ts";
import { makeContext } from "../refuses.ts";

interface Served {
  readonly question: Question;
  readonly wires: Wires;
  connections(): number;
}

/** A server that does `answer` for each request on a connection, by their number. */
async function serve(
  answer: (socket: Socket, request: number, connection: number) => void,
  work: (served: Served) => Promise<void>,
): Promise<void> {
  let connections = 0;
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    connections += 1;
    sockets.push(socket);
    const connection = connections;
    let requests = 0;
    socket.on("error", () => {});
    socket.on("data", () => {
      requests += 1;
      answer(socket, requests, connection);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { context } = makeContext({});
  try {
    const { port } = server.address() as AddressInfo;
    const url = new URL(`http://127.0.0.1:${port}/`);
    const question: Question = { method: "GET", url, headers: {}, largestBody: 1_000 };
    await work({ question, wires: new Wires(new Connecting(context)), connections: () => connections });
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
      async ({ question, wires, connections }) => {
        for (let count = 0; count < 3; count += 1) {
          assert.equal((await ask(wires, question, signal)).body.toString(), "ok");
        }
        assert.equal(connections(), 1);
        (await wires.takeIdle(question.url))?.close();
      },
    ));

  test("a server that closes behind each answer, without saying so, is asked anew", () =>
    serve(
      (socket, request) => void (request === 1 ? socket.write(OK, () => socket.end()) : socket.destroy()),
      async ({ question, wires, connections }) => {
        for (let count = 0; count < 3; count += 1) {
          assert.equal((await ask(wires, question, signal)).status, 200);
        }
        assert.equal(connections(), 3);
      },
    ));

  test("an idle connection that is reset as it is used again costs no attempt", () =>
    serve(
      (socket, request) => void (request === 1 ? socket.write(OK) : socket.resetAndDestroy()),
      async ({ question, wires, connections }) => {
        await ask(wires, question, signal);
        assert.equal((await ask(wires, question, signal)).status, 200);
        assert.equal(connections(), 2);
        (await wires.takeIdle(question.url))?.close();
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
    const wires = new Wires(new Connecting(context));
    const { port } = server.address() as AddressInfo;
    const url = new URL(`http://127.0.0.1:${port}/`);
    const question = { method: "GET", url, largestBody: 100 } as const;
    try {
      await ask(wires, { ...question, headers: {} }, signal);
      await ask(wires, { ...question, headers: { host: "signed.example.com" } }, signal);
    } finally {
      wires.close();
      server.close();
      context.deadline.clear();
    }
    const hosts = heads.map((head) => head.split("\r\n").filter((line) => /^host:/i.test(line)));
    assert.deepEqual(hosts, [[`host: 127.0.0.1:${port}`], ["host: signed.example.com"]]);
  });

  test("an answer that was begun is not asked for again", () =>
    serve(
      (socket, request) => void (request === 1 ? socket.write(OK) : socket.end("HTTP/1.1 2")),
      async ({ question, wires, connections }) => {
        await ask(wires, question, signal);
        await assert.rejects(ask(wires, question, signal), { code: "ECONNRESET" });
        assert.equal(connections(), 1);
      },
    ));

  test("a connection that speaks unasked is closed, and not used again", () => {
    const closed = Promise.withResolvers<void>();
    return serve(
      (socket, _, connection) => {
        if (connection === 1) socket.once("close", () => closed.resolve());
        socket.write(OK, () => void setTimeout(() => socket.write("HTTP/1.1 200 OK\r\n"), 20));
      },
      async ({ question, wires, connections }) => {
        await ask(wires, question, signal);
        await closed.promise;
        await ask(wires, question, signal);
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
    const wires = new Wires(new Connecting(context));
    const url = new URL(`http://127.0.0.1:${port}/`);
    wires.warm(url);
    await turn();
    const server = createServer((socket) => socket.on("data", () => socket.end(OK)));
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    try {
      const question: Question = { method: "GET", url, headers: {}, largestBody: 1_000 };
      assert.equal((await ask(wires, question, signal)).status, 200);
    } finally {
      context.deadline.clear();
      await new Promise((resolve) => server.close(resolve));
      held.release();
    }
  });

  test("an abort closes the connection", () =>
    serve(
      () => {},
      async ({ question, wires, connections }) => {
        const controller = new AbortController();
        const asked = ask(wires, question, controller.signal);
        setTimeout(() => controller.abort(new Error("enough")), 20);
        await assert.rejects(asked, /enough/);
        assert.equal(connections(), 1);
        assert.equal(await wires.takeIdle(question.url), undefined);
      },
    ));

  test("a header that would begin another one is not sent", () =>
    serve(
      (socket) => socket.write(OK),
      async ({ question, wires, connections }) => {
        for (const value of ["1\r\nx-b: 2", "1\nx-b: 2", "1\rx-b: 2", "1\0", "\u010a"]) {
          await assert.rejects(ask(wires, { ...question, headers: { "x-a": value } }, signal), TypeError);
        }
        assert.equal(connections(), 0);
      },
    ));
});

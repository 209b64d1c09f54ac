/** Requests over wires, by Node's sockets, against servers that misbehave. The binary's sockets are in test/e2e. */
import assert from "node:assert/strict";
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { describe, test } from "node:test";
import { ask } from "../../../../src/aws/direct/ask.ts";
import type { Question } from "../../../../src/aws/direct/ask.ts";
import { Wires } from "../../../../src/aws/direct/wires.ts";
import { Connecting } from "../../../../src/aws/connecting.ts";
import { makeContext } from "../../refuses.ts";

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
  const server = createServer((socket) => {
    connections += 1;
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

  test("an answer that was begun is not asked for again", () =>
    serve(
      (socket, request) => void (request === 1 ? socket.write(OK) : socket.end("HTTP/1.1 2")),
      async ({ question, wires, connections }) => {
        await ask(wires, question, signal);
        await assert.rejects(ask(wires, question, signal), { code: "ECONNRESET" });
        assert.equal(connections(), 1);
      },
    ));

  test("a connection that speaks unasked is not used again", () =>
    serve(
      (socket) => socket.write(OK, () => void setTimeout(() => socket.write("HTTP/1.1 200 OK\r\n"), 5)),
      async ({ question, wires, connections }) => {
        await ask(wires, question, signal);
        await turn();
        await ask(wires, question, signal);
        assert.equal(connections(), 2);
        await turn();
      },
    ));

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
      () => assert.fail("it was sent"),
      async ({ question, wires }) => {
        await assert.rejects(
          ask(wires, { ...question, headers: { "x-a": "1\r\nx-b: 2" } }, signal),
          TypeError,
        );
      },
    ));
});

/** The connection by Bun's sockets, over sockets of Node's that take little at once, as Bun's do under load. */
import assert from "node:assert/strict";
import { createServer, connect } from "node:net";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { targetTo } from "../../../src/http/connection.ts";
import { connectByBun } from "../../../src/http/connection-bun.ts";
import type { BunSockets } from "../../../src/http/connection-bun.ts";

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
    const connection = await connectByBun(takingAtMost(5), target, { ca: undefined, timeoutMs: 10_000 });
    const wanted = requests.join("");
    const echoed = await new Promise<string>((resolve, reject) => {
      let text = "";
      connection.listen({
        onData: (bytes) => {
          text += bytes.toString();
          if (text.length >= wanted.length) resolve(text);
        },
        onClose: () => reject(new Error(`closed after ${text}`)),
      });
      for (const request of requests) connection.send(Buffer.from(request));
    });
    connection.close();
    assert.equal(echoed, wanted);
  } finally {
    server.close();
  }
});

interface Opened {
  readonly options: Parameters<BunSockets["connect"]>[0];
  readonly socket: BunSocket;
  /** what was done to it, in order */
  readonly done: string[];
}

type BunSocket = Awaited<ReturnType<BunSockets["connect"]>>;

/** Begins a connection, whose events the test makes. */
function begin(url: string, { ca, authorized = true }: { ca?: Buffer; authorized?: boolean } = {}) {
  const done: string[] = [];
  const socket: BunSocket = {
    authorized,
    write: (bytes) => {
      done.push(bytes.toString());
      return bytes.length;
    },
    setNoDelay: (on) => void done.push(`setNoDelay(${on})`),
    terminate: () => void done.push("terminate"),
  };
  const opened: Opened[] = [];
  const bun: BunSockets = {
    connect: (options) => {
      opened.push({ options, socket, done });
      return new Promise(() => {});
    },
  };
  const connection = connectByBun(bun, targetTo(new URL(url)), { ca, timeoutMs: 3_000 });
  const [{ options }] = opened as [Opened];
  return { connection, socket, done, options, handlers: options.socket };
}

const [PLAIN, TLS] = ["http://127.0.0.1:8080/", "https://a.test/"];
const AT = { hostname: "a.test", port: 443 };

for (const [url, ca, wanted] of [
  [PLAIN, undefined, { hostname: "127.0.0.1", port: 8080 }],
  [TLS, undefined, { ...AT, tls: { rejectUnauthorized: true, serverName: "a.test" } }],
  [
    TLS,
    Buffer.from("CA"),
    { ...AT, tls: { rejectUnauthorized: true, serverName: "a.test", ca: Buffer.from("CA") } },
  ],
  // RFC 6066, section 3: an address is no server name.
  [
    "https://10.1.2.3/",
    undefined,
    { hostname: "10.1.2.3", port: 443, tls: { rejectUnauthorized: true, serverName: "" } },
  ],
  [
    "https://[::1]/",
    undefined,
    { hostname: "::1", port: 443, tls: { rejectUnauthorized: true, serverName: "" } },
  ],
  [
    "https://10.test/",
    undefined,
    { hostname: "10.test", port: 443, tls: { rejectUnauthorized: true, serverName: "10.test" } },
  ],
] as const) {
  test(`Bun is asked for ${url}${ca === undefined ? "" : " by one CA"}`, (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const { options } = begin(url, ca === undefined ? {} : { ca });
    const { socket: _, ...asked } = options;
    assert.deepEqual(asked, wanted);
  });
}

test("a plain connection is there as it opens, and has no time limit from then on", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { connection, done, handlers, socket } = begin(PLAIN);
  handlers.open(socket);
  t.mock.timers.tick(3_000);
  assert.equal((await connection).closed, false);
  assert.deepEqual(done, ["setNoDelay(true)"]);
});

test("a connection by TLS is there after a handshake that went well", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { connection, done, handlers, socket } = begin(TLS);
  let isThere = false;
  void connection.then(() => (isThere = true));
  handlers.open(socket);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(isThere, false);
  handlers.handshake(socket, true, null);
  t.mock.timers.tick(3_000);
  assert.equal((await connection).closed, false);
  assert.deepEqual(done, ["setNoDelay(true)"]);
});

const EXPIRED = Object.assign(new Error("expired"), { code: "CERT_HAS_EXPIRED" });

for (const { what, success, error, authorized, code } of [
  { what: "no success", success: false, error: null, authorized: true, code: "ERR_TLS_HANDSHAKE" },
  { what: "an error", success: true, error: EXPIRED, authorized: true, code: "CERT_HAS_EXPIRED" },
  { what: "no authority", success: true, error: null, authorized: false, code: "ERR_TLS_HANDSHAKE" },
] as const) {
  test(`a handshake with ${what} is none`, async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const { connection, done, handlers, socket } = begin(TLS, { authorized });
    handlers.open(socket);
    handlers.handshake(socket, success, error);
    await assert.rejects(connection, { ...AT, code });
    assert.deepEqual(done, ["setNoDelay(true)", "terminate"]);
  });
}

for (const [what, fail, code] of [
  [
    "an error with a code",
    ({ handlers, socket }) => handlers.connectError(socket, EXPIRED),
    "CERT_HAS_EXPIRED",
  ],
  [
    "an error without one",
    ({ handlers, socket }) => handlers.connectError(socket, new Error("x")),
    "ECONNREFUSED",
  ],
  ["an end", ({ handlers, socket }) => handlers.close(socket), "ECONNRESET"],
  ["an end with an error", ({ handlers, socket }) => handlers.close(socket, EXPIRED), "CERT_HAS_EXPIRED"],
] as const satisfies readonly (readonly [string, (begun: ReturnType<typeof begin>) => void, string])[]) {
  test(`before it is there, ${what} is a failure that says whom it was for`, async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const begun = begin(TLS);
    fail(begun);
    await assert.rejects(begun.connection, { ...AT, code });
  });
}

for (const [what, connect] of [
  [
    "throws",
    () => {
      throw EXPIRED;
    },
  ],
  ["rejects", () => Promise.reject(EXPIRED)],
] as const) {
  test(`a connect that ${what} is a failure`, (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const connection = connectByBun({ connect }, targetTo(new URL(TLS)), { ca: undefined, timeoutMs: 3_000 });
    return assert.rejects(connection, { ...AT, code: "CERT_HAS_EXPIRED" });
  });
}

test("connecting takes no longer than it may, and what opens later is ended at once", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { connection, done, handlers, socket } = begin(PLAIN);
  t.mock.timers.tick(3_000);
  await assert.rejects(connection, { code: "ETIMEDOUT", hostname: "127.0.0.1", port: 8080 });
  handlers.open(socket);
  assert.deepEqual(done, ["terminate"]);
});

async function opened() {
  const begun = begin(PLAIN);
  begun.handlers.open(begun.socket);
  const connection = await begun.connection;
  begun.done.length = 0;
  return { ...begun, connection };
}

test("whoever speaks before it is asked is not asked", async () => {
  const { connection, done, handlers, socket } = await opened();
  handlers.data(socket, Buffer.from("HTTP/1.1 200 OK"));
  assert.equal(connection.closed, true);
  assert.deepEqual(done, ["terminate"]);
});

for (const [what, end, error] of [
  ["its end", "end", undefined],
  ["its end and then its close", "close", undefined],
  ["an error", "error", EXPIRED],
  ["a close with an error", "close", EXPIRED],
] as const) {
  test(`what is asked hears of the bytes, and once of ${what}`, async () => {
    const { connection, done, handlers, socket } = await opened();
    const heard: unknown[] = [];
    connection.listen({
      onData: (bytes) => void heard.push(bytes.toString()),
      onClose: (why) => void heard.push(why),
    });
    connection.send(Buffer.from("question"));
    handlers.data(socket, Buffer.from("answer"));
    if (end === "end") handlers.end(socket);
    else if (error === undefined) handlers.close(socket);
    else handlers[end](socket, error);
    handlers.close(socket);
    assert.deepEqual(heard, ["answer", error]);
    assert.deepEqual(done, ["question", "terminate"]);
    assert.equal(connection.closed, true);
  });
}

test("who has closed it himself hears nothing more", async () => {
  const { connection, done, handlers, socket } = await opened();
  connection.listen({ onData: () => assert.fail("bytes"), onClose: () => assert.fail("an end") });
  connection.close();
  connection.close();
  handlers.close(socket);
  assert.deepEqual(done, ["terminate"]);
});

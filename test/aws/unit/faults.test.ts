/** Each fault does what it says, seen through bare sockets. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { after, afterEach, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { checksum } from "../checksums.ts";
import type { ListenerName } from "../http.ts";
import { startAws } from "../server.ts";
import type { Aws } from "../server.ts";
import { kms, s3, send, xmlText } from "./client.ts";

/** Long enough to see that nothing comes, on loopback. */
const QUIET_MS = 50;
const BODY = "0123456789";

describe("faults", () => {
  let aws: Aws;
  const sockets = new Set<Socket>();

  before(async () => {
    aws = await startAws();
    aws.s3.put("b", "k", BODY);
  });
  afterEach(async () => {
    await aws.faults.clear();
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  });
  after(async () => aws.close());

  function open(listener: ListenerName): Socket {
    const { hostname, port } = new URL(aws.endpoints[listener]);
    const socket = connect(Number(port), hostname);
    sockets.add(socket);
    return socket;
  }

  /**
   * What a client gets that sends so much and waits: the bytes, and how it ended ("open" while it has not).
   *
   * @param staysOpen what has come by then, of a connection that nobody closes; a little later is looked at
   */
  async function exchange(
    listener: ListenerName,
    text: string,
    staysOpen?: RegExp,
  ): Promise<{ got: string; ended: string }> {
    const socket = open(listener);
    const seen = { got: "", ended: "open" };
    socket.on("data", (chunk: Buffer) => (seen.got += chunk.toString("latin1")));
    socket.on("end", () => (seen.ended = "FIN"));
    socket.on("error", (error: NodeJS.ErrnoException) => (seen.ended = error.code ?? "error"));
    socket.write(text);
    const closed = once(socket, "close").catch(() => {});
    if (staysOpen === undefined) await closed;
    else {
      while (!staysOpen.test(seen.got)) await Promise.race([once(socket, "data"), closed]);
      await Promise.race([closed, sleep(QUIET_MS)]);
    }
    return seen;
  }

  const GET_TOKEN =
    "PUT /latest/api/token HTTP/1.1\r\nHost: x\r\nx-aws-ec2-metadata-token-ttl-seconds: 60\r\nContent-Length: 0\r\n\r\n";

  function errorCode(promise: Promise<unknown>): Promise<unknown> {
    return promise.then(
      () => "no error",
      (error: unknown) => (error as NodeJS.ErrnoException).code,
    );
  }

  function getObject() {
    return s3(aws, { path: "/b/k" });
  }

  describe("of connections", () => {
    it("refuse: nobody listens, until the rule ends; then the same port again", async () => {
      const url = aws.endpoints.s3;
      const kept = open("s3");
      await once(kept, "connect");
      const handle = aws.faults.add({ service: "s3", action: "refuse" });
      await once(kept, "close");
      assert.equal(await errorCode(getObject()), "ECONNREFUSED");
      await handle.remove();
      assert.equal((await getObject()).text, BODY);
      assert.equal(aws.endpoints.s3, url);
    });

    it("refuse for a while only", async () => {
      await aws.faults.add({ service: "s3", action: "refuse", forMs: 500 }).ready;
      assert.equal(await errorCode(getObject()), "ECONNREFUSED");
      while ((await errorCode(getObject())) === "ECONNREFUSED") await sleep(5);
      assert.equal((await getObject()).text, BODY);
    });

    it("connectHang: connect() itself does not come back", async () => {
      const handle = aws.faults.add({ service: "s3", action: "connectHang" });
      await handle.ready;
      const socket = open("s3");
      let events = "";
      for (const name of ["connect", "error", "close"]) socket.on(name, () => (events += name));
      await sleep(QUIET_MS);
      assert.equal(events, "");
      socket.destroy();
      await handle.remove();
      assert.equal((await getObject()).text, BODY);
    });

    it("blackHole: connected, and never a byte", async () => {
      const handle = aws.faults.add({ service: "imds", action: "blackHole", times: 1 });
      assert.deepEqual(await exchange("imds", GET_TOKEN, /^$/u), { got: "", ended: "open" });
      assert.equal(handle.hits, 1);
      assert.match((await exchange("imds", GET_TOKEN, /./u)).got, /^HTTP\/1\.1 200 /u);
    });

    it("resetOnConnect: RST before a word", async () => {
      aws.faults.add({ service: "imds", action: "resetOnConnect" });
      const { got, ended } = await exchange("imds", GET_TOKEN);
      assert.equal(got, "");
      assert.match(ended, /^(?:ECONNRESET|EPIPE)$/u);
    });
  });

  describe("in place of an answer", () => {
    it("silent: read, logged, never answered", async () => {
      aws.resetCalls();
      aws.faults.add({ service: "imds", operation: "GetToken", action: "silent" });
      assert.deepEqual(await exchange("imds", GET_TOKEN, /^$/u), { got: "", ended: "open" });
      assert.deepEqual([aws.count("imds", "GetToken"), aws.calls[0]?.status], [1, 0]);
    });

    it("reset: RST after the request; hangUp: FIN", async () => {
      aws.faults.add({ service: "imds", action: "reset", times: 1 });
      aws.faults.add({ service: "imds", action: "hangUp", times: 1 });
      assert.deepEqual(await exchange("imds", GET_TOKEN), { got: "", ended: "ECONNRESET" });
      assert.deepEqual(await exchange("imds", GET_TOKEN), { got: "", ended: "FIN" });
    });

    it("status: an error in the service's own words", async () => {
      aws.faults.add({ service: "s3", action: "status", status: 503 });
      aws.faults.add({ service: "kms", action: "status", status: 400 });
      aws.faults.add({ service: "imds", action: "status", status: 500 });
      const slow = await getObject();
      assert.deepEqual([slow.status, xmlText(slow, "Code")], [503, "SlowDown"]);
      const throttled = await kms(aws, "DescribeKey", {});
      assert.deepEqual([throttled.status, throttled.json["__type"]], [400, "ThrottlingException"]);
      assert.equal((await send(aws, "imds", {})).status, 500);
    });

    it("status with a code of one's own", async () => {
      aws.faults.add({ service: "kms", action: "status", status: 500, code: "KMSInternalException" });
      assert.equal((await kms(aws, "DescribeKey", {})).json["__type"], "KMSInternalException");
    });

    it("errorIn200, body, redirect", async () => {
      aws.faults.add({ service: "s3", action: "errorIn200", times: 1 });
      aws.faults.add({ service: "s3", action: "body", body: "<html>", times: 1 });
      aws.faults.add({ service: "s3", action: "redirect", status: 301, region: "eu-west-1" });
      const hidden = await getObject();
      assert.deepEqual([hidden.status, xmlText(hidden, "Code")], [200, "InternalError"]);
      assert.equal((await getObject()).text, "<html>");
      const moved = await getObject();
      assert.deepEqual([moved.status, moved.headers["x-amz-bucket-region"]], [301, "eu-west-1"]);
    });

    it("hugeBody: as many zeros as asked for", async () => {
      aws.faults.add({ service: "s3", action: "hugeBody", bytes: 1_000_001 });
      const { body } = await getObject();
      assert.deepEqual([body.length, body.every((byte) => byte === 0)], [1_000_001, true]);
    });

    it("delay: late, and otherwise as always", async () => {
      aws.faults.add({ service: "s3", action: "delay", delayMs: QUIET_MS });
      let answered = false;
      const answer = getObject().finally(() => (answered = true));
      await sleep(QUIET_MS / 5);
      assert.equal(answered, false);
      assert.equal((await answer).text, BODY);
    });
  });

  describe("of an answer", () => {
    it("closeMidBody and cutJson: Content-Length promises more than comes", async () => {
      aws.faults.add({ service: "imds", action: "closeMidBody", bytes: 5, times: 1 });
      aws.faults.add({ service: "imds", action: "cutJson" });
      for (const length of [5, 28]) {
        const { got, ended } = await exchange("imds", GET_TOKEN);
        const [head = "", body = ""] = got.split("\r\n\r\n");
        assert.match(head, /content-length: 56/iu);
        assert.deepEqual([body.length, ended], [length, "FIN"]);
      }
      assert.equal(
        await errorCode(send(aws, "imds", { method: "PUT", path: "/latest/api/token" })),
        "ECONNRESET",
      );
    });

    it("closeMidBody of nothing: the head only", async () => {
      aws.faults.add({ service: "imds", action: "closeMidBody", bytes: 0 });
      const { got, ended } = await exchange("imds", GET_TOKEN);
      assert.deepEqual([got.slice(0, 12), got.slice(-4), ended], ["HTTP/1.1 200", "\r\n\r\n", "FIN"]);
    });

    it("wrongLength: a shorter body that claims to be whole", async () => {
      aws.faults.add({ service: "s3", operation: "GetObject", key: "k", action: "wrongLength", bytes: 4 });
      const { text, headers } = await getObject();
      assert.deepEqual([text, headers["content-length"]], ["0123", "4"]);
      assert.equal(headers.etag, `"${createHash("md5").update(BODY).digest("hex")}"`);
    });

    it("wrongCrc, flipBit, header", async () => {
      aws.faults.add({ service: "s3", action: "wrongCrc", times: 1 });
      aws.faults.add({ service: "s3", action: "flipBit", at: 0, times: 1 });
      aws.faults.add({ service: "s3", action: "header", name: "ETag", value: "", times: 1 });
      const wrong = (await getObject()).headers["x-amz-checksum-crc32"];
      assert.match(String(wrong), /^[\w+/]{6}==$/u);
      assert.notEqual(wrong, checksum("crc32", Buffer.from(BODY)));
      assert.equal((await getObject()).text, "1123456789");
      assert.equal((await getObject()).headers.etag, undefined);
    });

    it("drip: the body comes a byte at a time", async () => {
      aws.faults.add({ service: "s3", action: "drip", everyMs: 1 });
      assert.equal((await getObject()).text, BODY);
      aws.faults.add({ service: "imds", action: "drip", everyMs: 60_000 });
      const { got, ended } = await exchange("imds", GET_TOKEN, /\r\n\r\n/u);
      assert.match(got, /^HTTP\/1\.1 200 [^]*\r\n\r\n$/u);
      assert.equal(ended, "open");
    });

    it("replaceObject: another version between two reads", async () => {
      aws.s3.put("b", "swap", "one");
      aws.faults.add({
        service: "s3",
        operation: "GetObject",
        key: "swap",
        action: "replaceObject",
        body: "two",
        times: 1,
      });
      const read = async (): Promise<string> => (await s3(aws, { path: "/b/swap" })).text;
      assert.deepEqual([await read(), await read()], ["one", "two"]);
      assert.equal(aws.s3.versions("b", "swap").length, 2);
    });
  });

  describe("rules", () => {
    it("strike so often, after so many, only where they are about", async () => {
      const handle = aws.faults.add({
        service: "s3",
        operation: "GetObject",
        key: "k",
        action: "status",
        status: 500,
        times: 2,
        after: 1,
      });
      aws.s3.put("b", "other", "x");
      assert.equal((await s3(aws, { path: "/b/other" })).status, 200);
      const statuses = [];
      for (let count = 0; count < 4; count += 1) statuses.push((await getObject()).status);
      assert.deepEqual(statuses, [200, 500, 500, 200]);
      assert.equal(handle.hits, 2);
    });

    it("a limit throttles what is over it", async () => {
      aws.limit("s3", 2);
      aws.limit("kms", 0);
      const statuses = await Promise.all([getObject(), getObject(), getObject(), getObject()]);
      assert.deepEqual(statuses.map(({ status }) => status).sort(), [200, 200, 503, 503]);
      assert.equal((await kms(aws, "DescribeKey", {})).json["__type"], "ThrottlingException");
      aws.limit("s3", undefined);
      aws.limit("kms", undefined);
      assert.equal((await getObject()).status, 200);
    });

    it("an error rate fails that part of the calls", async () => {
      aws.errorRate("s3", 0.25);
      const statuses = [];
      for (let count = 0; count < 8; count += 1) statuses.push((await getObject()).status);
      aws.errorRate("s3", 0);
      assert.deepEqual(statuses, [200, 200, 200, 500, 200, 200, 200, 500]);
    });

    it("two clouds in one process share nothing", async () => {
      const other = await startAws();
      aws.faults.add({ service: "s3", action: "status", status: 500 });
      other.s3.put("b", "k", "other");
      assert.equal((await s3(other, { path: "/b/k" })).text, "other");
      assert.equal(other.calls.length, 1);
      await other.close();
    });
  });
});

it("close() ends every connection, whatever state it is in", async () => {
  const aws = await startAws();
  aws.faults.add({ service: "s3", action: "blackHole" });
  aws.faults.add({ service: "imds", action: "silent" });
  aws.faults.add({ service: "kms", action: "connectHang" });
  const sockets = (["s3", "imds", "sts"] as const).map((name) =>
    connect(Number(new URL(aws.endpoints[name]).port), "127.0.0.1"),
  );
  await Promise.all(sockets.map((socket) => once(socket, "connect")));
  sockets[1]?.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  while (aws.count("imds") === 0) await sleep(1);
  for (const socket of sockets) socket.resume();
  const closed = Promise.all(
    sockets.map((socket) =>
      once(
        socket.on("error", () => {}),
        "close",
      ),
    ),
  );
  await aws.close();
  await closed;
  const socket = connect(Number(new URL(aws.endpoints.s3).port), "127.0.0.1");
  const [error] = (await once(socket, "error")) as [NodeJS.ErrnoException];
  assert.equal(error.code, "ECONNREFUSED");
});

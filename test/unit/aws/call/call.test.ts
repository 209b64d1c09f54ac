/** A signed call against a server that says what the test wants: what is sent, and which answers are one. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, test } from "node:test";
import { ServiceRefusal, UnreadableAnswer, callService } from "../../../../src/aws/call/call.ts";
import type { Call, Caller, Refusal } from "../../../../src/aws/call/call.ts";
import { Clock } from "../../../../src/aws/call/clock.ts";
import { callJson } from "../../../../src/aws/call/json.ts";
import { signRequest } from "../../../../src/aws/call/sign.ts";
import { AnswerTooLarge } from "../../../../src/http/answer.ts";
import { Network } from "../../../../src/http/network.ts";
import { makeContext } from "../../refuses.ts";

interface Asked {
  readonly line: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

interface Served {
  readonly caller: Caller;
  readonly url: URL;
  readonly asked: readonly Asked[];
}

async function serve<T>(
  answer: (response: ServerResponse) => unknown,
  work: (served: Served) => Promise<T>,
): Promise<T> {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    const pieces = await request.toArray();
    const { method, url, headers } = request;
    asked.push({ line: `${method} ${url}`, headers, body: Buffer.concat(pieces).toString() });
    answer(response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { context } = makeContext();
  context.deadline.clear();
  const network = new Network(context);
  const identity = { accessKeyId: "AKIAEXAMPLE", secretAccessKey: "secret", sessionToken: "session" };
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/a/b`);
  try {
    return await work({ caller: { network, identity, clock: new Clock(), region: "eu-west-1" }, url, asked });
  } finally {
    network.close();
    await new Promise((resolve) => server.close(resolve));
  }
}

const { signal } = new AbortController();
const NO_REFUSAL = (): Refusal => assert.fail("it is no refusal");

function callOf(url: URL, more: Partial<Call> = {}): Call {
  return { service: "s3", method: "GET", url, largestBody: 100, readRefusal: NO_REFUSAL, ...more };
}

describe("a signed call", () => {
  test("sends what is asked for, signed by the clock that AWS told", () =>
    serve(
      (response) => response.end("ok"),
      async ({ caller, url, asked }) => {
        const hourMs = 3_600_000;
        caller.clock.learn(new Date(Date.now() + hourMs).toUTCString());
        const query = { "b-c": "1/2", b: "x y" };
        const headers = { "x-amz-more": "more" };
        const answer = await callService(caller, callOf(url, { query, headers }), signal);
        assert.deepEqual([answer.status, answer.body.toString()], [200, "ok"]);
        assert.deepEqual(url.search, "");
        const [{ line, headers: sent }] = asked as [Asked];
        assert.equal(line, "GET /a/b?b=x%20y&b-c=1%2F2");
        assert.match(String(sent["user-agent"]), /^sealexec\/\d/);
        assert.equal(sent.host, url.host);
        const stamp = String(sent["x-amz-date"]);
        const [, year, month, day, hour, minute, second] = /^(....)(..)(..)T(..)(..)(..)Z$/.exec(stamp) ?? [];
        const at = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
        assert.ok(Math.abs(at.getTime() - Date.now() - hourMs) < 60_000, stamp);
        const signable = { service: "s3", method: "GET", url, query };
        const given = { host: url.host, "user-agent": "any", ...headers };
        const signed = signRequest({ ...signable, headers: given }, caller, at);
        for (const name of ["authorization", "x-amz-security-token", "x-amz-content-sha256", "x-amz-more"])
          assert.equal(sent[name], signed[name], name);
      },
    ));

  for (const [status, headers, is] of [
    [200, {}, "an answer"],
    [200, { "content-range": "bytes 0-1/2" }, "unreadable"],
    [201, {}, "unreadable"],
    [206, {}, "unreadable"],
    [299, {}, "unreadable"],
    [300, {}, "a refusal"],
    [304, {}, "a refusal"],
    [403, {}, "a refusal"],
  ] as const) {
    test(`${status} ${JSON.stringify(headers)} is ${is}`, () =>
      serve(
        (response) => response.writeHead(status, { "x-amz-request-id": "REQ", ...headers }).end(),
        async ({ caller, url }) => {
          const readRefusal = (): Refusal => ({ code: "Code", message: "words", region: "eu-west-2" });
          const called = callService(caller, callOf(url, is === "a refusal" ? { readRefusal } : {}), signal);
          if (is === "an answer") assert.equal((await called).status, 200);
          else if (is === "unreadable")
            await assert.rejects(called, (error) => {
              assert.ok(error instanceof UnreadableAnswer);
              assert.equal(error.name, "UnreadableAnswer");
              assert.deepEqual(error.$metadata, { httpStatusCode: status, requestId: "REQ" });
              return true;
            });
          else
            await assert.rejects(called, (error) => {
              assert.ok(error instanceof ServiceRefusal);
              assert.deepEqual([error.name, error.message, error.Region], ["Code", "words", "eu-west-2"]);
              assert.deepEqual(error.$metadata, { httpStatusCode: status, requestId: "REQ" });
              assert.equal(error.$response.headers["x-amz-request-id"], "REQ");
              return true;
            });
        },
      ));
  }

  for (const [headers, inBody, requestId] of [
    [{ "x-amz-request-id": "A", "x-amzn-requestid": "B" }, "C", "A"],
    [{ "x-amzn-requestid": "B" }, "C", "B"],
    [{}, "C", "C"],
    [{}, undefined, undefined],
  ] as const) {
    test(`the request id by ${JSON.stringify(headers)} and ${inBody} is ${requestId}`, () =>
      serve(
        (response) => response.writeHead(500, headers).end(),
        async ({ caller, url }) => {
          const readRefusal = (): Refusal => ({ code: undefined, requestId: inBody });
          await assert.rejects(callService(caller, callOf(url, { readRefusal }), signal), {
            name: "UnknownError",
            message: "",
            $metadata: { httpStatusCode: 500, ...(requestId === undefined ? {} : { requestId }) },
          });
        },
      ));
  }

  test("a refusal says that the key is new, or that the clock was set right", () =>
    serve(
      (response) => {
        response.setHeader("date", new Date(Date.now() + 3_600_000).toUTCString());
        response.writeHead(403).end();
      },
      async ({ caller, url }) => {
        const refused = (from: Caller, code: string) =>
          callService(from, callOf(url, { readRefusal: () => ({ code }) }), signal).then(
            () => assert.fail("no refusal"),
            (error: ServiceRefusal) => error.$metadata,
          );
        assert.deepEqual(await refused({ ...caller, unsettled: true }, "InvalidAccessKeyId"), {
          httpStatusCode: 403,
          unsettled: true,
        });
        assert.deepEqual(await refused(caller, "RequestTimeTooSkewed"), {
          httpStatusCode: 403,
          clockSkewCorrected: true,
        });
        // It is right by now.
        assert.deepEqual(await refused(caller, "RequestTimeTooSkewed"), { httpStatusCode: 403 });
      },
    ));

  test("takes no more than it asked for, and ends with its signal", () =>
    serve(
      (response) => response.end("x".repeat(101)),
      async ({ caller, url }) => {
        await assert.rejects(callService(caller, callOf(url), signal), AnswerTooLarge);
        const over = AbortSignal.abort(new Error("enough"));
        await assert.rejects(callService(caller, callOf(url), over), /enough/);
      },
    ));
});

describe("a call of an AWS JSON service", () => {
  for (const [service, target] of [
    ["kms", "TrentService"],
    ["secretsmanager", "secretsmanager"],
    ["ssm", "AmazonSSM"],
  ] as const) {
    test(`${service}: its operation, its input, and what it gives`, () =>
      serve(
        (response) => response.end('{"b":[1]}'),
        async ({ caller, url, asked }) => {
          const output = await callJson(
            { url, caller },
            { service, operation: "Operation", input: { a: "ż" } },
            signal,
          );
          assert.deepEqual(output, { b: [1] });
          const [{ line, headers, body }] = asked as [Asked];
          assert.deepEqual([line, body], ["POST /a/b", '{"a":"ż"}']);
          assert.equal(headers["x-amz-target"], `${target}.Operation`);
          assert.equal(headers["content-type"], "application/x-amz-json-1.1");
          assert.match(String(headers.authorization), new RegExp(`/eu-west-1/${service}/aws4_request`));
        },
      ));
  }

  for (const body of ["", "no", '"text"', "7", "null"]) {
    test(`an answer of ${JSON.stringify(body)} is none`, () =>
      serve(
        (response) => response.end(body),
        ({ caller, url }) =>
          assert.rejects(
            callJson({ url, caller }, { service: "kms", operation: "Decrypt", input: {} }, signal),
            UnreadableAnswer,
          ),
      ));
  }

  for (const [service, most] of [
    ["kms", 64 * 1024],
    ["secretsmanager", 1024 * 1024],
    ["ssm", 1024 * 1024],
  ] as const) {
    test(`${service}: an answer of ${most} bytes, and not one more`, () => {
      let size = most;
      return serve(
        (response) => response.end('{"a":"'.padEnd(size - 2, "x") + '"}'),
        async ({ caller, url }) => {
          const called = () =>
            callJson({ url, caller }, { service, operation: "Operation", input: {} }, signal);
          assert.equal(String((await called())["a"]).length, most - 8);
          size = most + 1;
          await assert.rejects(called(), AnswerTooLarge);
        },
      );
    });
  }

  for (const [fields, message] of [
    ['{"message":"a"}', "a"],
    ['{"Message":"b"}', "b"],
    ['{"message":7}', ""],
  ] as const) {
    test(`the words of ${fields}`, () =>
      serve(
        (response) => response.writeHead(400).end(fields),
        ({ caller, url }) =>
          assert.rejects(
            callJson({ url, caller }, { service: "kms", operation: "Decrypt", input: {} }, signal),
            { message },
          ),
      ));
  }
});

/** What a service of the AWS JSON protocol calls its refusal, wherever it says so. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, test } from "node:test";
import { Clock } from "../../../../src/aws/call/clock.ts";
import { callJson } from "../../../../src/aws/call/json.ts";
import { Network } from "../../../../src/http/network.ts";
import { makeContext } from "../../refuses.ts";

interface Refusal {
  readonly what: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
  readonly name: string;
}

const TYPE = "x-amzn-errortype";

const REFUSALS: readonly Refusal[] = [
  { what: "a header", headers: { [TYPE]: "DisabledException" }, body: "", name: "DisabledException" },
  {
    what: "a header with a URI behind it",
    headers: { [TYPE]: "DisabledException:http://internal.amazon.com/coral/com.amazonaws.kms/" },
    body: "{}",
    name: "DisabledException",
  },
  {
    what: "its body, with a namespace",
    body: '{"__type":"com.amazonaws.kms#DisabledException"}',
    name: "DisabledException",
  },
  { what: "its body, by the older name", body: '{"code":"DisabledException"}', name: "DisabledException" },
  {
    what: "both, of which the header counts",
    headers: { [TYPE]: "DisabledException" },
    body: '{"__type":"Other"}',
    name: "DisabledException",
  },
  { what: "nothing", body: "<html>no</html>", name: "UnknownError" },
  { what: "something that is no text", body: '{"__type":{"a":1}}', name: "UnknownError" },
];

describe("a refusal is called what it says", () => {
  for (const { what, headers = {}, body, name } of REFUSALS) {
    test(`in ${what}`, async () => {
      const server = createServer((_, response) =>
        response.writeHead(400, { ...headers, connection: "close" }).end(body),
      );
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const { context } = makeContext({});
      try {
        const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
        const identity = { accessKeyId: "AKIAEXAMPLE", secretAccessKey: "secret" };
        const network = new Network(context);
        const caller = { network, identity, clock: new Clock(), region: "us-east-1" };
        const asked = callJson(
          { url, caller },
          { service: "kms", operation: "Decrypt", input: {} },
          new AbortController().signal,
        );
        await assert.rejects(asked, { name, $metadata: { httpStatusCode: 400 } });
      } finally {
        context.deadline.clear();
        await new Promise((resolve) => server.close(resolve));
      }
    });
  }
});

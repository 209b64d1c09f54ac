/**
 * What the parent of `run --watch` keeps of the data key in its memory, which is looked through as root can at the moment
 * when CMD runs: no collection of garbage has helped by then. Nothing of the key, and of KMS's answer what the runtime has
 * received last, which no program of it can reach.
 */
import assert from "node:assert/strict";
import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, test } from "node:test";
import { kms } from "../../aws/unit/client.ts";
import { isRoot } from "../exec/programs.ts";
import { BUCKET, push, withAws } from "../harness.ts";
import type { Aws } from "../../aws/server.ts";
import { countInMemory } from "../memory.ts";
import { SELDOM, watching } from "./watching.ts";

async function dataKeyOf(aws: Aws, key: string): Promise<string> {
  const metadata = aws.s3.get(BUCKET, key)?.metadata ?? assert.fail("no object");
  const EncryptionContext = JSON.parse(metadata["x-amz-t"] ?? "{}") as Record<string, string>;
  const { json } = await kms(aws, "Decrypt", { CiphertextBlob: metadata["x-amz-3"], EncryptionContext });
  return String(json["Plaintext"]);
}

/** Passes every answer on in pieces of so many bytes, each in a packet of its own. */
async function inPieces(url: string, size: number, work: (url: string) => Promise<void>): Promise<void> {
  const { hostname, port, protocol } = new URL(url);
  const sockets = new Set<Socket>();
  const relay = createServer({ noDelay: true }, (near) => {
    const far = connect(Number(port), hostname);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
    }
    near.on("end", () => far.end()).pipe(far);
    void passOn(far, near, size);
  });
  await new Promise<void>((resolve) => relay.listen(0, "127.0.0.1", resolve));
  try {
    await work(`${protocol}//127.0.0.1:${(relay.address() as AddressInfo).port}`);
  } finally {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => relay.close(resolve));
  }
}

async function passOn(far: Socket, near: Socket, size: number): Promise<void> {
  try {
    for await (const bytes of far as AsyncIterable<Buffer>) {
      for (let at = 0; at < bytes.length; at += size) {
        near.write(bytes.subarray(at, at + size));
        // So that it is a packet, and an arrival, of its own.
        await sleep(1);
      }
    }
  } catch {
    // It was cut, as its other end will be.
  }
  near.end();
}

/** How often the key is there: as bytes, as text, and as text of two bytes a letter. */
async function copiesOf(
  text: string,
  options: { env: Record<string, string>; flags: readonly string[] },
): Promise<{ bytes: number; text: number; wide: number }> {
  const key = Buffer.from(text, "base64");
  assert.equal(key.length, 32);
  const mark = `mark-${process.pid}`;
  let counts: number[] = [];
  const env = { ...options.env, MARK: mark };
  await watching({ ...options, env, flags: [...SELDOM, ...options.flags] }, async ({ pid, kill }) => {
    // One moment of it: what it moves meanwhile would be counted twice, or not at all.
    kill("SIGSTOP");
    try {
      counts = countInMemory(pid, [Buffer.from(mark), key, Buffer.from(text), Buffer.from(text, "utf16le")]);
    } finally {
      kill("SIGCONT");
    }
  });
  const [marks = 0, bytes = NaN, asText = NaN, wide = NaN] = counts;
  assert.ok(marks > 0, "its memory can be read");
  return { bytes, text: asText, wide };
}

describe("the data key is not in the memory of who watches", { skip: isRoot ? false : "needs root" }, () => {
  for (const { name, tls, more, left } of [
    { name: "without TLS", tls: false, more: {}, left: 1 },
    { name: "over TLS", tls: true, more: {}, left: 1 },
    // The runtime's HTTP client has buffers of its own.
    { name: "by the SDK", tls: false, more: { AWS_CONFIG_FILE: "/dev/null" }, left: 3 },
  ]) {
    test(name, () =>
      withAws(
        async (aws) => {
          const uri = await push(aws, "app.env", "A=1\n");
          const options = { env: { ...aws.env(), ...more }, flags: ["--from", uri] };
          const { text, ...others } = await copiesOf(await dataKeyOf(aws, "app.env"), options);
          assert.deepEqual(others, { bytes: 0, wide: 0 });
          assert.ok(text <= left, `${text} times as text`);
        },
        { tls },
      ),
    );
  }

  // The head alone, the key cut in the middle, or nothing whole at all.
  for (const size of [1, 60, 400]) {
    test(`of an answer in pieces of ${size} bytes`, () =>
      withAws(async (aws) => {
        const uri = await push(aws, "app.env", "A=1\n");
        const text = await dataKeyOf(aws, "app.env");
        await inPieces(aws.endpoints.kms, size, async (endpoint) => {
          const env = { ...aws.env(), AWS_ENDPOINT_URL_KMS: endpoint };
          const { text: left, ...others } = await copiesOf(text, { env, flags: ["--from", uri] });
          assert.deepEqual(others, { bytes: 0, wide: 0 });
          assert.ok(left <= 1, `${left} times as text`);
        });
      }));
  }
});

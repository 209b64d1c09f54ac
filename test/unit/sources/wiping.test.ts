/** What is left in memory of keys and texts, when sealing or opening is over, well or badly: the buffers are looked at. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { mock, test } from "node:test";
import type { AwsSession } from "../../../src/aws/session.ts";
import type { Context } from "../../../src/base/context.ts";
import { sealUnder } from "../../../src/keys/seal.ts";
import type { Sealed } from "../../../src/keys/seal.ts";
import { generateLocalDataKey, seal, writerContext } from "../../../src/envelope/index.ts";
import { openSealed } from "../../../src/sources/unseal.ts";
import type { OpenPolicy } from "../../../src/sources/unseal.ts";
import type { SealedObject, Tools } from "../../../src/stores/source.ts";
import { withFolder } from "../../e2e/expect.ts";
import { cryptoCallsOf } from "../envelope/crypto-calls.ts";
import { kmsThatAnswers } from "../keys/kms/answering.ts";
import { makeContext } from "../refuses.ts";

const PLACE = "s3://bucket/app.env";
const ARN = "arn:aws:kms:us-east-1:111122223333:key/11111111-2222-3333-4444-555555555555";
const TEXT = "TOKEN=canary-2f\n";
const LOCATED = { home: "bucket" };
const POLICY: OpenPolicy = { key: undefined, context: undefined, accept: new Set(), leastRevision: 0 };

/** Its deadline's timer would keep the tests waiting. */
function contextOf(): Context {
  const { context } = makeContext();
  context.deadline.clear();
  return context;
}

function kmsThatGives(dataKey: Uint8Array, wrapped: Uint8Array): AwsSession {
  const [Plaintext, CiphertextBlob] = [dataKey, wrapped].map((bytes) =>
    Buffer.from(bytes).toString("base64"),
  );
  return kmsThatAnswers({ Plaintext, CiphertextBlob, KeyId: ARN });
}

/** Work that is given a data key by KMS; no buffer that was made meanwhile holds it afterwards. */
async function wipes(dataKey: Buffer, work: () => Promise<unknown>): Promise<void> {
  const made: Buffer[] = [];
  const alloc = Buffer.alloc.bind(Buffer) as (size: number) => Buffer;
  const watched = mock.method(Buffer, "alloc", (size: number) => {
    const buffer = alloc(size);
    made.push(buffer);
    return buffer;
  });
  try {
    await work();
  } finally {
    watched.mock.restore();
  }
  assert.ok(made.some(({ length }) => length === dataKey.length));
  for (const buffer of made) {
    assert.ok(!buffer.includes(dataKey) && !buffer.includes(dataKey.toString("base64")), "it is still there");
  }
}

function isWiped(buffer: Uint8Array): void {
  assert.ok(buffer.length > 0 && buffer.every((byte) => byte === 0), "it is still there");
}

function sealed(dataKey: Uint8Array): SealedObject {
  const encryptionContext = writerContext("v3", {}, PLACE);
  const wrappedKey = randomBytes(64);
  const { metadata, body } = seal("v3", {
    plaintext: Buffer.from(TEXT),
    dataKey,
    wrappedKey,
    encryptionContext,
  });
  return { metadata, body, place: PLACE, located: LOCATED };
}

function open(object: SealedObject, dataKey: Uint8Array): ReturnType<typeof openSealed> {
  const tools = { context: contextOf(), session: kmsThatGives(dataKey, randomBytes(64)) };
  return openSealed(PLACE, object, POLICY, tools as unknown as Tools);
}

test("the data key is wiped after opening, and after what does not open", async () => {
  for (const damage of [false, true]) {
    const dataKey = randomBytes(32);
    const object = sealed(dataKey);
    if (damage) object.body[0] = (object.body[0] ?? 0) ^ 1;
    await wipes(dataKey, async () => {
      const opening = open(object, dataKey);
      if (damage) return assert.rejects(opening, /authentication tag/);
      const { plaintext } = await opening;
      assert.ok(plaintext instanceof Uint8Array);
      return assert.equal(Buffer.from(plaintext).toString(), TEXT);
    });
  }
});

test("the data key and the text are wiped after sealing, and after what cannot be sealed", async () => {
  for (const wrapped of [randomBytes(64), randomBytes(7_000)]) {
    const [dataKey, plaintext] = [randomBytes(32), Buffer.from(TEXT)];
    const how = {
      key: { kind: "kms", text: ARN },
      format: "v3",
      encryptionContext: writerContext("v3", {}, PLACE),
      located: LOCATED,
    } as const;
    await wipes(dataKey, async () => {
      const session = kmsThatGives(dataKey, wrapped);
      const sealing = sealUnder(how, plaintext, { session, context: contextOf() });
      if (wrapped.length > 6_144) await assert.rejects(sealing, /which no KMS ciphertext is/);
      else assert.equal((await sealing).key, ARN);
    });
    isWiped(plaintext);
  }
});

test("a local key, the data key under it and the text are wiped: after sealing, opening, and what does not open", () =>
  withFolder(async (folder) => {
    const path = join(folder, "key");
    const localKey = randomBytes(32);
    await writeFile(path, `${localKey.toString("base64")}\n`, { mode: 0o600 });
    const encryptionContext = writerContext("v3", {}, PLACE);
    const plaintext = Buffer.from(TEXT);
    const key = { kind: "local", text: `local:${path}`, path } as const;
    const sealing = (text: Buffer): Promise<Sealed> =>
      sealUnder({ key, format: "v3", encryptionContext, located: LOCATED }, text, {
        context: contextOf(),
        session: undefined as never,
      });
    const [made, keys] = await copiesWhile(localKey, () => sealing(plaintext));
    assert.ok(keys.length > 0, "the key was never read");
    for (const copy of keys) isWiped(copy);
    isWiped(plaintext);
    let second: Promise<Sealed> | undefined;
    const again = cryptoCallsOf(() => (second = sealing(Buffer.from(TEXT))));
    await second;
    const dataKey = again.random.find(({ length }) => length === 32);
    assert.ok(dataKey !== undefined);
    isWiped(dataKey);
    assert.ok(made.status === "fulfilled");
    const { metadata, body } = made.value;
    const other = generateLocalDataKey(randomBytes(32), encryptionContext).wrappedKey;
    const policy = { ...POLICY, key, accept: new Set(["local-key"] as const) };
    for (const wrapped of [metadata["x-amz-3"] ?? "", Buffer.from(other).toString("base64")]) {
      const object = { metadata: { ...metadata, "x-amz-3": wrapped }, body, place: PLACE, located: LOCATED };
      const tools = { context: contextOf() } as unknown as Tools;
      const [opening, read] = await copiesWhile(localKey, () => openSealed(PLACE, object, policy, tools));
      assert.equal(opening.status, wrapped === metadata["x-amz-3"] ? "fulfilled" : "rejected");
      assert.ok(read.length > 0, "the key was never read");
      for (const copy of read) isWiped(copy);
    }
  }));

async function copiesWhile<T>(
  bytes: Buffer,
  work: () => Promise<T>,
): Promise<readonly [PromiseSettledResult<T>, readonly Buffer[]]> {
  const watch = watchBuffers(bytes);
  const [settled] = await Promise.allSettled([work()]);
  watch.stop();
  return [settled, watch.found];
}

function watchBuffers(bytes: Buffer): { readonly found: readonly Buffer[]; stop(): void } {
  const found: Buffer[] = [];
  const make = Buffer.from.bind(Buffer) as (...args: readonly unknown[]) => Buffer;
  const watched = mock.method(Buffer, "from", (...args: readonly unknown[]) => {
    const buffer = make(...args);
    if (buffer.equals(bytes)) found.push(buffer);
    return buffer;
  });
  return { found, stop: () => watched.mock.restore() };
}

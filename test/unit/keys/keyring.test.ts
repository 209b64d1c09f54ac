/** A local key in the place of one of KMS: what it wraps, what it opens, and what is left of it. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, mock, test } from "node:test";
import type { AwsSession } from "../../../src/aws/session.ts";
import type { EncryptionContext, Envelope } from "../../../src/envelope/index.ts";
import { TAG_BYTES, sealUnder } from "../../../src/keys/seal.ts";
import { unwrap, wrap } from "../../../src/keys/keyring.ts";
import type { Asking } from "../../../src/keys/kms/data-key.ts";
import { makeLocalKey } from "../../../src/keys/local-key.ts";
import { makeContext } from "../refuses.ts";

const FOLDER = mkdtempSync(join(tmpdir(), "sealexec-keyring-"));
after(() => rmSync(FOLDER, { recursive: true }));

function keyOf(name: string) {
  const path = join(FOLDER, name);
  const text = makeLocalKey();
  writeFileSync(path, text, { mode: 0o600 });
  return { key: { kind: "local", text: `local:${path}`, path }, bytes: Buffer.from(text, "base64") } as const;
}

const { key: KEY, bytes: KEY_BYTES } = keyOf("key");
const LOCATED = { home: "file" };
const CONTEXT = { "aws:x-amz-cek-alg": "115", "sealexec:object": "file:a" };

function asking(): Asking {
  const { context } = makeContext();
  context.deadline.clear();
  // A local key has nothing to do with AWS.
  return { context, session: undefined as unknown as AwsSession };
}

const envelope = (wrappedKey: Uint8Array, encryptionContext: EncryptionContext): Envelope =>
  ({ wrappedKey, encryptionContext }) as Envelope;

/** What `work` gives, and how many buffers that it made hold these bytes afterwards. */
async function leftOf(bytes: Uint8Array, work: () => Promise<unknown>): Promise<number> {
  const made: Buffer[] = [];
  const make = Buffer.from.bind(Buffer) as (...args: readonly unknown[]) => Buffer;
  const watched = mock.method(Buffer, "from", (...args: readonly unknown[]) => {
    const buffer = make(...args);
    if (buffer.equals(bytes)) made.push(buffer);
    return buffer;
  });
  try {
    await work();
  } finally {
    watched.mock.restore();
  }
  assert.ok(made.length > 0, "it was never there");
  return made.filter((buffer) => buffer.some((byte) => byte !== 0)).length;
}

describe("a local key", () => {
  test("wraps a data key of 32 bytes with its context, and opens it with both alone", async () => {
    const made = await wrap(KEY, CONTEXT, LOCATED, asking());
    assert.deepEqual([made.plaintext.length, made.wrapped.length, made.keyArn], [32, 60, KEY.text]);
    const opened = await unwrap(KEY, envelope(made.wrapped, CONTEXT), LOCATED, asking());
    assert.equal(opened.keyArn, KEY.text);
    assert.ok(Buffer.from(opened.plaintext).equals(made.plaintext));
    for (const [key, context] of [
      [KEY, { ...CONTEXT, "sealexec:object": "file:b" }],
      [KEY, {}],
      [keyOf("other").key, CONTEXT],
    ] as const) {
      const opening = unwrap(key, envelope(made.wrapped, context), LOCATED, asking());
      await assert.rejects(opening, { kind: "data", message: /^the data key does not open/ });
    }
  });

  test("is wiped after each use, well or badly", async () => {
    const { wrapped } = await wrap(KEY, CONTEXT, LOCATED, asking());
    for (const work of [
      () => wrap(KEY, CONTEXT, LOCATED, asking()),
      () => unwrap(KEY, envelope(wrapped, CONTEXT), LOCATED, asking()),
      () => assert.rejects(unwrap(KEY, envelope(wrapped, {}), LOCATED, asking())),
    ])
      assert.equal(await leftOf(KEY_BYTES, work), 0);
  });

  test("seals what it opens, marked as its own, and nothing of the text is left", async () => {
    const text = Buffer.from("A=1\n");
    const how = { key: KEY, format: "v3", encryptionContext: CONTEXT, located: LOCATED } as const;
    const { metadata, body, key } = await sealUnder(how, text, asking());
    assert.deepEqual([key, body.length, metadata["x-amz-w"]], [KEY.text, 4 + TAG_BYTES, "02"]);
    assert.ok(text.every((byte) => byte === 0));
    const second = Buffer.from("A=1\n");
    const v2 = sealUnder({ ...how, format: "v2" }, second, asking());
    await assert.rejects(v2, { kind: "usage", message: /^v2 is for KMS keys/ });
    assert.ok(second.every((byte) => byte === 0));
  });

  test("that is not there is said of its step", async () => {
    const key = { kind: "local", text: "local:/none", path: "/none" } as const;
    const how = { key, format: "v3", encryptionContext: CONTEXT, located: LOCATED } as const;
    await assert.rejects(sealUnder(how, Buffer.from("A=1\n"), asking()), {
      kind: "missing",
      message: "key: local:/none: cannot be read (ENOENT)",
    });
  });
});

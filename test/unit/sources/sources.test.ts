import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Deadline } from "../../../src/base/deadline.ts";
import { createLogger } from "../../../src/base/logger.ts";
import { openSource, toolsFor } from "../../../src/sources/sources.ts";
import type { OpenedSource } from "../../../src/sources/sources.ts";
import type { SourceOptions } from "../../../src/sources/options.ts";
import type { Source } from "../../../src/stores/source.ts";

/** Opens a source that gives these bytes as they are, and keeps hold of them. */
async function open(bytes: Uint8Array): Promise<OpenedSource> {
  const now = (): number => performance.now();
  const deadline = new Deadline(10_000, now);
  const context = { env: {}, deadline, log: createLogger("text", false, () => {}), now };
  const source: Source = {
    uri: "test:plain",
    options: {},
    gives: "text",
    read: () => Promise.resolve({ kind: "text", bytes }),
  };
  const options: SourceOptions = {
    sources: [source],
    open: { key: undefined, context: undefined, accept: new Set(), leastRevision: 0 },
    names: { require: [], allow: new Set() },
  };
  try {
    return await openSource(source, options, toolsFor(options, context));
  } finally {
    deadline.clear();
  }
}

describe("the text of a source, once it is read", () => {
  test("is wiped, and its variables stay", async () => {
    const bytes = Buffer.from("A=canary\nB='one two'\n");
    const { variables } = await open(bytes);
    assert.deepEqual(
      [...variables].map(([name, value]) => [name, value.reveal()]),
      [
        ["A", "canary"],
        ["B", "one two"],
      ],
    );
    assert.deepEqual(bytes, Buffer.alloc(bytes.length));
  });
  test("is wiped also where it is no .env", async () => {
    const bytes = Buffer.from("A=canary\nno assignment\n");
    await assert.rejects(open(bytes), /line 2/);
    assert.deepEqual(bytes, Buffer.alloc(bytes.length));
  });
});

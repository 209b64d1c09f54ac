import assert from "node:assert/strict";
import { test } from "node:test";
import { joinAndWipe, wipeable } from "../../../src/base/wipeable.ts";

test("a buffer of any size lies outside the heap, where nothing moves it", () => {
  for (const size of [0, 1, 1_023, 1_024, 1_025]) {
    const buffer = wipeable(size);
    assert.deepEqual(buffer, Buffer.alloc(size));
    assert.equal(buffer.buffer.byteLength, Math.max(size, 1_024));
  }
});

test("what is joined is there once", () => {
  const parts = ["one", "", " two"].map((text) => Buffer.from(text));
  assert.equal(joinAndWipe(parts).toString(), "one two");
  for (const part of parts) assert.deepEqual(part, Buffer.alloc(part.length));
});

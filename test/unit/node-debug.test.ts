import assert from "node:assert/strict";
import { test } from "node:test";
import { SealexecError } from "../../src/errors.ts";
import { refuseTellingDebug } from "../../src/node-debug.ts";

for (const value of ["http", "HTTP", "fs,http", "http, timers", "*", "net*", "tls,fs"]) {
  test(`NODE_DEBUG=${value} is refused on Node`, () => {
    assert.throws(
      () => refuseTellingDebug({ NODE_DEBUG: value }, false),
      (error: unknown) => error instanceof SealexecError && error.kind === "config",
    );
  });
}

for (const value of ["", "fs", "timers,module"]) {
  test(`NODE_DEBUG=${value} is harmless`, () => {
    assert.doesNotThrow(() => refuseTellingDebug({ NODE_DEBUG: value }, false));
  });
}

test("the binary has no such log", () => {
  assert.doesNotThrow(() => refuseTellingDebug({ NODE_DEBUG: "http" }, true));
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { SealexecError } from "../../../src/base/errors.ts";
import { refuses } from "../refuses.ts";
import { refuseInspector, refuseTellingDebug } from "../../../src/base/node-debug.ts";

for (const value of [
  "http",
  "HTTP",
  "fs,http",
  "http, timers",
  "*",
  "net*",
  "tls,fs",
  "https",
  "http2",
  "net",
  "stream",
  "undici",
  "fetch",
  "fs , tls",
]) {
  test(`NODE_DEBUG=${value} is refused on Node`, () => {
    assert.throws(
      () => refuseTellingDebug({ NODE_DEBUG: value }, false),
      (error: unknown) => error instanceof SealexecError && error.kind === "config",
    );
  });
}

for (const value of ["", "fs", "timers,module", "nett", "upstream"]) {
  test(`NODE_DEBUG=${value} is harmless`, () => {
    assert.doesNotThrow(() => refuseTellingDebug({ NODE_DEBUG: value }, false));
  });
}

test("the binary has no such log", () => {
  assert.doesNotThrow(() => refuseTellingDebug({ NODE_DEBUG: "http" }, true));
});

const isConfig = (error: unknown): boolean => error instanceof SealexecError && error.kind === "config";

for (const value of [
  "--inspect",
  "--inspect-brk=0.0.0.0:0",
  "--no-warnings --inspect_wait",
  '"--inspect=9"',
]) {
  test(`NODE_OPTIONS=${value} is refused on Node`, () => {
    assert.throws(() => refuseInspector({ NODE_OPTIONS: value }, false, () => false), isConfig);
    assert.doesNotThrow(() => refuseInspector({ NODE_OPTIONS: value }, true, () => false));
  });
}

for (const value of ["", "--inspect-port=9", "--inspect-publish-uid=http", "--max-old-space-size=100"]) {
  test(`NODE_OPTIONS=${value} opens no debugger`, () => {
    assert.doesNotThrow(() => refuseInspector({ NODE_OPTIONS: value }, false, () => false));
  });
}

for (const name of ["BUN_INSPECT", "BUN_INSPECT_CONNECT_TO"]) {
  test(`${name} is refused in the binary, if it is not empty`, () => {
    assert.throws(() => refuseInspector({ [name]: "1" }, true, () => false), isConfig);
    assert.doesNotThrow(() => refuseInspector({ [name]: "" }, true, () => false));
    assert.doesNotThrow(() => refuseInspector({ [name]: "1" }, false, () => false));
  });
}

test("a variable that opens a debugger is named", () => {
  for (const [env, onBun, name] of [
    [{ NODE_OPTIONS: "--inspect" }, false, "NODE_OPTIONS"],
    [{ BUN_INSPECT: "1" }, true, "BUN_INSPECT"],
  ] as const) {
    const { message, hint } = refuses(() => refuseInspector(env, onBun, () => true), "config");
    assert.match(message, new RegExp(`^${name} opens a debugger in sealexec, `));
    assert.equal(hint, `set it for CMD only: -- env ${name}=… CMD`);
  }
});

test("a debugger that is open is refused, whatever opened it", () => {
  refuses(() => refuseInspector({}, false, () => true), "config", /^a debugger is open in sealexec/);
  refuses(() => refuseInspector({}, true, () => true), "config", /^a debugger is open in sealexec/);
  assert.doesNotThrow(() => refuseInspector({}, false, () => false));
});

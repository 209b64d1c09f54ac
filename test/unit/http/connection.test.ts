/** Where a connection to a URL goes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { targetOf, targetTo } from "../../../src/http/connection.ts";

for (const [url, host, port, secure, id] of [
  ["http://a.test/x?y", "a.test", 80, false, "http://a.test:80"],
  ["https://a.test", "a.test", 443, true, "https://a.test:443"],
  ["https://a.test:80", "a.test", 80, true, "https://a.test:80"],
  ["http://a.test:443", "a.test", 443, false, "http://a.test:443"],
  ["http://[::1]:8080", "::1", 8080, false, "http://::1:8080"],
  ["http://127.0.0.1:1", "127.0.0.1", 1, false, "http://127.0.0.1:1"],
] as const) {
  test(url, () => {
    assert.deepEqual(targetTo(new URL(url)), { id, host, port, secure });
    // As node:http says it.
    const options = { host: new URL(url).hostname, port: new URL(url).port || null };
    assert.deepEqual(targetOf(options, new URL(url).protocol), { id, host, port, secure });
  });
}

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseMountedUri } from "../parse.ts";
import { refuses } from "../../refuses.ts";

const env = (path: string, dialect = "dotenv") => ({ scheme: "env-file", path, dialect });
const dir = (path: string, flags = {}) => ({ scheme: "dir", path, upper: false, raw: false, ...flags });
const json = (path: string, more = {}) => ({ scheme: "json-file", path, ...more });

describe("URIs of what is mounted", () => {
  for (const [uri, ref] of [
    ["env-file:/run/secrets/app.env", env("/run/secrets/app.env")],
    ["env-file:./app.env", env("./app.env")],
    ["env-file:../app.env", env("../app.env")],
    ["env-file:app.env", env("app.env")],
    ["env-file:/dev/fd/63", env("/dev/fd/63")],
    ["env-file:/a b/c%20d#e&f=g", env("/a b/c%20d#e&f=g")],
    ["env-file:~/$HOME/zażółć", env("~/$HOME/zażółć")],
    ["env-file:/a?b?", env("/a?b")],
    ["env-file:/a?format=x?format=json", env("/a?format=x", "json")],
    ["env-file:/a?format=json", env("/a", "json")],
    ["env-file:/a?format=dotenv", env("/a")],
    ["env-file:s3://bucket/key", env("s3://bucket/key")],
    ["dir:/run/secrets", dir("/run/secrets")],
    ["dir:/run/secrets/", dir("/run/secrets/")],
    ["dir:.", dir(".")],
    ["dir:/a#b", dir("/a#b")],
    ["dir:/a?upper", dir("/a", { upper: true })],
    ["dir:/a?raw", dir("/a", { raw: true })],
    ["dir:/a?raw&upper", dir("/a", { upper: true, raw: true })],
    ["json-file:/a.json", json("/a.json")],
    ["json-file:/a.json?flatten=_", json("/a.json", { flatten: "_" })],
    ["json-file:/a.json?flatten=__#db", json("/a.json", { flatten: "__", key: "db" })],
    ["json-file:/a#b.json#db", json("/a#b.json", { key: "db" })],
    ["json-file:/a.json#a b", json("/a.json", { key: "a b" })],
  ] as const) {
    test(`takes ${uri}`, () => assert.deepEqual(parseMountedUri(uri), ref));
  }

  for (const [uri, message] of [
    ["env-file:", /env-file:: has no path/],
    ["dir:?upper", /has no path/],
    ["json-file:#key", /has no path/],
    ["env-file:///run/x", /has "\/\/" before its path/],
    ["env-file://run/x", /has "\/\/" before its path/],
    ["env-file:/a\0b", /the env-file: URI: has a control character/],
    ["env-file:/a\nb", /has a control character/],
    ["dir:/a\u0085b", /has a control character/],
    ["dir:/a\u001b[31m", /has a control character/],
    ["env-file:/a env-file:/b", /two URIs in one/],
    ["env-file:/a s3://b/c", /two URIs in one/],
    ["dir:/a json-file:/c", /two URIs in one/],
    ["env-file:/a?versionId=x", /has a parameter other than format/],
    ["env-file:/a?b", /has a parameter other than format/],
    ["env-file:/a?__proto__=b", /has a parameter other than format/],
    ["env-file:/a?format", /has an empty format/],
    ["env-file:/a?format=", /has an empty format/],
    ["env-file:/a?format=JSON", /has a format other than dotenv/],
    ["env-file:/a?format=toString", /has a format other than dotenv/],
    ["env-file:/a?format=json&format=json", /has format twice/],
    ["env-file:/a?upper", /has a parameter other than format/],
    ["dir:/a?upper=1", /has a value for upper, which takes none/],
    ["dir:/a?raw=", /has a value for raw, which takes none/],
    ["dir:/a?raw&raw", /has raw twice/],
    ["dir:/a?format=json", /has a parameter other than upper, raw/],
    ["dir:/a?raw&", /has a parameter other than upper, raw/],
    ["json-file:/a?flatten", /has an empty flatten/],
    ["json-file:/a?flatten=", /has an empty flatten/],
    ["json-file:/a?flatten=.", /has a flatten that cannot/],
    ["json-file:/a?flatten=_________", /has a flatten that cannot/],
    ["json-file:/a#", /has no key behind its "#"/],
    ["json-file:/a#b?flatten=_", /has parameters behind its key/],
    ["file:/a", /does not begin with env-file:/],
  ] as const) {
    test(`refuses ${JSON.stringify(uri)}`, () => {
      const { hint } = refuses(() => parseMountedUri(uri), "usage", message);
      assert.ok(hint !== undefined);
    });
  }

  test("a long URI is not repeated whole", () => {
    const { message } = refuses(() => parseMountedUri(`env-file:/${"x".repeat(5_000)}?y`), "usage");
    assert.ok(message.length < 300);
  });
});

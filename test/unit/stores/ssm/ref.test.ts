import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { formatSsmUri } from "../../../../src/stores/ssm/ref.ts";
import { parseSsmUri } from "../parse.ts";
import { refuses } from "../../refuses.ts";

describe("URIs of parameters", () => {
  for (const [uri, ref] of [
    ["ssm:///app/", { kind: "path", path: "/app/", recursive: false }],
    ["ssm:///a/b_c/d.e-f/?recursive", { kind: "path", path: "/a/b_c/d.e-f/", recursive: true }],
    [
      "ssm:///app/?region=eu-west-1&recursive",
      { kind: "path", path: "/app/", recursive: true, region: "eu-west-1" },
    ],
    ["ssm:///app/db-host", { kind: "parameter", name: "/app/db-host" }],
    ["ssm:///top", { kind: "parameter", name: "/top" }],
    ["ssm:///app/x?region=cn-north-1", { kind: "parameter", name: "/app/x", region: "cn-north-1" }],
  ] as const) {
    test(uri, () => assert.deepEqual(parseSsmUri(uri), ref));
  }

  for (const [uri, why] of [
    ["ssm://", /third slash/],
    ["ssm://app/", /third slash/],
    ["ssm://user@host/app/", /third slash/],
    ["ssm:///", /no path/],
    ["ssm:////", /no valid path/],
    ["ssm:////app/", /no valid path/],
    ["ssm:///app//x", /no valid path/],
    ["ssm:///app//", /no valid path/],
    ["ssm:///a b/", /no valid path/],
    ["ssm:///a%2fb/", /no valid path/],
    ["ssm:///a\\b/", /no valid path/],
    ["ssm:///a/x:3", /no valid path/],
    ["ssm:///a/x#y", /no valid path/],
    ["ssm:///żółw/", /no valid path/],
    ["ssm:///a/*", /no valid path/],
    [`ssm:///${"a/".repeat(16)}`, /more than 15 levels/],
    [`ssm:///${"a".repeat(1_011)}`, /more than 1011 characters/],
    ["ssm:///a/x?recursive", /one parameter: recursive is for a path/],
    ["ssm:///a/?recursive=true", /value for recursive/],
    ["ssm:///a/?recursive&recursive", /recursive twice/],
    ["ssm:///a/?", /parameter other than recursive, region/],
    ["ssm:///a/?version=1", /parameter other than/],
    ["ssm:///a/?region=", /empty region/],
    ["ssm:///a/ ssm:///b/", /two URIs in one/],
    ["ssm:///a/\r\nx", /control character/],
    ["ssm:///a\u0000/", /control character/],
    ["ssm:///a\u0085/", /control character/],
  ] as const) {
    test(`refuses ${JSON.stringify(uri.slice(0, 60))}`, () => {
      const { message, hint } = refuses(() => parseSsmUri(uri), "usage", why);
      assert.doesNotMatch(message, /\p{Cc}/u);
      assert.ok(message.length < 400);
      assert.match(hint ?? "", /the form is ssm:\/\/\/|repeat --from/);
    });
  }

  for (const region of ["evil.example.com", "us-east-1/", "US-EAST-1", "us--east-1"]) {
    test(`refuses the region ${region}`, () =>
      void refuses(() => parseSsmUri(`ssm:///a/?region=${region}`), "config", /not a region/));
  }

  test("are printed back without the region", () => {
    for (const uri of ["ssm:///a/", "ssm:///a/?recursive", "ssm:///a/b"])
      assert.equal(formatSsmUri(parseSsmUri(uri)), uri);
    assert.equal(formatSsmUri(parseSsmUri("ssm:///a/?region=eu-west-1&recursive")), "ssm:///a/?recursive");
  });
});

/** The options of one source are taken out of its URI, and nothing else is. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { SCHEMES, parseSource } from "../../../src/stores/registry.ts";
import { parseUri } from "../../../src/stores/uri.ts";
import { refuses } from "../refuses.ts";
import { GRAMMARS } from "./parse.ts";

/** The URI without its options, and these. */
function takeOptions(text: string): { readonly uri: string; readonly options: object } {
  const grammar = GRAMMARS.find(({ prefix }) => text.startsWith(prefix));
  assert.ok(grammar !== undefined);
  const { uri, options } = parseUri(text, grammar);
  return { uri, options };
}

/** None, if it is refused for another reason. */
function optionsOf(text: string): object {
  try {
    return takeOptions(text).options;
  } catch (error) {
    assert.equal((error as { kind?: unknown }).kind, "usage");
    return {};
  }
}

const PATH = { allow: new Set(["PATH"]) };

describe("options in a URI", () => {
  for (const [uri, rest] of [
    ["s3://b/k?allow=PATH", "s3://b/k"],
    ["s3://b/k?versionId=v&allow=PATH&region=eu-west-1", "s3://b/k?versionId=v&region=eu-west-1"],
    // A key with a "?" in it: the last one begins the parameters, and goes on doing so.
    ["s3://b/what?.env?allow=PATH", "s3://b/what?.env?"],
    ["s3://b/what?.env?format=json&allow=PATH", "s3://b/what?.env?format=json"],
    ["s3://b/a#b?allow=PATH", "s3://b/a#b"],
    ["file:app.sealed?allow=PATH", "file:app.sealed"],
    ["file:app.sealed?allow=PATH&format=docker", "file:app.sealed?format=docker"],
    ["file:a?b?allow=PATH", "file:a?b"],
    ["secretsmanager://app?as=A&allow=PATH#key", "secretsmanager://app?as=A#key"],
    ["secretsmanager://app?allow=PATH#key", "secretsmanager://app#key"],
    ["ssm:///p/?recursive&allow=PATH", "ssm:///p/?recursive"],
    ["ssm:///p/?allow=PATH", "ssm:///p/"],
    ["vault://m/p?allow=PATH&version=3#a#b", "vault://m/p?version=3#a#b"],
    ["env-file:/run/a?b?allow=PATH", "env-file:/run/a?b?"],
    ["dir:/run/secrets?upper&allow=PATH&raw", "dir:/run/secrets?upper&raw"],
    ["json-file:/run/a#b.json?allow=PATH#key", "json-file:/run/a#b.json#key"],
  ] as const) {
    test(uri, () => assert.deepEqual(takeOptions(uri), { uri: rest, options: PATH }));
  }

  for (const uri of [
    "s3://b/k",
    "s3://b/k?format=json",
    "s3://b/k&allow=PATH",
    "file:what?",
    "file:what?allowed=PATH",
    "vault://m/p#allow=PATH",
  ]) {
    test(`nothing of ${uri}`, () => assert.deepEqual(takeOptions(uri), { uri, options: {} }));
  }

  test("every scheme has them", () => {
    assert.equal(GRAMMARS.length, SCHEMES.length);
    for (const { prefix } of GRAMMARS) assert.deepEqual(takeOptions(`${prefix}x?allow=PATH`).options, PATH);
  });

  for (const uri of ["", "canary", "ftp://x?allow=PATH", "toString:x", "__proto__:x", "constructor:x"]) {
    test(`${JSON.stringify(uri)} is of no scheme, and is not repeated`, async () => {
      await assert.rejects(parseSource(uri), {
        kind: "usage",
        message: /^the source URI: does not begin with s3:\/\//,
      });
    });
  }

  test("several names, with a comma between", () => {
    assert.deepEqual(takeOptions("s3://b/k?allow=A,B,A").options, { allow: new Set(["A", "B"]) });
  });

  for (const [uri, message] of [
    ["s3://b/k?allow=", /has an empty allow$/],
    ["s3://b/k?allow", /has an empty allow$/],
    ["s3://b/k?allow= ", /has an empty allow$/],
    ["s3://b/k?allow=A&allow=B", /has allow twice$/],
    ["s3://b/k?allow=LD_*", /\?allow= of the source URI: "LD_\*" is not the name of a variable$/],
    ["s3://b/k?allow=A?region=eu-west-1", /has a "\?" behind its parameters$/],
    ["file:x?allow=A&other", /has a "\?" behind its parameters$/],
    ["file:x?allow=A?format=json", /has a "\?" behind its parameters$/],
    ["secretsmanager://app#key?allow=A", /behind #KEY/],
    ["json-file:/a#key?x&allow=A", /behind #KEY/],
  ] as const) {
    test(`refuses ${uri}`, () => {
      const { message: shown, hint } = refuses(() => takeOptions(uri), "usage", message);
      assert.doesNotMatch(shown + (hint ?? ""), /\/\/b\/k|app|key$/);
    });
  }

  test("what may be opened and its context are for what is sealed, and refused elsewhere", () => {
    const sealed = ["s3://", "file:"];
    for (const { prefix } of GRAMMARS) {
      for (const [name, text] of [
        ["accept", "v2"],
        ["context", "team=a"],
      ] as const) {
        const uri = `${prefix}b/k?allow=PATH&${name}=${text}`;
        if (sealed.includes(prefix)) {
          const value = name === "accept" ? ["v2"] : { __proto__: null, team: "a" };
          assert.deepEqual(takeOptions(uri).options, { ...PATH, [name]: value });
        } else {
          const { message } = refuses(() => takeOptions(uri), "usage");
          assert.equal(message, `the source URI: has ${name}, which is for what is sealed: s3: and file:`);
        }
      }
    }
  });

  test("of any URI without an option, nothing is changed", () => {
    const scheme = fc.constantFrom("s3://b/", "file:", "ssm:///", "vault://m/", "dir:", "json-file:");
    fc.assert(
      fc.property(scheme, fc.string(), (start, rest) => {
        fc.pre(!/allow|accept|context/.test(rest));
        assert.deepEqual(optionsOf(start + rest), {});
      }),
    );
  });
});

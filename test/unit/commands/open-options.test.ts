import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseNames, words } from "../../../src/text/names.ts";
import { parseOpenPolicy } from "../../../src/commands/open-options.ts";
import { parseContext } from "../../../src/stores/sealed-options.ts";
import { parseKey } from "../../../src/keys/key.ts";
import { parseEnvironmentPolicy, parseSourceOptions } from "../../../src/commands/run-options.ts";
import { refuses } from "../refuses.ts";

describe("--context", () => {
  test("splits at the first equals sign, and keeps the rest as it is", () => {
    assert.deepEqual(
      { ...parseContext(["a=b", "url=x=y==", "empty=", " s p = v "]) },
      {
        a: "b",
        url: "x=y==",
        empty: "",
        " s p ": " v ",
      },
    );
    assert.deepEqual({ ...parseContext([]) }, {});
  });
  test("has no names from a prototype", () => {
    const context = parseContext(["__proto__=x", "constructor=y"]);
    assert.deepEqual(Object.keys(context), ["__proto__", "constructor"]);
    assert.equal("toString" in context, false);
  });
  for (const pair of ["", "stage", "=value", "="]) {
    test(`refuses ${JSON.stringify(pair)}`, () => {
      refuses(() => parseContext([pair]), "usage", /not of the form K=V/);
    });
  }
  test("refuses a name twice, and names it without its value", () => {
    const { message } = refuses(() => parseContext(["a=canary", "a=canary"]), "usage", /gives a twice/);
    assert.doesNotMatch(message, /canary/);
  });
  for (const name of ["aws:x-amz-cek-alg", "kms_cmk_id", "sealexec:object", "sealexec:revision"]) {
    test(`refuses the reserved name ${name}`, () => {
      refuses(() => parseContext([`${name}=x`]), "usage", /reserved/);
    });
  }
});

describe("--key", () => {
  for (const key of [
    "alias/my-app",
    "1234abcd-12ab-34cd-56ef-1234567890ab",
    "mrk-1234abcd12ab34cd56ef1234567890ab",
    "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "arn:aws-us-gov:kms:us-gov-west-1:111122223333:alias/a_b/c",
    "local:/run/secrets/my key",
  ]) {
    test(`takes ${key}`, () => assert.equal(parseKey(key).text, key));
  }
  for (const key of [
    "alias/my app",
    "key\n",
    "a".repeat(2_049),
    "żółw",
    "x?y",
    "a\u0000",
    "local:",
    "local:key\n",
    "local:a\u001b[2J",
    "local:a\u0000",
  ]) {
    test(`refuses ${JSON.stringify(key.slice(0, 20))}`, () => {
      refuses(() => parseKey(key), "usage", /--key/);
    });
  }
});

describe("what opening needs, from flags and variables", () => {
  test("nothing is given", () => {
    const nothing = { key: undefined, context: undefined, accept: new Set(), leastRevision: 0 };
    assert.deepEqual(parseOpenPolicy({}, {}), nothing);
    for (const name of ["SEALEXEC_KEY", "SEALEXEC_MIN_REVISION"]) {
      refuses(() => parseOpenPolicy({}, { [name]: "" }), "usage");
    }
  });
  test("the least revision, by the flag before the variable", () => {
    const env = { SEALEXEC_MIN_REVISION: "3" };
    assert.equal(parseOpenPolicy({}, env).leastRevision, 3);
    assert.equal(parseOpenPolicy({ minRevision: "0" }, env).leastRevision, 0);
    refuses(
      () => parseOpenPolicy({ minRevision: "-1" }, {}),
      "usage",
      /--min-revision .* is neither a whole number nor a time with its zone$/,
    );
  });
  test("the least revision in seconds is a mistake: it would let everything pass", () => {
    for (const text of ["1000000000", "1795279217", "99999999999"]) {
      refuses(() => parseOpenPolicy({ minRevision: text }, {}), "usage", /is a time in seconds, it seems$/);
    }
    for (const text of ["1", "999999999", "100000000000", "1795279217000"])
      assert.equal(parseOpenPolicy({ minRevision: text }, {}).leastRevision, Number(text));
  });
  test("the least revision as a time: its milliseconds", () => {
    const text = "2026-11-20T10:00+01:00";
    assert.equal(parseOpenPolicy({ minRevision: text }, {}).leastRevision, Date.UTC(2026, 10, 20, 9));
    const env = { SEALEXEC_MIN_REVISION: "2026-11-20T10:00Z" };
    assert.equal(parseOpenPolicy({}, env).leastRevision, Date.UTC(2026, 10, 20, 10));
    for (const zoneless of ["2026-11-20", "2026-11-20T10:00"]) {
      refuses(() => parseOpenPolicy({ minRevision: zoneless }, {}), "usage", /with its zone$/);
    }
  });
  test("the largest lag, by the flag before the variable", () => {
    const env = { SEALEXEC_MAX_LAG: "1h" };
    assert.equal(parseOpenPolicy({}, env).largestLagMs, 3_600_000);
    assert.equal(parseOpenPolicy({ maxLag: "90s" }, env).largestLagMs, 90_000);
    for (const maxLag of ["0", "-1s", "1w", "366d", "x"]) {
      refuses(() => parseOpenPolicy({ maxLag }, {}), "usage", /^--max-lag \(SEALEXEC_MAX_LAG\) is not a dur/);
    }
  });
  test("variables are split at commas, white space around them is not meant", () => {
    const { key, context, accept } = parseOpenPolicy(
      {},
      { SEALEXEC_KEY: "alias/a", SEALEXEC_CONTEXT: "a=1, b=2 ", SEALEXEC_ACCEPT: " v2,kms-cbc  " },
    );
    assert.equal(key?.text, "alias/a");
    assert.deepEqual({ ...context }, { a: "1", b: "2" });
    assert.deepEqual([...accept], ["v2", "kms-cbc"]);
  });
  test("a flag's pair may hold a comma; flags win as a whole", () => {
    const flags = { key: "alias/flag", context: ["a=1,2"], accept: ["kms-gcm"] };
    const env = { SEALEXEC_KEY: "alias/env", SEALEXEC_CONTEXT: "b=3", SEALEXEC_ACCEPT: "v2" };
    const { key, context, accept } = parseOpenPolicy(flags, env);
    assert.equal(key?.text, "alias/flag");
    assert.deepEqual({ ...context }, { a: "1,2" });
    assert.deepEqual([...accept], ["kms-gcm"]);
  });
  test("every format that is accepted, and none besides", () => {
    const all = "v2,kms-gcm,kms-cbc,kms-direct,instruction-file";
    assert.equal(parseOpenPolicy({ accept: [all] }, {}).accept.size, 5);
    for (const name of ["v3", "v1", "all", "*", "V2", "toString"]) {
      refuses(() => parseOpenPolicy({ accept: [name] }, {}), "usage", /--accept does not know/);
    }
  });
});

describe("names and words", () => {
  test("of several lists", () => {
    assert.deepEqual(parseNames("--require", ["A,B", " C ", ""]), ["A", "B", "C"]);
    for (const name of ["1A", "A B", "A-B", "A=B", "ż", "A\n"]) {
      if (name === "A\n") assert.deepEqual(parseNames("--require", [name]), ["A"]);
      else
        refuses(
          () => parseNames("--require", [name]),
          "usage",
          /--require: .* is not the name of a variable/,
        );
    }
  });
  test("of any white space", () => {
    assert.deepEqual(words(" a\t\n b  c ", /\s+/), ["a", "b", "c"]);
    assert.deepEqual(words(undefined, /,/), []);
  });
});

describe("run's own options", () => {
  const env = {
    SEALEXEC_FROM: "s3://bucket/a\n\t s3://bucket/b ",
    SEALEXEC_REQUIRE: "A",
    SEALEXEC_ALLOW: "PATH",
  };
  test("sources, in their order", async () => {
    const { sources, names } = await parseSourceOptions({}, env);
    assert.deepEqual(
      sources.map(({ uri }) => uri),
      ["s3://bucket/a", "s3://bucket/b"],
    );
    assert.deepEqual(names, { require: ["A"], allow: new Set(["PATH"]) });
  });
  test("flags win", async () => {
    const flags = { from: ["s3://bucket/with space"], require: ["B"], allow: ["IFS"] };
    const { sources, names } = await parseSourceOptions(flags, env);
    assert.deepEqual(
      sources.map(({ uri }) => uri),
      ["s3://bucket/with space"],
    );
    assert.deepEqual(names, { require: ["B"], allow: new Set(["IFS"]) });
  });
  test("no source at all", async () => {
    for (const given of [{}, { SEALEXEC_FROM: "  " }]) {
      await assert.rejects(parseSourceOptions({}, given), { kind: "usage", message: /no source/ });
    }
  });
  test("--pass is for --pristine", () => {
    assert.deepEqual(parseEnvironmentPolicy({}, {}), {
      keepExisting: false,
      pristine: false,
      pass: new Set(),
    });
    assert.deepEqual(parseEnvironmentPolicy({ pristine: true, pass: ["A,B"] }, {}).pass, new Set(["A", "B"]));
    refuses(() => parseEnvironmentPolicy({ pass: ["A"] }, {}), "usage", /--pass is for --pristine/);
  });
});

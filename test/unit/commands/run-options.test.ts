import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  parseEnvironmentPolicy,
  parseFallback,
  parseSourceOptions,
  refuseSource,
} from "../../../src/commands/run-options.ts";
import type { RunFlags, SourceFlags } from "../../../src/commands/run-options.ts";
import { refuses } from "../refuses.ts";

const usage = (message: RegExp) => ({ name: "SealexecError", kind: "usage", message });

describe("the sources of a start", () => {
  const parsed = (from: string[], flags: SourceFlags = {}, env = {}) =>
    parseSourceOptions({ from, ...flags }, env);

  test("names by the flag before the variable; an empty list of --only is not one", async () => {
    const env = { SEALEXEC_ONLY: "A,B_*", SEALEXEC_REQUIRE: "A", SEALEXEC_ALLOW: "PATH" };
    const { names } = await parsed(["env-file:a"], {}, env);
    assert.deepEqual(names, {
      require: ["A"],
      allow: new Set(["PATH"]),
      only: { names: new Set(["A"]), prefixes: ["B_"] },
    });
    const { names: byFlag } = await parsed(["env-file:a"], { only: ["C"] }, env);
    assert.deepEqual(byFlag.only, { names: new Set(["C"]), prefixes: [] });
    assert.equal("only" in (await parsed(["env-file:a"])).names, false);
  });
  test("credentials of Vault, if they are named", async () => {
    assert.equal("credentials" in (await parsed(["env-file:a"])), false);
    const env = { SEALEXEC_CREDENTIALS: "vault:aws/sts/app" };
    const { credentials } = await parsed(["env-file:a"], {}, env);
    assert.ok(credentials !== undefined);
    const flags = { credentials: "vault:aws/creds/app" };
    assert.notDeepEqual((await parsed(["env-file:a"], flags, env)).credentials, credentials);
  });
  test("--accept unbound is for one sealed source, whatever stands beside it", async () => {
    const accept = ["unbound"];
    await parsed(["s3://b-1/k", "env-file:a", "ssm:///app/"], { accept });
    await parsed(["s3://b-1/k", "file:a"], { accept: ["v2"] });
    for (const second of ["s3://b-1/l", "file:a"])
      await assert.rejects(
        parsed(["s3://b-1/k", second], { accept }),
        usage(/^--accept unbound \(SEALEXEC_ACCEPT\) with more than one sealed source$/),
      );
  });
  test("--max-lag is for what a store dates", async () => {
    await parsed(["env-file:a", "s3://b-1/k"], { maxLag: "1h" });
    for (const from of [["env-file:a"], ["file:a", "ssm:///app/"]])
      await assert.rejects(
        parsed(from, { maxLag: "1h" }),
        usage(/^--max-lag .* is for sealed objects in S3$/),
      );
  });
});

describe("the fallback of a start", () => {
  const s3 = parseSourceOptions({ from: ["s3://b-1/k"] }, {});
  const file = parseSourceOptions({ from: ["env-file:a"] }, {});
  const parsed = async (flags: RunFlags, env = {}, options = s3) =>
    parseFallback(flags, env, (await options).sources);

  test("a file and an age, a day if none is said; the flag before the variable", async () => {
    const day = 86_400_000;
    assert.equal(await parsed({}), undefined);
    assert.deepEqual(await parsed({ fallback: "/f" }), { path: "/f", largestAgeMs: day });
    const env = { SEALEXEC_FALLBACK: "/v", SEALEXEC_FALLBACK_AGE: "1h" };
    assert.deepEqual(await parsed({}, env), { path: "/v", largestAgeMs: day / 24 });
    const flags = { fallback: "/f", fallbackAge: "1s" };
    assert.deepEqual(await parsed(flags, env), { path: "/f", largestAgeMs: 1_000 });
    assert.equal((await parsed({ fallback: "/f", fallbackAge: "365d" }))?.largestAgeMs, 365 * day);
  });
  test("what it cannot be", async () => {
    for (const [flags, message] of [
      [{ fallbackAge: "1h" }, /^--fallback-age is for --fallback$/],
      [{ fallback: "/f/" }, /^--fallback \(SEALEXEC_FALLBACK\) names no file$/],
      [{ fallback: "/f\0" }, /^--fallback \(SEALEXEC_FALLBACK\) names no file$/],
      [{ fallback: "/f", fallbackAge: "999ms" }, /^--fallback-age \(SEALEXEC_FALLBACK_AGE\) is not a dur/],
      [{ fallback: "/f", fallbackAge: "366d" }, /^--fallback-age \(SEALEXEC_FALLBACK_AGE\) is not a dur/],
    ] as const)
      await assert.rejects(parsed(flags), usage(message));
    await assert.rejects(parsed({ fallback: "/f" }, {}, file), usage(/is for sealed objects in S3$/));
    // A variable may be there for those who keep one.
    assert.equal(await parsed({}, { SEALEXEC_FALLBACK_AGE: "nonsense" }), undefined);
  });
});

describe("the environment of a start", () => {
  test("what is dropped, by the flag before the variable", () => {
    const env = { SEALEXEC_DROP: "A_*" };
    assert.deepEqual(parseEnvironmentPolicy({}, env).drop, { names: new Set(), prefixes: ["A_"] });
    const byFlag = parseEnvironmentPolicy({ drop: ["B"] }, env).drop;
    assert.deepEqual(byFlag, { names: new Set(["B"]), prefixes: [] });
    assert.equal("drop" in parseEnvironmentPolicy({}, {}), false);
  });
  test("what is kept", () => {
    const all = { keepExisting: true, pristine: true, pass: ["A"] };
    assert.deepEqual(parseEnvironmentPolicy(all, {}), { ...all, pass: new Set(["A"]) });
    refuses(() => parseEnvironmentPolicy({ pristine: false, pass: ["A"] }, {}), "usage", /is for --pristine/);
  });
});

describe("a source in the place of CMD", () => {
  test("is told, with the command that was typed", () => {
    const run = refuses(() => refuseSource("s3://b-1/k", "run"), "usage", /^s3:\/\/b-1\/k is a source, and /);
    assert.equal(run.hint, "name it with --from: sealexec run --from s3://b-1/k -- CMD");
    const check = refuses(() => refuseSource("env-file:none", "check"), "usage");
    assert.equal(check.hint, "name it with --from: sealexec check --from env-file:none");
  });
  test("is no source if it is a program, or is there", () => {
    for (const command of ["sh", "./run", "/bin/sh", ""]) refuseSource(command, "run");
  });
});

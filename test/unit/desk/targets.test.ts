/** What each target finds, writes and reports: by the stores themselves, S3, Secrets Manager and Systems Manager on loopback. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { Secret } from "../../../src/base/secret.ts";
import { parsePushOptions } from "../../../src/commands/push-options.ts";
import type { PushFlags } from "../../../src/commands/push-options.ts";
import type { Look, Target, Written } from "../../../src/desk/target.ts";
import { parseTarget } from "../../../src/desk/targets/registry.ts";
import { makeLocalKey } from "../../../src/keys/local-key.ts";
import { startAws } from "../../aws/server.ts";
import type { Aws } from "../../aws/server.ts";
import { makeContext } from "../refuses.ts";

interface Place {
  readonly aws: Aws;
  readonly folder: string;
  /** FOLDER in a URI or a flag is the folder */
  target(uri: string, flags?: Partial<PushFlags>): Promise<Target>;
}

async function withPlace(work: (place: Place) => Promise<void>): Promise<void> {
  const aws = await startAws();
  const folder = await mkdtemp(join(tmpdir(), "sealexec-test-"));
  const { context } = makeContext(aws.env());
  try {
    aws.s3.createBucket("app-secrets");
    aws.kms.createKey({ alias: "app" });
    await writeFile(join(folder, "key"), makeLocalKey(), { mode: 0o600 });
    const filled = (text: string): string => text.replace("FOLDER", folder);
    const target: Place["target"] = (uri, flags = {}) => {
      const key = flags.key === undefined ? {} : { key: filled(flags.key) };
      const options = parsePushOptions({ format: "v3", bind: true, ...flags, ...key }, {});
      return parseTarget(filled(uri), options, context);
    };
    await work({ aws, folder, target });
  } finally {
    context.deadline.clear();
    await aws.close();
    await rm(folder, { recursive: true });
  }
}

/** A file of these variables, as it is checked. */
const file = (values: Readonly<Record<string, string>>) => ({
  plaintext: Buffer.from(
    Object.entries(values)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(""),
  ),
  variables: new Map(Object.entries(values).map(([name, value]) => [name, new Secret(value)])),
});

async function pushed(
  place: Place,
  uri: string,
  values: Readonly<Record<string, string>>,
  flags?: Partial<PushFlags>,
): Promise<{ present: Look["present"]; written: Written }> {
  const { present, write } = await (await place.target(uri, flags)).look(file(values));
  return { present, written: await write() };
}

const LOCAL = { key: "local:FOLDER/key" };
const SEALED = [
  { uri: "s3://app-secrets/app.env", flags: { key: "alias/app" } },
  { uri: "file:FOLDER/app.sealed", flags: LOCAL },
  { uri: "file:FOLDER/app.sealed", flags: { key: "alias/app" } },
] as const;

describe("what a target is", () => {
  for (const [uri, flags, noun, largestBytes, dialect] of [
    ["s3://app-secrets/app.env", { key: "alias/app" }, "object", 4 * 1024 * 1024 - 16, undefined],
    ["s3://app-secrets/a?format=json", { key: "alias/app" }, "object", 4 * 1024 * 1024 - 16, "json"],
    ["file:FOLDER/app.sealed", LOCAL, "file", 4 * 1024 * 1024 - 16, undefined],
    ["file:FOLDER/app.sealed?format=yaml", LOCAL, "file", 4 * 1024 * 1024 - 16, "yaml"],
    ["secretsmanager://app", {}, "secret", 1024 * 1024, undefined],
    ["ssm:///app/", {}, "parameters", 4 * 1024 * 1024, undefined],
  ] as const)
    test(uri, () =>
      withPlace(async ({ target, folder, aws }) => {
        const found = await target(uri, flags);
        assert.equal(found.name, uri.replace("FOLDER", folder).replace(/\?.*/, ""));
        assert.deepEqual([found.noun, found.largestBytes, found.dialect], [noun, largestBytes, dialect]);
        assert.equal(aws.calls.length, 0, "nobody is asked before it is looked at");
      }),
    );

  for (const [uri, flags, message] of [
    ["file:FOLDER/app.sealed", { ...LOCAL, format: "v2" }, /^--format: a sealed file is v3$/],
    ["file:FOLDER/app.sealed", {}, /^no key: give --key KEY or set SEALEXEC_KEY$/],
    ["s3://app-secrets/app.env", {}, /^no key: give --key KEY or set SEALEXEC_KEY$/],
    ["s3://app-secrets/app.env", LOCAL, /^--key: a local key is for sealed files \(file:PATH\), not for S3$/],
    ["s3://app-secrets/a?versionId=1", { key: "alias/app" }, /^a push makes a new version: the URI may not/],
    ["secretsmanager://app", LOCAL, /^a local key cannot encrypt in Secrets Manager$/],
    ["ssm:///app/", LOCAL, /^a local key cannot encrypt in Systems Manager$/],
    [
      "secretsmanager://app",
      { bind: false },
      /^--no-bind is for sealed objects: Secrets Manager has no such/,
    ],
    [
      "ssm:///app/",
      { format: "v2" },
      /^--format v2 is for sealed objects: Systems Manager has no such thing/,
    ],
    ["ssm:///app/", { create: true }, /^--create is for what is written at once: parameters are written one/],
    ["ssm:///app/", { ifMatch: "x" }, /^--if-match is for what is written at once: parameters are written/],
    ["ssm:///app/?recursive", {}, /^a push writes the parameters of one path: the URI ends with a slash$/],
    ["ssm:///app/A", {}, /^a push writes the parameters of one path: the URI ends with a slash$/],
    ["vault://secret/app", {}, /^vault:\/\/secret\/app: push does not write there$/],
    ["prod/app.env", {}, /^prod\/app\.env: push does not write there$/],
    // What does not look like a path could be a value.
    ["hunter2", {}, /^the target: push does not write there$/],
    ["pass word/", {}, /^the target: push does not write there$/],
    ["a/pass word", {}, /^the target: push does not write there$/],
    [`./${"x".repeat(300)}`, {}, /^\.\/x{198}: push does not write there$/],
  ] as const)
    test(`not ${uri} with ${JSON.stringify(flags)}`, () =>
      withPlace(({ target }) =>
        assert.rejects(target(uri, flags), { name: "SealexecError", kind: "usage", message }),
      ));
});

describe("what is sealed", () => {
  for (const { uri, flags } of SEALED) {
    test(`${uri}, ${flags.key}: made, found the same, changed, and never over another's change`, () =>
      withPlace(async (place) => {
        const { aws, folder } = place;
        const look = async (values: Readonly<Record<string, string>>, more: Partial<PushFlags> = {}) =>
          (await place.target(uri, { ...flags, ...more })).look(file(values));
        const name = uri.replace("FOLDER", folder);
        const before = Date.now();
        const late = await look({ A: "late" });
        const first = await pushed(place, uri, { A: "1", B: "2" }, flags);
        assert.equal(first.present.kind, "absent");
        const { state, facts } = first.written;
        const { revision = 0, etag = "" } = state;
        assert.ok(revision >= before && revision <= Date.now() + 1);
        assert.match(etag, /^"[0-9a-f]+"$/);
        const isLocal = flags.key.startsWith("local:");
        const key = isLocal ? `local:${folder}/key` : aws.kms.find("alias/app", aws.region).arn;
        const version = uri.startsWith("s3:") ? aws.s3.get("app-secrets", "app.env")?.versionId : undefined;
        assert.equal(state.version, version);
        assert.deepEqual([state.format, state.key], ["v3", key]);
        assert.deepEqual(facts, [
          ["sealed", name],
          ...(version === undefined ? [] : [["version", version]]),
          ["etag", etag],
          ["revision", String(revision)],
          ["format", "v3"],
          ["key", key],
          ["variables", "2"],
        ]);

        await assert.rejects(late.write(), { kind: "conflict" });
        const same = await look({ A: "1", B: "2" });
        assert.ok(same.present.kind === "there");
        assert.deepEqual([same.present.etag, same.present.same], [etag, true]);
        assert.deepEqual([same.present.state.etag, same.present.state.revision], [etag, revision]);
        assert.deepEqual([same.present.state.format, same.present.state.key], ["v3", key]);
        assert.equal(same.present.state.version, version);
        const asked = await look({ A: "1", B: "2" }, { revision: String(revision) });
        assert.ok(asked.present.kind === "there" && asked.present.same);

        const next = await pushed(place, uri, { A: "x", C: "3" }, flags);
        assert.ok(next.present.kind === "there");
        assert.equal(next.present.same, false);
        assert.deepEqual(next.present.changes, { added: ["C"], changed: ["A"], removed: ["B"] });
        assert.ok((next.written.state.revision ?? 0) > revision);
        await assert.rejects(same.write(), { kind: "conflict" });
        const last = await look({ A: "x", C: "3" });
        assert.ok(last.present.kind === "there" && last.present.same);
        assert.equal(last.present.etag, next.written.state.etag);
        if (isLocal) assert.equal(aws.calls.length, 0, "a local key asks nobody");
      }));

    test(`${uri}, ${flags.key}: without a binding there is no revision`, () =>
      withPlace(async (place) => {
        const { written } = await pushed(place, uri, { A: "1" }, { ...flags, bind: false });
        assert.equal(written.state.revision, undefined);
        assert.deepEqual(
          written.facts.find(([fact]) => fact === "revision"),
          ["revision", "none"],
        );
        const bound = await (await place.target(uri, flags)).look(file({ A: "1" }));
        assert.ok(bound.present.kind === "there");
        assert.deepEqual([bound.present.same, bound.present.otherwise], [false, ["bind it to its place"]]);
      }));
  }

  test("what cannot be read as something sealed is there all the same, by its ETag, and may be replaced", () =>
    withPlace(async (place) => {
      await writeFile(join(place.folder, "app.sealed"), "A=1\n", { mode: 0o600 });
      const target = await place.target("file:FOLDER/app.sealed", LOCAL);
      const { present, write } = await target.look(file({ A: "1" }));
      assert.ok(present.kind === "there");
      assert.deepEqual(
        [present.same, present.changes, present.state],
        [false, undefined, { etag: present.etag }],
      );
      assert.ok((present.why ?? "").length > 0);
      await writeFile(join(place.folder, "app.sealed"), "A=2\n");
      await assert.rejects(write(), { kind: "conflict" });
      assert.equal(await readFile(join(place.folder, "app.sealed"), "utf8"), "A=2\n");
    }));
});

describe("what a store encrypts by itself", () => {
  test("a secret: made under a key, then versions of it, whose key is its own", () =>
    withPlace(async (place) => {
      const uri = "secretsmanager://app";
      for (const [key, shown] of [
        ["alias/app", "alias/app"],
        [undefined, "aws/secretsmanager"],
      ] as const) {
        const name = key === undefined ? `${uri}2` : uri;
        const first = await pushed(place, name, { A: "1" }, key === undefined ? {} : { key });
        assert.equal(first.present.kind, "absent");
        const { version = "", etag, key: used } = first.written.state;
        assert.deepEqual([etag, used], [`"${version}"`, shown]);
        assert.deepEqual(first.written.facts.slice(1), [
          ["version", version],
          ["stage", "AWSCURRENT"],
          ["key", shown],
          ["variables", "1"],
        ]);
        assert.match(String(first.written.facts[0]), /^secret,arn:aws:secretsmanager:/);
        const again = await pushed(place, name, { A: "1", B: "2" });
        assert.ok(again.present.kind === "there");
        assert.deepEqual([again.present.state, again.present.etag], [{ version, etag }, etag]);
        assert.deepEqual(again.present.changes, { added: ["B"], changed: [], removed: [] });
        assert.equal("key" in again.written.state, false);
        assert.deepEqual(again.written.facts[3], ["key", "the secret's own, as before"]);
        const same = await (await place.target(name)).look(file({ B: "2", A: "1" }));
        assert.ok(same.present.kind === "there" && same.present.same);
      }
    }));

  test("parameters: what the file has not is kept and named, or with --replace removed", () =>
    withPlace(async (place) => {
      const { aws } = place;
      const first = await pushed(place, "ssm:///app/", { A: "1", B: "2" });
      const none = { added: [], changed: [], removed: [] };
      assert.deepEqual(first.present, { kind: "parts", changes: { ...none, added: ["A", "B"] } });
      assert.deepEqual(first.written.state, { key: "alias/aws/ssm" });
      const next = await pushed(place, "ssm:///app/", { A: "x" }, { key: "alias/app" });
      assert.deepEqual(next.present, { kind: "parts", changes: { ...none, changed: ["A"] } });
      assert.deepEqual([next.written.state, next.written.kept], [{ key: "alias/app" }, ["B"]]);
      assert.deepEqual(next.written.facts, [
        ["path", "/app/"],
        ["type", "SecureString"],
        ["key", "alias/app"],
        ["written", "1 of 1, one by one: a reader meanwhile finds some of each"],
        ["kept", "B (--replace removes them)"],
        ["variables", "1"],
      ]);
      const there = (name: string) => {
        const { value, type, keyId } = aws.parameters.get(name) ?? {};
        return [value, type, keyId];
      };
      assert.deepEqual(there("/app/A"), ["x", "SecureString", "alias/app"]);
      assert.deepEqual(there("/app/B"), ["2", "SecureString", undefined]);
      const last = await pushed(place, "ssm:///app/", { A: "x" }, { replace: true });
      assert.equal(aws.parameters.get("/app/B"), undefined);
      assert.deepEqual(last.present, { kind: "parts", changes: { ...none, removed: ["B"] } });
      assert.deepEqual(last.written.kept, []);
      assert.deepEqual(last.written.facts[4], ["removed", "B"]);
      assert.ok(aws.count("ssm", "DeleteParameters") > 0);
    }));
});

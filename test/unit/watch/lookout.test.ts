import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SealexecError } from "../../../src/base/errors.ts";
import type { OpenedSource } from "../../../src/sources/sources.ts";
import type { Source, Tools } from "../../../src/stores/source.ts";
import { Lookout } from "../../../src/watch/lookout.ts";
import { makeContext } from "../refuses.ts";

/** A source, and what is there now: its validator, or the failure of a look. */
function sourceOf(uri: string, more: Partial<Source> = {}): Source & { there: string | Error } {
  const source = {
    uri,
    options: {},
    gives: "text" as const,
    read: () => assert.fail("a look reads nothing"),
    there: "v1" as string | Error,
    look: async (validator: string): Promise<string | undefined> => {
      if (source.there instanceof Error) throw source.there;
      return source.there === validator ? undefined : source.there;
    },
    ...more,
  };
  return source;
}

const opened = (uri: string, validator: string | undefined, revision?: number): OpenedSource => ({
  uri,
  variables: new Map(),
  validator,
  state: {},
  sealed:
    revision === undefined
      ? undefined
      : {
          format: "v3",
          keyArn: "arn",
          revision,
          isBound: true,
          object: { metadata: {}, body: Buffer.alloc(0), place: uri, located: { home: "b" } },
        },
});

const stage = makeContext();
const tools = { context: stage.context } as Tools;
stage.context.deadline.clear();

/** What a look finds, as plain values. */
async function seen(lookout: Lookout, range: "all" | "local" = "all") {
  const { changes, unchanged, failure } = await lookout.look(range, tools);
  return {
    changes: Object.fromEntries(changes),
    unchanged: Object.fromEntries(unchanged),
    failure: failure?.message,
  };
}

describe("a look at the sources", () => {
  test("tells what has changed from what has not, since it was opened", async () => {
    const [a, b] = [sourceOf("file:a"), sourceOf("file:b")];
    const lookout = new Lookout([a, b]);
    lookout.opened([opened("file:a", "v1"), opened("file:b", "v1")]);
    b.there = "v2";
    const found = { changes: { "file:b": "v2" }, unchanged: { "file:a": "v1" }, failure: undefined };
    assert.deepEqual(await seen(lookout), found);
    assert.deepEqual(await seen(lookout), found, "until it is opened");
    lookout.opened([opened("file:a", "v1"), opened("file:b", "v2")]);
    assert.deepEqual((await seen(lookout)).unchanged, { "file:a": "v1", "file:b": "v2" });
  });

  test("a failure hides no other's change, and the first in their order is told", async () => {
    const [a, b, c] = [sourceOf("file:a"), sourceOf("file:b"), sourceOf("file:c")];
    const lookout = new Lookout([a, b, c]);
    lookout.opened([a, b, c].map(({ uri }) => opened(uri, "v1")));
    a.there = new SealexecError("unavailable", "away");
    b.there = new SealexecError("denied", "no");
    c.there = "v2";
    assert.deepEqual(await seen(lookout), {
      changes: { "file:c": "v2" },
      unchanged: {},
      failure: "object: file:a: away",
    });
    a.there = new TypeError("canary");
    assert.deepEqual((await seen(lookout)).failure, "object: file:a: unexpected TypeError");
  });

  test("what did not open is no change before it changes again, and no confirmation either", async () => {
    const [a, b] = [sourceOf("file:a"), sourceOf("file:b")];
    const lookout = new Lookout([a, b]);
    lookout.opened([opened("file:a", "v1"), opened("file:b", "v1")]);
    a.there = "v2";
    assert.equal(lookout.hasRefused, false);
    lookout.refused(new Map([["file:a", "v2"]]));
    assert.equal(lookout.hasRefused, true);
    assert.deepEqual(await seen(lookout), {
      changes: {},
      unchanged: { "file:b": "v1" },
      failure: undefined,
    });
    // What was opened last is a change again: it was refused since.
    a.there = "v1";
    assert.deepEqual((await seen(lookout)).changes, { "file:a": "v1" });
    lookout.opened([opened("file:a", "v1"), opened("file:b", "v1")]);
    assert.equal(lookout.hasRefused, false);
    assert.deepEqual((await seen(lookout)).unchanged, { "file:a": "v1", "file:b": "v1" });
  });

  test("of what is local: files, a sealed file among them, and nothing that is asked over a network", async () => {
    const folders = ["/run"];
    const sources = [
      sourceOf("env-file:a", { folders }),
      sourceOf("file:sealed", { folders, aws: { onlyKms: true } as Source["aws"] & object }),
      sourceOf("s3://b/k", { aws: {} as Source["aws"] & object }),
      sourceOf("odd:a", { folders, aws: {} as Source["aws"] & object }),
      sourceOf("vault://a"),
    ];
    const lookout = new Lookout(sources);
    lookout.opened(sources.map(({ uri }) => opened(uri, "v1")));
    assert.deepEqual(Object.keys((await seen(lookout, "local")).unchanged), ["env-file:a", "file:sealed"]);
    assert.equal(Object.keys((await seen(lookout)).unchanged).length, 5);
    assert.deepEqual(lookout.folders, ["/run", "/run", "/run"]);
  });

  test("what cannot be looked at, or was read without a validator, is never looked at", async () => {
    const { look: _look, ...pinned } = sourceOf("s3://b/pinned");
    const sources = [pinned, sourceOf("env-file:pipe"), sourceOf("env-file:a")];
    const lookout = new Lookout(sources);
    lookout.opened([
      opened("s3://b/pinned", "v1"),
      opened("env-file:pipe", undefined),
      opened("env-file:a", "v1"),
    ]);
    assert.deepEqual(lookout.fixed, ["s3://b/pinned", "env-file:pipe"]);
    assert.deepEqual(await seen(lookout), {
      changes: {},
      unchanged: { "env-file:a": "v1" },
      failure: undefined,
    });
  });

  test("each is a step of its own, which says what was found", async () => {
    const [a, b] = [sourceOf("file:a"), sourceOf("file:b")];
    const lookout = new Lookout([a, b]);
    lookout.opened([opened("file:a", "v1"), opened("file:b", "v1")]);
    b.there = "v2";
    stage.steps.length = 0;
    await seen(lookout);
    assert.deepEqual(
      stage.steps.map(({ stage: at, target, detail }) => [at, target, detail]),
      [
        ["object", "file:a", "unchanged"],
        ["object", "file:b", "changed"],
      ],
    );
  });

  test("the highest revision that was opened is kept, also from before this start", () => {
    const lookout = new Lookout([], new Map([["s3://b/old", 9]]));
    lookout.opened([opened("s3://b/k", "v", 5), opened("s3://b/old", "v", 8), opened("file:plain", "v")]);
    assert.deepEqual(Object.fromEntries(lookout.seen), { "s3://b/old": 9, "s3://b/k": 5 });
    lookout.opened([opened("s3://b/k", "v", 4), opened("s3://b/old", "v", 10)]);
    assert.deepEqual(Object.fromEntries(lookout.seen), { "s3://b/old": 10, "s3://b/k": 5 });
  });
});

/** Many sources to the variables of one program: in order, all or nothing, and no name that may not be set. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MOST_BYTES } from "../../../src/base/start-size.ts";
import { argumentLimit } from "../../../src/process/limits.ts";
import { Secret } from "../../../src/base/secret.ts";
import type { Variables } from "../../../src/base/secret.ts";
import type { SourceOptions } from "../../../src/sources/options.ts";
import { openSource, openSources, tellCredentials } from "../../../src/sources/sources.ts";
import type { Opened } from "../../../src/sources/sources.ts";
import type { Source } from "../../../src/stores/source.ts";
import { OPTIONS, PLACE, sceneOf, sourceOf, textSource, withLocalKey } from "./places.ts";

const shown = (variables: Variables): Record<string, string> =>
  Object.fromEntries([...variables].map(([name, value]) => [name, value.reveal()]));

async function opening(
  sources: readonly Source[],
  more: Partial<SourceOptions> = {},
  env: Readonly<Record<string, string>> = {},
): Promise<Opened & { readonly shown: Record<string, string>; readonly log: readonly string[] }> {
  const options = { ...OPTIONS, sources, ...more };
  const { tools, log } = sceneOf(options, env);
  const opened = await openSources(options, tools);
  return { ...opened, shown: shown(opened.variables), log };
}

const names = (more: Partial<SourceOptions["names"]>): Partial<SourceOptions> => ({
  names: { ...OPTIONS.names, ...more },
});

describe("sources, opened", () => {
  test("a later one wins, whoever is read first, and each keeps what was its own", async () => {
    let release: (() => void) | undefined;
    const slow = textSource("test:slow", "A=1\nB=1\n", {
      read: async () => {
        await new Promise<void>((resolve) => (release = resolve));
        return { kind: "text", bytes: Buffer.from("A=1\nB=1\n") };
      },
    });
    const quick = textSource("test:quick", "B=2\nC=2\n", {
      read: () => {
        setImmediate(() => release?.());
        return Promise.resolve({ kind: "text", bytes: Buffer.from("B=2\nC=2\n") });
      },
    });
    const { sources, shown: all } = await opening([slow, quick]);
    assert.deepEqual(all, { A: "1", B: "2", C: "2" });
    assert.deepEqual(
      sources.map(({ uri, variables }) => [uri, shown(variables)]),
      [
        ["test:slow", { A: "1", B: "1" }],
        ["test:quick", { B: "2", C: "2" }],
      ],
    );
  });

  test("what is loaded for reading is loaded before anything is read", async () => {
    const order: string[] = [];
    const source = textSource("test:a", "A=1\n", { prepare: async () => void order.push("prepare") });
    const reading = { ...source, read: (tools: never) => (order.push("read"), source.read(tools)) };
    await opening([reading]);
    assert.deepEqual(order, ["prepare", "read"]);
  });

  test("one that fails is the failure of all, by stage and target", async () => {
    const bad = textSource("test:bad", "no assignment\n");
    await assert.rejects(opening([textSource("test:a", "A=1\n"), bad]), {
      kind: "data",
      message: /^dotenv: test:bad: line 1: /,
    });
  });

  test("what is required may come from any, and must not be empty", async () => {
    const sources = [textSource("test:a", "A=1\nE=\n"), textSource("test:b", "B=1\n")];
    assert.equal((await opening(sources, names({ require: ["B", "A"] }))).variables.size, 3);
    await assert.rejects(opening(sources, names({ require: ["A", "E", "N"] })), {
      kind: "data",
      message: "required names: all sources: missing or empty: E, N",
    });
  });

  test("a refused name is refused for each source that is not allowed it, by its URI or for all", async () => {
    const path = (uri: string, allow: readonly string[] = []): Source =>
      textSource(uri, "PATH=/x\nA=1\n", { options: allow.length === 0 ? {} : { allow: new Set(allow) } });
    const refused = { kind: "data", message: /^refused names: test:b: it sets PATH, / };
    await assert.rejects(opening([path("test:a", ["PATH"]), path("test:b")]), refused);
    await assert.rejects(opening([path("test:b", ["LD_PRELOAD"])]), refused);
    assert.deepEqual((await opening([path("test:a", ["PATH"])])).shown, { PATH: "/x", A: "1" });
    const both = [path("test:a"), path("test:b", ["IFS"])];
    assert.equal((await opening(both, names({ allow: new Set(["PATH"]) }))).variables.size, 2);
  });

  test("--only takes what it names, also from what would be refused, and needs each name to be there", async () => {
    const only = { names: new Set(["A", "C"]), prefixes: ["P_"] };
    const sources = [textSource("test:a", "PATH=/x\nA=1\nP_1=1\nB=1\n"), textSource("test:b", "C=1\nPX=1\n")];
    const opened = await opening(sources, names({ only }));
    assert.deepEqual(opened.shown, { A: "1", P_1: "1", C: "1" });
    assert.deepEqual(
      opened.sources.map(({ leftOut }) => leftOut),
      [["PATH", "B"], ["PX"]],
    );
    await assert.rejects(opening(sources, names({ only: { names: new Set(["A", "N"]), prefixes: [] } })), {
      kind: "data",
      message: "required names: all sources: in no source: N",
    });
    // It never allows one.
    const path = { names: new Set(["PATH"]), prefixes: [] };
    await assert.rejects(opening(sources, names({ only: path })), /it sets PATH/);
    await assert.rejects(opening(sources, names({ only, require: ["B"] })), /missing or empty: B$/);
  });

  test("without variables it is warned of, and not where --only leaves them all out", async () => {
    const empty = await opening([textSource("test:a", "# nothing\n")]);
    assert.deepEqual(
      empty.log.filter((line) => line.includes("warning")),
      ["sealexec: warning: test:a: no variables in it\n"],
    );
    const { log } = await opening(
      [textSource("test:a", "B=1\n")],
      names({ only: { names: new Set(), prefixes: ["A"] } }),
    );
    assert.ok(!log.some((line) => line.includes("warning")));
  });

  test("a name without a value takes that of the environment, if CMD is given it, and never another's", async () => {
    const source = (): readonly Source[] => [
      textSource("test:a", "SET\nUNSET\ntoString\n", { dialect: "docker" }),
    ];
    const env = { SET: "before", OTHER: "x" };
    assert.deepEqual((await opening(source(), {}, env)).shown, { SET: "before" });
    assert.deepEqual((await opening(source(), { handsOn: () => false }, env)).shown, {});
    assert.deepEqual((await opening(source(), { handsOn: (name) => name === "SET" }, env)).shown, {
      SET: "before",
    });
  });

  test("its text is read in its dialect, up to what a program can be started with unless --only leaves some out", async () => {
    const json = textSource("test:a", '{"A":1}', { dialect: "json" });
    assert.deepEqual((await opening([json])).shown, { A: "1" });
    const sizeBytes = 100_000;
    const count = Math.ceil(argumentLimit() / sizeBytes);
    const many = Array.from({ length: count }, (_, index) => `A${index}=${"x".repeat(sizeBytes)}\n`).join("");
    await assert.rejects(opening([textSource("test:a", many)]), { kind: "cannot-execute" });
    if (argumentLimit() + sizeBytes > MOST_BYTES) return;
    const only = { names: new Set(["A0"]), prefixes: [] };
    assert.equal((await opening([textSource("test:a", many)], names({ only }))).variables.size, 1);
  });

  test("the store's own variables are taken as they are", async () => {
    const variables = new Map([["A", new Secret("1")]]);
    const { sources } = await opening([
      sourceOf("test:a", { kind: "variables", variables, etag: "e", versionId: "v", validator: "now" }),
    ]);
    const [{ state, validator, sealed } = assert.fail()] = sources;
    assert.deepEqual([state, validator, sealed], [{ etag: "e", versionId: "v" }, "now", undefined]);
  });

  test("each step is reported, with what was found", async () => {
    const content = {
      kind: "text",
      bytes: Buffer.from("A=1\nB=2\n"),
      detail: "d",
      versionId: "v",
      etag: "e",
    };
    const options = {
      ...OPTIONS,
      sources: [sourceOf("test:a", content as never)],
      ...names({ require: ["B", "A"] }),
    };
    const { tools, steps } = sceneOf(options);
    await openSources(options, tools);
    assert.deepEqual(
      steps.map(({ stage, target, ok, detail }) => [stage, target, ok, detail]),
      [
        ["object", "test:a", true, "8 bytes, d, version v, etag e"],
        ["dotenv", "test:a", true, "2 variables"],
        ["refused names", "test:a", true, undefined],
        ["required names", "all sources", true, "B, A"],
      ],
    );
    const variables = sourceOf("test:v", { kind: "variables", variables: new Map([["A", new Secret("1")]]) });
    const alone = sceneOf();
    await openSources({ ...OPTIONS, sources: [variables] }, alone.tools);
    assert.deepEqual(
      alone.steps.map(({ stage, detail }) => [stage, detail]),
      [
        ["object", "1 variable"],
        ["refused names", undefined],
        ["required names", "none"],
      ],
    );
  });

  test("--explain says where each came from, and nothing without it", async () => {
    const sources = (): readonly Source[] => [textSource("test:a", "A=1\n"), textSource("test:b", "A=2\n")];
    const explain = {
      inherited: new Set(["A"]),
      policy: { keepExisting: false, pristine: false, pass: new Set<string>() },
    };
    const { log } = await opening(sources(), { explain });
    assert.deepEqual(
      log.filter((line) => line.includes("explain")),
      ["sealexec: explain: A: from test:b, over test:a and the environment\n"],
    );
    assert.ok(!(await opening(sources())).log.some((line) => line.includes("explain")));
    const { tools, log: told } = sceneOf();
    const credentials = { source: "here", passedOver: ["there: none"] } as never;
    await tellCredentials(credentials, OPTIONS, tools.context);
    assert.deepEqual(told, []);
    await tellCredentials(credentials, { ...OPTIONS, explain }, tools.context);
    assert.deepEqual(told, [
      "sealexec: explain: credentials: from here\n",
      "sealexec: explain: credentials: not from there: none\n",
    ]);
  });
});

test("what was sealed says what it was opened from, and is older than nothing that was seen", () =>
  withLocalKey(async ({ policy, seal }) => {
    const found = { etag: "e", versionId: "v" };
    const object = seal("A=1\n", { revision: 5, found });
    const source = sourceOf(PLACE, { kind: "sealed", sealed: object, validator: "now" });
    const opened = async (leastRevision: number, seen?: number) => {
      const options = {
        ...OPTIONS,
        open: { ...policy, leastRevision },
        ...(seen === undefined
          ? {}
          : {
              seen: new Map([
                [PLACE, seen],
                ["test:other", 9],
              ]),
            }),
      };
      return openSource(source, options, sceneOf(options).tools);
    };
    const { state, validator, sealed, variables } = await opened(0);
    assert.deepEqual(
      [state, validator, shown(variables)],
      [{ etag: "e", versionId: "v" }, "now", { A: "1" }],
    );
    assert.equal(sealed?.object, object);
    assert.deepEqual(
      [sealed?.revision, sealed?.isBound, sealed?.format, sealed?.keyArn],
      [5, true, "v3", policy.key?.text],
    );
    for (const [least, seen] of [
      [5, 5],
      [0, 5],
      [5, 0],
    ] as const)
      await opened(least, seen);
    for (const [least, seen] of [
      [6, 5],
      [5, 6],
      [0, 6],
      [6, undefined],
    ] as const)
      await assert.rejects(
        opened(least, seen),
        /^SealexecError: context: s3:\/\/b\/k: it is revision 5, and 6 is /,
      );
  }));

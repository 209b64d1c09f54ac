/** Opening what is sealed: what its policy, its URI and its place say of it, and what is reported. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { readSource } from "../../../src/sources/read.ts";
import { checkDialect, openSealed } from "../../../src/sources/unseal.ts";
import type { OpenPolicy } from "../../../src/sources/unseal.ts";
import type { SealedObject, Source } from "../../../src/stores/source.ts";
import { seal, writerContext } from "../../../src/envelope/index.ts";
import type { Envelope } from "../../../src/envelope/index.ts";
import { kmsThatAnswers } from "../keys/kms/answering.ts";
import { refuses } from "../refuses.ts";
import { OPEN, PLACE, sceneOf, sourceOf, withLocalKey } from "./places.ts";

const TEXT = "A=1\n";

async function opened(object: SealedObject, policy: OpenPolicy) {
  const { tools, steps } = sceneOf();
  const result = await openSealed(PLACE, object, policy, tools);
  return { ...result, steps: steps.map(({ stage, target, detail }) => [stage, target, detail]) };
}

describe("a sealed object", () => {
  test("is opened step by step, and what was found is said", () =>
    withLocalKey(async ({ policy, seal }) => {
      const object = seal(TEXT, { user: { stage: "prod" }, revision: 5 });
      const { plaintext, steps, encryptionContext, ...rest } = await opened(object, policy);
      assert.ok(plaintext instanceof Uint8Array);
      assert.equal(Buffer.from(plaintext).toString(), TEXT);
      assert.equal(encryptionContext["stage"], "prod");
      const keyArn = policy.key?.text;
      assert.deepEqual(rest, { format: "v3", keyArn, revision: 5, isBound: true });
      assert.deepEqual(steps, [
        ["format", PLACE, "v3"],
        ["context", PLACE, "revision 5"],
        ["key", `${PLACE} under ${keyArn}`, keyArn],
        ["decrypt", PLACE, undefined],
      ]);
    }));

  test("without a place or a revision it is opened if that is accepted, and it is said", () =>
    withLocalKey(async ({ policy, seal }) => {
      const object = seal(TEXT, { place: null });
      await assert.rejects(opened(object, policy), {
        kind: "data",
        message: /^context: s3:\/\/b\/k: not bound/,
      });
      const accept = new Set(["local-key", "unbound"] as const);
      const { isBound, revision, steps } = await opened(object, { ...policy, accept });
      assert.deepEqual([isBound, revision], [false, undefined]);
      assert.deepEqual(steps[1], ["context", PLACE, "not bound to its place, no revision"]);
    }));

  for (const [what, how, more, message] of [
    ["of another place", { place: "s3://b/other" }, {}, /sealed for "s3:\/\/b\/other", not for this object/],
    ["with another context", { user: { stage: "dev" } }, { context: { stage: "prod" } }, /"stage" differs/],
    [
      "with a context that nobody asked for",
      { user: { stage: "dev" } },
      { context: {} },
      /encryption context/,
    ],
    ["older than it may be", { revision: 4 }, { leastRevision: 5 }, /it is revision 4, and 5 is the oldest/],
    [
      "of the future, by its store's clock",
      { revision: 700_000, found: { date: 1 } },
      {},
      /ahead of the store's clock/,
    ],
    ["of the future, by ours", { revision: 99_999_999_999_999 }, {}, /ahead of this machine's clock/],
    [
      "written long after it",
      { revision: 1, found: { lastModified: 5_002 } },
      { largestLagMs: 5_000 },
      /--max-lag is 5s/,
    ],
    ["sealed as JSON", { dialect: "json" }, {}, /sealed as json, and not to be read as dotenv/],
    ["sealed as a .env", {}, { dialect: "json" }, /sealed as dotenv, and not to be read as json/],
  ] as const) {
    test(`${what} is refused, and its key is not used`, () =>
      withLocalKey(async ({ policy, seal }) => {
        const { tools, steps } = sceneOf();
        const work = openSealed(PLACE, seal(TEXT, how), { ...policy, ...more } as OpenPolicy, tools);
        await assert.rejects(work, { kind: "data", message });
        assert.deepEqual(
          steps.map(({ stage }) => stage),
          ["format", "context"],
        );
      }));
  }

  test("as whoever looks by himself at what it was sealed as, any dialect is opened", () =>
    withLocalKey(async ({ policy, seal }) => {
      await opened(seal(TEXT, { dialect: "json" }), { ...policy, dialect: "any" });
      await opened(seal(TEXT, { dialect: "json" }), { ...policy, dialect: "json" });
    }));

  test("that is damaged says where, and what to do", () =>
    withLocalKey(async ({ policy, seal: sealed }) => {
      const object = sealed(TEXT);
      const damaged = Buffer.from(object.body);
      damaged[0] = (damaged[0] ?? 0) ^ 1;
      const way = /^restore an earlier version of the object, or seal it again: sealexec push$/;
      for (const [changed, message, hint] of [
        [
          { ...object, body: damaged },
          /^decrypt: s3:\/\/b\/k: authentication tag/,
          /^restore an earlier version/,
        ],
        [{ ...object, body: damaged.subarray(0, 3) }, /: s3:\/\/b\/k: body is 3 bytes, too short/, way],
        [
          { ...object, metadata: { ...object.metadata, "x-amz-i": "?" } },
          /^format: s3:\/\/b\/k: x-amz-i is not/,
          way,
        ],
      ] as const)
        await assert.rejects(opened(changed, policy), { kind: "data", message, hint });
    }));

  test("whose data key is elsewhere is opened with it, or is told so", async () => {
    const [dataKey, wrappedKey] = [randomBytes(32), randomBytes(64)];
    const encryptionContext = writerContext("v3", {}, PLACE);
    const { metadata, body } = seal("v3", {
      plaintext: Buffer.from(TEXT),
      dataKey,
      wrappedKey,
      encryptionContext,
    });
    const isOwn = ([name]: readonly [string, string]): boolean => /^x-amz-[cdi]$/.test(name);
    const parts = Object.entries(metadata);
    const object = {
      metadata: Object.fromEntries(parts.filter(isOwn)),
      body,
      place: PLACE,
      located: { home: "b" },
    };
    const file = Buffer.from(JSON.stringify(Object.fromEntries(parts.filter((part) => !isOwn(part)))));
    const policy = { ...OPEN, accept: new Set(["instruction-file"] as const) };
    const { tools, steps } = sceneOf();
    await assert.rejects(openSealed(PLACE, object, policy, tools), {
      message: `format: ${PLACE}: its data key is not in it`,
      kind: "data",
      stage: "format",
      target: PLACE,
    });
    const instructionFile = { uri: `${PLACE}.instruction`, read: () => Promise.resolve(file) };
    const KeyId = "arn:aws:kms:us-east-1:111122223333:key/11111111-2222-3333-4444-555555555555";
    const session = kmsThatAnswers({ Plaintext: dataKey.toString("base64"), KeyId });
    const asking = { context: tools.context, session, vault: () => tools.vault() };
    const { plaintext, keyArn } = await openSealed(PLACE, { ...object, instructionFile }, policy, asking);
    assert.ok(plaintext instanceof Uint8Array);
    assert.deepEqual([Buffer.from(plaintext).toString(), keyArn], [TEXT, KeyId]);
    assert.deepEqual(
      steps.slice(1).map(({ stage, target, detail }) => [stage, target, detail]),
      [
        ["format", PLACE, "its data key is in an instruction file"],
        ["object", `${PLACE}.instruction`, `${file.length} bytes`],
        ["format", PLACE, "v3"],
        ["context", PLACE, "no revision"],
        ["key", `${PLACE} under the key that sealed it`, KeyId],
        ["decrypt", PLACE, undefined],
      ],
    );
  });
});

describe("what holds for one source", () => {
  const read = (object: SealedObject, policy: OpenPolicy, more: Partial<Source> = {}) =>
    readSource(
      sourceOf(PLACE, { kind: "sealed", sealed: object, validator: "now" }, more),
      policy,
      sceneOf().tools,
    );

  test("its URI's word on what is accepted is beside that for all, and on its context in its place", () =>
    withLocalKey(async ({ policy, seal }) => {
      const unbound = seal(TEXT, { place: null });
      await assert.rejects(read(unbound, policy), /not bound/);
      await read(unbound, policy, { options: { accept: ["unbound"] } });
      await read(
        unbound,
        { ...policy, accept: new Set(["local-key", "unbound"]) },
        { options: { accept: ["v2"] } },
      );
      const prod = seal(TEXT, { user: { stage: "prod" } });
      const asked = (context: Readonly<Record<string, string>>) => ({ ...policy, context });
      await read(prod, asked({ stage: "prod" }));
      await read(prod, asked({ stage: "dev" }), { options: { context: { stage: "prod" } } });
      await assert.rejects(
        read(prod, asked({ stage: "prod" }), { options: { context: { stage: "dev" } } }),
        /"stage"/,
      );
    }));

  test("its dialect is its own, and the largest lag is for what its store dates", () =>
    withLocalKey(async ({ policy, seal }) => {
      const json = seal('{"A":1}', { dialect: "json" });
      await read(json, policy, { dialect: "json" });
      await assert.rejects(read(json, policy), /sealed as json/);
      const late = seal(TEXT, { revision: 1, found: { lastModified: 10_000 } });
      const policed = { ...policy, largestLagMs: 5_000 };
      await read(late, policed);
      await read(late, policy, { dated: true });
      await assert.rejects(read(late, policed, { dated: true }), /--max-lag/);
    }));

  test("it gives its text, its state and what it was sealed as", () =>
    withLocalKey(async ({ policy, seal }) => {
      const object = seal(TEXT, { revision: 7 });
      const content = await read(object, policy);
      assert.ok(content.kind === "text");
      const { sealed, validator, bytes } = content;
      assert.equal(Buffer.from(bytes).toString(), TEXT);
      const keyArn = policy.key?.text;
      assert.deepEqual(sealed, { object, format: "v3", keyArn, revision: 7, isBound: true });
      assert.equal(validator, "now");
    }));
});

describe("what it was sealed as", () => {
  const envelope = (format?: string): Envelope => {
    const encryptionContext: Record<string, string> =
      format === undefined ? {} : { "sealexec:format": format };
    return { format: "v3", encryptionContext } as unknown as Envelope;
  };

  test("is what it is read as; of what says nothing and is not bound, the reader's word counts", () => {
    checkDialect(PLACE, envelope(), true);
    checkDialect(PLACE, envelope("json"), true, "json");
    checkDialect(PLACE, envelope("json"), false, "json");
    checkDialect(PLACE, envelope(), false, "json");
    for (const [format, isBound, dialect] of [
      [undefined, true, "json"],
      ["json", true, "yaml"],
      ["json", false, undefined],
      ["dotenv", false, "json"],
    ] as const)
      refuses(() => checkDialect(PLACE, envelope(format), isBound, dialect), "data", /^sealed as /);
  });

  test("says its URI, and repeats no stranger's words", () => {
    for (const [uri, format, dialect, hint] of [
      [PLACE, "json", "dotenv", /^its URI is s3:\/\/b\/k\?format=json$/],
      [`${PLACE}?versionId=v`, "json", "dotenv", /^its URI is s3:\/\/b\/k\?versionId=v&format=json$/],
      [PLACE, "dotenv", "json", /^its URI is s3:\/\/b\/k$/],
      [PLACE, "a B", "dotenv", /^seal the right content again/],
      [PLACE, `a${"b".repeat(20)}`, "dotenv", /^seal the right content again/],
      [PLACE, `a${"b".repeat(19)}`, "dotenv", /format=ab+$/],
    ] as const) {
      const error = refuses(() => checkDialect(uri, envelope(format), true, dialect), "data");
      assert.match(error.hint ?? "", hint);
      const repeated = error.hint?.startsWith("its URI") === true ? format : "another format";
      assert.equal(error.message, `sealed as ${repeated}, and not to be read as ${dialect}`);
    }
  });
});

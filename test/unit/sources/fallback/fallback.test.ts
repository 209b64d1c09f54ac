/** What is kept of S3 for the time when it is away: when it is used, what is kept of it, and whom it is believed. */
import assert from "node:assert/strict";
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { SealexecError } from "../../../../src/base/errors.ts";
import { effectiveUid } from "../../../../src/base/files/user.ts";
import { Fallback } from "../../../../src/sources/fallback/fallback.ts";
import { isAhead, parseKept, readKept, writeKept } from "../../../../src/sources/fallback/file.ts";
import type { Kept } from "../../../../src/sources/fallback/file.ts";
import type { AwsNeed } from "../../../../src/aws/session.ts";
import type { Content, Source, Tools } from "../../../../src/stores/source.ts";
import { withFolder } from "../../../e2e/expect.ts";
import { makeContext, refuses } from "../../refuses.ts";

const URI = "s3://b/k";
const HOUR_MS = 3_600_000;
const NEED: AwsNeed = { home: "b", urls: () => [] };
const AWAY = new SealexecError("unavailable", "S3 is away", {
  hint: "check",
  facts: { operation: "GetObject" },
});
const uid = effectiveUid();

const kept = (more: Partial<Kept> = {}): Kept => ({
  uri: URI,
  confirmed: Date.now(),
  etag: '"e"',
  versionId: "v",
  revision: 5,
  lastModified: 7,
  metadata: { a: "b" },
  body: Buffer.from("body"),
  ...more,
});

interface Scene {
  readonly file: string;
  readonly log: readonly string[];
  open(): Fallback;
  /** what is in the file */
  readonly now: () => readonly Kept[];
}

function withFile(objects: readonly Kept[], work: (scene: Scene) => Promise<void>): Promise<void> {
  return withFolder(async (folder) => {
    const file = join(folder, "kept");
    if (objects.length > 0) writeKept(file, uid, objects);
    const { context, log } = makeContext();
    context.deadline.clear();
    const open = (): Fallback => new Fallback({ path: file, largestAgeMs: HOUR_MS, uid }, context);
    await work({ file, log, open, now: () => parseKept(readFileSync(file, "utf8")) });
  });
}

/** A source in S3 that gives this, or fails so. */
function sourceOf(answer: Content | Error, uri = URI): Source {
  const read = (): Promise<Content> =>
    answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  return { uri, options: {}, gives: "sealed", place: uri, aws: NEED, read };
}

function read(fallback: Fallback, source: Source, tools?: Partial<Tools>): Promise<Content> {
  const [guarded] = fallback.behind([source]);
  assert.ok(guarded !== undefined);
  const { context } = makeContext();
  context.deadline.clear();
  return guarded.read({ context, ...tools } as Tools);
}

const sealedOf = (content: Content) =>
  content.kind === "sealed" ? content.sealed : assert.fail(content.kind);

describe("what is kept is used", () => {
  for (const kind of ["unavailable", "timeout"] as const) {
    test(`where S3 is away (${kind}): whole, at its place, and that is said`, () =>
      withFile([kept({ confirmed: Date.now() - 90_000 })], async ({ open, log }) => {
        const error = new SealexecError(kind, "S3 is away", { facts: { operation: "GetObject" } });
        const content = await read(open(), sourceOf(error));
        const { metadata, body, ...rest } = sealedOf(content);
        assert.deepEqual(
          [metadata, Buffer.from(body).toString(), content.validator],
          [{ a: "b" }, "body", '"e"'],
        );
        assert.deepEqual(rest, { etag: '"e"', versionId: "v", lastModified: 7, place: URI, located: NEED });
        assert.deepEqual(log, [
          `sealexec: warning: object: ${URI}: S3 is away; using the fallback, 1 m old\n`,
        ]);
      }));
  }

  for (const kind of ["denied", "missing", "data", "config", "internal"] as const) {
    test(`and never where S3 answers (${kind})`, () =>
      withFile([kept()], async ({ open, log }) => {
        const error = new SealexecError(kind, "an answer");
        await assert.rejects(read(open(), sourceOf(error)), (thrown: unknown) => thrown === error);
        assert.deepEqual(log, []);
      }));
  }

  test("and never for a bug of ours", () =>
    withFile([kept()], async ({ open }) => {
      const bug = new TypeError("bug");
      await assert.rejects(read(open(), sourceOf(bug)), (thrown: unknown) => thrown === bug);
    }));

  for (const [what, ageMs, message, hint] of [
    ["too old", HOUR_MS + 5_000, /^S3 is away; and the fallback is 1 h old$/, /--fallback-age/],
    [
      "as far ahead",
      -HOUR_MS - 60_000,
      /^S3 is away; and the fallback was confirmed at a time that is 1 h ahead$/,
      /clock/,
    ],
  ] as const) {
    test(`and never where it is ${what}`, () =>
      withFile([kept({ confirmed: Date.now() - ageMs })], async ({ open, log }) => {
        const failing = read(open(), sourceOf(AWAY));
        await assert.rejects(failing, { kind: "unavailable", message, hint, facts: AWAY.facts });
        assert.deepEqual(log, []);
      }));
  }

  test("up to its greatest age, and a little ahead with a word about the clock", () =>
    withFile([kept({ confirmed: Date.now() - HOUR_MS + 60_000 })], async ({ open, file, log }) => {
      await read(open(), sourceOf(AWAY));
      writeKept(file, uid, [kept({ confirmed: Date.now() + 120_500 })]);
      await read(open(), sourceOf(AWAY));
      assert.match(
        log.slice(1).join(""),
        /using the fallback, confirmed at a time that is 2 m ahead\nsealexec: hint: set this machine's clock/,
      );
    }));

  test("for its own source alone", () =>
    withFile([kept({ uri: "s3://b/other" })], async ({ open, file }) => {
      await assert.rejects(read(open(), sourceOf(AWAY)), {
        message: `S3 is away; and the fallback ${file} has nothing for this source`,
        hint: "check; a start while S3 answers keeps it there",
      });
      const hintless = new SealexecError("timeout", "no answer");
      const soon = { hint: "a start while S3 answers keeps it there", kind: "timeout" };
      await assert.rejects(read(open(), sourceOf(hintless)), soon);
    }));

  test("S3 has half of the time that is left, and ten seconds at most", () =>
    withFile([kept()], async ({ open }) => {
      for (const [leftMs, givenMs] of [
        [4_000, 2_000],
        [20_000, 10_000],
        [30_000, 10_000],
      ] as const) {
        const { context } = makeContext({}, leftMs, () => 0);
        let given: Tools | undefined;
        const source: Source = {
          ...sourceOf(AWAY),
          read: (tools) => {
            given = tools;
            return Promise.reject(AWAY);
          },
        };
        const session = {} as Tools["session"];
        await read(open(), source, { context, session });
        assert.equal(given?.context.deadline.timeoutMs, givenMs);
        assert.deepEqual([given?.session, given?.context.deadline.isCleared], [session, true]);
        context.deadline.clear();
      }
    }));

  test("only behind what is sealed and lies in S3", () =>
    withFile([kept()], async ({ open }) => {
      const source = sourceOf(AWAY);
      const { place: _, ...placeless } = source;
      const { aws: __, ...local } = source;
      assert.deepEqual(open().behind([placeless, local]), [placeless, local]);
      const [guarded] = open().behind([source]);
      assert.notEqual(guarded?.read, source.read);
      assert.deepEqual({ ...guarded, read: source.read }, source);
    }));
});

const opened = (more: Partial<Kept> = {}) => {
  const { uri, revision, etag, versionId, lastModified, metadata, body } = kept(more);
  const object = { etag, versionId, lastModified, metadata, body, place: uri, located: NEED };
  return { uri, sealed: { object, revision } };
};
const plain = (objects: readonly Kept[]): unknown[] =>
  objects.map(({ body, ...rest }) => ({ ...rest, confirmed: "", body: Buffer.from(body).toString() }));

describe("what is kept", () => {
  test("is what was opened of the sources that it stands behind, as S3 had it, with the time", () =>
    withFile([], async ({ open, file, now }) => {
      const fallback = open();
      fallback.behind([sourceOf(AWAY)]);
      const before = Date.now();
      fallback.keep([opened(), opened({ uri: "s3://b/other" }), { uri: URI, sealed: undefined }]);
      const [object = assert.fail()] = now();
      assert.deepEqual(plain(now()), plain([kept()]));
      assert.ok(object.confirmed >= before && object.confirmed <= Date.now());
      assert.equal(statSync(file).mode & 0o777, 0o600);
      assert.deepEqual([...fallback.seen], [[URI, 5]]);
    }));

  test("is not made younger by being used", () =>
    withFile([kept({ confirmed: Date.now() - 1_000 })], async ({ open, now }) => {
      const before = now();
      const fallback = open();
      const object = sealedOf(await read(fallback, sourceOf(AWAY)));
      fallback.keep([{ uri: URI, sealed: { object, revision: 5 } }]);
      assert.deepEqual(now(), before);
    }));

  test("of two the newer stays, also what another has kept meanwhile; of the same revision the one that came last", () =>
    withFile([kept({ revision: 5 })], async ({ open, file, now }) => {
      const fallback = open();
      fallback.behind([sourceOf(AWAY)]);
      writeKept(file, uid, [kept({ revision: 9, etag: '"theirs"' }), kept({ uri: "s3://b/other" })]);
      fallback.keep([opened({ revision: 7 })]);
      assert.deepEqual(
        now().map(({ uri, revision }) => [uri, revision]),
        [
          [URI, 9],
          ["s3://b/other", 5],
        ],
      );
      assert.deepEqual(
        [...fallback.seen],
        [
          [URI, 9],
          ["s3://b/other", 5],
        ],
      );
      fallback.keep([opened({ revision: 9, etag: '"ours"' })]);
      assert.equal(now()[0]?.etag, '"ours"');
      fallback.keep([opened({ revision: undefined })]);
      assert.equal(now()[0]?.revision, 9);
    }));

  test("without a revision is kept, and nothing was seen of it", () =>
    withFile([kept({ revision: undefined })], async ({ open }) => {
      assert.deepEqual([...open().seen], []);
    }));

  test("is confirmed where S3 has the same, and once in a tenth of its greatest age", () =>
    withFile([kept({ confirmed: Date.now() - HOUR_MS / 5 })], async ({ open, now }) => {
      const [{ confirmed: before } = assert.fail()] = now();
      open().confirm(new Map([[URI, '"another"']]));
      open().confirm(new Map([["s3://b/other", '"e"']]));
      assert.equal(now()[0]?.confirmed, before);
      const fallback = open();
      const from = Date.now();
      fallback.confirm(new Map([[URI, '"e"']]));
      const [{ confirmed: after } = assert.fail()] = now();
      assert.ok(after >= from);
      assert.deepEqual(plain(now()), plain([kept()]));
    }));

  test("is not written anew before that, also if the clock was set back", () =>
    withFile([kept({ confirmed: Date.now() - HOUR_MS / 10 + 30_000 })], async ({ open, now, file }) => {
      const before = readFileSync(file, "utf8");
      open().confirm(new Map([[URI, '"e"']]));
      assert.equal(readFileSync(file, "utf8"), before);
      writeKept(file, uid, [kept({ confirmed: Date.now() + HOUR_MS / 2 })]);
      open().confirm(new Map([[URI, '"e"']]));
      assert.ok((now()[0]?.confirmed ?? Infinity) <= Date.now());
    }));

  test("of the future is not used, that is said once, and it stays out of what was seen", () =>
    withFile([kept({ revision: Date.now() + HOUR_MS })], async ({ open, log }) => {
      const fallback = open();
      assert.deepEqual([...fallback.seen], []);
      await assert.rejects(read(fallback, sourceOf(AWAY)), /has nothing for this source/);
      fallback.behind([sourceOf(AWAY)]);
      fallback.keep([opened()]);
      assert.deepEqual([...fallback.seen], [[URI, 5]]);
      assert.equal(
        log.filter((line) => /warning: .*its revision of s3:\/\/b\/k is of the future/.test(line)).length,
        1,
      );
    }));

  test("in a file that cannot be used or written is a warning, and no failure", () =>
    withFile([kept()], async ({ open, file, log }) => {
      chmodSync(file, 0o666);
      const fallback = open();
      assert.deepEqual([...fallback.seen], []);
      assert.match(
        log.join(""),
        /warning: --fallback: \S+: others than its owner could have written it\nsealexec: hint: remove it/,
      );
      writeFileSync(file, "a text of mine");
      fallback.behind([sourceOf(AWAY)]);
      fallback.keep([opened()]);
      assert.match(
        log.join(""),
        /warning: --fallback: \S+: it was not written by --fallback\nsealexec: hint: it stays/,
      );
      assert.equal(readFileSync(file, "utf8"), "a text of mine");
    }));

  test("nothing was opened: nothing is written", () =>
    withFile([], async ({ open, file }) => {
      open().keep([]);
      open().confirm(new Map());
      assert.ok(!existsSync(file));
    }));
});

describe("the file", () => {
  test("a revision is of the future by this machine's clock or the one by which it was kept", () => {
    const [now, minutes] = [Date.now(), 60_000];
    for (const [revision, confirmed, ahead] of [
      [now + 9 * minutes, 0, false],
      [now + 11 * minutes, 0, true],
      [now + 30 * minutes, now + 21 * minutes, false],
      [now + 30 * minutes, now + 19 * minutes, true],
      [undefined, 0, false],
    ] as const)
      assert.equal(isAhead({ revision, confirmed } as Kept), ahead);
  });

  test("that is not there, or in a folder that is not there, holds nothing", () =>
    withFolder(async (folder) => {
      assert.deepEqual(readKept(join(folder, "none"), uid), []);
      assert.deepEqual(readKept(join(folder, "none/none"), uid), []);
      refuses(() => writeKept(join(folder, "none/none"), uid, []), "config", /cannot be written \(ENOENT\)$/);
    }));

  test("in a folder that others can write to is neither read nor written", () =>
    withFolder(async (folder) => {
      const file = join(folder, "kept");
      writeKept(file, uid, [kept()]);
      for (const mode of [0o770, 0o777, 0o1777]) {
        chmodSync(folder, mode);
        const { hint } = refuses(() => readKept(file, uid), "config", /^others can write to its folder /);
        assert.equal(
          hint,
          `name a file in a folder that only this user can write to: mkdir -m 700 ${folder}/sealexec`,
        );
        const { message } = refuses(() => writeKept(file, uid, []), "config");
        assert.equal(message, `${file}: others can write to its folder ${folder}`);
      }
      chmodSync(folder, 0o755);
      assert.equal(readKept(file, uid).length, 1);
    }));

  test("of another user is neither read nor replaced", { skip: uid !== 0 && "needs root" }, () =>
    withFolder(async (folder) => {
      const file = join(folder, "kept");
      writeKept(file, uid, [kept()]);
      chownSync(file, 12_345, 12_345);
      const stays = "it stays as it is: name another file";
      for (const use of [() => readKept(file, uid), () => writeKept(file, uid, [])]) {
        const { message, hint } = refuses(use, "config");
        assert.deepEqual([message.replace(`${file}: `, ""), hint], ["it belongs to another user", stays]);
      }
    }),
  );

  test("that is empty may be replaced, and is no such file", () =>
    withFolder(async (folder) => {
      const file = join(folder, "kept");
      writeFileSync(file, "", { mode: 0o600 });
      refuses(() => readKept(file, uid), "data", /^it is damaged/);
      writeKept(file, uid, [kept()]);
      assert.equal(readKept(file, uid).length, 1);
      mkdirSync(join(folder, "folder"));
      refuses(() => readKept(join(folder, "folder"), uid), "config", /^it is not a regular file$/);
      refuses(() => readKept(join(file, "x"), uid), "config", /^it cannot be read \(ENOTDIR\)$/);
    }));
});

/** A sealed file on this machine: read, looked at, found by a push, and written over only what was expected. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { parseSource } from "../../../../src/stores/registry.ts";
import { printSealedText } from "../../../../src/stores/sealed-file/text.ts";
import { findSealedFile, writeSealedFile } from "../../../../src/stores/sealed-file/write.ts";
import type { ExpectedText } from "../../../../src/stores/sealed-file/write.ts";
import type { Tools } from "../../../../src/stores/source.ts";
import { withFolder } from "../../../e2e/expect.ts";
import { refuses } from "../../refuses.ts";

const TOOLS = {} as Tools;
const METADATA = { "x-amz-c": "115", "x-amz-3": "key" };
const SEALED = { metadata: METADATA, body: Buffer.alloc(100, "x") };
const OTHER = { metadata: METADATA, body: Buffer.alloc(3, "y") };
const TEXT = printSealedText(SEALED);
const ABSENT = { kind: "absent" } as const;

const refOf = (path: string) => ({ path, name: "app" });
const etagOf = (text: string): string => `"${createHash("sha256").update(text).digest("hex")}"`;

test("a file has one text: its first line, its fields by name, and its body in lines of 76", () => {
  assert.equal(
    TEXT,
    [
      "sealexec sealed file 1",
      "x-amz-3: key",
      "x-amz-c: 115",
      "",
      "eHh4".repeat(19),
      `${"eHh4".repeat(14)}eA==`,
      "",
    ].join("\n"),
  );
});

describe("a source", () => {
  test("has the place of its name, asks KMS alone, and shows its changes in its folder", () =>
    withFolder(async (folder) => {
      const path = join(folder, "a.sealed");
      writeFileSync(path, TEXT);
      const source = await parseSource(`file:${path}?name=app&format=json`);
      assert.deepEqual([source.uri, source.gives, source.dialect], [`file:${path}`, "sealed", "json"]);
      assert.deepEqual([source.folders, source.place, source.dated], [[folder], undefined, undefined]);
      assert.deepEqual([source.aws?.home, source.aws?.onlyKms, source.aws?.region], ["KMS", true, undefined]);
      const urls = source.aws?.urls("eu-west-1", "eu-north-1", {}).map(String);
      assert.deepEqual(urls, ["https://kms.eu-north-1.amazonaws.com/"]);
      const content = await source.read(TOOLS);
      assert.ok(content.kind === "sealed");
      const { sealed } = content;
      assert.deepEqual({ ...sealed.metadata }, METADATA);
      assert.deepEqual(Buffer.from(sealed.body), SEALED.body);
      assert.deepEqual(
        [sealed.etag, sealed.place, sealed.located, sealed.date, sealed.lastModified, sealed.instructionFile],
        [etagOf(TEXT), "file:app", source.aws, undefined, undefined, undefined],
      );
      assert.ok(!("dialect" in (await parseSource(`file:${path}`))));
    }));

  test("is the same until it is written or replaced, and is missing once it is gone", () =>
    withFolder(async (folder) => {
      const path = join(folder, "a.sealed");
      writeFileSync(path, TEXT);
      const source = await parseSource(`file:${path}`);
      const { validator = "" } = await source.read(TOOLS);
      assert.equal(await source.look?.(validator, TOOLS), undefined);
      writeSealedFile(refOf(path), OTHER, { kind: "etag", etag: etagOf(TEXT) });
      const after = await source.look?.(validator, TOOLS);
      assert.ok(after !== undefined && after !== validator);
      assert.equal((await source.read(TOOLS)).validator, after);
      rmSync(path);
      assert.ok(source.look !== undefined);
      await assert.rejects(source.look(validator, TOOLS), { kind: "missing", message: "no such file" });
    }));

  test("that cannot be read says why and what to do", () =>
    withFolder(async (folder) => {
      const [file, large, fifo] = ["file", "large", "fifo"].map((name) => join(folder, name));
      writeFileSync(file ?? "", "A=1\n");
      writeFileSync(large ?? "", Buffer.alloc(6 * 1024 * 1024 + 1, "x"));
      execFileSync("mkfifo", [fifo ?? ""]);
      for (const [path, kind, message, hint] of [
        [`${folder}/none`, "missing", "no such file", /^check the path, from the working directory$/],
        [`${file}/none`, "missing", "no such file", /^check the path/],
        [`${folder}/none?nmae=x`, "missing", "no such file", /^did you mean name\? if not, check the path/],
        [fifo, "config", "not a regular file", /^name a sealed file$/],
        ["/dev/zero", "config", "not a regular file", /^name a sealed file$/],
        [folder, "config", "cannot be read (EISDIR)", /^check its mode/],
        [large, "data", "larger than 6291456 bytes", /^it is not a sealed \.env$/],
        [file, "data", 'not a sealed file: its first line is not "sealexec sealed file 1"', /env-file:PATH$/],
      ] as const) {
        await assert.rejects((await parseSource(`file:${path}`)).read(TOOLS), (error: unknown) => {
          const { kind: what, message: said, hint: way } = error as Record<string, unknown>;
          assert.deepEqual([what, said], [kind, message]);
          assert.match(String(way), hint);
          return true;
        });
      }
      writeFileSync(large ?? "", Buffer.alloc(6 * 1024 * 1024, "x"));
      await assert.rejects((await parseSource(`file:${large}`)).read(TOOLS), {
        message: /^not a sealed file/,
      });
    }));
});

describe("what a push finds", () => {
  test("nothing, a sealed file, or what is none", () =>
    withFolder(async (folder) => {
      const path = join(folder, "a.sealed");
      assert.deepEqual(await findSealedFile(refOf(path), TOOLS), ABSENT);
      writeFileSync(path, TEXT);
      const found = await findSealedFile(refOf(path), TOOLS);
      assert.ok(found.kind === "there");
      assert.deepEqual(
        [found.etag, found.object.etag, found.object.place],
        [etagOf(TEXT), etagOf(TEXT), "file:app"],
      );
      assert.deepEqual(Buffer.from(found.object.body), SEALED.body);
      writeFileSync(path, "A=ż\n");
      const plain = await findSealedFile(refOf(path), TOOLS);
      assert.ok(plain.kind === "unreadable");
      assert.equal(plain.etag, etagOf("A=ż\n"));
      assert.match(plain.why, /^not a sealed file/);
    }));

  test("a path that is a slip in a parameter's name is not made, and one that is there is taken", () =>
    withFolder(async (folder) => {
      const path = join(folder, "a?nmae=b");
      await assert.rejects(findSealedFile(refOf(path), TOOLS), { kind: "usage", message: /: nmae$/ });
      writeFileSync(path, TEXT);
      assert.equal((await findSealedFile(refOf(path), TOOLS)).kind, "there");
    }));

  test("what is not ours to replace is refused", () =>
    withFolder(async (folder) => {
      const [path, link] = [join(folder, "a.sealed"), join(folder, "link")];
      writeFileSync(path, TEXT);
      symlinkSync(path, link);
      for (const [at, message] of [
        [link, "is not a regular file, and is not replaced"],
        [folder, "is not a regular file, and is not replaced"],
        [join(path, "x"), "cannot be written (ENOTDIR)"],
      ] as const)
        await assert.rejects(findSealedFile(refOf(at), TOOLS), { kind: "config", message });
    }));
});

describe("a write", () => {
  /** What is there before, and what is expected. */
  const CASES: readonly (readonly [string, string | undefined, ExpectedText, RegExp | undefined])[] = [
    ["nothing, over nothing", undefined, ABSENT, undefined],
    ["what was expected", TEXT, { kind: "etag", etag: etagOf(TEXT) }, undefined],
    ["something, where nothing was expected", TEXT, ABSENT, /^there is a file already$/],
    ["another", "theirs", { kind: "etag", etag: etagOf(TEXT) }, /^the file is no longer the one expected$/],
    [
      "nothing, where there was one",
      undefined,
      { kind: "etag", etag: etagOf(TEXT) },
      /^the file is no longer/,
    ],
  ];
  for (const [name, before, expected, conflict] of CASES) {
    test(`over ${name}`, () =>
      withFolder(async (folder) => {
        const path = join(folder, "a.sealed");
        if (before !== undefined) writeFileSync(path, before, { mode: 0o600 });
        const write = (): string => writeSealedFile(refOf(path), OTHER, expected);
        if (conflict === undefined) {
          assert.equal(write(), etagOf(printSealedText(OTHER)));
          assert.equal(readFileSync(path, "utf8"), printSealedText(OTHER));
        } else {
          const { hint } = refuses(write, "conflict", conflict);
          assert.match(hint ?? "", /^somebody was quicker: .*; nothing was overwritten$/);
          if (before !== undefined) assert.equal(readFileSync(path, "utf8"), before);
        }
        assert.deepEqual(
          readdirSync(folder),
          before === undefined && conflict !== undefined ? [] : ["a.sealed"],
        );
      }));
  }

  test("into a folder that is not there, or over what is not ours, says so by the name that was given", () =>
    withFolder(async (folder) => {
      const { message, hint } = refuses(
        () => writeSealedFile(refOf(join(folder, "none/a")), OTHER, ABSENT),
        "config",
      );
      assert.deepEqual([message, hint], ["cannot be written (ENOENT)", `mkdir -p ${folder}/none`]);
      mkdirSync(join(folder, "d"));
      const etag = { kind: "etag", etag: etagOf(TEXT) } as const;
      refuses(
        () => writeSealedFile(refOf(join(folder, "d")), OTHER, etag),
        "config",
        /^is not a regular file/,
      );
      assert.deepEqual(readdirSync(folder), ["d"]);
    }));

  test("is for others to read as far as the umask lets them, and keeps its folder as it is", () =>
    withFolder(async (folder) => {
      chmodSync(folder, 0o700);
      const before = process.umask(0);
      try {
        writeSealedFile(refOf(join(folder, "a")), OTHER, ABSENT);
      } finally {
        process.umask(before);
      }
      assert.equal(statSync(join(folder, "a")).mode & 0o7777, 0o644);
      assert.equal(statSync(folder).mode & 0o7777, 0o700);
    }));
});

/** What the URIs of what is mounted give: read, looked at again, and watched, all as files are changed. */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { SealexecError } from "../../../../src/base/errors.ts";
import { accessing } from "../../../../src/stores/mounted/failure.ts";
import { readMember, readMounted } from "../../../../src/stores/mounted/read.ts";
import { parseSource } from "../../../../src/stores/registry.ts";
import type { Content, StoreSource, Tools } from "../../../../src/stores/source.ts";
import { withFolder } from "../../../e2e/expect.ts";
import { makeContext, refuses } from "../../refuses.ts";

const mode = 0o600;
const { context } = makeContext();
context.deadline.clear();
const tools = { context } as Tools;

/** What it gives, as text. */
async function shown(source: StoreSource): Promise<unknown> {
  const content: Content = await source.read(tools);
  assert.equal(content.kind, source.gives);
  assert.ok(content.kind !== "sealed");
  if (content.kind === "text") return Buffer.from(content.bytes).toString();
  return Object.fromEntries([...content.variables].map(([name, value]) => [name, value.reveal()]));
}

async function validatorOf(source: StoreSource): Promise<string> {
  const { validator } = await source.read(tools);
  return validator ?? assert.fail("it cannot be looked at again");
}

function look(source: StoreSource, validator: string): Promise<string | undefined> {
  assert.ok(source.look !== undefined);
  return source.look(validator, tools);
}

describe("a source that is mounted", () => {
  test("wants nothing of AWS, gives what its scheme says, and shows its changes in a folder", () =>
    withFolder(async (folder) => {
      mkdirSync(join(folder, "d"));
      writeFileSync(join(folder, "a.env"), "A=1\n", { mode });
      writeFileSync(join(folder, "a.json"), '{"db":{"A":1}}', { mode });
      writeFileSync(join(folder, "d/db-a"), "1\n", { mode });
      for (const [uri, gives, dialect, watched, content] of [
        [`env-file:${folder}/a.env`, "text", "dotenv", folder, "A=1\n"],
        [`env-file:${folder}/a.json?format=json`, "text", "json", folder, '{"db":{"A":1}}'],
        [`json-file:${folder}/a.json#db`, "variables", undefined, folder, { A: "1" }],
        [`json-file:${folder}/a.json?flatten=__`, "variables", undefined, folder, { db__A: "1" }],
        [`dir:${folder}/d?upper&raw`, "variables", undefined, `${folder}/d`, { DB_A: "1\n" }],
      ] as const) {
        const source = await parseSource(uri);
        assert.deepEqual(
          [source.uri, source.gives, source.dialect, source.folders, source.aws, source.place, source.dated],
          [uri, gives, dialect, [watched], undefined, undefined, undefined],
        );
        assert.deepEqual(await shown(source), content);
      }
    }));

  test("is the same until it is changed, and then another: written, replaced, touched", () =>
    withFolder(async (folder) => {
      const file = join(folder, "a");
      writeFileSync(file, '{"A":1}', { mode });
      for (const uri of [`env-file:${file}`, `json-file:${file}`]) {
        const source = await parseSource(uri);
        let before = await validatorOf(source);
        assert.equal(await look(source, before), undefined);
        for (const change of [
          () => writeFileSync(file, '{"A":22}'),
          () => {
            writeFileSync(`${file}.new`, '{"A":33}', { mode });
            renameSync(`${file}.new`, file);
          },
        ]) {
          change();
          const after = await look(source, before);
          assert.ok(after !== undefined && after !== before);
          assert.equal(await validatorOf(source), after);
          before = after;
        }
        rmSync(file);
        await assert.rejects(look(source, before), { kind: "missing", message: "no such file or folder" });
        writeFileSync(file, '{"A":1}', { mode });
      }
    }));

  test("a folder is another after a file was added, changed, removed or renamed, and not for a dot file", () =>
    withFolder(async (folder) => {
      const at = (name: string): string => join(folder, name);
      writeFileSync(at("A"), "1", { mode });
      writeFileSync(at("C"), "3", { mode });
      const source = await parseSource(`dir:${folder}`);
      let before = await validatorOf(source);
      writeFileSync(at(".swp"), "x");
      assert.equal(await look(source, before), undefined);
      for (const change of [
        () => writeFileSync(at("B"), "2", { mode }),
        () => writeFileSync(at("B"), "22"),
        () => renameSync(at("B"), at("D")),
        () => rmSync(at("A")),
      ]) {
        change();
        const after = await look(source, before);
        assert.ok(after !== undefined && after !== before);
        assert.equal(await validatorOf(source), after);
        before = after;
      }
      rmSync(folder, { recursive: true });
      await assert.rejects(look(source, before), { kind: "missing" });
      writeFileSync(folder, "");
      await assert.rejects(look(source, before), { kind: "config", message: /^a file, where a folder/ });
      rmSync(folder);
    }));

  test("JSON is wiped once it is read, also if it is none", () =>
    withFolder(async (folder) => {
      const file = join(folder, "a.json");
      for (const text of ['{"A":"canary-41"}', '{"A":"canary-41"']) {
        writeFileSync(file, text, { mode });
        const made: Buffer[] = [];
        const { concat } = Buffer;
        Buffer.concat = (parts, length) => {
          const joined = concat(parts, length);
          made.push(joined, ...(parts as Buffer[]));
          return joined;
        };
        try {
          await Promise.allSettled([(await parseSource(`json-file:${file}`)).read(tools)]);
        } finally {
          Buffer.concat = concat;
        }
        assert.ok(made.length > 1);
        for (const buffer of made) assert.ok(!buffer.includes("canary"), "it is still there");
      }
    }));
});

describe("a pipe", () => {
  test("is read to its end, in order, and cannot be looked at again", () =>
    withFolder(async (folder) => {
      const fifo = join(folder, "fifo");
      execFileSync("mkfifo", ["-m", "666", fifo]);
      const text = `A=${"x".repeat(200_000)}\nB=end\n`;
      writeFileSync(join(folder, "text"), text);
      writeFileSync(join(folder, "json"), '{"A":1}');
      for (const [scheme, from] of [
        ["env-file", "text"],
        ["json-file", "json"],
      ] as const) {
        const source = await parseSource(`${scheme}:${fifo}`);
        const cat = spawn("sh", ["-c", `cat '${join(folder, from)}' > '${fifo}'`]);
        const content = await source.read(tools);
        cat.kill();
        assert.equal(content.validator, undefined);
        if (content.kind === "text") assert.equal(Buffer.from(content.bytes).toString(), text);
        else assert.ok(content.kind === "variables" && content.variables.get("A")?.reveal() === "1");
      }
    }));

  test("that nobody writes to ends with the deadline, and one that is too long at the limit", () =>
    withFolder(async (folder) => {
      const fifo = join(folder, "fifo");
      execFileSync("mkfifo", [fifo]);
      const { context: brief } = makeContext({}, 1);
      await assert.rejects(readMounted(fifo, brief), {
        kind: "timeout",
        message: "the pipe did not end within the deadline of 0.001 s: nobody wrote to it",
      });
      const writer = spawn("sh", ["-c", `printf 12345 > '${fifo}'`]);
      const large = { kind: "data", message: "larger than 4 bytes" };
      await assert.rejects(readMounted(fifo, context, 4), large);
      writer.kill();
    }));
});

describe("one file", () => {
  test("is read up to its limit, and not one byte more", () =>
    withFolder(async (folder) => {
      const file = join(folder, "a");
      for (const size of [0, 1, 65_535, 65_536, 65_537, 200_000]) {
        const bytes = Buffer.alloc(size, "0123456789");
        writeFileSync(file, bytes, { mode });
        const read = await readMounted(file, context, size);
        assert.deepEqual(Buffer.from(read.bytes), bytes);
        assert.deepEqual([read.stats.size, read.stats.mode & 0o777], [size, mode]);
        assert.deepEqual(Buffer.from(readMember(file, "A", size).bytes), bytes);
        if (size === 0) continue;
        const { message, hint } = await readMounted(file, context, size - 1).then(
          () => assert.fail(),
          (error: unknown) => error as SealexecError,
        );
        assert.deepEqual(
          [message, hint],
          [`larger than ${size - 1} bytes`, "it holds no variables; check the path"],
        );
        const member = refuses(() => readMember(file, "A", size - 1), "data");
        assert.equal(member.message, "A: larger than an environment variable can be");
      }
    }));

  test("of four MiB is the largest", () =>
    withFolder(async (folder) => {
      const file = join(folder, "a");
      writeFileSync(file, Buffer.alloc(4 * 1024 * 1024, "x"), { mode });
      assert.equal((await readMounted(file, context)).bytes.length, 4_194_304);
      writeFileSync(file, "x", { flag: "a" });
      await assert.rejects(readMounted(file, context), {
        kind: "data",
        message: "larger than 4194304 bytes",
      });
    }));

  test("is found through links, and nothing but a file or a pipe is one", () =>
    withFolder(async (folder) => {
      writeFileSync(join(folder, "a"), "x", { mode });
      symlinkSync("a", join(folder, "link"));
      symlinkSync("circle", join(folder, "circle"));
      assert.equal(Buffer.from((await readMounted(join(folder, "link"), context)).bytes).toString(), "x");
      for (const [path, kind, message, hint] of [
        [folder, "config", "a folder, where a file is expected", /dir:PATH$/],
        ["/dev/null", "config", "a device or socket, where a file is expected", /dir:PATH$/],
        [join(folder, "circle"), "config", "its links lead in a circle", /^name the file itself$/],
        [
          join(folder, "none"),
          "missing",
          "no such file or folder",
          /^check the path, and that it is mounted/,
        ],
        [join(folder, "a/b"), "missing", "no such file or folder", /^check the path/],
        [join(folder, "x".repeat(300)), "config", "its path is too long", /^check the path$/],
      ] as const) {
        await assert.rejects(readMounted(path, context), (error: unknown) => {
          assert.ok(error instanceof SealexecError);
          assert.deepEqual([error.kind, error.message], [kind, message]);
          assert.match(error.hint ?? "", hint);
          return true;
        });
        const member = refuses(() => readMember(path, "NAME", 10), kind);
        assert.equal(member.message, `NAME: ${message}`);
        if (kind === "config" && message.includes("expected"))
          assert.match(member.hint ?? "", /--from dir:PATH of its own$/);
      }
    }));
});

test("what the system said of a path is said in words, by name, and what is none of it is left as it is", () => {
  const failing = (code: string) => () => {
    throw Object.assign(new Error("canary"), { code });
  };
  for (const [code, kind, what, hint] of [
    ["EACCES", "config", "permission denied", /its owner and mode/],
    ["EPERM", "config", "permission denied", /^a security policy/],
    ["ELOOP", "config", "its links lead in a circle", /name the file itself/],
    ["ENAMETOOLONG", "config", "its path is too long", /check the path/],
    ["EIO", "config", "cannot be read (EIO)", /what is mounted there/],
    ["ENOENT", "missing", "no such file or folder", /mounted where sealexec runs/],
    ["ENOTDIR", "missing", "no such file or folder", /mounted where sealexec runs/],
  ] as const) {
    for (const name of [undefined, "NAME"]) {
      const error = refuses(() => accessing(failing(code), name), kind);
      assert.equal(error.message, `${name === undefined ? "" : "NAME: "}${what}`);
      assert.match(error.hint ?? "", hint);
      assert.equal((error.cause as Error).message, "canary");
    }
  }
  const own = new SealexecError("data", "own");
  for (const error of [own, new Error("bug")]) {
    const throwing = (): never => {
      throw error;
    };
    assert.throws(
      () => accessing(throwing),
      (thrown: unknown) => thrown === error,
    );
  }
  assert.equal(
    accessing(() => 3),
    3,
  );
});

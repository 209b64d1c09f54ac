/** `--fallback`: what S3 had last, kept sealed, for a start while S3 is away, and for nothing else. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
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
import type { Rule } from "../aws/faults.ts";
import type { Aws } from "../aws/server.ts";
import { isRoot } from "./exec/programs.ts";
import { RAN, SAY, assertFailed, flipBodyBit, withFolder } from "./expect.ts";
import { FOREIGN } from "./foreign.ts";
import { ARTEFACTS, BUCKET, KEY, push, putSealed, sealexec, withAws } from "./harness.ts";
import type { Artefact, Outcome } from "./harness.ts";

const CANARY = "canary-5d1f0c";

interface Place {
  readonly aws: Aws;
  readonly file: string;
  readonly folder: string;
  readonly uri: string;
  run(...flags: string[]): Promise<Outcome>;
}

/** An object, and a place for the file. CMD prints A. */
function withPlace(work: (place: Place) => Promise<void>, artefact?: Artefact): Promise<void> {
  return withFolder((folder) =>
    withAws(async (aws) => {
      const uri = await push(aws, "app.env", `A=${CANARY}\n`);
      const file = join(folder, "kept");
      const run = (...flags: string[]): Promise<Outcome> =>
        sealexec(
          [
            "run",
            "--key",
            KEY,
            "--from",
            uri,
            "--fallback",
            file,
            "--timeout",
            "4",
            ...flags,
            "--",
            "printenv",
            "A",
          ],
          { env: aws.env(), ...(artefact === undefined ? {} : { artefact }) },
        );
      await work({ aws, file, folder, uri, run });
    }),
  );
}

const LEAVE_SOCKET = "require('net').createServer().listen(process.argv[1], () => process.exit())";

/** What any user may have by mistake where the file is to be. */
const NOT_OURS: readonly ((file: string) => void)[] = [
  (file) => writeFileSync(file, "a text of mine\n"),
  (file) => writeFileSync(file, '{"format":"x"}'),
  (file) => void execFileSync("mkfifo", ["-m", "600", file]),
  (file) => symlinkSync("nowhere", file),
  (file) => void execFileSync(process.execPath, ["-e", LEAVE_SOCKET, file]),
];

function stateOf(file: string): readonly unknown[] {
  const { dev, ino, mode, uid, size, mtimeMs } = lstatSync(file);
  return [dev, ino, mode, uid, size, mtimeMs];
}

const AWAY: Readonly<Record<string, Rule>> = {
  "resets connections": { service: "s3", action: "resetOnConnect" },
  "is silent": { service: "s3", operation: "GetObject", action: "silent" },
  "keeps failing": { service: "s3", operation: "GetObject", action: "status", status: 503 },
  throttles: { service: "s3", operation: "GetObject", action: "status", status: 503, code: "SlowDown" },
  "cuts its answers": { service: "s3", operation: "GetObject", action: "closeMidBody" },
};

for (const artefact of ARTEFACTS) {
  describe(`${artefact.name}: --fallback`, { concurrency: 2 }, () => {
    test("keeps what S3 had, sealed, and opens it by KMS while S3 is away", () =>
      withPlace(async ({ aws, file, run }) => {
        assert.deepEqual(await run(), { status: 0, signal: null, stdout: `${CANARY}\n`, stderr: "" });
        assert.equal(statSync(file).mode & 0o777, 0o600);
        assert.ok(!readFileSync(file, "utf8").includes(CANARY));
        const fault = aws.faults.add({ service: "s3", action: "resetOnConnect" });
        await fault.ready;
        aws.resetCalls();
        const { status, stdout, stderr } = await run();
        assert.deepEqual([status, stdout], [0, `${CANARY}\n`]);
        assert.match(
          stderr,
          /^sealexec: warning: object: s3:\S+ GetObject: .*cannot be reached \(ECONNRESET\); using the fallback, \d+ s old\n$/,
        );
        assert.equal(aws.count("kms", "Decrypt"), 1);
      }, artefact));
  });
}

describe("--fallback: when it is used", { concurrency: 2 }, () => {
  for (const [how, rule] of Object.entries(AWAY)) {
    test(`where S3 ${how}`, () =>
      withPlace(async ({ aws, run }) => {
        await run();
        const fault = aws.faults.add(rule);
        await fault.ready;
        const { status, stdout, stderr } = await run();
        assert.deepEqual([status, stdout], [0, `${CANARY}\n`], stderr);
        assert.match(stderr, /using the fallback/);
      }));
  }

  for (const [what, spoil, status, error] of [
    ["forbids", (aws: Aws) => aws.s3.deny("GetObject"), 77, /missing or forbidden/],
    [
      "says that it is gone",
      (aws: Aws) => {
        const bucket = aws.s3.buckets.get(BUCKET);
        if (bucket !== undefined) aws.s3.remove(bucket, "app.env");
      },
      66,
      /no such object/,
    ],
    [
      "has something else",
      (aws: Aws) => flipBodyBit(aws, "app.env"),
      65,
      /authentication tag does not match/,
    ],
    ["cannot be asked with these credentials", (aws: Aws) => void (aws.imds.role = undefined), 77, /no role/],
  ] as const) {
    test(`never where S3 ${what}`, () =>
      withPlace(async ({ aws, file, run }) => {
        await run();
        const before = readFileSync(file, "utf8");
        spoil(aws);
        assertFailed(await run(), status, error);
        assert.equal(readFileSync(file, "utf8"), before);
      }));
  }

  test("never where KMS does not open it", () =>
    withPlace(async ({ aws, run }) => {
      await run();
      const fault = aws.faults.add({ service: "s3", action: "resetOnConnect" });
      await fault.ready;
      aws.kms.deny("Decrypt");
      const { status, stdout, stderr } = await run();
      assert.deepEqual([status, stdout], [77, ""]);
      assert.match(stderr, /sealexec: error: key: .*KMS denies the use of this key/);
    }));

  test("not where it is older than it may be, and that is said", () =>
    withPlace(async ({ aws, file, run }) => {
      await run();
      const old = new Date(Date.now() - 3 * 3_600_000).toISOString();
      writeFileSync(
        file,
        readFileSync(file, "utf8").replace(/"confirmed": "[^"]*"/, `"confirmed": "${old}"`),
      );
      const fault = aws.faults.add({ service: "s3", action: "resetOnConnect" });
      await fault.ready;
      assertFailed(
        await run("--fallback-age", "2h"),
        69,
        /cannot be reached .*; and the fallback is 3 h old$/,
        /--fallback-age/,
      );
      assert.equal((await run("--fallback-age", "4h")).status, 0);
    }));

  test("not where it was confirmed as far in the future, and that is said", () =>
    withPlace(async ({ aws, file, run }) => {
      await run();
      const ahead = new Date(Date.now() + 3 * 3_600_000 + 60_000).toISOString();
      writeFileSync(
        file,
        readFileSync(file, "utf8").replace(/"confirmed": "[^"]*"/, `"confirmed": "${ahead}"`),
      );
      const fault = aws.faults.add({ service: "s3", action: "resetOnConnect" });
      await fault.ready;
      assertFailed(
        await run("--fallback-age", "2h"),
        69,
        /cannot be reached .*; and the fallback was confirmed at a time that is 3 h ahead$/,
        /clock/,
      );
      const { status, stderr } = await run("--fallback-age", "4h");
      assert.equal(status, 0);
      assert.match(
        stderr,
        /^sealexec: warning: object: s3:.*; using the fallback, confirmed at a time that is 3 h ahead\nsealexec: hint: .*clock.*\n$/,
      );
    }));

  test("using it does not make it younger", () =>
    withPlace(async ({ aws, file, run }) => {
      await run();
      const before = readFileSync(file, "utf8");
      const fault = aws.faults.add({ service: "s3", action: "resetOnConnect" });
      await fault.ready;
      for (let starts = 0; starts < 2; starts += 1) {
        assert.equal((await run()).status, 0);
        assert.equal(readFileSync(file, "utf8"), before);
      }
    }));

  test("without a file there is nothing to fall back on", () =>
    withPlace(async ({ aws, file, run }) => {
      const fault = aws.faults.add({ service: "s3", action: "resetOnConnect" });
      await fault.ready;
      const none = new RegExp(`cannot be reached .*; and the fallback ${file} has nothing for this source$`);
      assertFailed(await run(), 69, none, /check the endpoint.*; a start while S3 answers keeps it there$/);
      assert.ok(!existsSync(file));
    }));

  test("where it holds others of the sources only, that is said of the one that it does not hold", () =>
    withPlace(async ({ aws, file, uri, run }) => {
      await run();
      const other = await push(aws, "other.env", "B=2\n");
      const fault = aws.faults.add({ service: "s3", action: "resetOnConnect" });
      await fault.ready;
      const { status, stderr } = await run("--from", other);
      assert.equal(status, 69);
      const errors = stderr.split("\n").filter((line) => line.includes("error"));
      assert.deepEqual(errors.length, 1);
      assert.ok(errors[0]?.startsWith(`sealexec: error: object: ${other}: `), stderr);
      assert.ok(errors[0]?.endsWith(`; and the fallback ${file} has nothing for this source`), stderr);
      assert.equal((await run()).status, 0);
      assert.ok(!readFileSync(file, "utf8").includes(other) && readFileSync(file, "utf8").includes(uri));
    }));
});

describe("--fallback: what is kept", { concurrency: 2 }, () => {
  test("nothing older than what was kept is opened, wherever it comes from", () =>
    withPlace(async ({ aws, file, run }) => {
      const old = aws.s3.get(BUCKET, "app.env");
      assert.ok(old !== undefined);
      await push(aws, "app.env", "A=2\n");
      assert.equal((await run()).stdout, "2\n");
      const kept = readFileSync(file, "utf8");
      aws.s3.put(BUCKET, "app.env", old.body, old.metadata);
      assertFailed(await run(), 65, /it is revision \d+, and \d+ is the oldest that may be opened$/);
      assert.equal(readFileSync(file, "utf8"), kept);
      await push(aws, "app.env", "A=3\n");
      assert.equal((await run()).stdout, "3\n");
    }));

  test("--min-revision holds beside what was kept: the later of the two counts", () =>
    withPlace(async ({ aws, run }) => {
      putSealed(aws, "app.env", "A=5\n", 5);
      assert.equal((await run()).stdout, "5\n");
      assert.equal((await run("--min-revision", "5")).stdout, "5\n");
      const refused = /it is revision 5, and 6 is the oldest that may be opened$/;
      assertFailed(await run("--min-revision", "6"), 65, refused);
      putSealed(aws, "app.env", "A=6\n", 6);
      assert.equal((await run("--min-revision", "4")).stdout, "6\n");
      putSealed(aws, "app.env", "A=5\n", 5);
      assertFailed(await run("--min-revision", "4"), 65, refused);
    }));

  test("nothing older, by a machine that begins in the past and was right when it kept it", () =>
    withPlace(async ({ aws, file, run }) => {
      aws.clockOffsetMs = 3 * 3_600_000;
      const there = Date.now() + aws.clockOffsetMs;
      putSealed(aws, "app.env", "A=new\n", there);
      assert.equal((await run()).status, 0);
      const confirmed = `"confirmed": "${new Date(there).toISOString()}"`;
      writeFileSync(file, readFileSync(file, "utf8").replace(/"confirmed": "[^"]*"/, confirmed));
      putSealed(aws, "app.env", "A=old\n", there - 1_000);
      assertFailed(await run(), 65, /the oldest that may be opened/);
    }));

  test("another object of the same key, put into the file in its place, does not open", () =>
    withPlace(async ({ aws, file, run, folder }) => {
      await run();
      const other = join(folder, "other");
      const uri = await push(aws, "staging.env", "A=staging\n");
      await sealexec(["run", "--from", uri, "--fallback", other, "--", "true"], { env: aws.env() });
      writeFileSync(
        file,
        readFileSync(other, "utf8").replace(
          '"uri": "s3://app-secrets/staging.env"',
          '"uri": "s3://app-secrets/app.env"',
        ),
      );
      const fault = aws.faults.add({ service: "s3", action: "resetOnConnect" });
      await fault.ready;
      const { status, stdout, stderr } = await run();
      assert.deepEqual([status, stdout], [65, ""]);
      assert.match(stderr, /sealed for "s3:\/\/app-secrets\/staging.env", not for this object/);
    }));

  test("every flipped bit of it is refused", () =>
    withPlace(async ({ aws, file, run }) => {
      await run();
      const kept = JSON.parse(readFileSync(file, "utf8")) as { objects: { body: string }[] };
      const [object] = kept.objects;
      assert.ok(object !== undefined);
      const body = Buffer.from(object.body, "base64");
      const fault = aws.faults.add({ service: "s3", action: "resetOnConnect" });
      await fault.ready;
      for (const at of [0, body.length >> 1, body.length - 1]) {
        const changed = Buffer.from(body);
        changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
        object.body = changed.toString("base64");
        writeFileSync(file, JSON.stringify(kept));
        const { status, stdout } = await run("--timeout", "2");
        assert.deepEqual([status, stdout], [65, ""]);
      }
    }));

  for (const [what, spoil] of [
    ["damaged", (file: string) => writeFileSync(file, readFileSync(file, "utf8").slice(0, 200))],
    ["empty", (file: string) => writeFileSync(file, "")],
    ["of another version", (file: string) => writeFileSync(file, '{"format":"sealexec fallback 9"}')],
    ["open to others", (file: string) => chmodSync(file, 0o666)],
    ["open to a group", (file: string) => chmodSync(file, 0o620)],
    [
      "of a revision of the future",
      (file: string) =>
        writeFileSync(
          file,
          readFileSync(file, "utf8").replace(/"revision": \d+/, '"revision": 999999999999998'),
        ),
    ],
  ] as const) {
    test(`a file that is ${what} is said to be so, is not used, and is no hindrance`, () =>
      withPlace(async ({ aws, file, run }) => {
        await run();
        spoil(file);
        const fault = aws.faults.add({ service: "s3", action: "resetOnConnect" });
        await fault.ready;
        const { status, stdout, stderr } = await run("--timeout", "2");
        assert.deepEqual([status, stdout], [69, ""]);
        assert.match(stderr, /^sealexec: warning: --fallback: \S+: \S.*\nsealexec: hint: /);
        await fault.remove();
        const mended = await run();
        assert.deepEqual([mended.status, mended.stdout], [0, `${CANARY}\n`]);
        assert.equal((await run()).stderr, "");
      }));
  }

  test("what --fallback has not written is neither used nor replaced, that is said once, and CMD runs", () =>
    withPlace(async ({ aws, file, run }) => {
      await run();
      const kept = readFileSync(file);
      const another = (): void => {
        writeFileSync(file, kept);
        chownSync(file, 12_345, 12_345);
      };
      for (const make of [...NOT_OURS, ...(isRoot ? [...FOREIGN, another] : [])]) {
        rmSync(file, { recursive: true, force: true });
        make(file);
        const before = stateOf(file);
        const { status, stdout, stderr } = await run();
        assert.deepEqual([status, stdout], [0, `${CANARY}\n`]);
        assert.match(
          stderr,
          /^sealexec: warning: --fallback: \S+: it (is not a regular file|belongs to another user|was not written by --fallback)\nsealexec: hint: it stays as it is: name another file\n$/,
        );
        assert.deepEqual(stateOf(file), before);
      }
      const fault = aws.faults.add({ service: "s3", action: "resetOnConnect" });
      await fault.ready;
      assert.equal((await run("--timeout", "2")).status, 69);
    }));

  for (const [what, spoil] of [
    ["all can write", (folder: string) => chmodSync(folder, 0o777)],
    ["all can write, though each only his own", (folder: string) => chmodSync(folder, 0o1777)],
    ["a group can write", (folder: string) => chmodSync(folder, 0o770)],
    ["another user has", (folder: string) => chownSync(folder, 12_345, 12_345)],
  ] as const) {
    const skip = what === "another user has" && !isRoot ? "needs root" : false;
    test(`a file in a folder that ${what} is neither used nor written, and CMD runs`, { skip }, () =>
      withPlace(async ({ aws, file, folder, run }) => {
        await run();
        const before = readFileSync(file, "utf8");
        await push(aws, "app.env", `A=${CANARY}2\n`);
        spoil(folder);
        const { status, stdout, stderr } = await run();
        assert.deepEqual([status, stdout], [0, `${CANARY}2\n`]);
        assert.match(
          stderr,
          /^sealexec: warning: --fallback: \S+: others can write to its folder \S+\nsealexec: hint: \S.*\n$/,
        );
        assert.equal(readFileSync(file, "utf8"), before);
        const fault = aws.faults.add({ service: "s3", action: "resetOnConnect" });
        await fault.ready;
        const away = await run("--timeout", "2");
        assert.deepEqual([away.status, away.stdout], [69, ""]);
      }),
    );
  }

  test("a file that cannot be written is a warning, and CMD runs", () =>
    withPlace(async ({ folder, run }) => {
      const { status, stdout, stderr } = await run("--fallback", join(folder, "none", "kept"));
      assert.deepEqual([status, stdout], [0, `${CANARY}\n`]);
      assert.match(
        stderr,
        /^sealexec: warning: --fallback: \S+: cannot be written \(ENOENT\)\nsealexec: hint: /,
      );
    }));

  test("no link is followed, and no folder is written over", () =>
    withPlace(async ({ folder, file, run }) => {
      const target = join(folder, "target");
      writeFileSync(target, "precious");
      symlinkSync(target, file);
      assert.match((await run()).stderr, /it is not a regular file/);
      assert.equal(readFileSync(target, "utf8"), "precious");
      mkdirSync(join(folder, "is-a-folder"));
      assert.equal((await run("--fallback", join(folder, "is-a-folder"))).status, 0);
    }));

  test("several objects in one file, those of other stores not", () =>
    withPlace(async ({ aws, folder, file, uri }) => {
      const plain = join(folder, "plain.env");
      writeFileSync(plain, "B=plain-canary\n", { mode: 0o600 });
      const other = await push(aws, "other.env", "C=3\n");
      const args = ["run", "--from", uri, "--from", `env-file:${plain}`, "--from", other, "--fallback", file];
      const run = (): Promise<Outcome> => sealexec([...args, "--", ...SAY], { env: aws.env() });
      assert.equal((await run()).stdout, `${RAN}\n`);
      const kept = JSON.parse(readFileSync(file, "utf8")) as { objects: { uri: string }[] };
      assert.deepEqual(kept.objects.map((object) => object.uri).toSorted(), [uri, other].toSorted());
      assert.ok(!readFileSync(file, "utf8").includes("plain-canary"));
      const fault = aws.faults.add({ service: "s3", action: "resetOnConnect" });
      await fault.ready;
      assert.equal((await run()).stdout, `${RAN}\n`);
    }));

  test("what did not open is not kept", () =>
    withPlace(async ({ file, folder, run }) => {
      assertFailed(await run("--require", "NONE"), 65, /missing or empty: NONE/);
      assert.ok(!existsSync(file));
      assert.deepEqual(readdirSync(folder), []);
    }));

  test("without anything sealed in S3 there is nothing to keep", async () => {
    const outcome = await sealexec(["run", "--from", "env-file:/x", "--fallback", "/tmp/x", "--", "true"]);
    assertFailed(outcome, 64, /--fallback .* is for sealed objects in S3$/);
    const age = await sealexec(["run", "--from", "s3://b-b/k", "--fallback-age", "1h", "--", "true"]);
    assertFailed(age, 64, /--fallback-age is for --fallback$/);
  });
});

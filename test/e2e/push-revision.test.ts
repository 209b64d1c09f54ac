/** The revision that a push writes: larger than any honest one before it, whatever a writer of the bucket does. */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { Aws } from "../aws/server.ts";
import { assertFailed, assertPrinted, withFolder } from "./expect.ts";
import { BUCKET, KEY, putSealed, sealexec, withAws } from "./harness.ts";
import { URI, pulled, pushText, report, revisionOf } from "./pushing.ts";

const NAME = "app.env";
const HOUR_MS = 3_600_000;

/** What is there, as whoever may write to the bucket can take it and put it back. */
function taken(aws: Aws) {
  const object = aws.s3.get(BUCKET, NAME);
  assert.ok(object !== undefined);
  return { body: Buffer.from(object.body), metadata: { ...object.metadata } };
}

function forgeRevision(aws: Aws, revision: string): void {
  const { body, metadata } = taken(aws);
  const text = (metadata["x-amz-t"] ?? "").replace(/("sealexec:revision":")\d+"/, `$1${revision}"`);
  assert.ok(text.includes(`"${revision}"`));
  aws.s3.put(BUCKET, NAME, body, { ...metadata, "x-amz-t": text });
}

function remove(aws: Aws): void {
  const bucket = aws.s3.buckets.get(BUCKET);
  assert.ok(bucket !== undefined);
  aws.s3.remove(bucket, NAME);
}

/** What somebody does who can write to the bucket and has no key. */
const ATTACKS: Readonly<Record<string, (aws: Aws) => void>> = {
  "the object deleted": remove,
  "garbage in its place": (aws) => void aws.s3.put(BUCKET, NAME, Buffer.from("garbage")),
  "its revision forged to 1": (aws) => forgeRevision(aws, "1"),
  "its revision forged to the largest": (aws) => forgeRevision(aws, "999999999999998"),
  "garbage with a revision that is none": (aws) =>
    void aws.s3.put(BUCKET, NAME, Buffer.from("x"), { "x-amz-t": '{"sealexec:revision":"x"}' }),
};

describe("push: the revision, under attack", { concurrency: 2 }, () => {
  for (const [name, attack] of Object.entries(ATTACKS)) {
    for (const flags of [["--replace"], ["--create"]]) {
      // --create is for a place where there is nothing.
      if (flags[0] === "--create" && name !== "the object deleted") continue;
      test(`${name}: the next push ${flags.join(" ")} is newer all the same, and opens for who saw the last`, () =>
        withFolder((folder) =>
          withAws(async (aws) => {
            const fallback = ["--fallback", join(folder, "kept")];
            const start = (...more: string[]) =>
              sealexec(["run", "-f", URI, "--key", KEY, ...more, "--", "printenv", "A"], { env: aws.env() });
            revisionOf(await pushText(aws, "A=first\n"));
            const first = revisionOf(await pushText(aws, "A=leaked\n", "--replace"));
            const leaked = taken(aws);
            assertPrinted(await start(...fallback), "leaked\n");
            attack(aws);
            const second = revisionOf(await pushText(aws, "A=rotated\n", ...flags));
            assert.ok(second > first, `${second} after ${first}`);
            assertPrinted(await start(...fallback), "rotated\n");
            assertPrinted(await start("--min-revision", String(first + 1)), "rotated\n");
            // And so it goes on.
            attack(aws);
            const third = revisionOf(await pushText(aws, "A=third\n", ...flags));
            assert.ok(third > second, `${third} after ${second}`);
            assertPrinted(await start(...fallback), "third\n");
            // The old one, put back, is refused by who has seen the new one.
            aws.s3.put(BUCKET, NAME, leaked.body, leaked.metadata);
            assertFailed(await start(...fallback), 65, new RegExp(`it is revision ${first}, and ${third}`));
          }),
        ));
    }
  }

  test("after a rollback by copy, what the refusal says to do works", () =>
    withAws(async (aws) => {
      const first = revisionOf(await pushText(aws, "A=old\n"));
      const old = taken(aws);
      const second = revisionOf(await pushText(aws, "A=right\n", "--replace"));
      aws.s3.put(BUCKET, NAME, old.body, old.metadata);
      const start = () =>
        sealexec(["run", "-f", URI, "--key", KEY, "--min-revision", String(second), "--", "printenv", "A"], {
          env: aws.env(),
        });
      const refused = await start();
      assertFailed(refused, 65, new RegExp(`it is revision ${first}, and ${second} is the oldest`));
      const command = /sealexec push FILE URI --key KEY((?: --[a-z]+)+)/.exec(refused.stderr)?.[1];
      assert.ok(command !== undefined, refused.stderr);
      report(await pushText(aws, "A=right\n", ...command.trim().split(" ")));
      assertPrinted(await start(), "right\n");
      // Also where the content to go on with is the one that was put back.
      aws.s3.put(BUCKET, NAME, old.body, old.metadata);
      report(await pushText(aws, "A=old\n", ...command.trim().split(" ")));
      assertPrinted(await start(), "old\n");
    }));
});

describe("push: the revision", { concurrency: 2 }, () => {
  test("is the time, and more than the verified one before", () =>
    withAws(async (aws) => {
      const begun = Date.now();
      const first = revisionOf(await pushText(aws, "A=1\n", "--create"));
      assert.ok(first >= begun && first <= Date.now(), String(first - begun));
      const ahead = Date.now() + 5 * 60_000;
      assert.equal(revisionOf(await pushText(aws, "A=2\n", "--replace", "--revision", String(ahead))), ahead);
      assert.equal(revisionOf(await pushText(aws, "A=3\n", "--replace")), ahead + 1);
      const v2 = await pushText(aws, "A=4\n", "--replace", "--format", "v2");
      assert.equal(revisionOf(v2), ahead + 2);
      assert.equal(revisionOf(await pushText(aws, "A=5\n", "--replace")), ahead + 3);
    }));

  test("is S3's time where the local clock is off, also if there is nothing or it may not be read", () =>
    withAws(async (aws) => {
      aws.clockOffsetMs = -120_000;
      const pushed = async (...flags: string[]): Promise<void> => {
        const from = Math.floor((Date.now() + aws.clockOffsetMs) / 1_000) * 1_000;
        const revision = revisionOf(await pushText(aws, `A=${flags.length}${from}\n`, ...flags));
        assert.ok(revision >= from && revision <= Date.now() + aws.clockOffsetMs, String(revision - from));
      };
      await pushed();
      remove(aws);
      aws.s3.deny("GetObject");
      await pushed("--create");
      aws.s3.allow("GetObject");
      aws.clockOffsetMs = 120_000;
      await pushed("--replace");
    }));

  test("a claim counts for who may not decrypt, ten minutes ahead at most", () =>
    withAws(async (aws) => {
      report(await pushText(aws, "A=1\n"));
      aws.kms.deny("Decrypt");
      const near = Date.now() + 5 * 60_000;
      forgeRevision(aws, String(near));
      assert.equal(revisionOf(await pushText(aws, "A=2\n", "--replace")), near + 1);
      forgeRevision(aws, String(Date.now() + HOUR_MS));
      const far = revisionOf(await pushText(aws, "A=3\n", "--replace"));
      assert.ok(far <= Date.now(), String(far - Date.now()));
    }));

  test("a claim that cannot be read is none, and does not stop who may not decrypt", () =>
    withAws(async (aws) => {
      report(await pushText(aws, "A=1\n"));
      aws.kms.deny("Decrypt");
      // No reader looks at it: the context of a key that KMS wraps is in x-amz-t.
      for (const other of ["{", '{"sealexec:revision":"x"}']) {
        const { body, metadata } = taken(aws);
        aws.s3.put(BUCKET, NAME, body, { ...metadata, "x-amz-m": other });
        const revision = revisionOf(await pushText(aws, "A=2\n", "--replace"));
        assert.ok(revision <= Date.now(), String(revision - Date.now()));
      }
    }));

  test("of what another key sealed, or is bound elsewhere, does not count", () =>
    withAws(async (aws) => {
      aws.kms.createKey({ alias: "other" });
      const ahead = String(Date.now() + 5 * 60_000);
      for (const [uri, key] of [
        [URI, "alias/other"],
        [`s3://${BUCKET}/elsewhere.env`, KEY],
      ] as const) {
        const args = ["push", "-", uri, "--key", key, "--replace", "--revision", ahead];
        assert.equal((await sealexec(args, { env: aws.env(), input: "A=1\n" })).status, 0);
        const made = aws.s3.get(BUCKET, uri.slice(`s3://${BUCKET}/`.length));
        assert.ok(made !== undefined);
        aws.s3.put(BUCKET, NAME, made.body, made.metadata);
        assert.ok(revisionOf(await pushText(aws, "A=2\n", "--replace")) < Number(ahead));
      }
    }));

  test("of what is bound to no place does not count, though the same key has sealed it", () =>
    withAws(async (aws) => {
      // By another program: push gives what it does not bind no revision.
      const ahead = Date.now() + 5 * 60_000;
      putSealed(aws, NAME, "A=1\n", ahead, null);
      const next = await pushText(aws, "A=2\n", "--replace");
      assert.match(next.stderr, /^sealexec: warning: s3:\S+ this push will bind it to its place\n$/);
      assert.ok(revisionOf(next) < ahead);
      assertPrinted(await pulled(aws), "A=2\n");
    }));

  test("of a clock that was far ahead opens nowhere, and the next push gets past it", () =>
    withAws(async (aws) => {
      // The clock of S3, too: it would not have been written otherwise.
      aws.clockOffsetMs = HOUR_MS;
      const future = Date.now() + HOUR_MS;
      report(await pushText(aws, "A=1\n", "--revision", String(future)));
      aws.clockOffsetMs = 0;
      assertFailed(await pulled(aws), 65, new RegExp(`revision ${future} is .* ahead of the store's clock`));
      const refused = await pushText(aws, "A=2\n");
      assertFailed(refused, 80, /there is an object already .*cannot be compared/, /--replace/);
      const next = await pushText(aws, "A=2\n", "--replace");
      assert.match(
        next.stderr,
        /^sealexec: warning: \S+ what is there was not compared with the file: .* ahead of/,
      );
      assert.ok(revisionOf(next) < future);
      assertPrinted(await pulled(aws), "A=2\n");
      report(await pushText(aws, "A=3\n", "--replace"));
    }));

  test("goes on also where what is there is in another dialect, format or unbound", () =>
    withAws(async (aws) => {
      const ahead = Date.now() + 5 * 60_000;
      const args = ["push", "-", `${URI}?format=json`, "--key", KEY, "--revision", String(ahead)];
      assert.equal((await sealexec(args, { env: aws.env(), input: '{"A":"1","B":"2"}' })).status, 0);
      const refused = await pushText(aws, "A=1\nC=3\n");
      assertFailed(refused, 80, /this push would add C; remove B; /);
      assert.equal(revisionOf(await pushText(aws, "A=1\nC=3\n", "--replace", "--format", "v2")), ahead + 1);
      assert.equal(revisionOf(await pushText(aws, "A=1\nC=4\n", "--replace")), ahead + 2);
      report(await pushText(aws, "A=1\nC=5\n", "--replace", "--no-bind"), UNBINDS);
      assertFailed(await pushText(aws, "A=1\n"), 80, /this push would remove C; bind it to its place$/);
      assert.ok(revisionOf(await pushText(aws, "A=1\n", "--replace")) < ahead);
    }));

  test("of a sealed file is the local time, and more than the verified one before", () =>
    withFolder(async (cwd) => {
      const options = { env: { AWS_EC2_METADATA_DISABLED: "true" }, cwd };
      await sealexec(["keygen", "key"], options);
      const push = async (input: string, ...flags: string[]): Promise<number> => {
        const args = ["push", "-", "file:a.sealed", "--key", "local:key", "--replace", ...flags];
        return revisionOf(await sealexec(args, { ...options, input }));
      };
      const begun = Date.now();
      const first = await push("A=1\n");
      assert.ok(first >= begun && first <= Date.now(), String(first - begun));
      const ahead = Date.now() + 5 * 60_000;
      assert.equal(await push("A=2\n", "--revision", String(ahead)), ahead);
      assert.equal(await push("A=3\n"), ahead + 1);
      const old = await readFile(join(cwd, "a.sealed"), "utf8");
      await writeFile(join(cwd, "a.sealed"), old.replace(`"${ahead + 1}"`, `"${ahead + 9}"`));
      const args = ["push", "-", "file:a.sealed", "--key", "local:key", "--replace"];
      const forged = await sealexec(args, { ...options, input: "A=4\n" });
      assert.match(forged.stderr, /was not compared with the file: .*the data key does not open/);
      assert.ok(revisionOf(forged) < ahead);
      const run = ["run", "--from", "file:a.sealed", "--key", "local:key", "--", "printenv", "A"];
      assertPrinted(await sealexec(run, options), "4\n");
    }));

  test("can be given, but not far ahead of S3's time", () =>
    withAws(async (aws) => {
      assert.equal(revisionOf(await pushText(aws, "A=1\n", "--revision", "7")), 7);
      const older = await pushText(aws, "A=2\n", "--replace", "--revision", "6");
      assert.equal(revisionOf(older), 6);
      assert.match(
        older.stderr,
        /^sealexec: warning: s3:\S+ revision 6 is not above the one that is there, 7\n$/,
      );
      const far = String(Date.now() + 11 * 60_000);
      assertFailed(
        await pushText(aws, "A=2\n", "--replace", "--revision", far),
        64,
        /--revision: \d+ is ahead of the clock/,
        /Unix milliseconds, and now is \d+/,
      );
      for (const bad of ["0", "01", "x", "1.5", "-1", "1".repeat(16)])
        assertFailed(
          await pushText(aws, "A=2\n", `--revision=${bad}`),
          64,
          /--revision is not a number from 1$/,
        );
      const unbound = await pushText(aws, "A=2\n", "--revision", "9", "--no-bind");
      assertFailed(unbound, 64, /an object that is not bound has none$/);
      assert.equal(
        report(await pushText(aws, "A=2\n", "--replace", "--no-bind"), UNBINDS).get("revision"),
        "none",
      );
    }));
});

/** The warning of a push over what is bound. */
const UNBINDS = /^sealexec: warning: s3:\S+ this push will not bind it to its place\n$/;

describe("--min-revision", { concurrency: 2 }, () => {
  test("opens what is as new, and refuses what is older or has none before KMS is asked", () =>
    withAws(async (aws) => {
      report(await pushText(aws, "A=2\n", "--revision", "2"));
      assertPrinted(await pulled(aws, "--min-revision", "2"), "A=2\n");
      aws.resetCalls();
      const older = await pulled(aws, "--min-revision", "3");
      assertFailed(older, 65, /^context: s3:\S+: it is revision 2, and 3 is the oldest that may be opened$/);
      const env = { ...aws.env(), SEALEXEC_MIN_REVISION: "3" };
      assertFailed(await sealexec(["run", "--from", URI, "--", "true"], { env }), 65, /it is revision 2/);
      assert.equal(aws.count("kms", "Decrypt"), 0);
      report(await pushText(aws, "A=3\n", "--no-bind", "--replace"), UNBINDS);
      aws.resetCalls();
      const unbound = await pulled(aws, "--min-revision", "1", "--accept", "unbound");
      assertFailed(unbound, 65, /it has no revision, and 1 is the oldest/);
      assert.equal(aws.count("kms", "Decrypt"), 0);
    }));

  test("an object whose number was changed does not open", () =>
    withAws(async (aws) => {
      report(await pushText(aws, "A=1\n", "--revision", "1"));
      forgeRevision(aws, "9");
      assertFailed(await pulled(aws, "--min-revision", "2"), 65, /KMS cannot open the wrapped data key/);
      forgeRevision(aws, "09");
      assertFailed(await pulled(aws), 65, /sealexec:revision is not a number from 1$/);
    }));
});

/** What the times of S3 say about a revision: one of the future, and an old version that was put back. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { Aws } from "../aws/server.ts";
import { RAN, SAY, assertFailed, assertPrinted, withFolder } from "./expect.ts";
import { ARTEFACTS, BUCKET, KEY, push, sealexec, withAws, putSealed } from "./harness.ts";
import type { Outcome } from "./harness.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const URI = `s3://${BUCKET}/app.env`;

/** An honest object of another time: its revision and the time of its writing are one. */
function sealAt(aws: Aws, offsetMs: number): void {
  aws.clockOffsetMs = offsetMs;
  putSealed(aws, "app.env", "A=old\n", Date.now() + offsetMs);
  aws.clockOffsetMs = 0;
}

/** Puts the newest version there once more, as it is: what a copy, a restore or an attacker does. */
function putBack(aws: Aws): void {
  const object = aws.s3.get(BUCKET, "app.env");
  assert.ok(object !== undefined);
  aws.s3.put(BUCKET, "app.env", object.body, object.metadata);
}

for (const artefact of ARTEFACTS) {
  describe(`what a revision says, by the ${artefact.name}`, { concurrency: 2 }, () => {
    const ask = (aws: Aws, args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
      sealexec(args, { env: { ...aws.env(), ...env }, artefact });
    const run = (aws: Aws, ...flags: string[]): Promise<Outcome> =>
      ask(aws, ["run", "--from", URI, "--key", KEY, ...flags, "--", ...SAY]);

    test("one of the future is refused, whoever asks and whichever way, before KMS is asked", () =>
      withFolder((folder) =>
        withAws(async (aws) => {
          sealAt(aws, 1.5 * HOUR_MS);
          aws.resetCalls();
          const wanted = /context: s3:\S+: revision \d+ is 1 h ahead of the store's clock$/;
          assertFailed(await run(aws), 65, wanted, /sealexec push FILE URI --key KEY --replace --force$/);
          assertFailed(await ask(aws, ["pull", URI, "--key", KEY]), 65, wanted);
          const bySdk = ["run", "--from", URI, "--", ...SAY];
          assertFailed(await ask(aws, bySdk, { AWS_CONFIG_FILE: "/dev/null" }), 65, wanted);
          const kept = join(folder, "kept");
          assertFailed(await run(aws, "--fallback", kept), 65, wanted);
          assert.equal(existsSync(kept), false, "no reader keeps one");
          const checked = await ask(aws, ["check", "--from", URI]);
          assert.equal(checked.status, 65, checked.stdout);
          assert.match(checked.stdout, /^✗ context +context: s3:\S+: revision \d+ is 1 h ahead/m);
          assert.equal(aws.count("kms"), 0);
        }),
      ));

    test("by S3's clock, not by this machine's", () =>
      withAws(async (aws) => {
        sealAt(aws, 1.5 * HOUR_MS);
        aws.clockOffsetMs = 1.5 * HOUR_MS;
        assertPrinted(await run(aws), `${RAN}\n`);
      }));

    test("clocks that differ by some minutes are no reason to refuse", () =>
      withAws(async (aws) => {
        sealAt(aws, 9 * MINUTE_MS);
        assertPrinted(await run(aws), `${RAN}\n`);
      }));

    test("--max-lag: an old version that was put back is refused by run, pull and check", () =>
      withAws(async (aws) => {
        sealAt(aws, -3.5 * HOUR_MS);
        assertPrinted(await run(aws, "--max-lag", "1h"), `${RAN}\n`);
        putBack(aws);
        assertPrinted(await run(aws), `${RAN}\n`);
        aws.resetCalls();
        const wanted = /context: s3:\S+: it was written 3 h after its revision \d+, and --max-lag is 1h$/;
        assertFailed(await run(aws, "--max-lag", "1h"), 65, wanted, /old version was put back/);
        assertFailed(await ask(aws, ["pull", URI, "--max-lag", "1h"]), 65, wanted);
        const byVariable = ["run", "--from", URI, "--", ...SAY];
        assertFailed(await ask(aws, byVariable, { SEALEXEC_MAX_LAG: "1h" }), 65, wanted);
        assert.equal((await ask(aws, ["check", "--from", URI, "--max-lag", "1h"])).status, 65);
        assert.equal(aws.count("kms"), 0);
        assertPrinted(await run(aws, "--max-lag", "4h"), `${RAN}\n`);
        // Of a source that does not say when it was written nothing would be refused.
        for (const args of [
          ["pull", "env-file:/none"],
          ["check", "--from", "env-file:/none"],
          ["run", "--from", "env-file:/none", "--", ...SAY],
        ])
          assertFailed(
            await ask(aws, args, { SEALEXEC_MAX_LAG: "1h" }),
            64,
            /^--max-lag \(SEALEXEC_MAX_LAG\) is for sealed objects in S3$/,
          );
      }));

    test("check warns of an old version that was put back, and with --strict fails", () =>
      withAws(async (aws) => {
        sealAt(aws, -0.9 * HOUR_MS);
        putBack(aws);
        const soon = await ask(aws, ["check", "--from", URI, "--strict"]);
        assert.deepEqual([soon.status, soon.stderr], [0, ""], soon.stdout);
        sealAt(aws, -3.5 * HOUR_MS);
        const honest = await ask(aws, ["check", "--from", URI, "--strict"]);
        assert.deepEqual([honest.status, honest.stderr], [0, ""], honest.stdout);
        putBack(aws);
        const warned = await ask(aws, ["check", "--from", URI]);
        assert.equal(warned.status, 0, warned.stdout);
        assert.match(warned.stdout, /\na start would find its secrets; 1 warning\n$/);
        assert.match(
          warned.stderr,
          /^sealexec: warning: s3:\S+: it was written 3 h after its revision \d+\nsealexec: hint: an old version was put back/,
        );
        const strict = await ask(aws, ["check", "--from", URI, "--strict"]);
        assert.equal(strict.status, 65, strict.stdout);
        assert.match(strict.stdout, /; 1 warning, which --strict does not allow\n$/);
        const args = ["check", "--from", URI, "--strict", "--format"];
        const github = await ask(aws, [...args, "github"]);
        assert.match(github.stdout, /\n::error title=sealexec check::s3:\S+: it was written 3 h after /);
        const json = JSON.parse((await ask(aws, [...args, "json"])).stdout) as { warnings: object[] };
        assert.equal((json.warnings[0] as { code?: string }).code, "put-back");
        // What a start would do is for --max-lag to say.
        assertPrinted(await run(aws), `${RAN}\n`);
      }));

    test("--max-lag holds for what --fallback has kept", () =>
      withFolder((folder) =>
        withAws(async (aws) => {
          const kept = ["--fallback", join(folder, "kept"), "--timeout", "2"];
          sealAt(aws, -3.5 * HOUR_MS);
          putBack(aws);
          assertPrinted(await run(aws, ...kept), `${RAN}\n`);
          await aws.faults.add({ service: "s3", action: "refuse" }).ready;
          const away = await run(aws, ...kept, "--max-lag", "4h");
          assert.deepEqual([away.status, away.stdout], [0, `${RAN}\n`], away.stderr);
          assert.match(away.stderr, /using the fallback/);
          const refused = await run(aws, ...kept, "--max-lag", "1h");
          assert.deepEqual([refused.status, refused.stdout], [65, ""], refused.stderr);
          assert.match(refused.stderr, /it was written 3 h after its revision/);
        }),
      ));

    test("--max-lag: what has no revision is refused, and files are not asked", () =>
      withFolder((folder) =>
        withAws(async (aws) => {
          putSealed(aws, "app.env", "A=1\n", undefined);
          assertFailed(
            await run(aws, "--max-lag", "1h"),
            65,
            /it has no revision, so that --max-lag cannot tell/,
          );
          const file = join(folder, "app.key");
          assert.equal((await ask(aws, ["keygen", file])).status, 0);
          const sealed = `file:${join(folder, "app.sealed")}`;
          const key = `local:${file}`;
          const pushed = await sealexec(["push", "-", sealed, "--key", key], { input: "B=1\n" });
          assert.equal(pushed.status, 0, pushed.stderr);
          const alone = ["run", "--from", sealed, "--key", key, "--max-lag", "1h", "--", ...SAY];
          assertFailed(
            await ask(aws, alone),
            64,
            /^--max-lag \(SEALEXEC_MAX_LAG\) is for sealed objects in S3$/,
          );
          putSealed(aws, "app.env", "A=1\n", Date.now());
          const mounted = join(folder, "app.env");
          await writeFile(mounted, "B=1\n", { mode: 0o600 });
          assertPrinted(await run(aws, "--max-lag", "1h", "--from", `env-file:${mounted}`), `${RAN}\n`);
        }),
      ));

    test("--min-revision takes a time", () =>
      withAws(async (aws) => {
        sealAt(aws, -3.5 * HOUR_MS);
        const at = (agoMs: number): string => new Date(Date.now() - agoMs).toISOString();
        assertPrinted(await run(aws, "--min-revision", at(4 * HOUR_MS)), `${RAN}\n`);
        const wanted = /it is revision \d+, and \d+ is the oldest that may be opened$/;
        assertFailed(await run(aws, "--min-revision", at(2 * HOUR_MS)), 65, wanted);
      }));

    test("after an old version was put back, what the hint says mends it", () =>
      withAws(async (aws) => {
        sealAt(aws, -3.5 * HOUR_MS);
        await push(aws, "app.env", "A=new\n");
        const [newest, old] = aws.s3.versions(BUCKET, "app.env");
        assert.ok(newest !== undefined && old !== undefined);
        const seen = JSON.parse(newest.metadata["x-amz-t"] ?? "{}") as Record<string, string>;
        const least = ["--min-revision", seen["sealexec:revision"] ?? "none"];
        aws.s3.put(BUCKET, "app.env", old.body, old.metadata);
        assertFailed(await run(aws, ...least), 65, /is the oldest that may be opened$/, /sealexec push/);
        const right = await ask(aws, ["pull", `${URI}?versionId=${newest.versionId}`]);
        assert.deepEqual({ status: right.status, stdout: right.stdout }, { status: 0, stdout: "A=new\n" });
        await push(aws, "app.env", right.stdout);
        assertPrinted(await run(aws, ...least), `${RAN}\n`);
      }));
  });
}

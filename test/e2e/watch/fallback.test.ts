/** `run --watch --fallback`: what was refused stays refused, in what is said and in what is kept, until it was opened whole. */
import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Aws } from "../../aws/server.ts";
import { flipBodyBit, until, withFolder } from "../expect.ts";
import { BUCKET, KEY, push, sealexec, withAws } from "../harness.ts";
import { SELDOM, watching } from "./watching.ts";
import type { Watching } from "./watching.ts";

const skip = process.platform === "linux" ? false : "needs Linux";

interface Place {
  readonly aws: Aws;
  readonly watch: Watching;
  readonly uri: string;
  /** of --fallback */
  readonly file: string;
  /** what S3 had before the start */
  readonly old: NonNullable<ReturnType<Aws["s3"]["get"]>>;
  /** so many looks at S3, each ended but the last */
  looks(): Promise<void>;
}

/** CMD runs with A=1, and an older object is known. FILE is written anew after a tenth of a second. */
function withPlace(work: (place: Place) => Promise<void>, ...flags: readonly string[]): Promise<void> {
  return withFolder((folder) =>
    withAws(async (aws) => {
      const uri = await push(aws, "app.env", "A=0\n");
      const old = aws.s3.get(BUCKET, "app.env");
      assert.ok(old !== undefined);
      await push(aws, "app.env", "A=1\n");
      const file = join(folder, "kept");
      const own = ["--key", KEY, "--from", uri, ...SELDOM, "--require", "A", "--fallback", file];
      await watching({ env: aws.env(), flags: [...own, "--fallback-age", "1s", ...flags] }, async (watch) => {
        const looks = async (): Promise<void> => {
          for (let left = 4; left > 0; left -= 1) {
            const gets = aws.count("s3", "GetObject");
            await sleep(60);
            await watch.lookUntil(() => aws.count("s3", "GetObject") > gets);
          }
        };
        await work({ aws, watch, uri, file, old, looks });
      });
    }),
  );
}

/** Of each object in FILE: its revision, and when it was confirmed. */
function keptIn(file: string): Map<string, { readonly revision: number; readonly confirmed: string }> {
  const { objects } = JSON.parse(readFileSync(file, "utf8")) as {
    objects: { uri: string; revision: number; confirmed: string }[];
  };
  return new Map(objects.map(({ uri, ...rest }) => [uri, rest]));
}

const confirmedIn = (text: string): string => /"confirmed": "([^"]*)"/.exec(text)?.[1] ?? "";

const REFUSALS: Readonly<Record<string, readonly [said: RegExp, spoil: (place: Place) => unknown]>> = {
  damaged: [/authentication tag does not match/, ({ aws }) => flipBodyBit(aws, "app.env")],
  "not sealed": [
    /no envelope in its metadata/,
    ({ aws }) => void aws.s3.put(BUCKET, "app.env", Buffer.from("A=2\n")),
  ],
  "rolled back": [
    /the oldest that may be opened/,
    ({ aws, old }) => void aws.s3.put(BUCKET, "app.env", old.body, old.metadata),
  ],
  "without a required name": [
    /required names: all sources: missing or empty: A/,
    ({ aws }) => push(aws, "app.env", "B=2\n"),
  ],
  "with a refused name": [
    /it sets LD_PRELOAD/,
    ({ aws }) => push(aws, "app.env", "A=2\nLD_PRELOAD=x\n", ["--allow", "LD_PRELOAD"]),
  ],
  "larger than any program's environment": [
    /A.*bytes/,
    ({ aws }) => push(aws, "app.env", `A=${"x".repeat(140_000)}\n`),
  ],
};

describe("--watch: what was refused", { skip, concurrency: 2 }, () => {
  for (const [what, [said, spoil]] of Object.entries(REFUSALS)) {
    test(`${what}: neither an all-clear nor a confirmation before it was opened whole`, () =>
      withPlace(async (place) => {
        const { aws, watch, file, looks } = place;
        const kept = aws.s3.get(BUCKET, "app.env");
        assert.ok(kept !== undefined);
        await spoil(place);
        await watch.lookUntil(() => watch.said().length === 2);
        assert.match(watch.said()[0] ?? "", said);
        const [before, decrypts] = [readFileSync(file, "utf8"), aws.count("kms", "Decrypt")];
        await looks();
        assert.equal(watch.said().length, 2, watch.said().join("\n"));
        assert.equal(readFileSync(file, "utf8"), before);
        assert.equal(aws.count("kms", "Decrypt"), decrypts);
        assert.equal(watch.lines().length, 1);
        // What CMD runs with is there again: that is opened, and only then it is over.
        aws.s3.put(BUCKET, "app.env", kept.body, kept.metadata);
        await watch.lookUntil(() => watch.said().length > 2);
        assert.deepEqual(watch.said().slice(2), ["sealexec: notice: the sources can be read again"]);
        assert.equal(watch.lines().length, 1);
        await until(() => confirmedIn(readFileSync(file, "utf8")) > confirmedIn(before));
        await looks();
        assert.equal(watch.said().length, 3, watch.said().join("\n"));
      }));
  }
});

describe("--watch --fallback: what is confirmed", { skip, concurrency: 2 }, () => {
  test("what another sealexec has kept there since is not written over", () =>
    withPlace(async ({ aws, watch, uri, file, looks }) => {
      const first = aws.s3.get(BUCKET, "app.env");
      assert.ok(first !== undefined);
      await push(aws, "app.env", "A=2\n");
      const other = await sealexec(["run", "--from", uri, "--fallback", file, "--", "true"], {
        env: aws.env(),
      });
      assert.equal(other.status, 0, other.stderr);
      const newer = readFileSync(file, "utf8");
      // The one that watches sees what it has opened, and is not to take that for the newest.
      aws.s3.put(BUCKET, "app.env", first.body, first.metadata);
      await looks();
      assert.equal(readFileSync(file, "utf8"), newer);
      assert.deepEqual(watch.said(), []);
      assert.equal(watch.lines().length, 1);
    }));

  test("only what was looked at", () =>
    withAws((aws) =>
      withFolder(async (folder) => {
        const [one, two] = [await push(aws, "one.env", "A=1\n"), await push(aws, "two.env", "B=1\n")];
        const pinned = `${two}?versionId=${aws.s3.get(BUCKET, "two.env")?.versionId}`;
        const file = join(folder, "kept");
        const flags = ["--key", KEY, "--from", one, "--from", pinned, "--every", "100ms"];
        flags.push("--fallback", file, "--fallback-age", "1s");
        await watching({ env: aws.env(), flags }, async () => {
          const before = keptIn(file);
          assert.deepEqual([...before.keys()], [one, pinned]);
          const confirmed = (uri: string): string => keptIn(file).get(uri)?.confirmed ?? "";
          await until(() => confirmed(one) > (before.get(one)?.confirmed ?? ""));
          assert.equal(confirmed(pinned), before.get(pinned)?.confirmed);
        });
      }),
    ));

  test("by a clock that was set back, too", () =>
    withAws((aws) =>
      withFolder(async (folder) => {
        const uri = await push(aws, "app.env", "A=1\n");
        const file = join(folder, "kept");
        const flags = ["--key", KEY, "--from", uri, "--fallback", file, "--fallback-age", "1h"];
        assert.equal((await sealexec(["run", ...flags, "--", "true"], { env: aws.env() })).status, 0);
        const ahead = new Date(Date.now() + 30 * 60_000).toISOString();
        writeFileSync(
          file,
          readFileSync(file, "utf8").replace(confirmedIn(readFileSync(file, "utf8")), ahead),
        );
        const fault = aws.faults.add({ service: "s3", action: "resetOnConnect" });
        await fault.ready;
        await watching(
          { env: aws.env(), flags: [...flags, "--every", "100ms", "--timeout", "2"] },
          async () => {
            assert.equal(keptIn(file).get(uri)?.confirmed, ahead);
            await fault.remove();
            await until(() => (keptIn(file).get(uri)?.confirmed ?? "") < ahead);
          },
        );
      }),
    ));

  test("that it cannot be written is said once", () =>
    withPlace(async ({ watch, file, looks }) => {
      rmSync(join(file, ".."), { recursive: true });
      // One look may come before it is time to write; of several the last does not.
      await looks();
      await until(() => watch.said().length >= 2);
      await looks();
      assert.equal(watch.said().length, 2, watch.said().join("\n"));
      assert.match(
        watch.said()[0] ?? "",
        /^sealexec: warning: --fallback: \S+: cannot be written \(ENOENT\)$/,
      );
    }));
});

/** `run --watch` and objects in S3: what is asked, when CMD is touched, and when it is left alone. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Aws } from "../../aws/server.ts";
import { eventsOf, flipBodyBit, until } from "../expect.ts";
import { ARTEFACTS, BUCKET, KEY, push, sealexec, withAws, putSealed } from "../harness.ts";
import { SELDOM, callsSince, watching } from "./watching.ts";
import type { Watching } from "./watching.ts";

const skip = process.platform === "linux" ? false : "needs Linux";

const start = (aws: Aws, uri: string, ...flags: string[]) => ({
  env: aws.env(),
  flags: ["--key", KEY, "--from", uri, ...flags],
});

/** Looks, and waits until what is said has so many lines. */
const lookUntilSaid = (watch: Watching, lines: number): Promise<void> =>
  watch.lookUntil(() => watch.said().length >= lines);

/** A line without the number of a revision, which is a time. */
const unnumbered = (line: string): string => line.replace(/\(revision \d+\)/g, "(revision N)");

for (const artefact of ARTEFACTS) {
  describe(`${artefact.name}: --watch`, { skip, concurrency: 2 }, () => {
    test("restarts CMD with what has changed, and says so", () =>
      withAws(async (aws) => {
        const uri = await push(aws, "app.env", "A=1\n");
        await watching({ ...start(aws, uri, ...SELDOM), artefact }, async (watch) => {
          await push(aws, "app.env", "A=2\n");
          await watch.lookUntil(() => watch.lines().length === 3);
          const [first = "", end, second = ""] = watch.lines();
          assert.match(first, /^start \d+ A=1$/);
          assert.equal(end, `end ${first.split(" ")[1]}`);
          assert.match(second, /^start \d+ A=2$/);
          assert.deepEqual(watch.said().map(unnumbered), [
            `sealexec: notice: ${uri} (revision N) has changed: CMD is restarted`,
          ]);
          watch.kill("SIGTERM");
          assert.deepEqual(await watch.ended, { status: 0, signal: null });
        });
      }));

    test("CMD's end is its own: status and signal are passed on", () =>
      withAws(async (aws) => {
        const uri = await push(aws, "app.env", "A=1\n");
        for (const [script, status] of [
          ["echo x; exit 7", 7],
          ["echo x; kill -9 $$", 137],
        ] as const) {
          const options = { ...start(aws, uri, ...SELDOM), artefact, cmd: ["sh", "-c", script] };
          await watching(options, async (watch) =>
            assert.deepEqual(await watch.ended, { status, signal: null }),
          );
        }
      }));
  });
}

describe("--watch: what is asked of AWS", { skip, concurrency: 2 }, () => {
  test("one conditional GetObject a look, and neither KMS nor the metadata service", () =>
    withAws(async (aws) => {
      const uri = await push(aws, "app.env", "A=1\n");
      await watching(start(aws, uri, "--every", "200ms"), async (watch) => {
        const from = aws.calls.length;
        await until(() => aws.calls.length >= from + 5);
        const asked = aws.calls.slice(from);
        assert.deepEqual([...new Set(asked.map(({ operation }) => operation))], ["GetObject"]);
        const etag = aws.s3.get(BUCKET, "app.env")?.etag;
        for (const call of asked) {
          assert.equal(call.headers.get("if-none-match"), etag);
          assert.equal(call.status, 304);
        }
        assert.equal(watch.lines().length, 1);
        assert.deepEqual(watch.said(), []);
      });
    }));

  test("not more often than the interval less a tenth", () =>
    withAws(async (aws) => {
      const uri = await push(aws, "app.env", "A=1\n");
      await watching(start(aws, uri, "--every", "500ms"), async () => {
        const from = aws.calls.length;
        await until(() => aws.calls.length >= from + 6);
        const times = aws.calls.slice(from).map(({ time }) => time);
        // The loopback's clock is that of this machine: a look that came late makes the next one no earlier.
        for (const [index, time] of times.entries()) {
          const before = times[index - 1];
          if (before !== undefined) assert.ok(time - before >= 440, times.join(" "));
        }
      });
    }));

  test("a change is one GetObject more, and one Decrypt", () =>
    withAws(async (aws) => {
      const uri = await push(aws, "app.env", "A=1\n");
      await watching(start(aws, uri, ...SELDOM), async (watch) => {
        await push(aws, "app.env", "A=2\n");
        const from = aws.calls.length;
        await watch.lookUntil(() => watch.lines().length === 3);
        assert.deepEqual(callsSince(aws, from, "s3", "kms", "imds"), ["GetObject", "GetObject", "Decrypt"]);
      });
    }));

  test("an object sealed anew with the same variables leaves CMD alone, and is not opened twice", () =>
    withAws(async (aws) => {
      const uri = await push(aws, "app.env", "A=1\n");
      await watching(start(aws, uri, ...SELDOM), async (watch) => {
        await push(aws, "app.env", "A=1\n");
        const decrypts = aws.count("kms", "Decrypt");
        await watch.lookUntil(() => aws.count("kms", "Decrypt") === decrypts + 1);
        const gets = aws.count("s3", "GetObject");
        await watch.lookUntil(() => aws.count("s3", "GetObject") === gets + 1);
        assert.equal(aws.count("kms", "Decrypt"), decrypts + 1);
        assert.equal(watch.lines().length, 1);
        assert.deepEqual(watch.said(), []);
      });
    }));

  test("a pinned version is never looked at", () =>
    withAws(async (aws) => {
      const uri = await push(aws, "app.env", "A=1\n");
      const pinned = `${uri}?versionId=${aws.s3.get(BUCKET, "app.env")?.versionId}`;
      const other = await push(aws, "other.env", "B=1\n");
      await watching(start(aws, pinned, "--from", other, "--every", "200ms"), async () => {
        const from = aws.calls.length;
        await until(() => aws.calls.length >= from + 4);
        const keys = new Set(aws.calls.slice(from).map(({ detail }) => detail.key));
        assert.deepEqual([...keys], ["other.env"]);
      });
    }));

  test("a clock that is an hour off is learned at the start, and no look is refused for it", () =>
    withAws(async (aws) => {
      aws.clockOffsetMs = 3_600_000;
      const uri = await push(aws, "app.env", "A=1\n");
      await watching(start(aws, uri, "--every", "200ms"), async (watch) => {
        const from = aws.calls.length;
        await until(() => aws.calls.length >= from + 5);
        const statuses = aws.calls.slice(from).map(({ status }) => status);
        assert.deepEqual([...new Set(statuses)], [304]);
        assert.deepEqual(watch.said(), []);
      });
    }));

  test("a bucket in another region is found once", () =>
    withAws(
      async (aws) => {
        aws.s3.createBucket("far-away", { region: "eu-west-1" });
        const key = aws.kms.createKey({ alias: "far", region: "eu-west-1" });
        const uri = "s3://far-away/app.env";
        const pushing = ["push", "-", `${uri}?region=eu-west-1`, "--key", key.arn];
        assert.equal((await sealexec(pushing, { env: aws.env(), input: "A=1\n" })).status, 0);
        const env = { ...aws.env(), AWS_REGION: aws.region };
        await watching({ env, flags: ["--from", uri, "--every", "200ms"] }, async () => {
          const from = aws.calls.length;
          await until(() => aws.calls.length >= from + 4);
          const asked = aws.calls.slice(from).map(({ operation, status }) => `${operation} ${status}`);
          assert.deepEqual([...new Set(asked)], ["GetObject 304"]);
        });
      },
      { regions: ["eu-west-1"] },
    ));

  test("credentials are asked for anew before they expire, and only then", () =>
    withAws(async (aws) => {
      const uri = await push(aws, "app.env", "A=1\n");
      aws.resetCalls();
      // Good for two seconds more than the five minutes in which nobody relies on them.
      aws.imds.ttlMs = 302_000;
      aws.imds.rotate();
      await watching(start(aws, uri, "--every", "200ms"), async (watch) => {
        const loaded = aws.count("imds", "GetCredentials");
        await until(() => aws.count("imds", "GetCredentials") > loaded);
        const gets = aws.count("s3", "GetObject");
        await until(() => aws.count("s3", "GetObject") > gets + 3);
        const failed = aws.calls.filter(({ service, status }) => service === "s3" && status >= 400);
        assert.deepEqual(failed, []);
        assert.deepEqual(watch.said(), []);
      });
    }));

  test("credentials that were refused are not used again: the next look asks for others", () =>
    withAws(async (aws) => {
      const uri = await push(aws, "app.env", "A=1\n");
      await watching(start(aws, uri, ...SELDOM), async (watch) => {
        const { accessKeyId } = aws.imds.credentials;
        aws.imds.rotate();
        aws.identities.revoke(accessKeyId);
        const loaded = aws.count("imds", "GetCredentials");
        await lookUntilSaid(watch, 2);
        assert.equal(aws.count("imds", "GetCredentials"), loaded);
        await lookUntilSaid(watch, 3);
        assert.equal(aws.count("imds", "GetCredentials"), loaded + 1);
        assert.equal(watch.said()[2], "sealexec: notice: the sources can be read again");
        await push(aws, "app.env", "A=2\n");
        await watch.lookUntil(() => watch.lines().length === 3);
      });
    }));
});

describe("--watch: the metadata service away", { skip }, () => {
  test("credentials that are still good are used, and CMD and the log know nothing of it", () =>
    withAws(async (aws) => {
      const uri = await push(aws, "app.env", "A=1\n");
      // In a second it is time to ask for others, and these are good for five minutes more.
      aws.imds.ttlMs = 301_000;
      aws.imds.rotate();
      await watching(start(aws, uri, "--every", "300ms"), async (watch) => {
        const fault = aws.faults.add({ service: "imds", action: "resetOnConnect" });
        await fault.ready;
        await sleep(1_500);
        const looks = aws.count("s3", "GetObject");
        await until(() => aws.count("s3", "GetObject") > looks + 1);
        assert.deepEqual(watch.said(), []);
        await fault.remove();
        const loaded = aws.count("imds", "GetCredentials");
        await until(() => aws.count("imds", "GetCredentials") > loaded);
        await push(aws, "app.env", "A=2\n");
        await until(() => watch.lines().length === 3);
      });
    }));
});

describe("--watch: what leaves CMD as it is", { skip, concurrency: 2 }, () => {
  test("S3 away: said once, however it is away, and once when it is back; a change meanwhile is not lost", () =>
    withAws(async (aws) => {
      const uri = await push(aws, "app.env", "A=1\n");
      await watching(start(aws, uri, ...SELDOM, "--timeout", "2"), async (watch) => {
        const away = [
          { service: "s3", action: "resetOnConnect" },
          { service: "s3", operation: "GetObject", action: "status", status: 503 },
          { service: "s3", operation: "GetObject", action: "reset" },
          { service: "s3", operation: "GetObject", action: "silent" },
        ] as const;
        for (const [index, rule] of away.entries()) {
          const fault = aws.faults.add(rule);
          await fault.ready;
          // The second look comes behind the end of the first.
          await watch.lookUntil(() => watch.said().length >= 2);
          if (index > 0) await watch.lookUntil(() => fault.hits >= 1);
          await sleep(rule.action === "silent" ? 2_500 : 300);
          await fault.remove();
          if (index === 1) await push(aws, "app.env", "A=2\n");
        }
        await watch.lookUntil(() => watch.lines().length === 3);
        const [warning = "", hint = "", ...rest] = watch.said();
        assert.match(
          warning,
          /^sealexec: warning: object: s3:\S+ GetObject: .*cannot be reached .*; CMD goes on as it is$/,
        );
        assert.match(hint, /^sealexec: hint: check the endpoint/);
        assert.deepEqual(rest.map(unnumbered).toSorted(), [
          `sealexec: notice: ${uri} (revision N) has changed: CMD is restarted`,
          "sealexec: notice: the sources can be read again",
        ]);
      });
    }));

  for (const [what, spoil, said, mend] of [
    [
      "denied",
      (aws: Aws) => aws.s3.deny("GetObject"),
      /missing or forbidden \(GetObject: AccessDenied/,
      (aws: Aws) => aws.s3.allow("GetObject"),
    ],
    [
      "denied by KMS",
      async (aws: Aws) => {
        aws.kms.deny("Decrypt");
        await push(aws, "app.env", "A=2\n");
      },
      /KMS denies the use of this key/,
      (aws: Aws) => aws.kms.allow("Decrypt"),
    ],
    [
      "changed while KMS is away",
      async (aws: Aws) => {
        await push(aws, "app.env", "A=2\n");
        await aws.faults.add({ service: "kms", action: "resetOnConnect" }).ready;
      },
      /Decrypt: .*cannot be reached/,
      (aws: Aws) => aws.faults.clear(),
    ],
    [
      "with its key disabled",
      async (aws: Aws) => {
        await push(aws, "app.env", "A=2\n");
        aws.kms.setState(KEY, "Disabled");
      },
      /the KMS key is disabled/,
      (aws: Aws) => aws.kms.setState(KEY, "Enabled"),
    ],
    [
      "gone",
      (aws: Aws) => {
        const bucket = aws.s3.buckets.get(BUCKET);
        if (bucket !== undefined) aws.s3.remove(bucket, "app.env");
      },
      /no such object \(GetObject: NoSuchKey/,
      (aws: Aws) => push(aws, "app.env", "A=2\n"),
    ],
    [
      "corrupted",
      (aws: Aws) => flipBodyBit(aws, "app.env"),
      /authentication tag does not match/,
      (aws: Aws) => push(aws, "app.env", "A=2\n"),
    ],
    [
      "no sealed object any more",
      (aws: Aws) => void aws.s3.put(BUCKET, "app.env", Buffer.from("A=2\n")),
      /no envelope in its metadata/,
      (aws: Aws) => push(aws, "app.env", "A=2\n"),
    ],
    [
      "without a name that is required",
      (aws: Aws) => push(aws, "app.env", "B=2\n"),
      /required names: all sources: missing or empty: A/,
      (aws: Aws) => push(aws, "app.env", "A=2\n"),
    ],
    [
      "with a name that is refused",
      (aws: Aws) => push(aws, "app.env", "A=2\nLD_PRELOAD=x\n", ["--allow", "LD_PRELOAD"]),
      /it sets LD_PRELOAD/,
      (aws: Aws) => push(aws, "app.env", "A=2\n"),
    ],
  ] as const) {
    test(`an object that is ${what}: said once, and followed again when it is mended`, () =>
      withAws(async (aws) => {
        const uri = await push(aws, "app.env", "A=1\n");
        await watching(start(aws, uri, ...SELDOM, "--require", "A", "--timeout", "3"), async (watch) => {
          await spoil(aws);
          await lookUntilSaid(watch, 2);
          const [warning = "", hint = ""] = watch.said();
          assert.match(warning, said);
          assert.match(warning, /^sealexec: warning: .*; CMD goes on as it is$/);
          assert.match(hint, /^sealexec: hint: /);
          const gets = aws.count("s3", "GetObject");
          await watch.lookUntil(() => aws.count("s3", "GetObject") > gets);
          await mend(aws);
          const isChanged = what !== "denied";
          await watch.lookUntil(() => watch.said().length >= (isChanged ? 4 : 3));
          const [over, change] = watch.said().slice(2);
          assert.equal(over, "sealexec: notice: the sources can be read again");
          if (!isChanged) return assert.equal(watch.lines().length, 1);
          assert.match(
            change ?? "",
            /^sealexec: notice: s3:\S+ \(revision \d+\) has changed: CMD is restarted$/,
          );
          await until(() => watch.lines().length === 3);
          assert.match(watch.lines()[2] ?? "", /^start \d+ A=2$/);
        });
      }));
  }

  test("what cannot be opened is opened no second time before it changes", () =>
    withAws(async (aws) => {
      const uri = await push(aws, "app.env", "A=1\n");
      await watching(start(aws, uri, "--every", "100ms"), async (watch) => {
        await push(aws, "app.env", "A=2\n");
        await until(() => watch.lines().length === 3);
        flipBodyBit(aws, "app.env");
        await until(() => watch.said().length >= 3);
        const decrypts = aws.count("kms", "Decrypt");
        const gets = aws.count("s3", "GetObject");
        await until(() => aws.count("s3", "GetObject") > gets + 5);
        assert.equal(aws.count("kms", "Decrypt"), decrypts);
        assert.equal(watch.lines().length, 3);
        await push(aws, "app.env", "A=3\n");
        await until(() => watch.lines().length === 5);
        const mended = aws.count("s3", "GetObject");
        await until(() => aws.count("s3", "GetObject") > mended + 5);
        assert.equal(aws.count("kms", "Decrypt"), decrypts + 1, "what is mended is opened once");
      });
    }));

  test("what no environment takes is said, and opened no second time before it changes", () =>
    withAws(async (aws) => {
      const uri = await push(aws, "app.env", "A=1\n");
      await watching(start(aws, uri, ...SELDOM), async (watch) => {
        await push(aws, "app.env", `A=${"x".repeat(140_000)}\n`);
        await lookUntilSaid(watch, 2);
        assert.match(watch.said()[0] ?? "", /A.*bytes.*; CMD goes on as it is$/);
        const decrypts = aws.count("kms", "Decrypt");
        const gets = aws.count("s3", "GetObject");
        await watch.lookUntil(() => aws.count("s3", "GetObject") > gets);
        assert.equal(aws.count("kms", "Decrypt"), decrypts);
        await push(aws, "app.env", "A=2\n");
        await watch.lookUntil(() => watch.lines().length === 3);
      });
    }));

  test("an object that is rolled back is refused, though it opens; a newer one with its content is taken", () =>
    withAws(async (aws) => {
      const uri = await push(aws, "app.env", "A=1\n");
      const old = aws.s3.get(BUCKET, "app.env");
      assert.ok(old !== undefined);
      await push(aws, "app.env", "A=2\n");
      await watching(start(aws, uri, ...SELDOM), async (watch) => {
        aws.s3.put(BUCKET, "app.env", old.body, old.metadata);
        await lookUntilSaid(watch, 2);
        assert.match(
          watch.said()[0] ?? "",
          /it is revision \d+, and \d+ is the oldest that may be opened; CMD goes on/,
        );
        assert.equal(watch.lines().length, 1);
        await push(aws, "app.env", "A=1\n");
        await watch.lookUntil(() => watch.lines().length === 3);
        assert.match(watch.lines()[2] ?? "", /A=1$/);
      });
    }));

  test("an old object that is new there, and one of the future, are refused; the next honest one is taken", () =>
    withAws(async (aws) => {
      const hourMs = 3_600_000;
      const put = (text: string, agoMs: number): void => putSealed(aws, "app.env", text, Date.now() - agoMs);
      aws.clockOffsetMs = -5 * hourMs;
      put("A=1\n", 5 * hourMs);
      aws.clockOffsetMs = 0;
      const uri = `s3://${BUCKET}/app.env`;
      await watching(start(aws, uri, "--max-lag", "1h", ...SELDOM), async (watch) => {
        put("A=2\n", 2.5 * hourMs);
        await lookUntilSaid(watch, 2);
        assert.match(
          watch.said()[0] ?? "",
          /it was written 2 h after its revision \d+, and --max-lag is 1h; CMD goes/,
        );
        put("A=3\n", -1.5 * hourMs);
        await lookUntilSaid(watch, 4);
        assert.match(watch.said()[2] ?? "", /revision \d+ is 1 h ahead of the store's clock; CMD goes on/);
        assert.equal(watch.lines().length, 1);
        put("A=4\n", 0);
        await watch.lookUntil(() => watch.lines().length === 3);
        assert.match(watch.lines()[2] ?? "", /A=4$/);
      });
    }));

  test("of two sources one away and one changed: nothing is done by halves", () =>
    withAws(async (aws) => {
      const [one, two] = [await push(aws, "one.env", "A=1\n"), await push(aws, "two.env", "B=1\n")];
      await watching(start(aws, one, "--from", two, ...SELDOM, "--timeout", "1"), async (watch) => {
        const fault = aws.faults.add({
          service: "s3",
          operation: "GetObject",
          key: "two.env",
          action: "status",
          status: 503,
        });
        await push(aws, "one.env", "A=2\n");
        await lookUntilSaid(watch, 2);
        assert.equal(watch.lines().length, 1);
        await fault.remove();
        await watch.lookUntil(() => watch.lines().length === 3);
        assert.match(watch.lines()[2] ?? "", /A=2$/);
      });
    }));
});

describe("--watch: a source that cannot be looked at", { skip }, () => {
  test("hides no other's change, and is not said to be well by it", () =>
    withAws(async (aws) => {
      const uri = await push(aws, "app.env", "A=1\n");
      aws.secrets.put("app", { text: JSON.stringify({ B: "1" }) });
      const flags = ["--from", "secretsmanager://app", ...SELDOM];
      await watching(start(aws, uri, ...flags), async (watch) => {
        aws.secrets.deny("DescribeSecret");
        await push(aws, "app.env", "A=2\n");
        await watch.lookUntil(() => watch.lines().length === 3);
        assert.match(watch.lines()[2] ?? "", /A=2$/);
        const looks = aws.count("secretsmanager", "DescribeSecret");
        await watch.lookUntil(() => aws.count("secretsmanager", "DescribeSecret") > looks);
        await watch.lookUntil(() => aws.count("secretsmanager", "DescribeSecret") > looks + 1);
        const [warning = "", hint = "", change = "", ...rest] = watch.said();
        assert.match(warning, /secretsmanager:\/\/app: .*access denied .*; CMD goes on as it is$/);
        assert.match(hint, /^sealexec: hint: /);
        assert.match(change, /^sealexec: notice: s3:\S+ .* has changed: CMD is restarted$/);
        assert.deepEqual(rest, []);
        aws.secrets.allow("DescribeSecret");
        await lookUntilSaid(watch, 4);
        assert.equal(watch.said()[3], "sealexec: notice: the sources can be read again");
      });
    }));
});

describe("--watch: the other actions", { skip, concurrency: 2 }, () => {
  test("signal:USR1 signals and does not restart", () =>
    withAws(async (aws) => {
      const uri = await push(aws, "app.env", "A=1\n");
      await watching(start(aws, uri, ...SELDOM, "--on-change", "signal:USR1"), async (watch) => {
        await push(aws, "app.env", "A=2\n");
        await watch.lookUntil(() => watch.lines().length === 2);
        const [first = "", second] = watch.lines();
        assert.equal(second, `usr1 ${first.split(" ")[1]}`);
        assert.deepEqual(watch.said().map(unnumbered), [
          `sealexec: notice: ${uri} (revision N) has changed: CMD is sent SIGUSR1`,
        ]);
      });
    }));

  test("signal:USR1 with --on-exit restart: CMD is started again with what has changed since", () =>
    withAws(async (aws) => {
      const uri = await push(aws, "app.env", "A=1\n");
      const script = 'trap "echo told; exit 1" USR1; echo "start $$ A=$A"; while :; do sleep 0.02; done';
      const flags = ["--on-change", "signal:USR1", "--on-exit", "restart"];
      const options = { ...start(aws, uri, ...SELDOM, ...flags), cmd: ["sh", "-c", script] };
      await watching(options, async (watch) => {
        await push(aws, "app.env", "A=2\n");
        await watch.lookUntil(() => watch.lines().length === 3);
        assert.match(watch.lines()[2] ?? "", /A=2$/);
        assert.match(
          watch.said()[1] ?? "",
          /^sealexec: notice: CMD ended with status 1: it is started again in 1 s$/,
        );
      });
    }));

  test("exit ends CMD and then with a status of its own", () =>
    withAws(async (aws) => {
      const uri = await push(aws, "app.env", "A=1\n");
      await watching(start(aws, uri, ...SELDOM, "--on-change", "exit"), async (watch) => {
        await push(aws, "app.env", "A=2\n");
        await watch.lookUntil(() => watch.lines().length === 2);
        assert.deepEqual(await watch.ended, { status: 79, signal: null });
        assert.match(watch.lines()[1] ?? "", /^end /);
        assert.match(
          watch.said()[0] ?? "",
          /\(revision \d+\) has changed: CMD is ended, to be started again with it$/,
        );
      });
    }));

  test("--log json: one object a line", () =>
    withAws(async (aws) => {
      const uri = await push(aws, "app.env", "A=1\n");
      await watching(start(aws, uri, ...SELDOM, "--log", "json"), async (watch) => {
        aws.s3.deny("GetObject");
        await lookUntilSaid(watch, 1);
        aws.s3.allow("GetObject");
        await lookUntilSaid(watch, 2);
        const [warning, notice] = eventsOf(watch.said().join("\n"));
        assert.equal(warning?.["level"], "warning");
        assert.equal(warning["code"], "access-denied");
        assert.equal(warning["target"], uri);
        assert.match(String(warning["hint"]), /s3:GetObject/);
        assert.deepEqual(notice, {
          time: notice?.["time"],
          level: "notice",
          code: "sources-readable-again",
          message: "the sources can be read again",
        });
      });
    }));

  test("--log json: what is done is an event with a code; with -v also what is not done", () =>
    withAws(async (aws) => {
      const one = await push(aws, "one.env", "A=1\n");
      const two = await push(aws, "two.env", "B=1\n");
      await push(aws, "pinned.env", "C=1\n");
      const pinned = `s3://${BUCKET}/pinned.env?versionId=${aws.s3.get(BUCKET, "pinned.env")?.versionId}`;
      const flags = ["--from", two, "--from", pinned, ...SELDOM, "--log", "json", "-v"];
      await watching(start(aws, one, ...flags), async (watch) => {
        const told = (): string[] =>
          eventsOf(watch.said().join("\n"))
            .filter(({ code }) => code !== "step")
            .map(({ level, code, message }) => `${level} ${code}: ${unnumbered(String(message))}`);
        assert.deepEqual(told().slice(-1), [`info info: ${pinned}: never looked at again`]);
        await push(aws, "one.env", "A=1\n");
        const same = `info info: ${one} (revision N) has changed: the variables are the same as before`;
        await watch.lookUntil(() => told().includes(same));
        assert.equal(watch.lines().length, 1);
        await push(aws, "one.env", "A=2\n");
        await push(aws, "two.env", "B=2\n");
        await watch.lookUntil(() => watch.lines().length === 3);
        const both = `${one} (revision N), ${two} (revision N)`;
        const change = told().filter((line) => line.startsWith("notice"));
        assert.deepEqual(change, [`notice cmd-restarted: ${both} have changed: CMD is restarted`]);
      });
      for (const [action, code] of [
        ["signal:USR1", "cmd-signalled"],
        ["exit", "cmd-ended"],
      ] as const) {
        const more = ["--on-change", action, ...SELDOM, "--log", "json"];
        await watching(start(aws, one, ...more), async (watch) => {
          await push(aws, "one.env", `A=${action}\n`);
          await watch.lookUntil(() => watch.lines().length === 2);
          const events = eventsOf(watch.said().join("\n"));
          assert.deepEqual(
            events.map((event) => [event["level"], event["code"]]),
            [["notice", code]],
          );
        });
      }
      const crashing = ["--on-exit", "restart", ...SELDOM, "--log", "json"];
      const cmd = ["sh", "-c", "echo x; exit 3"];
      await watching({ ...start(aws, one, ...crashing), cmd }, async (watch) => {
        await until(() => watch.said().length > 0);
        const [event] = eventsOf(watch.said()[0] ?? "");
        assert.deepEqual(
          [event?.["level"], event?.["code"], event?.["message"]],
          ["notice", "cmd-started-again", "CMD ended with status 3: it is started again in 1 s"],
        );
      });
    }));
});

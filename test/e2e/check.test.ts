/** `sealexec check` from outside: the report, and that it ends as `run` would. */
import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { Aws } from "../aws/server.ts";
import { RAN, SAY, assertFailed, eventsOf, flipBodyBit, putDirect, withFolder } from "./expect.ts";
import { ARTEFACTS, BUCKET, KEY, ROOT, onPath, push, runProcess, sealexec, withAws } from "./harness.ts";
import type { Artefact, Outcome } from "./harness.ts";

const ESC = "\u001b";
const URI = `s3://${BUCKET}/app.env`;

interface Step {
  readonly stage: string;
  readonly mark: "ok" | "failed" | "skipped";
  readonly target?: string;
  readonly ms?: number;
  readonly detail?: string;
  readonly hint?: string;
  readonly status?: number;
}

interface Report {
  readonly ok: boolean;
  readonly steps: readonly Step[];
}

function parse({ stdout, stderr }: Outcome): Report {
  assert.equal(stderr, "", "a report goes to stdout alone");
  return JSON.parse(stdout) as Report;
}

function stages(report: Report, mark: Step["mark"]): string[] {
  return report.steps.filter((step) => step.mark === mark).map(({ stage }) => stage);
}

const ALL = ["credentials", "region", "object", "format", "key", "context", "decrypt", "dotenv"];

for (const artefact of ARTEFACTS) {
  describe(`check, by the ${artefact.name}`, { concurrency: 2 }, () => {
    const check = (aws: Aws, ...args: string[]): Promise<Outcome> =>
      sealexec(["check", ...args], { env: aws.env(), artefact });

    test("text: each stage in its order, with its mark, its target and its time", () =>
      withAws(async (aws) => {
        await push(aws, "app.env", "A=canary-value\nB=2\n");
        const outcome = await check(aws, "--from", URI, "--key", KEY, "--require", "A,B", "--", "sh");
        const { status, stdout, stderr } = outcome;
        assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
        const lines = stdout.trimEnd().split("\n");
        const found = lines.slice(0, -1).map((line) => /^✓ ([a-z ]+?) {2,}\S.* \(\d+ ms\)$/u.exec(line)?.[1]);
        assert.deepEqual(found, [
          "credentials",
          "role",
          "region",
          "object",
          "format",
          "key",
          "context",
          "decrypt",
          "dotenv",
          "required names",
          "refused names",
          "command",
        ]);
        assert.equal(lines.at(-1), "a start would find its secrets");
        assert.match(stdout, /credentials .*instance metadata/);
        assert.match(stdout, /role .*arn:aws:sts::111122223333:assumed-role\/sealexec-role\//);
        assert.match(stdout, /region .*us-east-1 \(from AWS_REGION\)/);
        assert.match(stdout, /object .*s3:\/\/app-secrets\/app\.env: \d+ bytes, version \S/);
        assert.match(stdout, /format .*: v3 /);
        assert.ok(stdout.includes(aws.kms.find(KEY, aws.region).arn));
        assert.match(stdout, /dotenv .*: 2 variables/);
        assert.match(stdout, /required names .*A, B/);
        assert.match(stdout, /command .*\/sh/);
        assert.doesNotMatch(stdout, /canary/);
        assert.ok(!stdout.includes(ESC));
      }));

    test("json: the same, to be parsed", () =>
      withAws(async (aws) => {
        await push(aws, "app.env", "A=1\n");
        const report = parse(await check(aws, "--from", URI, "--format", "json"));
        assert.equal(report.ok, true);
        assert.deepEqual(
          stages(report, "ok").filter((stage) => stage !== "role"),
          [...ALL, "required names", "refused names"],
        );
        for (const { ms, target, status } of report.steps) {
          assert.ok(Number.isInteger(ms) && (ms ?? -1) >= 0);
          assert.equal(typeof target, "string");
          assert.equal(status, undefined);
        }
      }));

    test("github: an annotation for what failed, escaped, beside the text", () =>
      withAws(async (aws) => {
        await push(aws, "app.env", "A=1\n");
        const good = await check(aws, "--from", URI, "--format", "github");
        assert.equal(good.status, 0);
        assert.doesNotMatch(good.stdout, /^::/m);
        const args = ["--from", "s3://app-secrets/100%25.env", "--format", "github"];
        const bad = await check(aws, ...args);
        assert.equal(bad.status, 66);
        assert.match(bad.stdout, /^✗ object /m);
        const annotations = bad.stdout.split("\n").filter((line) => line.startsWith("::"));
        assert.equal(annotations.length, 1);
        assert.match(
          annotations[0] ?? "",
          /^::error title=sealexec check%3A object::object: s3:\/\/app-secrets\/100%2525\.env: .*%0Ahint: \S/,
        );
      }));

    test("several sources: a line for each, all of them looked at", () =>
      withAws(async (aws) => {
        const uris = [await push(aws, "a.env", "A=1\n"), await push(aws, "b.env", "B=1\nC=1\n")];
        const from = [...uris, "s3://app-secrets/none.env"].flatMap((uri) => ["--from", uri]);
        const both = parse(await check(aws, ...from.slice(0, 4), "--require", "A,B", "--format", "json"));
        assert.equal(both.ok, true);
        const objects = both.steps.filter(({ stage }) => stage === "object");
        assert.deepEqual(
          objects.map(({ target }) => target),
          uris,
        );
        const outcome = await check(aws, ...from, "--format", "json");
        assert.equal(outcome.status, 66);
        const three = parse(outcome);
        assert.equal(three.ok, false);
        assert.deepEqual(
          three.steps.filter(({ stage }) => stage === "object").map(({ mark }) => mark),
          ["ok", "ok", "failed"],
        );
      }));

    test("reads the variables that stand for the flags, as run does", () =>
      withAws(async (aws) => {
        await push(aws, "app.env", "A=1\n", ["--format", "v2", "--context", "stage=prod"]);
        const env = {
          ...aws.env(),
          SEALEXEC_FROM: URI,
          SEALEXEC_KEY: KEY,
          SEALEXEC_ACCEPT: "v2",
          SEALEXEC_CONTEXT: "stage=prod",
          SEALEXEC_REQUIRE: "A",
        };
        assert.equal((await sealexec(["check"], { env, artefact })).status, 0);
        const wanting = { ...env, SEALEXEC_REQUIRE: "B" };
        assert.equal((await sealexec(["check"], { env: wanting, artefact })).status, 65);
      }));
  });
}

interface Fault {
  readonly name: string;
  /** the stage whose line has the cross; none where no report is possible */
  readonly stage?: string;
  readonly status: number;
  readonly given?: (aws: Aws) => unknown;
  readonly flags?: readonly string[];
  readonly env?: (folder: string) => Readonly<Record<string, string>>;
  readonly command?: readonly string[];
}

const FAULTS: readonly Fault[] = [
  {
    name: "no credentials",
    stage: "credentials",
    status: 77,
    env: () => ({ AWS_EC2_METADATA_DISABLED: "true" }),
  },
  {
    name: "credentials that nobody knows",
    stage: "role",
    status: 77,
    env: () => ({ AWS_ACCESS_KEY_ID: "AKIAUNKNOWN000000000", AWS_SECRET_ACCESS_KEY: "x" }),
  },
  {
    name: "a token file that is not there",
    stage: "credentials",
    status: 78,
    env: (folder) => ({
      AWS_WEB_IDENTITY_TOKEN_FILE: join(folder, "none"),
      AWS_ROLE_ARN: "arn:aws:iam::1:role/r",
    }),
  },
  {
    name: "an endpoint of plain HTTP elsewhere",
    stage: "configuration",
    status: 78,
    env: () => ({ AWS_ENDPOINT_URL_S3: "http://s3.example.com" }),
  },
  {
    name: "a CA bundle that is not there",
    stage: "configuration",
    status: 78,
    env: (folder) => ({ AWS_CA_BUNDLE: join(folder, "none.pem") }),
  },
  { name: "a region that is none", stage: "region", status: 78, env: () => ({ AWS_REGION: "no region" }) },
  {
    name: "no object",
    stage: "object",
    status: 66,
    given: (aws) => aws.s3.purge(BUCKET, "app.env"),
  },
  { name: "a forbidden object", stage: "object", status: 77, given: (aws) => aws.s3.deny("GetObject") },
  {
    name: "S3 that nobody can reach",
    stage: "object",
    status: 69,
    given: (aws) => aws.faults.add({ service: "s3", action: "refuse" }).ready,
    flags: ["--timeout", "1"],
  },
  {
    name: "S3 that stays silent",
    stage: "object",
    status: 75,
    given: (aws) => aws.faults.add({ service: "s3", action: "silent" }),
    flags: ["--timeout", "0.8"],
  },
  {
    name: "an object without an envelope",
    stage: "format",
    status: 65,
    given: (aws) => aws.s3.put(BUCKET, "app.env", "A=1\n"),
  },
  { name: "another context", stage: "context", status: 65, flags: ["--context", "stage=prod"] },
  { name: "KMS that refuses", stage: "key", status: 77, given: (aws) => aws.kms.deny("Decrypt") },
  { name: "a disabled key", stage: "key", status: 78, given: (aws) => aws.kms.setState(KEY, "Disabled") },
  {
    name: "another key",
    stage: "key",
    status: 77,
    given: (aws) => aws.kms.createKey({ alias: "other" }),
    flags: ["--key", "alias/other"],
  },
  { name: "a changed body", stage: "decrypt", status: 65, given: (aws) => flipBodyBit(aws, "app.env") },
  {
    name: "a .env that is not valid",
    stage: "dotenv",
    status: 65,
    given: (aws) => putDirect(aws, "app.env", "no assignment\n"),
    flags: ["--accept", "kms-direct"],
  },
  {
    name: "a refused name",
    stage: "refused names",
    status: 65,
    given: (aws) => push(aws, "app.env", "LD_PRELOAD=x\n", ["--allow", "LD_PRELOAD"]),
  },
  {
    name: "a required name that is not there",
    stage: "required names",
    status: 65,
    flags: ["--require", "NONE"],
  },
  {
    name: "a command that is not there",
    stage: "command",
    status: 127,
    command: ["no-such-program-anywhere"],
  },
  { name: "a command that is a folder", stage: "command", status: 126, command: ["/tmp"] },
  {
    name: "a variable that no program can be given",
    stage: "command",
    status: 126,
    given: (aws) => push(aws, "app.env", `A=${"x".repeat(131_072)}\n`),
  },
  { name: "more files than the hard limit", stage: "command", status: 64, flags: ["--nofile", "1000000000"] },
  {
    name: "more files than the hard limit, by the variable",
    stage: "command",
    status: 64,
    env: () => ({ SEALEXEC_NOFILE: "1000000000" }),
  },
  {
    name: "a file for the variables that is on a disk",
    stage: "configuration",
    status: 78,
    env: () => ({ SEALEXEC_WATCH: "1", SEALEXEC_ON_CHANGE: "signal:HUP" }),
    flags: ["--env-out", join(ROOT, "app.env")],
  },
  {
    name: "a way to follow changes that is none",
    status: 64,
    env: () => ({ SEALEXEC_WATCH: "1", SEALEXEC_ON_CHANGE: "nonsense" }),
  },
  { name: "an option of --watch without it", status: 64, flags: ["--every", "5m"] },
  { name: "a limit of files that is none", status: 64, env: () => ({ SEALEXEC_NOFILE: "many" }) },
  {
    name: "a fallback that may not get old",
    status: 64,
    flags: ["--fallback", "/dev/shm/none"],
    env: () => ({ SEALEXEC_FALLBACK_AGE: "never" }),
  },
  { name: "--pass without --pristine", status: 64, flags: ["--pass", "HOME"] },
  { name: "an option that is none", status: 64, flags: ["--nonsense"] },
  { name: "a URI that is none", status: 64, flags: ["--from", "nonsense"] },
];

describe("check: what fails", { concurrency: 2 }, () => {
  const [artefact] = ARTEFACTS as readonly [Artefact, ...Artefact[]];

  for (const { name, stage, status, given, flags = [], env, command = SAY } of FAULTS) {
    test(`${name}: a cross at ${stage ?? "no stage"}, and ${status} as from run`, () =>
      withFolder((folder) =>
        withAws(async (aws) => {
          await push(aws, "app.env", "A=1\n");
          await given?.(aws);
          const options = { env: { ...aws.env(), ...env?.(folder) }, artefact };
          const words = ["--from", URI, ...flags, "--", ...command];
          const ran = await sealexec(["run", ...words], options);
          assertFailed(ran, status, /./);
          const checked = await sealexec(["check", ...words], options);
          assert.equal(checked.status, status, JSON.stringify(checked));
          if (stage === undefined) return assertFailed(checked, status, /./);
          assert.equal(checked.stderr, "");
          const crosses = checked.stdout.split("\n").filter((line) => line.startsWith("✗"));
          assert.equal(crosses.length, 1, checked.stdout);
          assert.ok(crosses[0]?.startsWith(`✗ ${stage} `), checked.stdout);
          assert.match(checked.stdout, /^ +hint: \S/m);
          assert.match(checked.stdout, /\na start would fail: 1 failed\n$/);
          const report = parse(
            await sealexec(["check", ...flags, "--from", URI, "--format", "json", "--", ...command], options),
          );
          assert.equal(report.ok, false);
          assert.deepEqual(stages(report, "failed"), [stage]);
          const failed = report.steps.find(({ mark }) => mark === "failed");
          assert.equal(failed?.status, status);
          // What comes behind the failure was not reached, and says so.
          const at = ALL.indexOf(stage);
          if (at > 1)
            for (const later of ALL.slice(at + 1).filter((other) => other !== "context" && other !== "key")) {
              assert.ok(stages(report, "skipped").includes(later), later);
            }
        }),
      ));
  }

  test("a service that tells the role but cannot be reached is no failure: run does not ask it", () =>
    withAws(async (aws) => {
      await push(aws, "app.env", "A=1\n");
      await aws.faults.add({ service: "sts", action: "refuse" }).ready;
      const { status, stdout } = await sealexec(["check", "--from", URI], { env: aws.env(), artefact });
      assert.equal(status, 0, stdout);
      assert.match(stdout, /^✓ role .*unknown: /m);
    }));
});

describe("check: what run finds out before it opens anything", { concurrency: 2 }, () => {
  const [binary, bundle] = ARTEFACTS as readonly [Artefact, Artefact];

  test("on a Node that cannot execute a program in its own place: 78, with a CMD and without", () =>
    withFolder((folder) =>
      withAws(async (aws) => {
        await push(aws, "app.env", "A=1\n");
        // As Node before 22.15.
        const old = join(folder, "old.cjs");
        writeFileSync(old, "delete process.execve;\ndelete Set.prototype.union;\n");
        const [node, ...words] = bundle.command;
        const artefact = { name: "old Node", command: [node, "--require", old, ...words] as const };
        const options = { env: aws.env(), artefact };
        aws.resetCalls();
        for (const flags of [[], ["--watch"]]) {
          const ran = await sealexec(["run", ...flags, "--from", URI, "--", ...SAY], options);
          assertFailed(ran, 78, /^this Node has no process\.execve$/, /22\.15/);
        }
        assert.equal(aws.count("s3") + aws.count("kms"), 0, "nothing is fetched for a start that cannot be");
        for (const command of [[], ["--", ...SAY]]) {
          const checked = await sealexec(["check", "--from", URI, ...command], options);
          assert.equal(checked.status, 78, checked.stdout);
          assert.match(checked.stdout, /^✗ command +this Node has no process\.execve /m);
          assert.match(checked.stdout, /\na start would fail: 1 failed\n$/);
        }
      }),
    ));

  test("the soft limit of open files, which the npm package cannot set", () =>
    withAws(async (aws) => {
      await push(aws, "app.env", "A=1\n");
      const words = ["--from", URI, "--nofile", "64", "--", ...SAY];
      for (const [artefact, status] of [
        [binary, 0],
        [bundle, 78],
      ] as const) {
        const options = { env: aws.env(), artefact };
        assert.equal((await sealexec(["run", ...words], options)).status, status);
        const checked = await sealexec(["check", ...words], options);
        assert.equal(checked.status, status, checked.stdout);
      }
    }));

  test("what an environment cannot hold, also without a CMD", () =>
    withAws(async (aws) => {
      await push(aws, "app.env", `A=${"x".repeat(131_072)}\n`);
      const { status, stdout } = await sealexec(["check", "--from", URI], { env: aws.env() });
      assert.equal(status, 126, stdout);
      assert.match(stdout, /^✗ command +command: A is 131074 bytes long with its name/m);
    }));

  test("a file for the variables that is on a disk, also without a CMD", () =>
    withAws(async (aws) => {
      await push(aws, "app.env", "A=1\n");
      const flags = ["--watch", "--on-change", "signal:HUP", "--env-out", join(ROOT, "app.env")];
      const { status, stdout } = await sealexec(["check", "--from", URI, ...flags], { env: aws.env() });
      assert.equal(status, 78, stdout);
      assert.match(stdout, /^✗ configuration +configuration: \S+: --env-out: \S+ does not lie on a tmpfs /m);
    }));

  test("what follows CMD is CMD's, with -- before it and without", () =>
    withAws(async (aws) => {
      await push(aws, "app.env", "A=1\n");
      for (const words of [
        ["sh", "--nonsense", "-v", "--require", "B"],
        ["--", "sh", "--nonsense", "-v", "--require", "B"],
      ]) {
        const { status, stderr } = await sealexec(["check", "--from", URI, ...words], { env: aws.env() });
        assert.deepEqual([status, stderr], [0, ""]);
      }
    }));

  test("it takes the options of run, and neither keeps nor starts anything", () =>
    withFolder((folder) =>
      withAws(async (aws) => {
        await push(aws, "app.env", "A=1\n");
        const kept = join(folder, "kept");
        const out = `/dev/shm/sealexec-check-${process.pid}`;
        const options = [
          "--fallback",
          kept,
          "--watch",
          "--every",
          "5m",
          "--on-exit",
          "restart",
          "--grace",
          "1s",
        ];
        const more = ["--on-change", "signal:HUP", "--env-out", out, "--pristine", "--pass", "HOME"];
        const words = ["--from", URI, ...options, ...more, "--keep-existing", "--nofile", "64"];
        const checked = await sealexec(["check", ...words, "--", ...SAY], { env: aws.env() });
        assert.deepEqual([checked.status, checked.stderr], [0, ""], checked.stdout);
        assert.doesNotMatch(checked.stdout, new RegExp(RAN));
        assert.deepEqual([existsSync(kept), existsSync(out)], [false, false]);
      }),
    ));
});

describe(
  "check: the exit status is that of the first failure, in the order of run",
  { concurrency: 2 },
  () => {
    const missing = `s3://${BUCKET}/none.env`;
    const damaged = `s3://${BUCKET}/damaged.env`;
    const check = async (...args: string[]): Promise<Outcome> =>
      withAws(async (aws) => {
        aws.s3.put(BUCKET, "damaged.env", "A=1\n");
        return sealexec(["check", ...args], { env: aws.env() });
      });

    for (const [args, status] of [
      [["--from", missing, "--from", damaged], 66],
      [["--from", damaged, "--from", missing], 65],
      [["--from", damaged, "--from", missing, "--", "no-such-program-anywhere"], 127],
    ] as const) {
      test(`${args.join(" ")}: ${status}`, async () => {
        const outcome = await check(...args);
        assert.equal(outcome.status, status, outcome.stdout);
        assert.match(outcome.stdout, new RegExp(`would fail: ${status === 127 ? 3 : 2} failed\n$`));
      });
    }

    test("what a source that cannot be opened may have is not said to be missing", () =>
      withAws(async (aws) => {
        const good = await push(aws, "app.env", "A=1\n");
        for (const flags of [
          ["--require", "A,OF_THE_OTHER"],
          ["--only", "A,OF_THE_OTHER"],
        ]) {
          const args = ["check", "--from", missing, "--from", good, ...flags];
          const { status, stdout } = await sealexec(args, { env: aws.env() });
          assert.equal(status, 66);
          assert.match(stdout, /^– required names +not reached$/m);
          assert.match(stdout, /\na start would fail: 1 failed\n$/);
        }
      }));
  },
);

describe("check: facts of each source as fields", { concurrency: 2 }, () => {
  test("of an object: version, revision, ETag, key, names; of what cannot be opened: null", () =>
    withAws(async (aws) => {
      await push(aws, "app.env", "B=canary-value\nA=2\n");
      const object = aws.s3.get(BUCKET, "app.env");
      const context = JSON.parse(object?.metadata["x-amz-t"] ?? "{}") as Record<string, string>;
      const missing = `s3://${BUCKET}/none.env`;
      const args = ["check", "--from", URI, "--from", missing, "--format", "json"];
      const { status, stdout } = await sealexec(args, { env: aws.env() });
      assert.equal(status, 66);
      const report = JSON.parse(stdout) as Record<string, unknown> & { sources: Record<string, unknown>[] };
      assert.deepEqual(Object.keys(report), [
        "ok",
        "status",
        "strict",
        "names",
        "sources",
        "warnings",
        "steps",
      ]);
      assert.deepEqual(
        [report["ok"], report["status"], report["strict"], report["names"], report["warnings"]],
        [false, 66, false, null, []],
      );
      const [first, second] = report.sources;
      const { lastModified, ...facts } = first ?? {};
      assert.equal(typeof lastModified, "string");
      assert.deepEqual(facts, {
        uri: URI,
        opened: true,
        format: "v3",
        key: aws.kms.find(KEY, aws.region).arn,
        version: object?.versionId,
        etag: object?.etag,
        bound: true,
        revision: Number(context["sealexec:revision"]),
        names: ["A", "B"],
      });
      assert.deepEqual(Object.keys(second ?? {}), Object.keys(first ?? {}));
      const { uri, opened, ...unknown } = second ?? {};
      assert.deepEqual([uri, opened], [missing, false]);
      assert.deepEqual(new Set(Object.values(unknown)), new Set([null]));
      assert.doesNotMatch(stdout, /canary/);
    }));

  test("the names are those of the sources, also if required ones are not among them", () =>
    withAws(async (aws) => {
      await push(aws, "app.env", "B=1\nA=2\n");
      for (const flags of [
        ["--require", "NEW,NOPE"],
        ["--only", "A,B,NOPE"],
      ]) {
        const args = ["check", "--from", URI, ...flags, "--format", "json"];
        const { status, stdout } = await sealexec(args, { env: aws.env() });
        assert.deepEqual(
          [status, (JSON.parse(stdout) as Record<string, unknown>)["names"]],
          [65, ["A", "B"]],
        );
      }
    }));

  test("what is wrong before anything is checked is said as JSON, too", async () => {
    for (const [line, env] of [
      [["--from", "nonsense"], {}],
      [[], {}],
      [["--nonsense"], {}],
      [["--timeout", "never"], {}],
      [[], { SEALEXEC_KEY: "" }],
    ] as const)
      for (const format of [["--format", "json"], ["--format=json"]]) {
        const { status, stdout, stderr } = await sealexec(["check", ...format, ...line], { env });
        assert.deepEqual([status, stdout], [64, ""]);
        assert.deepEqual(
          eventsOf(stderr).map((event) => [event["level"], event["status"]]),
          [["error", 64]],
        );
      }
    const cmd = await sealexec(["check", "--from", "nonsense", "--", "ls", "--format", "json"]);
    assertFailed(cmd, 64, /does not begin with/);
  });

  test("of a secret, a parameter and a sealed file: the version and the ETag, as push has them", () =>
    withFolder((folder) =>
      withAws(async (aws) => {
        const options = { env: { ...aws.env(), SEALEXEC_KEY: KEY }, cwd: folder };
        for (const uri of ["secretsmanager://prod/app", "file:app.env.sealed"]) {
          const pushed = await sealexec(["push", "-", uri, "--json"], { ...options, input: "A=1\n" });
          assert.equal(pushed.status, 0, pushed.stderr);
          const { version, etag } = JSON.parse(pushed.stdout) as { version: string | null; etag: string };
          const args = ["check", "--from", uri];
          const { stdout } = await sealexec([...args, "--format", "json"], options);
          const [source] = (JSON.parse(stdout) as { sources: Record<string, unknown>[] }).sources;
          assert.deepEqual([source?.["version"], source?.["etag"]], [version, etag]);
          const said = `${version === null ? "" : `, version ${version}`}, etag ${etag}`;
          assert.ok((await sealexec(args, options)).stdout.includes(`${said} (`), said);
          const pulled = await sealexec(["pull", uri, "-v"], options);
          assert.ok(pulled.stderr.includes(said), pulled.stderr);
          const again = ["push", "-", uri, "--if-match", etag];
          assert.equal((await sealexec(again, { ...options, input: "A=2\n" })).status, 0);
        }
        aws.parameters.put("/app/a", "1");
        const { stdout } = await sealexec(["check", "--from", "ssm:///app/a", "--format", "json"], options);
        const [source] = (JSON.parse(stdout) as { sources: Record<string, unknown>[] }).sources;
        assert.deepEqual([source?.["version"], source?.["etag"]], ["1", null]);
      }),
    ));

  test("a variable of ours that there is not is a warning as well", () =>
    withAws(async (aws) => {
      await push(aws, "app.env", "A=1\n");
      const env = { ...aws.env(), SEALEXEC_REQIURE: "A" };
      const args = ["check", "--from", URI, "--format", "json"];
      const { status, stdout } = await sealexec(args, { env });
      const { warnings } = JSON.parse(stdout) as { warnings: { code: string }[] };
      assert.deepEqual([status, warnings.map(({ code }) => code)], [0, ["unknown-variable"]]);
      assert.equal((await sealexec([...args, "--strict"], { env })).status, 65);
    }));

  test("of all sources: the names, and the warnings with their code", () =>
    withFolder((folder) =>
      withAws(async (aws) => {
        await push(aws, "app.env", "A=1\nB=1\n");
        const file = join(folder, "app.env");
        writeFileSync(file, "", { mode: 0o600 });
        const args = ["check", "--from", URI, "--from", `env-file:${file}`, "--format", "json"];
        const { status, stdout } = await sealexec(args, { env: aws.env() });
        const report = JSON.parse(stdout) as Record<string, unknown>;
        assert.deepEqual([status, report["names"]], [0, ["A", "B"]]);
        const warning = { code: "no-variables", target: `env-file:${file}`, hint: null };
        assert.deepEqual(report["warnings"], [
          { ...warning, message: `env-file:${file}: no variables in it` },
        ]);
        const strict = await sealexec([...args, "--strict"], { env: aws.env() });
        assert.equal(strict.status, 65);
        assert.equal((JSON.parse(strict.stdout) as Report).ok, false);
      }),
    ));
});

describe("check: colours", { concurrency: 2 }, () => {
  const skip = onPath("script") === undefined ? "no script (util-linux) on PATH" : false;
  const [artefact] = ARTEFACTS as readonly [Artefact, ...Artefact[]];

  async function onTerminal(env: Record<string, string>): Promise<string> {
    return withAws(async (aws) => {
      await push(aws, "app.env", "A=1\n");
      const line = [...artefact.command, "check", "--from", URI].map((word) => `'${word}'`).join(" ");
      const words = ["script", "-qec", line, "/dev/null"];
      const outcome = await runProcess(words, {
        env: { ...aws.env(), TERM: "xterm", SHELL: "/bin/sh", ...env },
      });
      assert.equal(outcome.status, 0, outcome.stdout);
      return outcome.stdout;
    });
  }

  test("on a terminal: yes", { skip }, async () => {
    assert.ok((await onTerminal({})).includes(`${ESC}[32m✓${ESC}[0m credentials`));
  });
  test("with NO_COLOR, or on a terminal that cannot: no", { skip }, async () => {
    assert.ok(!(await onTerminal({ NO_COLOR: "1" })).includes(ESC));
    assert.ok(!(await onTerminal({ TERM: "dumb" })).includes(ESC));
  });
  test("an empty NO_COLOR says nothing", { skip }, async () => {
    assert.ok((await onTerminal({ NO_COLOR: "" })).includes(`${ESC}[32m`));
  });
  test("in a pipe: only when forced, and never in json and github", () =>
    withAws(async (aws) => {
      await push(aws, "app.env", "A=1\n");
      const check = async (env: Record<string, string>, ...flags: string[]) =>
        (await sealexec(["check", "--from", URI, ...flags], { env: { ...aws.env(), ...env }, artefact }))
          .stdout;
      assert.ok(!(await check({})).includes(ESC));
      assert.ok(!(await check({ FORCE_COLOR: "0" })).includes(ESC));
      assert.ok((await check({ FORCE_COLOR: "1" })).includes(`${ESC}[32m`));
      for (const format of ["json", "github"]) {
        assert.ok(!(await check({ FORCE_COLOR: "1" }, "--format", format)).includes(ESC));
      }
    }));
});

/** Every exit status of the contract (design.md, section 1), reached through the built artefacts. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { Aws } from "../aws/server.ts";
import {
  RAN,
  SAY,
  assertFailed,
  assertPrinted,
  flipBodyBit,
  putDirect,
  until,
  withFolder,
} from "./expect.ts";
import { ARTEFACTS, BUCKET, KEY, push, runProcess, sealexec, withAws } from "./harness.ts";
import type { Artefact } from "./harness.ts";

interface Scene {
  readonly aws: Aws;
  readonly folder: string;
  readonly uri: string;
}

interface Case {
  readonly name: string;
  readonly status: number;
  readonly error: RegExp;
  readonly hint: RegExp;
  /** what has to be so beforehand */
  readonly given?: (scene: Scene) => unknown;
  /** `run --from URI -- CMD` where there is none */
  readonly args?: (scene: Scene) => readonly string[];
  /** flags of the same `run` */
  readonly flags?: readonly string[];
  /** "": not set */
  readonly env?: (scene: Scene) => Readonly<Record<string, string>>;
}

const USAGE: readonly Case[] = [
  {
    name: "an unknown command",
    status: 64,
    args: () => ["rnu"],
    error: /unknown command 'rnu'/,
    hint: /did you mean run\?/,
  },
  {
    name: "help of an unknown command",
    status: 64,
    args: () => ["help", "rnu"],
    error: /^unknown command 'rnu'$/,
    hint: /did you mean run\?/,
  },
  {
    name: "help of help of an unknown command",
    status: 64,
    args: () => ["help", "help", "hepl"],
    error: /^unknown command 'hepl'$/,
    hint: /did you mean help\?/,
  },
  {
    name: "an option of help that is not there",
    status: 64,
    args: () => ["help", "--json"],
    error: /^unknown option '--json'$/,
    hint: /sealexec help COMMAND/,
  },
  {
    name: "a value of --help",
    status: 64,
    args: () => ["run", "--help=1"],
    error: /^option '--help' takes no value$/,
    hint: /sealexec help run/,
  },
  {
    name: "a value of a switch, with a CMD",
    status: 64,
    args: ({ uri }) => ["run", "--pristine=canary", "--from", uri, "--", ...SAY],
    error: /^option '--pristine' takes no value$/,
    hint: /sealexec help run/,
  },
  {
    name: "run with a source in the place of CMD",
    status: 64,
    args: ({ uri }) => ["run", uri, "--", ...SAY],
    error: /^s3:\/\/app-secrets\/app\.env is a source, and stands in the place of CMD$/,
    hint: /sealexec run --from s3:\/\/app-secrets\/app\.env -- CMD$/,
  },
  {
    name: "the same with a source in the environment",
    status: 64,
    args: ({ uri }) => ["run", "--", uri],
    env: ({ uri }) => ({ SEALEXEC_FROM: uri }),
    error: /is a source, and stands in the place of CMD$/,
    hint: /--from/,
  },
  {
    name: "check with a source in the place of CMD",
    status: 64,
    args: () => ["check", "env-file:/run/secrets/.env"],
    error: /^env-file:\/run\/secrets\/\.env is a source, and stands in the place of CMD$/,
    hint: /sealexec check --from env-file:\/run\/secrets\/\.env$/,
  },
  {
    name: "push with its URI first",
    status: 64,
    args: ({ uri }) => ["push", uri, ".env", "--key", KEY],
    error: /^s3:\/\/app-secrets\/app\.env is not the \.env to push: its file comes first, then the URI$/,
    hint: /sealexec push FILE s3:\/\/app-secrets\/app\.env$/,
  },
  {
    name: "push from one place to another",
    status: 64,
    args: ({ uri }) => ["push", uri, `${uri}.copy`, "--key", KEY],
    error: /is not the \.env to push/,
    hint: /sealexec pull/,
  },
  {
    name: "an unknown option",
    status: 64,
    args: ({ uri }) => ["run", "--form", uri, "--", ...SAY],
    error: /unknown option '--form'/,
    hint: /did you mean --from\?/,
  },
  {
    name: "no CMD",
    status: 64,
    args: ({ uri }) => ["run", "--from", uri, "--"],
    error: /missing required argument 'cmd'/,
    hint: /sealexec/,
  },
  {
    name: "no source",
    status: 64,
    args: () => ["run", "--", ...SAY],
    error: /no source: give --from URI or set SEALEXEC_FROM/,
    hint: /sealexec run --from/,
  },
  {
    name: "a URI of another form",
    status: 64,
    args: () => ["run", "--from", "https://app-secrets/app.env", "--", ...SAY],
    error: /s3:\/\//,
    hint: /s3:\/\/BUCKET\/KEY/,
  },
  {
    name: "a deadline that is not a number",
    status: 64,
    flags: ["--timeout", "soon"],
    error: /--timeout \(SEALEXEC_TIMEOUT\)/,
    hint: /./,
  },
  {
    name: "a format that is not known",
    status: 64,
    flags: ["--accept", "v9"],
    error: /--accept does not know "v9"/,
    hint: /v2, kms-gcm, kms-cbc, kms-direct/,
  },
];

const DATA: readonly Case[] = [
  {
    name: "a changed body",
    status: 65,
    given: ({ aws }) => flipBodyBit(aws, "app.env"),
    error: /^decrypt: s3:\/\/app-secrets\/app\.env: /,
    hint: /seal|push/,
  },
  {
    name: "an object without an envelope",
    status: 65,
    given: ({ aws }) => aws.s3.put(BUCKET, "app.env", "A=1\n"),
    error: /^format: s3:\/\/app-secrets\/app\.env: /,
    hint: /./,
  },
  {
    name: "a format that is not accepted",
    status: 65,
    given: ({ aws }) => push(aws, "app.env", "A=1\n", ["--format", "v2"]),
    error: /^format: s3:\/\/app-secrets\/app\.env: .*v2/,
    hint: /--accept v2/,
  },
  {
    name: "a context that does not match",
    status: 65,
    flags: ["--context", "stage=prod"],
    error: /^context: s3:\/\/app-secrets\/app\.env: .*stage/,
    hint: /context/,
  },
  {
    name: "an object that was copied to another place",
    status: 65,
    given: ({ aws }) => {
      const object = aws.s3.get(BUCKET, "app.env");
      aws.s3.put(BUCKET, "copy.env", object?.body ?? "", object?.metadata);
    },
    args: () => ["run", "--from", `s3://${BUCKET}/copy.env`, "--", ...SAY],
    error: /^context: s3:\/\/app-secrets\/copy\.env: sealed for "?s3:\/\/app-secrets\/app\.env/,
    hint: /seal the right content again: sealexec push/,
  },
  {
    name: "a .env that is not valid",
    status: 65,
    given: ({ aws }) => putDirect(aws, "app.env", "A=1\nno assignment\n"),
    flags: ["--accept", "kms-direct"],
    error: /^dotenv: s3:\/\/app-secrets\/app\.env: line 2: /,
    hint: /./,
  },
  {
    name: "a name that is refused",
    status: 65,
    given: ({ aws }) => push(aws, "app.env", "LD_PRELOAD=/tmp/x.so\n", ["--allow", "LD_PRELOAD"]),
    error: /^refused names: s3:\/\/app-secrets\/app\.env: .*LD_PRELOAD/,
    hint: /--allow LD_PRELOAD/,
  },
  {
    name: "a required name that is not there",
    status: 65,
    flags: ["--require", "A,MISSING"],
    error: /^required names: .*missing or empty: MISSING$/,
    hint: /--require/,
  },
];

const MISSING: readonly Case[] = [
  {
    name: "no such object",
    status: 66,
    args: () => ["run", "--from", `s3://${BUCKET}/none.env`, "--", ...SAY],
    error: /^object: s3:\/\/app-secrets\/none\.env: no such object \(GetObject: NoSuchKey, 404, request id /,
    hint: /./,
  },
  {
    name: "no such bucket",
    status: 66,
    args: () => ["run", "--from", "s3://no-such-bucket/app.env", "--", ...SAY],
    error: /^object: s3:\/\/no-such-bucket\/app\.env: no such bucket \(GetObject: NoSuchBucket/,
    hint: /./,
  },
  {
    name: "no such version",
    status: 66,
    args: ({ uri }) => ["run", "--from", `${uri}?versionId=none`, "--", ...SAY],
    error:
      /^object: s3:\/\/app-secrets\/app\.env\?versionId=none: no such version \(GetObject: NoSuchVersion/,
    hint: /./,
  },
  {
    name: "no such file to push",
    status: 66,
    args: ({ folder, uri }) => ["push", join(folder, "none.env"), uri, "--key", KEY],
    error: /none\.env: no such file or folder/,
    hint: /standard input/,
  },
];

const UNAVAILABLE: readonly Case[] = [
  {
    name: "nobody listens",
    status: 69,
    given: ({ aws }) => aws.faults.add({ service: "s3", action: "refuse" }).ready,
    flags: ["--timeout", "1"],
    error: /^object: s3:\/\/app-secrets\/app\.env: GetObject: .*cannot be reached \(ECONNREFUSED\)/,
    hint: /endpoint|network/,
  },
  {
    name: "the service keeps failing",
    status: 69,
    given: ({ aws }) => aws.faults.add({ service: "kms", action: "status", status: 500 }),
    flags: ["--timeout", "1"],
    error: /^key: s3:\/\/app-secrets\/app\.env .*the service kept failing \(Decrypt: .*request id /,
    hint: /./,
  },
];

const TIMEOUT: readonly Case[] = [
  {
    name: "the deadline passes in silence",
    status: 75,
    given: ({ aws }) => aws.faults.add({ service: "s3", action: "silent" }),
    flags: ["--timeout", "2"],
    error: /^object: s3:\/\/app-secrets\/app\.env: /,
    hint: /--timeout/,
  },
];

const DENIED: readonly Case[] = [
  {
    name: "no credentials at all",
    status: 77,
    env: () => ({ AWS_EC2_METADATA_DISABLED: "true" }),
    error: /^credentials: .*no credentials found/,
    hint: /role|AWS_PROFILE/,
  },
  {
    name: "credentials that S3 does not know",
    status: 77,
    env: () => ({ AWS_ACCESS_KEY_ID: "AKIAUNKNOWN000000000", AWS_SECRET_ACCESS_KEY: "x" }),
    error:
      /^object: .*refused: AWS does not know the access key \(GetObject: InvalidAccessKeyId, 403, request id /,
    hint: /AWS_ACCESS_KEY_ID.*sealexec check/,
  },
  {
    name: "a secret access key that is not the access key's",
    status: 77,
    env: ({ aws }) => ({ ...aws.keyEnv(), AWS_SECRET_ACCESS_KEY: "x" }),
    error:
      /^object: .*refused: the secret access key does not belong to the access key \(GetObject: SignatureDoesNotMatch/,
    hint: /AWS_SECRET_ACCESS_KEY/,
  },
  {
    name: "S3 that does not say whether the object is missing or forbidden",
    status: 77,
    given: ({ aws }) => aws.s3.deny("GetObject"),
    error: /^object: .*missing or forbidden \(GetObject: AccessDenied, 403, request id /,
    hint: /s3:GetObject/,
  },
  {
    name: "KMS that refuses",
    status: 77,
    given: ({ aws }) => aws.kms.deny("Decrypt"),
    error: /^key: s3:\/\/app-secrets\/app\.env .*\(Decrypt: AccessDeniedException, 400, request id /,
    hint: /policy/,
  },
  {
    name: "a key that is not the configured one",
    status: 77,
    given: ({ aws }) => void aws.kms.createKey({ alias: "other" }),
    flags: ["--key", "alias/other"],
    error: /^key: .*alias\/other.*another key than the configured one \(Decrypt: IncorrectKeyException/,
    hint: /--key/,
  },
];

const CONFIG: readonly Case[] = [
  {
    name: "a disabled key",
    status: 78,
    given: ({ aws }) => aws.kms.setState(KEY, "Disabled"),
    error: /^key: .*the KMS key is disabled \(Decrypt: DisabledException/,
    hint: /enable/,
  },
  {
    name: "a key that is not there",
    status: 78,
    flags: ["--key", "alias/none"],
    error:
      /^key: .*alias\/none.*no such KMS key in account 111122223333 and region us-east-1 \(Decrypt: NotFoundException/,
    hint: /--key/,
  },
  {
    name: "an alias without its beginning",
    status: 78,
    flags: ["--key", "app"],
    error: /^key: .*no such KMS key in this account and region us-east-1 \(Decrypt: NotFoundException/,
    hint: /^an alias begins with alias\/: --key alias\/app$/,
  },
  {
    name: "an alias without its beginning, at a push",
    status: 78,
    args: ({ folder, uri }) => ["push", join(folder, "app.env"), `${uri}.new`, "--key", "app"],
    given: ({ folder }) => writeFile(join(folder, "app.env"), "A=1\n"),
    error:
      /^key: app: no such KMS key in this account and region us-east-1 \(GenerateDataKey: NotFoundException/,
    hint: /alias\/app$/,
  },
  {
    name: "the id of a key that is not there",
    status: 78,
    flags: ["--key", "00000000-1111-2222-3333-444444444444"],
    error:
      /^key: .*no such KMS key in account 111122223333 and region us-east-1 \(Decrypt: NotFoundException/,
    hint: /named by its ARN$/,
  },
  {
    name: "a region that is none",
    status: 78,
    env: () => ({ AWS_REGION: "evil.example.com/" }),
    error: /^region: .*AWS_REGION/,
    hint: /eu-west-1/,
  },
  {
    name: "plain HTTP to a stranger",
    status: 78,
    env: () => ({ AWS_ENDPOINT_URL_S3: "http://s3.example.com" }),
    error: /s3\.example\.com: plain HTTP is refused/,
    hint: /https:/,
  },
  {
    name: "a token file that is not there",
    status: 78,
    env: ({ folder }) => ({
      AWS_WEB_IDENTITY_TOKEN_FILE: join(folder, "none"),
      AWS_ROLE_ARN: "arn:aws:iam::111122223333:role/pod",
    }),
    error: /AWS_WEB_IDENTITY_TOKEN_FILE: .*none cannot be read/,
    hint: /mount/,
  },
  {
    name: "a profile that is not there",
    status: 78,
    env: () => ({ AWS_PROFILE: "nobody" }),
    error: /profile nobody/,
    hint: /AWS_PROFILE/,
  },
  {
    name: "a CA bundle that is not there",
    status: 78,
    env: ({ folder }) => ({ AWS_CA_BUNDLE: join(folder, "none.pem") }),
    error: /AWS_CA_BUNDLE: .*none\.pem cannot be read/,
    hint: /PEM/,
  },
];

const COMMAND: readonly Case[] = [
  {
    name: "a file that may not be executed",
    status: 126,
    given: ({ folder }) => writeFile(join(folder, "plain"), "#!/bin/sh\n", { mode: 0o644 }),
    args: ({ folder, uri }) => ["run", "--from", uri, "--", join(folder, "plain")],
    error: /^command: .*plain: permission denied/,
    hint: /chmod \+x/,
  },
  {
    name: "a directory",
    status: 126,
    given: ({ folder }) => mkdir(join(folder, "place")),
    args: ({ folder, uri }) => ["run", "--from", uri, "--", join(folder, "place")],
    error: /^command: .*place: is a directory/,
    hint: /name a program/,
  },
  {
    name: "a file of no known format",
    status: 126,
    given: async ({ folder }) => {
      await writeFile(join(folder, "data"), "neither of the two\n");
      await chmod(join(folder, "data"), 0o755);
    },
    args: ({ folder, uri }) => ["run", "--from", uri, "--", join(folder, "data")],
    error: /^command: .*data: wrong format/,
    hint: /#!/,
  },
  {
    name: "an environment that the kernel would not take",
    status: 126,
    given: ({ aws }) => push(aws, "app.env", `HUGE=${"x".repeat(131_072)}\n`),
    error: /^command: HUGE is 131077 bytes long/,
    hint: /files/,
  },
  {
    name: "a name that is not on PATH",
    status: 127,
    args: ({ uri }) => ["run", "--from", uri, "--", "no-such-program-anywhere"],
    error: /^command: no-such-program-anywhere: not found in PATH/,
    hint: /PATH/,
  },
  {
    name: "a path that is not there",
    status: 127,
    args: ({ uri }) => ["run", "--from", uri, "--", "/no/such/program"],
    error: /^command: \/no\/such\/program: no such file/,
    hint: /path/,
  },
];

const CASES = [...USAGE, ...DATA, ...MISSING, ...UNAVAILABLE, ...TIMEOUT, ...DENIED, ...CONFIG, ...COMMAND];

const firstOfEachStatus = CASES.filter(
  ({ status }, index) => CASES.findIndex((other) => other.status === status) === index,
);

for (const artefact of ARTEFACTS) {
  describe(`exit status of the ${artefact.name}`, { concurrency: 2 }, () => {
    // The table is the same code in both: whole for the binary, one case a status for the bundle.
    const cases = artefact.name === "binary" ? CASES : firstOfEachStatus;
    for (const it of cases) test(`${it.status}: ${it.name}`, () => reach(it, artefact));

    test("64: no command, where the usage is shown too", async () => {
      const { status, stdout, stderr } = await sealexec([], { artefact });
      assert.deepEqual({ status, stdout }, { status: 64, stdout: "" });
      assert.match(stderr, /^Usage: sealexec[^]*\nsealexec: error: no command\nsealexec: hint: [^\n]+\n$/);
    });

    test("70: an error that nobody expected, whose text is not shown", () =>
      withPreload(
        artefact,
        'setImmediate(() => { throw new TypeError("text of a stranger"); });',
        (outcome) => {
          assertFailed(outcome, 70, /^unexpected TypeError$/, /bug in sealexec/);
        },
      ));

    test("70: a promise that nobody caught", () =>
      withPreload(artefact, 'setImmediate(() => { Promise.reject(new RangeError("x")); });', (outcome) => {
        assertFailed(outcome, 70, /^unexpected RangeError$/, /bug in sealexec/);
      }));

    test("70: an end with 0 that sealexec did not choose", () =>
      withPreload(artefact, "setImmediate(() => process.exit(0));", (outcome) => {
        assert.equal(outcome.status, 70);
        assert.equal(outcome.stdout, "");
      }));

    const signals = { SIGHUP: 129, SIGINT: 130, SIGQUIT: 131, SIGTERM: 143 } as const;
    for (const [signal, status] of Object.entries(signals) as [NodeJS.Signals, number][]) {
      test(`${status}: ${signal} before exec`, () => endBy(artefact, signal, status));
    }

    test("0 and all others are CMD's own", async () => {
      await withAws(async (aws) => {
        const uri = await push(aws, "app.env", "A=1\n");
        for (const status of [0, 1, 64, 70, 77, 127, 255]) {
          const args = ["run", "--from", uri, "--", "sh", "-c", `echo ${RAN}; exit ${status}`];
          const outcome = await sealexec(args, { env: aws.env(), artefact });
          assert.deepEqual(outcome, { status, signal: null, stdout: `${RAN}\n`, stderr: "" });
        }
        const killed = ["run", "--from", uri, "--", "sh", "-c", "kill -9 $$"];
        const outcome = await sealexec(killed, { env: aws.env(), artefact });
        assert.deepEqual(outcome, { status: null, signal: "SIGKILL", stdout: "", stderr: "" });
      });
    });

    test("0: check of a clean source, and what was asked for by name", async () => {
      await withAws(async (aws) => {
        const uri = await push(aws, "app.env", "A=1\n");
        const check = await sealexec(["check", "--from", uri], { env: aws.env(), artefact });
        assert.equal(check.status, 0);
        assert.equal(check.stderr, "");
      });
      const version = await sealexec(["--version"], { artefact });
      assert.match(version.stdout, /^\d+\.\d+\.\d+\n$/);
      assertPrinted(version, version.stdout);
      for (const args of [["--help"], ["help"], ["help", "run"], ["run", "--help"]]) {
        const help = await sealexec(args, { artefact });
        assert.match(help.stdout, /^Usage: sealexec/);
        assertPrinted(help, help.stdout);
      }
    });

    test("what is printed and cannot be written is 78, whoever prints it", () =>
      withFolder(async (cwd) => {
        await writeFile(join(cwd, ".env"), "A=1\n", { mode: 0o600 });
        const to = (place: string, words: readonly string[]) =>
          runProcess(["sh", "-c", `"$0" "$@" >${place}`, ...artefact.command, ...words], {
            cwd,
            env: { AWS_EC2_METADATA_DISABLED: "true" },
          });
        const printing = [
          ["--help"],
          ["--version"],
          ["help", "run"],
          ["completion", "bash"],
          ["check", "--from", "env-file:.env"],
          ["pull", "env-file:.env"],
          ["keygen", "key"],
          ["push", ".env", "file:sealed", "--key", "local:key"],
        ];
        for (const words of printing) {
          assertFailed(await to("/dev/full", words), 78, /^standard output: cannot be written \(ENOSPC\)$/);
        }
        // What is not printed is done all the same.
        const again = ["push", ".env", "file:sealed", "--key", "local:key"];
        assertPrinted(await to("printed", again), "");
        assert.match(await readFile(join(cwd, "printed"), "utf8"), /^unchanged /m);
      }));
  });
}

async function reach({ given, args, flags = [], env, status, error, hint }: Case, artefact: Artefact) {
  await withFolder((folder) =>
    withAws(async (aws) => {
      const uri = await push(aws, "app.env", "A=1\nB=2\n");
      const scene = { aws, folder, uri };
      await given?.(scene);
      const words = args?.(scene) ?? ["run", "--from", uri, ...flags, "--", ...SAY];
      const outcome = await sealexec(words, {
        env: { ...aws.env(), HOME: folder, ...env?.(scene) },
        artefact,
      });
      assertFailed(outcome, status, error, hint);
    }),
  );
}

/**
 * A bug cannot be had from a finished program, so one is brought in: the runtime's own way to load a script first,
 * which both artefacts know (docs: the threat model says so).
 */
async function withPreload(
  artefact: Artefact,
  script: string,
  look: (outcome: Awaited<ReturnType<typeof sealexec>>) => void,
): Promise<void> {
  await withFolder((folder) =>
    withAws(async (aws) => {
      const file = join(folder, "preload.cjs");
      await writeFile(file, script);
      aws.faults.add({ service: "imds", action: "silent" });
      const preload =
        artefact.name === "binary"
          ? { BUN_OPTIONS: `--preload ${file}` }
          : { NODE_OPTIONS: `--require ${file}` };
      const args = ["run", "--from", `s3://${BUCKET}/app.env`, "--", ...SAY];
      look(await sealexec(args, { env: { ...aws.env(), ...preload }, artefact }));
    }),
  );
}

const NONE: Readonly<Record<string, string>> = {};

describe("what cannot be reached", { concurrency: 4 }, () => {
  for (const artefact of ARTEFACTS) {
    for (const [how, more] of [
      ["directly", NONE],
      ["by the SDK's clients", { AWS_CONFIG_FILE: "/dev/null" }],
    ] as const) {
      for (const [service, action] of [
        ["kms", "refuse"],
        ["s3", "resetOnConnect"],
        ["s3", "refuse"],
      ] as const) {
        const what = `${service}, ${action}`;
        test(`what cannot be reached is named with its host and port: ${what}, ${how}, by the ${artefact.name}`, () =>
          withAws(async (aws) => {
            const uri = await push(aws, "app.env", "A=1\n");
            await aws.faults.add({ service, action }).ready;
            const { host } = new URL(aws.endpoints[service]);
            const named = new RegExp(`: (?:GetObject|Decrypt): ${host}: cannot be reached \\(E[A-Z]+\\)$`);
            // Whoever asks by the SDK has its code to load first.
            const args = ["run", "--from", uri, "--timeout", more === NONE ? "2" : "4", "--", ...SAY];
            const outcome = await sealexec(args, { env: { ...aws.env(), ...more }, artefact });
            assertFailed(outcome, 69, named, /check the endpoint/);
          }));
      }
    }
  }
});

async function endBy(artefact: Artefact, signal: NodeJS.Signals, expected: number): Promise<void> {
  await withAws(async (aws) => {
    const uri = await push(aws, "app.env", "A=1\n");
    aws.resetCalls();
    aws.faults.add({ service: "s3", action: "silent" });
    const [file = "", ...words] = [...artefact.command, "run", "--from", uri, "--", ...SAY];
    const child = spawn(file, words, { env: aws.env(), stdio: ["ignore", "pipe", "pipe"] });
    let printed = "";
    child.stdout.on("data", (chunk: Buffer) => (printed += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (printed += chunk.toString()));
    const ended = new Promise<{ status: number | null; by: string | null }>((resolve) => {
      child.on("close", (status, by) => resolve({ status, by }));
    });
    await until(() => aws.count("s3") > 0);
    child.kill(signal);
    assert.deepEqual(await ended, { status: expected, by: null });
    assert.equal(printed, "");
  });
}

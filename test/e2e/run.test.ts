/** `sealexec run` from outside: what CMD gets, which calls are made, and what is refused. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmod, symlink, writeFile } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { Aws } from "../aws/server.ts";
import { RAN, SAY, assertFailed, assertPrinted, putDirect, withFolder } from "./expect.ts";
import {
  ARTEFACTS,
  BINARY,
  BUCKET,
  KEY,
  ROOT,
  onPath,
  push,
  runProcess,
  sealexec,
  withAws,
} from "./harness.ts";

for (const artefact of ARTEFACTS) {
  test(`${artefact.name}: connections for every source are open before the credentials are there, and are used`, async () => {
    await withAws(async (aws) => {
      const uris = await Promise.all(
        ["a", "b", "c"].map((name) => push(aws, name, `${name.toUpperCase()}=1\n`)),
      );
      aws.resetCalls();
      aws.faults.add({ service: "imds", operation: "GetToken", action: "delay", delayMs: 400, times: 1 });
      const args = [
        "run",
        ...uris.flatMap((uri) => ["--from", uri]),
        "--key",
        KEY,
        "--",
        "printenv",
        "A",
        "B",
        "C",
      ];
      assertPrinted(await sealexec(args, { env: aws.env(), artefact }), "1\n1\n1\n");
      const [, second] = aws.calls.filter(({ service }) => service === "imds");
      const tokenWasThere = second?.time ?? assert.fail("no second call of IMDS");
      for (const listener of ["s3", "kms"] as const) {
        const opened = aws.connections.filter((connection) => connection.listener === listener);
        assert.equal(opened.length, uris.length, `${listener}: ${opened.length} connections`);
        for (const { time } of opened) assert.ok(time < tokenWasThere, `${listener}: opened too late`);
      }
    });
  });
}

/** The environment of CMD as bytes in hex, one line; in its order. */
const ENVIRON = ["sh", "-c", "od -An -v -tx1 /proc/$$/environ | tr -d ' \\n'"] as const;

async function environmentOf(
  args: readonly string[],
  options: Parameters<typeof sealexec>[1],
): Promise<Map<string, Buffer>> {
  const outcome = await sealexec(["run", ...args, "--", ...ENVIRON], options);
  assertPrinted(outcome, outcome.stdout);
  return entries(Buffer.from(outcome.stdout, "hex"));
}

function entries(block: Buffer): Map<string, Buffer> {
  const found = new Map<string, Buffer>();
  for (const entry of block.toString("latin1").split("\0")) {
    const equals = entry.indexOf("=", 1);
    if (equals === -1) continue;
    const name = Buffer.from(entry.slice(0, equals), "latin1").toString("utf8");
    assert.ok(!found.has(name), `${name} stands there twice`);
    found.set(name, Buffer.from(entry.slice(equals + 1), "latin1"));
  }
  return found;
}

function text(found: Map<string, Buffer>, name: string): string | undefined {
  return found.get(name)?.toString("utf8");
}

for (const artefact of ARTEFACTS) {
  describe(`run, by the ${artefact.name}`, { concurrency: 2 }, () => {
    test("merges several sources in order, and a later one wins", () =>
      withAws(async (aws) => {
        const first = await push(aws, "first.env", "A=first\nB=first\nC=first\n");
        const second = await push(aws, "second.env", "B=second\nC=second\n");
        const third = await push(aws, "third.env", "C=third\n");
        const from = [first, second, third].flatMap((uri) => ["--from", uri]);
        const found = await environmentOf(from, { env: aws.env(), artefact });
        assert.deepEqual(
          ["A", "B", "C"].map((name) => text(found, name)),
          ["first", "second", "third"],
        );
        const turned = await environmentOf(
          [third, second, first].flatMap((uri) => ["-f", uri]),
          {
            env: aws.env(),
            artefact,
          },
        );
        assert.equal(text(turned, "C"), "first");
      }));

    test("makes exactly one GetObject and one Decrypt a source, and asks IMDS for a token", () =>
      withAws(async (aws) => {
        const uris = await Promise.all([push(aws, "a.env", "A=1\n"), push(aws, "b.env", "B=1\n")]);
        aws.resetCalls();
        const from = uris.flatMap((uri) => ["--from", uri]);
        assertPrinted(
          await sealexec(["run", ...from, "--key", KEY, "--", ...SAY], { env: aws.env(), artefact }),
          `${RAN}\n`,
        );
        const made = aws.calls.filter(({ service }) => service !== "imds").map(({ operation }) => operation);
        assert.deepEqual(made.sort(), ["Decrypt", "Decrypt", "GetObject", "GetObject"]);
        assert.equal(aws.count("imds", "GetToken"), 1);
        assert.equal(aws.count("imds", "GetCredentials"), 1);
        assert.equal(aws.count("imds", "GetWithoutToken"), 0);
        for (const call of aws.calls.filter(({ operation }) => operation === "Decrypt")) {
          assert.equal(call.detail.KeyId, KEY);
        }
      }));

    test("hands values over as they are: newlines, $, backticks, quotes, UTF-8", () =>
      withAws(async (aws) => {
        const values = {
          NEWLINES: "one\ntwo\n\nfour",
          DOLLAR: "$HOME ${HOME} $(id) $$",
          BACKTICKS: "`id`",
          QUOTES: `it's "quoted"`,
          UTF8: "zażółć 🙂",
          BACKSLASH: "a\\nb\\\\c",
          SPACES: "  both sides  ",
          EMPTY: "",
          HASH: "a # b",
          EQUALS: "a=b=c",
        };
        const lines = {
          NEWLINES: `"one\ntwo\n\nfour"`,
          DOLLAR: "'$HOME ${HOME} $(id) $$'",
          BACKTICKS: "'`id`'",
          QUOTES: '`it\'s "quoted"`',
          UTF8: "zażółć 🙂",
          BACKSLASH: "'a\\nb\\\\c'",
          SPACES: "'  both sides  '",
          EMPTY: "",
          HASH: "'a # b'",
          EQUALS: "a=b=c",
        };
        const uri = await push(
          aws,
          "app.env",
          Object.entries(lines)
            .map(([name, line]) => `${name}=${line}\n`)
            .join(""),
        );
        const found = await environmentOf(["--from", uri], { env: aws.env(), artefact });
        for (const [name, value] of Object.entries(values)) assert.equal(text(found, name), value, name);
      }));

    test("lets the source win over a variable that is set, or the variable with --keep-existing", () =>
      withAws(async (aws) => {
        const uri = await push(aws, "app.env", "SET=source\nNEW=source\n");
        const options = { env: { ...aws.env(), SET: "before", OTHER: "kept" }, artefact };
        const found = await environmentOf(["--from", uri], options);
        assert.deepEqual(
          ["SET", "NEW", "OTHER"].map((name) => text(found, name)),
          ["source", "source", "kept"],
        );
        const kept = await environmentOf(["--from", uri, "--keep-existing"], options);
        assert.deepEqual(
          ["SET", "NEW", "OTHER"].map((name) => text(kept, name)),
          ["before", "source", "kept"],
        );
      }));

    test("gives CMD only the secrets with --pristine, and what --pass names besides", () =>
      withAws(async (aws) => {
        const uri = await push(aws, "app.env", "A=1\n");
        const options = { env: { ...aws.env(), OTHER: "o", THIRD: "t" }, artefact };
        const cmd = ["/usr/bin/env", "-0"];
        const bare = await sealexec(["run", "--from", uri, "--pristine", "--", ...cmd], options);
        assertPrinted(bare, "A=1\0");
        const flags = ["--pristine", "--pass", "OTHER", "--pass", "THIRD,UNSET"];
        const passed = await sealexec(["run", "--from", uri, ...flags, "--", ...cmd], options);
        assert.deepEqual(new Set(passed.stdout.split("\0")), new Set(["A=1", "OTHER=o", "THIRD=t", ""]));
        const alone = await sealexec(["run", "--from", uri, "--pass", "OTHER", "--", ...SAY], options);
        assertFailed(alone, 64, /--pass is for --pristine/);
      }));

    test("is CMD afterwards: same PID, argv[0] as given, options of CMD untouched", () =>
      withAws((aws) =>
        withFolder(async (folder) => {
          const uri = await push(aws, "app.env", "A=1\n");
          const [file = "", ...words] = artefact.command;
          const script = 'printf "%s " $$; tr "\\0" "|" </proc/$$/cmdline';
          // argv[0] is the name that was typed, although PATH leads to another file.
          await symlink("/bin/sh", join(folder, "worker"));
          const flags = ["--from", uri, "--", "worker", "-c", script, "--key", "-v", "--", "--from=x", ""];
          const child = spawn(file, [...words, "run", ...flags], {
            env: { ...aws.env(), PATH: `${folder}:/usr/bin:/bin` },
            stdio: ["ignore", "pipe", "inherit"],
          });
          let printed = "";
          child.stdout.on("data", (chunk: Buffer) => (printed += chunk.toString()));
          const status = await new Promise((resolve) => {
            child.on("close", resolve);
          });
          assert.equal(status, 0);
          assert.equal(printed, `${child.pid} worker|-c|${script}|--key|-v|--|--from=x||`);
        }),
      ));

    test("takes everything from variables, as a Dockerfile gives them", () =>
      withAws(async (aws) => {
        const flags = ["--context", "stage=prod", "--context", "team=a b", "--format", "v2"];
        const old = await push(aws, "old.env", "A=old\nB=old\n", flags);
        const more = [...flags.slice(0, 4), "--allow", "NODE_OPTIONS"];
        const young = await push(aws, "young.env", "B=young\nNODE_OPTIONS=--no-warnings\n", more);
        aws.resetCalls();
        const env = {
          ...aws.env(),
          SEALEXEC_FROM: ` \t${old}\n  ${young} `,
          SEALEXEC_KEY: KEY,
          SEALEXEC_CONTEXT: "stage=prod, team=a b",
          SEALEXEC_ACCEPT: "v2, kms-gcm",
          SEALEXEC_REQUIRE: "A, B",
          SEALEXEC_ALLOW: "NODE_OPTIONS",
          SEALEXEC_TIMEOUT: "20",
          SEALEXEC_LOG: "json",
        };
        const found = await environmentOf([], { env, artefact });
        assert.equal(text(found, "A"), "old");
        assert.equal(text(found, "B"), "young");
        assert.equal(text(found, "NODE_OPTIONS"), "--no-warnings");
        for (const call of aws.calls.filter(({ operation }) => operation === "Decrypt")) {
          assert.equal(call.detail.KeyId, KEY);
        }
      }));

    test("lets each flag win over its variable", () =>
      withAws(async (aws) => {
        const flags = ["--context", "stage=prod", "--format", "v2", "--allow", "PAGER"];
        const uri = await push(aws, "app.env", "A=1\nPAGER=cat\n", flags);
        const env = {
          ...aws.env(),
          SEALEXEC_FROM: "s3://app-secrets/none.env",
          SEALEXEC_KEY: "alias/none",
          SEALEXEC_CONTEXT: "stage=test",
          SEALEXEC_ACCEPT: "kms-cbc",
          SEALEXEC_REQUIRE: "NONE",
          SEALEXEC_ALLOW: "EDITOR",
          SEALEXEC_TIMEOUT: "0.001",
          SEALEXEC_LOG: "json",
        };
        const given = {
          "--from": uri,
          "--key": KEY,
          "--context": "stage=prod",
          "--accept": "v2",
          "--require": "A",
          "--allow": "PAGER",
          "--timeout": "30",
          "--log": "text",
        };
        const all = Object.entries(given).flat();
        assertPrinted(await sealexec(["run", ...all, "--", ...SAY], { env, artefact }), `${RAN}\n`);
        // Each variable would have decided, had its flag not been there.
        for (const name of Object.keys(given).filter((name) => name !== "--log")) {
          const others = Object.entries(given).filter(([other]) => other !== name);
          const outcome = await sealexec(["run", ...others.flat(), "--", ...SAY], { env, artefact });
          assert.notEqual(outcome.status, 0, `${name}: its variable does nothing`);
          assert.equal(outcome.stdout, "");
        }
        const log = Object.entries(given).filter(([name]) => name !== "--log" && name !== "--require");
        const refused = await sealexec(["run", ...log.flat(), "--", ...SAY], { env, artefact });
        assert.equal((JSON.parse(refused.stderr) as { level: string }).level, "error");
      }));

    test("says nothing by default, each step with -v, and one JSON object a line with --log json", () =>
      withAws(async (aws) => {
        const uri = await push(aws, "app.env", "A=canary-value\n");
        const run = (...flags: string[]) =>
          sealexec(["run", "--from", uri, ...flags, "--", ...SAY], { env: aws.env(), artefact });
        assertPrinted(await run(), `${RAN}\n`);
        assertPrinted(await run("--log", "json"), `${RAN}\n`);
        const verbose = await run("-v");
        assert.equal(verbose.stdout, `${RAN}\n`);
        for (const stage of [
          "region",
          "credentials",
          "object",
          "format",
          "context",
          "key",
          "decrypt",
          "dotenv",
        ]) {
          assert.match(verbose.stderr, new RegExp(`^sealexec: info: ${stage}: `, "m"));
        }
        const json = await run("-v", "--log", "json");
        const lines = json.stderr.trimEnd().split("\n");
        assert.ok(lines.length >= 8);
        for (const line of lines) {
          const { level, message } = JSON.parse(line) as Record<string, unknown>;
          assert.equal(level, "info");
          assert.equal(typeof message, "string");
        }
        for (const stderr of [verbose.stderr, json.stderr]) assert.doesNotMatch(stderr, /canary/);
      }));

    test("logs a failure as one JSON object with kind, status and hint", () =>
      withAws(async (aws) => {
        const args = ["run", "--from", `s3://${BUCKET}/none.env`, "--log", "json", "--", ...SAY];
        const { status, stdout, stderr } = await sealexec(args, { env: aws.env(), artefact });
        assert.deepEqual({ status, stdout }, { status: 66, stdout: "" });
        assert.equal(stderr.split("\n").length, 2);
        const line = JSON.parse(stderr) as Record<string, unknown>;
        assert.equal(line["level"], "error");
        assert.equal(line["kind"], "missing");
        assert.equal(line["status"], 66);
        assert.match(String(line["message"]), /NoSuchKey/);
        assert.match(String(line["hint"]), /./);
      }));
  });
}

describe("run: bytes that are not UTF-8, by the binary", () => {
  test("in inherited variables and in arguments they reach CMD, also beside an empty argument", () =>
    withAws((aws) =>
      withFolder(async (folder) => {
        const uri = await push(aws, "app.env", "A=1\n");
        // A shell is used, as Node can hand over neither.
        const script = join(folder, "start");
        const cmd = `sh -c 'od -An -v -tx1 /proc/$$/environ /proc/$$/cmdline | tr -d " \\n"' name "" "$bytes"`;
        await writeFile(
          script,
          `#!/bin/sh\nbytes=$(printf 'a\\377\\200b')\nexport RAW="$bytes"\nexec ${BINARY} run --from ${uri} -- ${cmd}\n`,
        );
        await chmod(script, 0o755);
        const outcome = await runProcess([script], { env: aws.env() });
        assertPrinted(outcome, outcome.stdout);
        const raw = "61ff8062";
        assert.ok(outcome.stdout.includes(`${hex("RAW=")}${raw}00`));
        assert.ok(outcome.stdout.endsWith(`${hex("name\0\0")}${raw}00`));
        assert.ok(outcome.stdout.includes(`${hex("A=1")}00`));
      }),
    ));
});

function hex(plain: string): string {
  return Buffer.from(plain).toString("hex");
}

describe("run: names", { concurrency: 2 }, () => {
  const REFUSED = [
    "LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT DYLD_INSERT_LIBRARIES PATH IFS ENV BASH_ENV NODE_OPTIONS NODE_PATH",
    "BUN_OPTIONS PYTHONPATH PYTHONSTARTUP PERL5OPT PERL5LIB RUBYOPT RUBYLIB JAVA_TOOL_OPTIONS",
    "JDK_JAVA_OPTIONS GIT_SSH_COMMAND GLIBC_TUNABLES GCONV_PATH",
  ].flatMap((line) => line.split(" "));

  test("those that change how programs load code are refused, all of them by name", () =>
    withAws(async (aws) => {
      const lines = REFUSED.map((name) => `${name}=x\n`).join("");
      const uri = putDirect(aws, "app.env", `GOOD=1\n${lines}`);
      const flags = ["--from", uri, "--accept", "kms-direct"];
      const outcome = await sealexec(["run", ...flags, "--", ...SAY], { env: aws.env() });
      assertFailed(outcome, 65, /^refused names: /, /--allow/);
      const named = /it sets ([A-Z0-9_, ]+), which/.exec(outcome.stderr)?.[1]?.split(", ");
      assert.deepEqual(named, REFUSED);
    }));

  for (const name of REFUSED) {
    test(`${name} is refused, and taken with --allow`, () =>
      withAws(async (aws) => {
        // Found by the loader or the shell, PATH must be one that works; the others are best empty.
        const value = name === "PATH" ? "/bin:/usr/bin:/none" : "";
        const uri = putDirect(aws, "app.env", `${name}=${value}\n`);
        const flags = ["--from", uri, "--accept", "kms-direct"];
        const refused = await sealexec(["run", ...flags, "--", ...SAY], { env: aws.env() });
        assertFailed(refused, 65, new RegExp(`^refused names: .*sets ${name}, which`));
        const cmd = [
          "/bin/sh",
          "-c",
          `tr "\\0" "\\n" </proc/$$/environ | grep -xq "${name}=${value}" && echo ${RAN}`,
        ];
        const env = aws.env();
        const allowed = await sealexec(["run", ...flags, "--allow", `X,${name}`, "--", ...cmd], { env });
        assertPrinted(allowed, `${RAN}\n`);
      }));
  }

  test("--require is content with names from any source, and not with an empty one", () =>
    withAws(async (aws) => {
      const uris = [await push(aws, "a.env", "A=1\nEMPTY=\n"), await push(aws, "b.env", "B=1\n")];
      const from = uris.flatMap((uri) => ["--from", uri]);
      const env = { ...aws.env(), INHERITED: "1" };
      const run = (...flags: string[]) => sealexec(["run", ...from, ...flags, "--", ...SAY], { env });
      assertPrinted(await run("--require", "A,B"), `${RAN}\n`);
      assertPrinted(await run("--require", "A", "--require", "B"), `${RAN}\n`);
      assertFailed(await run("--require", "A,EMPTY"), 65, /missing or empty: EMPTY$/);
      assertFailed(await run("--require", "C,A", "--require", "D"), 65, /missing or empty: C, D$/);
      // What must be in the sources is not found in what was there before them.
      assertFailed(await run("--require", "INHERITED"), 65, /missing or empty: INHERITED$/);
      assertFailed(await run("--require", "no name"), 64, /--require: "no name" is not the name/);
    }));
});

describe("run: which object", { concurrency: 2 }, () => {
  test("the version that the URI names, and the newest without", () =>
    withAws(async (aws) => {
      const uri = await push(aws, "app.env", "A=old\n");
      const old = aws.s3.get(BUCKET, "app.env")?.versionId;
      await push(aws, "app.env", "A=new\n");
      const print = ["--", "sh", "-c", 'printf %s "$A"'];
      const env = aws.env();
      assertPrinted(await sealexec(["run", "--from", uri, ...print], { env }), "new");
      assertPrinted(await sealexec(["run", "--from", `${uri}?versionId=${old}`, ...print], { env }), "old");
    }));

  test("a delete marker is no object", () =>
    withAws(async (aws) => {
      const uri = await push(aws, "app.env", "A=1\n");
      const bucket = aws.s3.buckets.get(BUCKET);
      assert.ok(bucket !== undefined);
      aws.s3.remove(bucket, "app.env");
      const env = aws.env();
      assertFailed(await sealexec(["run", "--from", uri, "--", ...SAY], { env }), 66, /no such object/);
      const marker = `${uri}?versionId=${aws.s3.versions(BUCKET, "app.env")[0]?.versionId}`;
      assertFailed(await sealexec(["run", "--from", marker, "--", ...SAY], { env }), 66, /delete marker/);
    }));

  test("keys with spaces, plus signs, percent signs, question marks and UTF-8 are taken as they are", () =>
    withAws(async (aws) => {
      for (const key of ["a b+c.env", "100%25.env", "zażółć/🙂.env", "a//b.env", "what?.env"]) {
        // The last question mark begins the parameters, of which there are none.
        const uri = await push(aws, key.includes("?") ? `${key}?` : key, "A=1\n");
        assert.ok(aws.s3.get(BUCKET, key) !== undefined, key);
        assertPrinted(await sealexec(["run", "--from", uri, "--", ...SAY], { env: aws.env() }), `${RAN}\n`);
      }
    }));

  test("context: the same pairs in any order; none asked for accepts any; each difference is refused", () =>
    withAws(async (aws) => {
      const uri = await push(aws, "app.env", "A=1\n", ["--context", "stage=prod", "--context", "team=a"]);
      const run = (...pairs: string[]) =>
        sealexec(["run", "--from", uri, ...pairs.flatMap((pair) => ["--context", pair]), "--", ...SAY], {
          env: aws.env(),
        });
      assertPrinted(await run(), `${RAN}\n`);
      assertPrinted(await run("team=a", "stage=prod"), `${RAN}\n`);
      aws.resetCalls();
      assertFailed(await run("stage=prod"), 65, /"?team"? was not expected/);
      assertFailed(await run("stage=prod", "team=b"), 65, /"?team"? differs/);
      assertFailed(await run("stage=prod", "team=a", "x=y"), 65, /"?x"? is missing/);
      assert.equal(aws.count("kms"), 0, "KMS is asked only when the context is right");
      assertFailed(await run("stage"), 64, /--context is not of the form K=V/);
    }));

  test("an object copied to another key is refused, bound or not", () =>
    withAws(async (aws) => {
      await push(aws, "app.env", "A=1\n");
      await push(aws, "free.env", "A=1\n", ["--no-bind"]);
      for (const name of ["app.env", "free.env"]) {
        const object = aws.s3.get(BUCKET, name);
        aws.s3.put(BUCKET, `copy-of-${name}`, object?.body ?? "", object?.metadata);
      }
      const run = (name: string) =>
        sealexec(["run", "--from", `s3://${BUCKET}/${name}`, "--", ...SAY], { env: aws.env() });
      aws.resetCalls();
      assertFailed(await run("copy-of-app.env"), 65, /sealed for "?s3:\/\/app-secrets\/app\.env"?/);
      assert.equal(aws.count("kms"), 0);
      assertFailed(await run("copy-of-free.env"), 65, /not bound to its place/, /--accept unbound/);
      assert.equal(aws.count("kms"), 0);
    }));

  test("the KMS call carries the whole context, the binding among it", () =>
    withAws(async (aws) => {
      const uri = await push(aws, "app.env", "A=1\n", ["--context", "stage=prod", "--revision", "1"]);
      aws.resetCalls();
      await sealexec(["run", "--from", uri, "--", ...SAY], { env: aws.env() });
      const decrypt = aws.calls.find(({ operation }) => operation === "Decrypt");
      assert.deepEqual(
        { ...decrypt?.detail.EncryptionContext },
        { "aws:x-amz-cek-alg": "115", stage: "prod", "sealexec:object": uri, "sealexec:revision": "1" },
      );
    }));
});

describe("run: objects that Amazon's own clients sealed", { concurrency: 2 }, () => {
  interface Vector {
    readonly name: string;
    readonly object_metadata: Readonly<Record<string, string>>;
    readonly instruction_file: string | null;
    readonly body_base64: string;
    readonly encryption_context: Readonly<Record<string, string>>;
    readonly data_key_base64: string;
    readonly plaintext_base64: string;
  }
  const vectors = JSON.parse(readFileSync(`${ROOT}test/vectors/peers.json`, "utf8")) as Vector[];
  const accepts: Readonly<Record<string, string>> = {
    "rb-v1-sample": "kms-cbc",
    "rb-v2-sample": "v2,unbound",
    "rb-v2c-sample": "v2,unbound",
    "py-v3-sample": "unbound",
    "py-v3-empty": "unbound",
    "rb-v1i-sample": "kms-cbc,instruction-file",
  };

  function put(aws: Aws, vector: Vector): string {
    aws.s3.put(BUCKET, vector.name, Buffer.from(vector.body_base64, "base64"), vector.object_metadata);
    if (vector.instruction_file !== null) {
      aws.s3.put(BUCKET, `${vector.name}.instruction`, vector.instruction_file);
    }
    const fields = [
      vector.object_metadata,
      JSON.parse(vector.instruction_file ?? "{}") as Vector["object_metadata"],
    ];
    const blob = fields.map((map) => map["x-amz-3"] ?? map["x-amz-key-v2"]).find((key) => key !== undefined);
    const { encryption_context: encryptionContext, data_key_base64: dataKey } = vector;
    aws.kms.importDataKey(blob ?? "", dataKey, { encryptionContext, key: aws.kms.find(KEY, aws.region) });
    return `s3://${BUCKET}/${vector.name}`;
  }

  assert.ok(vectors.length >= 6);
  for (const vector of vectors) {
    const accept = accepts[vector.name];
    test(`${vector.name} opens${accept === undefined ? "" : ` with --accept ${accept}, and not without`}`, () =>
      withAws(async (aws) => {
        const uri = put(aws, vector);
        const env = aws.env();
        const plain = await sealexec(["pull", uri], { env });
        if (accept !== undefined) {
          assertFailed(plain, 65, /^(?:format|context): /, /--accept/);
          for (const part of accept.split(",").filter(() => accept.includes(","))) {
            const half = await sealexec(["pull", uri, "--accept", part], { env });
            assertFailed(half, 65, /^(?:format|context): /, /--accept/);
          }
        }
        const flags = accept === undefined ? [] : ["--accept", accept];
        aws.resetCalls();
        assertPrinted(
          await sealexec(["pull", uri, ...flags], { env }),
          Buffer.from(vector.plaintext_base64, "base64").toString("utf8"),
        );
        assert.equal(aws.count("kms"), 1);
        assert.equal(aws.count("s3"), vector.instruction_file === null ? 1 : 2);
        const ran = await sealexec(["run", "--from", uri, ...flags, "--", ...SAY], { env });
        const warning = `sealexec: warning: ${uri}: no variables in it\n`;
        const isEmpty = vector.plaintext_base64 === "";
        assert.deepEqual(ran, {
          status: 0,
          signal: null,
          stdout: `${RAN}\n`,
          stderr: isEmpty ? warning : "",
        });
      }));
  }

  test("a body that KMS itself sealed opens with --accept kms-direct, and not without", () =>
    withAws(async (aws) => {
      const uri = putDirect(aws, "app-aws-secrets", "A=1\n");
      const env = aws.env();
      assertFailed(await sealexec(["pull", uri], { env }), 65, /^format: /);
      assertPrinted(await sealexec(["pull", uri, "--accept", "kms-direct"], { env }), "A=1\n");
    }));
});

test("run leaves no process behind and holds nothing open beside CMD", async (t) => {
  if (onPath("ps") === undefined) return t.skip("no ps on PATH");
  await withAws(async (aws) => {
    const uri = await push(aws, "app.env", "A=1\n");
    const outcome = await sealexec(
      [
        "run",
        "--from",
        uri,
        "--",
        "sh",
        "-c",
        "ps -o pid= --ppid $PPID; ls /proc/$$/task | wc -l; echo self $$",
      ],
      { env: aws.env() },
    );
    const [own] = /self (\d+)/.exec(outcome.stdout)?.slice(1) ?? [];
    assert.match(outcome.stdout, new RegExp(`^ *${own}$`, "m"));
    assert.match(outcome.stdout, /^1$/m);
  });
});

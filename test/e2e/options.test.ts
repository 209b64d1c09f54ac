/** Options and their variables from outside: a flag wins over its variable, and what is given empty is never "not given". */
import assert from "node:assert/strict";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { RAN, SAY, assertFailed, assertPrinted, withFolder } from "./expect.ts";
import { ARTEFACTS, KEY, push, sealexec, withAws } from "./harness.ts";
import type { Outcome } from "./harness.ts";
import { VARIABLES } from "../../src/cli/table.ts";

/** What follows the options of each command. */
const REST: Readonly<Record<string, readonly string[]>> = {
  run: ["--", ...SAY],
  check: ["--", "true"],
  push: ["-", "s3://app-secrets/app.env"],
  pull: ["s3://app-secrets/app.env"],
  keygen: ["/nonexistent/key"],
};

/** The options of a command that take a value, as its help shows them. */
async function optionsOf(command: string): Promise<string[]> {
  const { stdout } = await sealexec(["help", command]);
  const found = [...stdout.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+) </gm)].map(([, name = ""]) => name);
  assert.ok(found.length >= 2, command);
  return found;
}

for (const artefact of ARTEFACTS) {
  describe(`given empty, by the ${artefact.name}`, { concurrency: 2 }, () => {
    // How words are read is the same code in both: of the slower one, a command and a way are enough.
    const isBinary = artefact.name === "binary";
    for (const [command, rest] of Object.entries(REST).slice(0, isBinary ? undefined : 1)) {
      test(`each option of ${command} is a usage error that names it`, async () => {
        for (const option of await optionsOf(command)) {
          // The variable beside it does not stand in.
          const env = { SEALEXEC_FROM: "s3://app-secrets/app.env", SEALEXEC_KEY: KEY };
          const ways = isBinary ? [[option, ""], [`${option}= ,`]] : [[option, ""]];
          for (const given of ways) {
            const outcome = await sealexec([command, ...given, ...rest], { env, artefact, input: "A=1\n" });
            assertFailed(
              outcome,
              64,
              new RegExp(`(^|')${option}( is given empty$| <\\w+>' argument '[ ,]*' is invalid)`),
            );
          }
        }
      });
    }

    test("each variable is a usage error that names it and says to unset it", async () => {
      assert.ok(VARIABLES.size > 15);
      for (const name of VARIABLES) {
        const ways = [
          ["", "run", "--from", "s3://app-secrets/app.env", "--key", KEY, "--", ...SAY],
          [" \n", "pull", "s3://app-secrets/app.env"],
        ] as const;
        for (const [text, ...args] of ways.slice(0, isBinary ? undefined : 1)) {
          const outcome = await sealexec(args, { env: { [name]: text }, artefact });
          assertFailed(outcome, 64, new RegExp(`^${name} is set, but empty$`), /unset it/);
        }
      }
    });

    test("one of several values is enough", async () => {
      const outcome = await sealexec(["run", "-f", "s3://b/k", "-f", "", "--", ...SAY], { artefact });
      assertFailed(outcome, 64, /^--from is given empty$/);
      const names = await sealexec(["run", "-f", "s3://b/k", "--require", "A", "--require=,", "--", ...SAY], {
        artefact,
      });
      assertFailed(names, 64, /^--require is given empty$/);
    });

    for (const uri of [
      "s3://bucket/app.env?versionId=%20",
      "s3://bucket/app.env?versionId= ",
      "s3://bucket/app.env?versionId=,",
      "s3://bucket/app.env?region=,",
      "s3://bucket/app.env?region=%2C",
      "ssm:///app/?region= ",
      "secretsmanager://app?stage=%20",
      "s3://bucket/app.env?allow=PATH,",
      "s3://bucket/app.env?allow=PATH,,HOME",
      "s3://bucket/app.env?accept=,v2",
      "s3://bucket/app.env?context=a=b,",
    ]) {
      test(`so is a parameter of a URI, or an element of one: ${uri}`, async () => {
        const env = { AWS_REGION: "us-east-1" };
        const { status, stderr } = await sealexec(["pull", uri], { env, artefact });
        assert.equal(status, 64, stderr);
        assert.match(
          stderr,
          /^sealexec: error: .* has an empty (versionId|region|stage|allow|accept|context)$/m,
        );
      });
    }

    test("help and the version are shown all the same", async () => {
      for (const args of [["--version"], ["help", "run"]]) {
        const { status, stdout, stderr } = await sealexec(args, { env: { SEALEXEC_KEY: "" }, artefact });
        assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
        assert.match(stdout, /./);
      }
    });
  });
}

for (const artefact of ARTEFACTS) {
  describe(`a variable that is not there, by the ${artefact.name}`, { concurrency: 2 }, () => {
    test("is a warning with the nearest name, and CMD runs", () =>
      withFolder(async (folder) => {
        const file = join(folder, ".env");
        await writeFile(file, "A=1\n", { mode: 0o600 });
        const run = (env: Readonly<Record<string, string>>, ...flags: string[]): Promise<Outcome> =>
          sealexec(["run", "--from", `env-file:${file}`, ...flags, "--", ...SAY], { env, artefact });
        for (const [name, near] of [
          ["SEALEXEC_REQIURE", "SEALEXEC_REQUIRE"],
          ["SEALEXEC_KEYS", "SEALEXEC_KEY"],
          ["SEALEXEC_MINREVISION", "SEALEXEC_MIN_REVISION"],
          ["sealexec_from", "SEALEXEC_FROM"],
          // Of four letters one may be wrong: two that are swapped are one slip.
          ["SEALEXEC_FORM", "SEALEXEC_FROM"],
        ] as const) {
          // What it holds could be anything.
          const { status, stdout, stderr } = await run({ [name]: "canary" });
          assert.deepEqual({ status, stdout }, { status: 0, stdout: `${RAN}\n` });
          assert.equal(
            stderr,
            `sealexec: warning: ${name} is no variable of sealexec\nsealexec: hint: did you mean ${near}?\n`,
          );
        }
        const far = await run({ SEALEXEC_DATABASE_PASSWORD: "canary" });
        assert.match(
          far.stderr,
          /^sealexec: warning: SEALEXEC_DATABASE_PASSWORD is no [^\n]*\nsealexec: hint: [^?]*\n$/,
        );
        const json = await run({ SEALEXEC_KEYS: "" }, "--log", "json");
        const { time, ...said } = JSON.parse(json.stderr) as Record<string, unknown>;
        assert.ok(!Number.isNaN(Date.parse(String(time))));
        assert.deepEqual(said, {
          level: "warning",
          code: "unknown-variable",
          message: "SEALEXEC_KEYS is no variable of sealexec",
          hint: "did you mean SEALEXEC_KEY?",
          target: "SEALEXEC_KEYS",
        });
        // Those that are there, and those of others.
        assertPrinted(
          await run({ SEALEXEC_REQUIRE: "A", SEALEXEC_ALLOW_HTTP: "0", SEALEXEC: "", SEAL_EXEC_KEY: "" }),
          `${RAN}\n`,
        );
      }));
  });
}

for (const artefact of ARTEFACTS) {
  test(`what is for --watch is refused without it, and CMD does not run, by the ${artefact.name}`, () =>
    withFolder(async (folder) => {
      const file = join(folder, ".env");
      await writeFile(file, "A=1\n", { mode: 0o600 });
      const run = (...flags: string[]): Promise<Outcome> =>
        sealexec(["run", "--from", `env-file:${file}`, ...flags, "--", ...SAY], { artefact });
      for (const [flag, value] of [
        ["--on-change", "restart"],
        ["--every", "5s"],
        ["--grace", "5s"],
        ["--on-exit", "restart"],
        ["--env-out", "/dev/shm/app.env"],
      ] as const) {
        const refused = new RegExp(`^${flag} is for --watch$`);
        assertFailed(await run(flag, value), 64, refused, /SEALEXEC_WATCH=1/);
        // A variable may be there for those who watch.
        const env = { [`SEALEXEC_${flag.slice(2).toUpperCase().replace("-", "_")}`]: value };
        const words = ["run", "--from", `env-file:${file}`, "--", ...SAY];
        assertPrinted(await sealexec(words, { artefact, env }), `${RAN}\n`);
      }
    }));
}

test("a mistake on the line repeats no value of it", async () => {
  for (const args of [
    ["pull", "--pasword=hunter2", "s3://app-secrets/app.env"],
    ["pull", "s3://app-secrets/app.env", "hunter2"],
    ["run", "--pasword=hunter2", "--", ...SAY],
  ]) {
    for (const artefact of ARTEFACTS) {
      const outcome = await sealexec(args, { artefact });
      assertFailed(outcome, 64, /^unknown option '--pasword'|^too many arguments/);
      assert.doesNotMatch(outcome.stderr, /hunter2/);
    }
  }
});

test("--log is that of sealexec, not of CMD, also for a mistake on the line", async () => {
  const mistake = ["run", "--frm", "x"];
  assertFailed(await sealexec([...mistake, "--", "app", "--log", "json"]), 64, /^unknown option/);
  assertFailed(await sealexec([...mistake, "--", "app", "--log=json"]), 64, /^unknown option/);
  for (const log of [["--log", "json"], ["--log=json"]]) {
    const { status, stderr } = await sealexec(["run", ...log, "--frm", "x", "--", "app", "--log", "text"]);
    assert.equal(status, 64);
    assert.equal((JSON.parse(stderr) as { kind: string }).kind, "usage");
  }
});

interface Pair {
  readonly variable: string;
  /** what is refused where the variable decides */
  readonly bad: string;
  readonly flag: readonly string[];
  /** what has to be there for the option to mean anything */
  readonly beside?: readonly string[];
  /** how it ends where the flag decides; 0 by default */
  readonly status?: number;
}

describe("a flag wins over its variable", { concurrency: 2 }, () => {
  test("every option of run that has one", () =>
    withAws((aws) =>
      withFolder(async (folder) => {
        const now = String(Date.now());
        const uri = await push(aws, "app.env", "A=1\n", ["--context", "stage=prod", "--revision", now]);
        const from = ["--from", uri];
        const pairs: readonly Pair[] = [
          { variable: "SEALEXEC_FROM", bad: "nowhere", flag: from, beside: [] },
          { variable: "SEALEXEC_KEY", bad: "not a key", flag: ["--key", KEY] },
          { variable: "SEALEXEC_CONTEXT", bad: "stage=test", flag: ["--context", "stage=prod"] },
          { variable: "SEALEXEC_ACCEPT", bad: "v0", flag: ["--accept", "v2"] },
          { variable: "SEALEXEC_MIN_REVISION", bad: "x", flag: ["--min-revision", "1"] },
          { variable: "SEALEXEC_MAX_LAG", bad: "x", flag: ["--max-lag", "1h"] },
          // Vault is not there: that it is asked for is enough.
          {
            variable: "SEALEXEC_CREDENTIALS",
            bad: "x",
            flag: ["--credentials", "vault:aws/sts/app"],
            status: 78,
          },
          { variable: "SEALEXEC_REQUIRE", bad: "NONE", flag: ["--require", "A"] },
          { variable: "SEALEXEC_ALLOW", bad: "1", flag: ["--allow", "PAGER"] },
          { variable: "SEALEXEC_ONLY", bad: "NONE", flag: ["--only", "A"] },
          { variable: "SEALEXEC_DROP", bad: "*", flag: ["--drop", "NONE"] },
          { variable: "SEALEXEC_NOFILE", bad: "x", flag: ["--nofile", "100"] },
          { variable: "SEALEXEC_FALLBACK", bad: "/", flag: ["--fallback", join(folder, "kept")] },
          {
            variable: "SEALEXEC_FALLBACK_AGE",
            bad: "x",
            flag: ["--fallback-age", "1h"],
            beside: [...from, "--fallback", join(folder, "kept")],
          },
          { variable: "SEALEXEC_WATCH", bad: "x", flag: ["--watch"] },
          {
            variable: "SEALEXEC_ON_CHANGE",
            bad: "x",
            flag: ["--on-change", "exit"],
            beside: [...from, "--watch"],
          },
          { variable: "SEALEXEC_EVERY", bad: "x", flag: ["--every", "9s"], beside: [...from, "--watch"] },
          { variable: "SEALEXEC_GRACE", bad: "x", flag: ["--grace", "9s"], beside: [...from, "--watch"] },
          {
            variable: "SEALEXEC_ON_EXIT",
            bad: "x",
            flag: ["--on-exit", "exit"],
            beside: [...from, "--watch"],
          },
          {
            variable: "SEALEXEC_ENV_OUT",
            bad: "/",
            flag: ["--env-out", `/dev/shm/sealexec-test-${process.pid}`],
            beside: [...from, "--watch", "--on-change", "signal:HUP"],
          },
          { variable: "SEALEXEC_TIMEOUT", bad: "x", flag: ["--timeout", "20"] },
          { variable: "SEALEXEC_LOG", bad: "x", flag: ["--log", "text"] },
        ];
        // Those of the table, less what has no option.
        assert.deepEqual(
          pairs.map(({ variable }) => variable).toSorted(),
          [...VARIABLES]
            .filter((name) => !["SEALEXEC_ALLOW_HTTP", "SEALEXEC_TRACE"].includes(name))
            .toSorted(),
        );
        for (const { variable, bad, flag, beside = from, status = 0 } of pairs) {
          const start = (...flags: readonly string[]): Promise<Outcome> =>
            sealexec(["run", ...beside, ...flags, "--", ...SAY], { env: { ...aws.env(), [variable]: bad } });
          const without = await start();
          assert.ok(
            without.status === 64 || without.status === 65,
            `${variable} does nothing: ${JSON.stringify(without)}`,
          );
          const withFlag = await start(...flag);
          assert.equal(withFlag.status, status, `${variable}: ${withFlag.stderr}`);
          if (status === 0) assertPrinted(withFlag, `${RAN}\n`);
        }
      }),
    ));

  test("and push and pull take them so too", () =>
    withAws((aws) =>
      withFolder(async (folder) => {
        const file = join(folder, ".env");
        await writeFile(file, "PAGER=cat\n");
        const bad = {
          SEALEXEC_KEY: "not a key",
          SEALEXEC_CONTEXT: "x",
          SEALEXEC_ALLOW: "1",
          SEALEXEC_TIMEOUT: "x",
        };
        const flags = ["--key", KEY, "--context", "stage=prod", "--allow", "PAGER", "--timeout", "20"];
        const uri = "s3://app-secrets/two.env";
        const env = { ...aws.env(), ...bad };
        const pushed = await sealexec(["push", file, uri, ...flags], { env });
        assert.equal(pushed.status, 0, pushed.stderr);
        const pull = ["--key", KEY, "--context", "stage=prod", "--timeout", "20"];
        assertPrinted(await sealexec(["pull", uri, ...pull], { env }), "PAGER=cat\n");
        for (const [name, value] of Object.entries(bad)) {
          const only = { ...aws.env(), [name]: value };
          assert.equal(
            (
              await sealexec(["push", file, uri, "--key", KEY].slice(0, name.endsWith("KEY") ? 3 : 5), {
                env: only,
              })
            ).status,
            64,
            name,
          );
        }
      }),
    ));
});

test("help push names every place that it can write, and pipes nothing in that would be read wrongly", async () => {
  const { status, stdout } = await sealexec(["help", "push"]);
  assert.equal(status, 0);
  const [, uri = ""] = /^ +uri +([^]*?)^$/m.exec(stdout) ?? [];
  for (const form of ["s3://", "file:", "secretsmanager://", "ssm:///"]) assert.ok(uri.includes(form), uri);
  // As dotenv, sops writes values without the quotes that they need.
  for (const [line] of stdout.matchAll(/^.*\bsops -d.*$/gm)) assert.match(line, /--output-type json/);
});

test("a switch of ours is 1 or 0, and nothing else", async () => {
  const run = (value: string): Promise<Outcome> =>
    sealexec(["run", "--from", "env-file:/nonexistent", "--", ...SAY], {
      env: { SEALEXEC_ALLOW_HTTP: value },
    });
  for (const value of ["true", "yes", "2", "canary"]) {
    const outcome = await run(value);
    assertFailed(outcome, 64, /^SEALEXEC_ALLOW_HTTP is neither 1 nor 0$/);
    assert.doesNotMatch(outcome.stderr, /canary/);
  }
  for (const value of ["0", "1"]) assertFailed(await run(value), 66, /no such file/);
});

test("what Kubernetes sets for services is none of ours, and a name that is far off is not guessed", () =>
  withFolder(async (folder) => {
    const file = join(folder, "app.env");
    await writeFile(file, "A=1\n", { mode: 0o600 });
    const run = (env: Record<string, string>): Promise<Outcome> =>
      sealexec(["run", "--from", `env-file:${file}`, "--", ...SAY], { env });
    const services = ["SEALEXEC", "SEALEXEC_API"].flatMap((name) => [
      `${name}_SERVICE_HOST`,
      `${name}_SERVICE_PORT`,
      `${name}_SERVICE_PORT_HTTPS`,
      `${name}_PORT`,
      ...["", "_PROTO", "_PORT", "_ADDR"].map((part) => `${name}_PORT_443_TCP${part}`),
    ]);
    assertPrinted(await run(Object.fromEntries(services.map((name) => [name, "x"]))), `${RAN}\n`);
    const { stderr } = await run({ SEALEXEC_FOO: "x" });
    assert.match(stderr, /SEALEXEC_FOO is no variable of sealexec\n.*hint: sealexec help run names those/);
  }));

test("a hint about usage names the command that was typed", async () => {
  for (const [command, ...rest] of [
    ["push"],
    ["check", "--nonsense"],
    ["run", "--timeout", "never", "--", "true"],
  ]) {
    const outcome = await sealexec([command ?? "", ...rest]);
    assert.equal(outcome.status, 64);
    assert.doesNotMatch(outcome.stderr, /help COMMAND/);
  }
  assertFailed(await sealexec(["push", "a"]), 64, /missing required argument/, /^sealexec help push shows/);
  assertFailed(await sealexec(["canary"]), 64, /unknown command/, /^(?!.*help canary)/);
});

test("a file in a folder that is not there: the hint says how to make it", () =>
  withFolder(async (cwd) => {
    const file = join(cwd, "app.env");
    await writeFile(file, "A=1\n", { mode: 0o600 });
    const options = { env: { SEALEXEC_KEY: "local:key" }, cwd };
    assert.equal((await sealexec(["keygen", "key"], options)).status, 0);
    for (const args of [
      ["keygen", "none/at/key"],
      ["pull", `env-file:${file}`, "-o", "none/at/out"],
      ["push", file, "file:none/at/a.sealed"],
    ])
      assertFailed(
        await sealexec(args, options),
        78,
        /none\/at\/\S+: cannot be written \(ENOENT\)/,
        /^mkdir -p none\/at$/,
      );
  }));

test("a target of push that is none: it is named, with all the forms that there are", async () => {
  const forms = /s3:\/\/BUCKET\/KEY.*file:PATH.*secretsmanager:\/\/.*ssm:\/\/\//;
  for (const uri of ["app.env.sealed", "my-secrets/app.env", "env-file:x"]) {
    const outcome = await sealexec(["push", "-", uri, "--key", KEY], { input: "A=1\n" });
    assertFailed(outcome, 64, new RegExp(`^${uri}: push does not write there$`), forms);
  }
  const value = await sealexec(["push", "-", "hunter2", "--key", KEY], { input: "A=1\n" });
  assertFailed(value, 64, /^the target: push does not write there$/, forms);
  const from = await sealexec(["run", "--from", "app.env.sealed", "--", ...SAY]);
  assertFailed(from, 64, /does not begin with/, /file:PATH.*env-file:PATH/);
});

describe("an empty element of a list is wrong usage, wherever the list stands", { concurrency: 2 }, () => {
  const ALONE = { AWS_EC2_METADATA_DISABLED: "true" };
  const from = ["--from", "env-file:/nonexistent"];
  const run = ["run", ...from];
  const push = ["push", "-", "s3://app-secrets/app.env", "--key", KEY];
  for (const [option, element, ...commands] of [
    ["allow", "PATH", run, push],
    ["require", "A", run],
    ["only", "A", run],
    ["drop", "A", run],
    ["pass", "A", [...run, "--pristine"]],
    ["accept", "v2", run, ["pull", "s3://app-secrets/app.env"]],
    ["context", "a=b", run, push],
  ] as const) {
    for (const text of [`${element},`, `,${element}`, `${element},,${element}`, `${element}, ,${element}`]) {
      test(`${option}: ${text}`, async () => {
        for (const words of commands) {
          const cmd = words[0] === "run" ? ["--", ...SAY] : [];
          // The flag takes one pair, whose value may have commas; the variable takes a list of them.
          if (option !== "context") {
            const outcome = await sealexec([...words, `--${option}`, text, ...cmd], {
              env: ALONE,
              input: "A=1\n",
            });
            assertFailed(outcome, 64, new RegExp(`^--${option}\\b.* has an empty element$`), /comma/);
          }
          if (option === "pass") continue;
          const env = { ...ALONE, [`SEALEXEC_${option.toUpperCase()}`]: text };
          const outcome = await sealexec([...words, ...cmd], { env, input: "A=1\n" });
          assertFailed(outcome, 64, new RegExp(`^--${option}\\b.* has an empty element$`), /comma/);
        }
      });
    }
  }

  test("the value of one --context may have commas", async () => {
    const outcome = await sealexec([...run, "--context", "a=b,", "--", ...SAY]);
    assertFailed(outcome, 66, /no such file/);
  });
});

test("commas between the URIs of SEALEXEC_FROM are told", async () => {
  const run = (from: string): Promise<Outcome> =>
    sealexec(["run", "--", ...SAY], { env: { SEALEXEC_FROM: from } });
  for (const from of ["s3://b/a,s3://b/c", "env-file:/x,dir:/y", "s3://b/a, s3://b/c"])
    assertFailed(await run(from), 64, /^SEALEXEC_FROM has a comma between URIs$/, /white space/);
  assertFailed(await run("env-file:/none/a,b"), 66, /no such file/);
  // --from is in its place: what is wrong with it is nobody's trouble.
  const env = { SEALEXEC_FROM: "s3://b/a,s3://b/c" };
  const instead = await sealexec(["run", "--from", "env-file:/none/flag", "--", ...SAY], { env });
  assertFailed(instead, 66, /env-file:\/none\/flag: no such file/);
});

describe(
  "a parameter of a URI that is none is named, and so is the one that was meant",
  { concurrency: 2 },
  () => {
    for (const [uri, written, near] of [
      ["s3://app-secrets/app.env?acept=v2", "acept", "accept"],
      ["s3://app-secrets/app.env?regoin=eu-west-1", "regoin", "region"],
      ["s3://app-secrets/app.env?versionid=1", "versionid", "versionId"],
      ["secretsmanager://app?regoin=eu-west-1", "regoin", "region"],
      ["ssm:///app/?recursiv", "recursiv", "recursive"],
      ["vault://secret/app?verison=1", "verison", "version"],
      ["vault://secret/app?alow=PATH", "alow", "allow"],
      ["file:app.env?format=json&nmae=x", "nmae", "name"],
      ["env-file:app.env?fromat=json", "fromat", "format"],
      ["dir:secrets?uper", "uper", "upper"],
      ["json-file:app.json?flaten=_", "flaten", "flatten"],
    ] as const) {
      test(uri, async () => {
        const outcome = await sealexec(["run", "--from", uri, "--", ...SAY]);
        const named = new RegExp(`has a parameter other than .*: ${written}$`);
        assertFailed(outcome, 64, named, new RegExp(`^did you mean ${near}\\? the form is `));
      });
    }

    test("what is far from all of them has no such hint", async () => {
      for (const uri of ["s3://app-secrets/app.env?password=x", "vault://secret/app?x=y", "env-file:a?b=c"])
        assertFailed(await sealexec(["pull", uri]), 64, /has a parameter other than /, /^the form is /);
    });

    test("of a sealed file, whose path may hold a question mark, where there is no such file", () =>
      withFolder(async (folder) => {
        const run = (uri: string): Promise<Outcome> =>
          sealexec(["run", "--from", uri, "--key", "local:key", "--", ...SAY], {
            cwd: folder,
            env: { AWS_EC2_METADATA_DISABLED: "true" },
          });
        await writeFile(join(folder, "app.env"), "");
        assertFailed(await run("file:app.env?nmae=x"), 66, /no such file$/, /^did you mean name\?/);
        assertFailed(await run("file:other.env"), 66, /no such file$/, /^check the path/);
        // Nobody means to make a file of such a name: the text would be bound to it.
        const pushing = ["push", "-", "file:app.env?nmae=x", "--key", "local:key"];
        const pushed = await sealexec(pushing, { cwd: folder, input: "A=1\n" });
        assertFailed(pushed, 64, /a parameter other than format, name: nmae$/, /^did you mean name\?/);
        assert.deepEqual(await readdir(folder), ["app.env"]);
      }));
  },
);

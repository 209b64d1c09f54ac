/** Which names a source may set, from outside: by default, with --allow, with ?allow= for one source. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { SAY, assertFailed, assertPrinted, withFolder } from "./expect.ts";
import { ARTEFACTS, BUCKET, KEY, push, sealexec, withAws } from "./harness.ts";

for (const artefact of ARTEFACTS) {
  describe(`names of sources, by the ${artefact.name}`, { concurrency: 2 }, () => {
    const run = (args: readonly string[], options: Parameters<typeof sealexec>[1] = {}) =>
      sealexec(["run", ...args], { ...options, artefact });

    test("what was seen to run code, or to lower TLS, is refused by name with its reason", () =>
      withFolder(async (folder) => {
        const file = join(folder, ".env");
        const names = [
          "npm_config_node_options",
          "npm_config_script_shell",
          "NpM_CoNfIg_node_options",
          "GIT_CONFIG_PARAMETERS",
          "GIT_DIR",
          "GNUMAKEFLAGS",
          "MAKEFILES",
          "TAR_OPTIONS",
          "BUN_INSPECT_PRELOAD",
          "PYTHONPYCACHEPREFIX",
          "WGETRC",
          "HOME",
          "AWS_CONFIG_FILE",
          "NODE_TLS_REJECT_UNAUTHORIZED",
          "SEALEXEC_ALLOW",
          "AR",
          "YACC",
          "PIP_REQUIREMENT",
          "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER",
          "NAPI_RS_NATIVE_LIBRARY_PATH",
        ];
        for (const name of names) {
          await writeFile(file, `${name}=canary\n`, { mode: 0o600 });
          const refused = await run(["--from", `env-file:${file}`, "--", ...SAY]);
          const hint = new RegExp(`^${name} \\w+ .*; if that is meant, allow it by name: --allow ${name} `);
          assertFailed(refused, 65, new RegExp(`^refused names: env-file:${file}: it sets ${name},`), hint);
          assert.doesNotMatch(refused.stderr, /canary/);
          const allowed = await run(["--from", `env-file:${file}`, "--allow", name, "--", "printenv", name]);
          assertPrinted(allowed, "canary\n");
        }
      }));

    test("--only takes these names from all sources and no others, refused ones among them", () =>
      withFolder(async (folder) => {
        const [one, two] = [join(folder, "one.env"), join(folder, "two.env")];
        await writeFile(one, "DB_URL=one\nDB_USER=u\nOTHER=x\nPATH=/canary\n", { mode: 0o600 });
        await writeFile(two, "DB_URL=two\nMORE=x\n", { mode: 0o600 });
        const from = ["--from", `env-file:${one}`, "--from", `env-file:${two}`];
        const cmd = ["--pristine", "--", "/usr/bin/env"];
        const printed = (stdout: string): string[] => stdout.trimEnd().split("\n").toSorted();
        const named = await run([...from, "--only", "DB_*,MORE", ...cmd]);
        assert.deepEqual(printed(named.stdout), ["DB_URL=two", "DB_USER=u", "MORE=x"], named.stderr);
        const variable = await run([...from, ...cmd], { env: { SEALEXEC_ONLY: "MORE, NONE_*" } });
        assert.deepEqual(printed(variable.stdout), ["MORE=x"], variable.stderr);
        // A source of which nothing is taken is no empty one.
        assert.equal(variable.stderr, "");
        // It never allows a refused name.
        assertFailed(await run([...from, "--only", "PATH,DB_URL", "--", ...SAY]), 65, /it sets PATH,/);
        const allowed = await run([...from, "--only", "PATH,DB_URL", "--allow", "PATH", ...cmd]);
        assert.deepEqual(printed(allowed.stdout), ["DB_URL=two", "PATH=/canary"]);
        const missing = ["--only", "DB_URL,DB_NAME,db_user"];
        assertFailed(
          await run([...from, ...missing, "--", ...SAY]),
          65,
          /^required names: all sources: in no source: DB_NAME, db_user$/,
          /--only/,
        );
        const check = await sealexec(["check", ...from, ...missing], { artefact });
        assert.equal(check.status, 65);
        assert.match(check.stdout, /in no source: DB_NAME, db_user/);
        const required = await run([...from, "--only", "DB_*", "--require", "OTHER", "--", ...SAY]);
        assertFailed(required, 65, /missing or empty: OTHER$/);
        const told = await run([...from, "--only", "MORE", "--explain", ...cmd]);
        assert.match(told.stderr, /^sealexec: explain: PATH: left out of env-file:\S+one\.env, as --only /m);
        assert.doesNotMatch(told.stderr, /canary|DB_URL: from/);
      }));

    test("--drop keeps inherited variables from CMD, and what a source sets is set", () =>
      withFolder(async (folder) => {
        const file = join(folder, ".env");
        await writeFile(file, "AWS_REGION=source\nA=1\n", { mode: 0o600 });
        const env = { VAULT_TOKEN: "t", AWS_PROFILE: "p", AWS_REGION: "before", VAULT_TOKENS: "kept" };
        const cmd = ["--", "sh", "-c", 'echo "${VAULT_TOKEN-} ${AWS_PROFILE-} $AWS_REGION $VAULT_TOKENS $A"'];
        const from = ["--from", `env-file:${file}`];
        assertPrinted(
          await run([...from, "--drop", "VAULT_TOKEN,AWS_*", ...cmd], { env }),
          "  source kept 1\n",
        );
        const variable = { ...env, SEALEXEC_DROP: "AWS_*" };
        assertPrinted(await run([...from, ...cmd], { env: variable }), "t  source kept 1\n");
        // What is dropped does not win over the source either.
        const keep = ["--keep-existing", "--drop", "AWS_*"];
        assertPrinted(await run([...from, ...keep, ...cmd], { env }), "t  source kept 1\n");
        const pass = ["--pristine", "--pass", "VAULT_TOKEN,VAULT_TOKENS", "--drop", "VAULT_TOKEN"];
        assertPrinted(await run([...from, ...pass, ...cmd], { env }), "  source kept 1\n");
        const told = await run([...from, "--drop", "AWS_*", "--explain", ...cmd], { env });
        assert.match(told.stderr, /^sealexec: explain: AWS_PROFILE: of the environment, dropped$/m);
        assert.match(told.stderr, /^sealexec: explain: AWS_REGION: from env-file:\S+\.env$/m);
      }));

    test("with --watch, CMD is given what it is given without", () =>
      withFolder(async (folder) => {
        const file = join(folder, ".env");
        await writeFile(file, "A=1\nB=2\n", { mode: 0o600 });
        const flags = ["--from", `env-file:${file}`, "--watch", "--only", "A", "--drop", "VAULT_*"];
        const cmd = ["--", "sh", "-c", 'echo "$A ${B-} ${VAULT_TOKEN-}"'];
        assertPrinted(await run([...flags, ...cmd], { env: { VAULT_TOKEN: "t" } }), "1  \n");
      }));

    for (const option of ["--only", "--drop"]) {
      test(`${option}: what is no pattern is a usage error`, async () => {
        for (const pattern of ["*", "A*B", "*A", "A B", "1A", "A,B-C"]) {
          const refused = await run(["--from", "dir:/nonexistent", option, pattern, "--", ...SAY]);
          assertFailed(
            refused,
            64,
            new RegExp(`^${option} \\(SEALEXEC_\\w+\\): "[^"]+" is neither a name nor`),
          );
        }
      });
    }

    test("a name without a value in the docker dialect takes only what CMD is given anyway", () =>
      withFolder(async (folder) => {
        const file = join(folder, "docker.env");
        await writeFile(file, "SECRET\nPASSED\nA=1\n", { mode: 0o600 });
        const from = ["--from", `env-file:${file}?format=docker`];
        const env = { SECRET: "s", PASSED: "p" };
        const cmd = ["--", "/bin/sh", "-c", 'echo "${SECRET-} ${PASSED-} $A"'];
        assertPrinted(await run([...from, ...cmd], { env }), "s p 1\n");
        assertPrinted(await run([...from, "--pristine", ...cmd], { env }), "  1\n");
        assertPrinted(await run([...from, "--pristine", "--pass", "PASSED", ...cmd], { env }), " p 1\n");
        assertPrinted(await run([...from, "--drop", "SEC*", ...cmd], { env }), " p 1\n");
      }));

    test("?allow= is for that source and for no other", () =>
      withFolder(async (folder) => {
        const [one, two] = [join(folder, "one.env"), join(folder, "two.env")];
        await writeFile(one, "PAGER=one\nA=1\n", { mode: 0o600 });
        await writeFile(two, "PAGER=two\nB=2\n", { mode: 0o600 });
        const cmd = ["--", "sh", "-c", "echo $PAGER $A $B"];
        const allowed = `env-file:${one}?allow=EDITOR,PAGER`;
        assertPrinted(await run(["--from", allowed, ...cmd]), "one 1\n");
        assertFailed(
          await run(["--from", allowed, "--from", `env-file:${two}`, ...cmd]),
          65,
          new RegExp(`^refused names: env-file:${two}: it sets PAGER,`),
          /--allow PAGER/,
        );
        const both = ["--from", allowed, "--from", `env-file:${two}`, "--allow", "PAGER", ...cmd];
        assertPrinted(await run(both), "two 1 2\n");
        const check = await sealexec(["check", "--from", allowed], { artefact });
        assert.equal(check.status, 0, check.stdout + check.stderr);
      }));

    test("?allow= in the URI of an object: push, run and pull take the same one", () =>
      withAws(async (aws) => {
        const uri = `s3://${BUCKET}/app.env?region=${aws.region}&allow=PAGER`;
        const options = { env: aws.env(), artefact };
        const refused = await sealexec(["push", "-", `s3://${BUCKET}/app.env`, "--key", KEY], {
          ...options,
          input: "PAGER=cat\n",
        });
        assertFailed(refused, 65, /it sets PAGER,/);
        const pushed = await sealexec(["push", "-", uri, "--key", KEY], { ...options, input: "PAGER=cat\n" });
        assert.equal(pushed.status, 0, pushed.stderr);
        assertPrinted(await run(["--from", uri, "--", "printenv", "PAGER"], options), "cat\n");
        assertPrinted(await sealexec(["pull", uri], options), "PAGER=cat\n");
        assertFailed(
          await run(["--from", `s3://${BUCKET}/app.env?allow=EDITOR`, "--", ...SAY], options),
          65,
          /^refused names: s3:\/\/app-secrets\/app\.env: it sets PAGER,/,
        );
      }));

    test("an object whose key has a question mark in it", () =>
      withAws(async (aws) => {
        await push(aws, "what?.env?", "A=1\n");
        const options = { env: aws.env(), artefact };
        assertPrinted(
          await run(["--from", `s3://${BUCKET}/what?.env?allow=PAGER`, "--", "printenv", "A"], options),
          "1\n",
        );
        assertFailed(
          await run(["--from", `s3://${BUCKET}/what?.env?allow=`, "--", ...SAY], options),
          64,
          /^the source URI: has an empty allow$/,
        );
      }));
  });
}

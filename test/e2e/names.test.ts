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

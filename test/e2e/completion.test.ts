/** `sealexec completion`: the script in a shell of its kind, called as the shell calls it, and by keys on a terminal. */
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { buildPrograms, skipReason } from "./exec/programs.ts";
import { assertFailed, until, withFolder } from "./expect.ts";
import { ARTEFACTS, onPath, runProcess, sealexec } from "./harness.ts";
import { Pty } from "./watch/pty.ts";

const SHELLS = ["bash", "zsh", "fish"];
const missing = (shell: string): string | false =>
  onPath(shell) === undefined ? `${shell} is not installed` : false;

async function scriptFor(shell: string): Promise<string> {
  const { status, stdout, stderr } = await sealexec(["completion", shell]);
  assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
  return stdout;
}

/** The words as Readline splits them: at the characters of COMP_WORDBREAKS, too. */
function piecesOf(line: string): string[] {
  const words = line.split(/\s+/);
  return words.flatMap((word) => word.match(/[=:]+|[^=:]+/g) ?? [""]);
}

/** What bash is offered at the end of a line, where no program can be started. */
async function offeredBy(script: string, line: string, pieces = piecesOf(line)): Promise<string[]> {
  const call = [
    script,
    "PATH=$BIN",
    'COMP_LINE=$LINE COMP_POINT=${#LINE} COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))',
    "_sealexec",
    '((${#COMPREPLY[@]} == 0)) || printf "%s\\n" "${COMPREPLY[@]}"',
  ].join("\n");
  return withFolder(async (folder) => {
    const env = { LINE: line, BIN: folder };
    await writeFile(join(folder, "server"), "#!/bin/sh\n", { mode: 0o755 });
    await writeFile(join(folder, "server.txt"), "", { mode: 0o644 });
    await mkdir(join(folder, "serverless"));
    const bash = onPath("bash") ?? "bash";
    const outcome = await runProcess([bash, "--norc", "-c", call, "bash", ...pieces], { env });
    assert.deepEqual({ status: outcome.status, stderr: outcome.stderr }, { status: 0, stderr: "" });
    return outcome.stdout.split("\n").filter((word) => word !== "");
  });
}

const COMMANDS = ["run", "push", "pull", "check", "keygen", "completion"];
const URIS = ["s3://", "file:", "secretsmanager://", "ssm://", "vault://", "env-file:", "dir:", "json-file:"];

/** Line → what is offered; of long lists, what begins so. */
const OFFERS: Readonly<Record<string, readonly string[]>> = {
  "sealexec ": [...COMMANDS, "help", "--help", "--version"],
  "sealexec pu": ["push", "pull"],
  "sealexec help ": COMMANDS,
  "sealexec help k": ["keygen"],
  "sealexec run --w": ["--watch"],
  "sealexec run --from s3://b/k --fall": ["--fallback", "--fallback-age"],
  "sealexec push --cr": ["--create", "--credentials"],
  "sealexec pull --w": [],
  "sealexec run --log ": ["text", "json"],
  "sealexec run --log j": ["json"],
  "sealexec run --log=j": ["json"],
  "sealexec run --log=": ["text", "json"],
  "sealexec check --format ": ["text", "json", "github"],
  "sealexec push --format ": ["v3", "v2"],
  "sealexec run --on-change ": ["restart", "signal:HUP", "exit"],
  "sealexec run --on-change=signal:": ["HUP"],
  "sealexec pull --accept kms-c": ["kms-cbc"],
  "sealexec completion ": SHELLS,
  "sealexec run --from ": URIS,
  "sealexec run -f e": ["env-file:"],
  "sealexec run --from=s": ["s3://", "secretsmanager://", "ssm://"],
  // Readline has "s3:" already.
  "sealexec pull s3:": ["//"],
  "sealexec pull --log json ": URIS,
  "sealexec pull s3://b/k ": [],
  "sealexec pull --log json s3://b/k ": [],
  "sealexec push .env ": ["s3://", "file:", "secretsmanager://", "ssm://"],
  "sealexec push --key k .env s": ["s3://", "secretsmanager://", "ssm://"],
  "sealexec run --key ": [],
  "sealexec run --from file:": [],
  "sealexec run -- se": ["server"],
  "sealexec run --from s3://b/k se": ["server"],
  "sealexec run -- server --w": [],
  "sealexec run server --w": [],
  "sealexec run -- server se": [],
  "sealexec nothing ": [],
  "sealexec nothing --": ["--help"],
};

describe("completion for bash", { skip: missing("bash"), concurrency: 2 }, () => {
  for (const [line, expected] of Object.entries(OFFERS)) {
    test(`"${line}"`, async () => assert.deepEqual(await offeredBy(await scriptFor("bash"), line), expected));
  }

  test("no part of the script is run in a process of its own", async () => {
    assert.doesNotMatch(await scriptFor("bash"), /\$\((?!\()|`|[<>]\(/);
  });

  test("where Readline does not split at = and :", async () => {
    const script = await scriptFor("bash");
    const offered = (line: string): Promise<string[]> => offeredBy(script, line, line.split(" "));
    assert.deepEqual(await offered("sealexec run --log=j"), ["--log=json"]);
    assert.deepEqual(await offered("sealexec run --from=v"), ["--from=vault://"]);
    assert.deepEqual(await offered("sealexec pull s3:"), ["s3://"]);
  });

  test("every option of the help of each command is offered, and no other", async () => {
    const script = await scriptFor("bash");
    for (const command of COMMANDS) {
      const { stdout } = await sealexec(["help", command]);
      const options = [...stdout.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)].map(([, name]) => name);
      const offered = await offeredBy(script, `sealexec ${command} -`);
      assert.deepEqual(offered.toSorted(), options.toSorted(), command);
    }
  });

  test("the options of run and what ends them come before every program there is", async () => {
    const offered = await offeredBy(await scriptFor("bash"), "sealexec run ");
    assert.ok(offered.includes("--from") && offered.includes("--") && !offered.includes("server"));
  });
});

const programs = buildPrograms();

describe("the key Tab in bash", { skip: skipReason(programs, "bash"), concurrency: 2 }, () => {
  if (programs === undefined) return;
  const typed: Readonly<Record<string, string>> = {
    "run --expl\t": "run --explain ",
    "run --log=j\t": "run --log=json ",
    "pull sec\t": "pull secretsmanager://",
    "pull s3:\t": "pull s3://",
    "run --from file:sea\t": "run --from file:sealed-here ",
    "pull -o sea\t": "pull -o sealed-here ",
    "run -f env-file:fol\t": "run -f env-file:folder/",
    "run -f dir:\t": "run -f dir:folder/",
    "run -- ./sea\t": "run -- ./sealed-here ",
    "keygen fol\tx": "keygen folder/x",
  };
  for (const [keys, expected] of Object.entries(typed)) {
    test(JSON.stringify(keys), () =>
      withFolder(async (folder) => {
        const script = join(folder, "completion");
        await writeFile(script, await scriptFor("bash"));
        await writeFile(join(folder, "inputrc"), "set enable-bracketed-paste off\nset bell-style none\n");
        await mkdir(join(folder, "work/folder"), { recursive: true });
        await writeFile(join(folder, "work/sealed-here"), "");
        const env = { INPUTRC: join(folder, "inputrc"), PS1: "READY> " };
        const words = ["bash", "--norc", "--noprofile", "-i"];
        const pty = new Pty(programs.terminal, words, { env, cwd: join(folder, "work") });
        try {
          await until(() => pty.screen.includes("READY> "));
          // It shows what it was given, and starts nothing.
          pty.type(`. ${script}; sealexec() { printf '<%s>\\n' "$*"; }; echo DO''NE\n`);
          await until(() => pty.screen.includes("DONE"));
          pty.type(`sealexec ${keys}|\n`.replace("|", ";"));
          await until(() => /<.*>\r\n/.test(pty.screen));
          assert.equal(/<(.*)>\r\n/.exec(pty.screen)?.[1], expected.trimEnd());
          assert.ok(pty.screen.includes(`sealexec ${expected};`), pty.screen);
        } finally {
          await pty.close([]);
        }
      }),
    );
  }
});

describe("completion for zsh and fish", () => {
  test("zsh reads the script without an error", { skip: missing("zsh") }, async () => {
    const call = `autoload -U compinit; compinit -u -D\n${await scriptFor("zsh")}\nprint -r -- $_comps[sealexec]`;
    const { status, stdout, stderr } = await runProcess(["zsh", "-f", "-c", call]);
    assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: "_sealexec\n", stderr: "" });
  });

  test("fish offers commands, options, choices and URIs", { skip: missing("fish") }, async () => {
    const script = await scriptFor("fish");
    const offered = async (line: string): Promise<string[]> => {
      const { stdout, stderr } = await runProcess([
        "fish",
        "-N",
        "-c",
        `${script}\ncomplete -C "$argv[1]"`,
        line,
      ]);
      assert.equal(stderr, "");
      return stdout.split("\n").map((each) => each.split("\t")[0] ?? "");
    };
    assert.ok((await offered("sealexec pu")).includes("push"));
    assert.ok((await offered("sealexec run --expl")).includes("--explain"));
    assert.ok((await offered("sealexec run --log j")).includes("json"));
    assert.ok((await offered("sealexec pull s3")).includes("s3://"));
  });
});

for (const artefact of ARTEFACTS) {
  describe(`sealexec completion, by the ${artefact.name}`, () => {
    test("prints the script, whatever the environment holds", async () => {
      for (const shell of SHELLS) {
        const env = { SEALEXEC_KEY: "", AWS_PROFILE: "none" };
        const { status, stdout, stderr } = await sealexec(["completion", shell], { artefact, env });
        assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
        assert.match(
          stdout.split("\n", 2).join("\n"),
          new RegExp(`for ${shell}, by "sealexec completion ${shell}"`),
        );
        assert.equal(stdout, await scriptFor(shell));
      }
    });

    test("no shell, and one that it does not know, are wrong usage", async () => {
      assertFailed(await sealexec(["completion"], { artefact }), 64, /^missing required argument 'shell'$/);
      const outcome = await sealexec(["completion", "tcsh"], { artefact });
      assertFailed(outcome, 64, /allowed choices are bash, zsh, fish$/, /^sealexec help completion shows/);
    });
  });
}

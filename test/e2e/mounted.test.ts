/** Mounted secrets from outside: `env-file:`, `dir:` and `json-file:` by run, check and pull. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { existsSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { RAN, SAY, assertFailed, assertPrinted, eventsOf, withFolder } from "./expect.ts";
import { asUser, canUserRun, isRoot } from "./exec/programs.ts";
import { ARTEFACTS, KEY, onPath, push, runProcess, sealexec, withAws } from "./harness.ts";
import type { RunOptions } from "./harness.ts";

const CANARY = "canary-2f7c1d";
const print = (...names: string[]): string[] => ["--", "printenv", ...names];

const containersOwn = [0x01021994, 0x858458f6, 0x794c7630].includes(statfsSync(tmpdir()).type)
  ? "needs a temporary folder on a disk"
  : false;

/** Files of mode 0600, so that nobody is warned of them. */
async function put(folder: string, files: Readonly<Record<string, string | Uint8Array>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await writeFile(join(folder, name), content, { mode: 0o600 });
  }
}

for (const artefact of ARTEFACTS) {
  const run = (
    from: readonly string[],
    words: readonly string[] = ["--", ...SAY],
    options: RunOptions = {},
  ) => sealexec(["run", ...from.flatMap((uri) => ["--from", uri]), ...words], { artefact, ...options });

  describe(`mounted sources, by the ${artefact.name}`, { concurrency: 2 }, () => {
    test("each scheme, in an absolute and a relative path, and in its formats", () =>
      withFolder(async (folder) => {
        await mkdir(join(folder, "d"));
        await put(folder, {
          "a.env": 'A="1"\n',
          "a.docker": 'A="1" # x\nSET\nUNSET\n',
          "a.json": '{"A":1.0}',
          "deep.json": '{"db":{"A":"deep","B":{"C":2}},"other":null}',
          "a.yaml": "---\nA: |\n  one\n  two\nB: 'x'\n",
          "d/A": "1\n",
          "d/b-c.d": "2\r\n",
        });
        for (const [uri, names, stdout] of [
          [`env-file:${folder}/a.env`, ["A"], "1\n"],
          ["env-file:./a.env", ["A"], "1\n"],
          ["env-file:a.docker?format=docker", ["A", "SET"], '"1" # x\nbefore\n'],
          ["env-file:a.json?format=json", ["A"], "1.0\n"],
          ["json-file:a.json", ["A"], "1.0\n"],
          ["json-file:deep.json?flatten=_#db", ["A", "B_C"], "deep\n2\n"],
          ["env-file:a.yaml?format=yaml", ["A", "B"], "one\ntwo\n\nx\n"],
          [`dir:${folder}/d?upper`, ["A", "B_C_D"], "1\n2\n"],
          ["dir:d?upper&raw", ["A", "B_C_D"], "1\n\n2\r\n\n"],
        ] as const) {
          const options = { cwd: folder, env: { SET: "before" } };
          assertPrinted(await run([uri], print(...names), options), stdout);
          const checked = await sealexec(["check", "--from", uri, "--require", names.join(",")], {
            artefact,
            ...options,
          });
          assert.equal(checked.status, 0, JSON.stringify(checked));
        }
        const unset = await run(["env-file:a.docker?format=docker"], print("UNSET"), { cwd: folder });
        assert.deepEqual([unset.status, unset.stdout], [1, ""]);
      }));

    test("pull prints a file as it is, and a folder or a JSON file as a .env", () =>
      withFolder(async (folder) => {
        await mkdir(join(folder, "d"));
        await put(folder, { "a.env": "# c\nA = 1\n", "a.json": '{"A":"x y"}', "d/A": "it's\n" });
        for (const [uri, stdout] of [
          ["env-file:a.env", "# c\nA = 1\n"],
          ["json-file:a.json", "A='x y'\n"],
          ["dir:d", 'A="it\'s"\n'],
        ] as const) {
          assertPrinted(await sealexec(["pull", uri], { artefact, cwd: folder }), stdout);
        }
      }));

    test("merge with S3 in the order of --from, and with what is set", () =>
      withFolder((folder) =>
        withAws(async (aws) => {
          const s3 = await push(aws, "app.env", "A=s3\nB=s3\nC=s3\n");
          await mkdir(join(folder, "d"));
          await put(folder, { "a.env": "B=file\nC=file\n", "d/C": "dir" });
          const options = { cwd: folder, env: { ...aws.env(), C: "before" } };
          const all = [s3, "env-file:a.env", "dir:d"];
          assertPrinted(await run(all, print("A", "B", "C"), options), "s3\nfile\ndir\n");
          assertPrinted(await run(all.toReversed(), print("A", "B", "C"), options), "s3\ns3\ns3\n");
          const kept = await run(all, ["--keep-existing", ...print("B", "C")], options);
          assertPrinted(kept, "file\nbefore\n");
          const from = { ...options.env, SEALEXEC_FROM: `${s3} env-file:./a.env\ndir:d` };
          assertPrinted(await run([], print("A", "B", "C"), { ...options, env: from }), "s3\nfile\ndir\n");
        }),
      ));

    test("ask nobody: no call and no connection, whatever AWS would need", () =>
      withFolder((folder) =>
        withAws(async (aws) => {
          await put(folder, { "a.env": "A=1\n" });
          const before = aws.connections.length;
          const env = {
            ...aws.env(),
            AWS_CA_BUNDLE: "/nowhere",
            AWS_PROFILE: "none",
            AWS_REGION: "no region",
          };
          assertPrinted(await run([`env-file:${folder}/a.env`], print("A"), { env }), "1\n");
          const checked = await sealexec(["check", "--from", `env-file:${folder}/a.env`], { artefact, env });
          assert.equal(checked.status, 0, JSON.stringify(checked));
          assert.deepEqual(aws.calls, []);
          assert.equal(aws.connections.length, before);
        }),
      ));

    const cannotUnshare = !isRoot || onPath("unshare") === undefined ? "needs root and unshare" : false;
    test("start without a network", { skip: cannotUnshare }, () =>
      withFolder(async (folder) => {
        await put(folder, { A: "1" });
        assertPrinted(await run([`dir:${folder}`], print("A"), { prefix: ["unshare", "--net"] }), "1\n");
      }),
    );

    test("what is not there, not readable, not a file or not valid: status, message and hint", () =>
      withFolder(async (folder) => {
        await mkdir(join(folder, "d"));
        await mkdir(join(folder, "d/sub"));
        await mkdir(join(folder, "names"));
        await put(folder, {
          "bad.env": `A=1\n${CANARY}\n`,
          "twice.json": `{"A":1,"A":"${CANARY}"}`,
          "list.yaml": `A:\n  - ${CANARY}\n`,
          "path.env": `PATH=${CANARY}\n`,
          "big.env": "#".repeat(4 * 1024 * 1024 + 1),
          "names/db-password": CANARY,
        });
        for (const [uri, status, error, hint] of [
          [
            "env-file:none.env",
            66,
            /^object: env-file:none\.env: no such file or folder$/,
            /that it is mounted/,
          ],
          ["dir:none", 66, /^object: dir:none: no such file or folder$/, /that it is mounted/],
          ["json-file:none", 66, /^object: json-file:none: no such file or folder$/, /that it is mounted/],
          ["json-file:twice.json#B", 65, /"A" is there twice$/, /./],
          ["env-file:d", 78, /^object: env-file:d: a folder, where a file is expected$/, /dir:PATH/],
          ["dir:bad.env", 78, /^object: dir:bad\.env: a file, where a folder is expected$/, /env-file:PATH/],
          ["dir:d", 78, /^object: dir:d: sub: a folder, where a file is expected$/, /--from dir:PATH/],
          [
            "dir:names",
            65,
            /^object: dir:names: the file "db-password" has not the name of a variable$/,
            /\?upper/,
          ],
          ["env-file:/dev/null", 78, /: a device or socket, where a file is expected$/, /./],
          ["env-file:bad.env", 65, /^dotenv: env-file:bad\.env: line 2: no "=" in assignment$/, /./],
          ["json-file:twice.json", 65, /^object: json-file:twice\.json: line 1: "A" is there twice$/, /./],
          ["env-file:list.yaml?format=yaml", 65, /: line 1: A: a nested map or list$/, /flat/],
          [
            "env-file:path.env",
            65,
            /it sets PATH, which changes how programs load or run code, or whom they trust$/,
            /--allow PATH/,
          ],
          ["env-file:big.env", 65, /: larger than 4194304 bytes$/, /./],
          [
            "env-file:bad.env?format=toml",
            64,
            /has a format other than dotenv, docker, json, yaml$/,
            /the form is/,
          ],
          ["dir:", 64, /^dir:: has no path$/, /the form is dir:PATH/],
          ["envfile:bad.env", 64, /does not begin with s3:.*env-file:, dir:, json-file:/, /./],
        ] as const) {
          const outcome = await run([uri], undefined, { cwd: folder });
          assertFailed(outcome, status, error, hint);
          assert.doesNotMatch(outcome.stderr, new RegExp(CANARY));
        }
      }));

    const noUser =
      !isRoot || !canUserRun(artefact) ? "needs root, and a checkout that uid 1000 may read" : false;
    test("permission denied", { skip: noUser }, () =>
      withFolder(async (folder) => {
        await chmod(folder, 0o755);
        await mkdir(join(folder, "d"), { mode: 0o700 });
        await put(folder, { "a.env": "A=1\n", "d/A": "1" });
        for (const uri of [`env-file:${folder}/a.env`, `dir:${folder}/d`, `json-file:${folder}/d/A`]) {
          const outcome = await run([uri], undefined, { prefix: asUser });
          assertFailed(outcome, 78, /: permission denied$/, /owner and mode/);
        }
      }),
    );

    test(
      "a warning, in text and in JSON, where every user can read it; none on a tmpfs or behind a closed folder",
      {
        skip: containersOwn,
      },
      () =>
        withFolder(async (folder) => {
          await put(folder, { "a.env": "A=1\n" });
          await mkdir(join(folder, "d"), { mode: 0o755 });
          for (const name of ["A", "B", "C", "D"]) await put(folder, { [`d/${name}`]: "1" });
          for (const file of ["a.env", "d/A", "d/B", "d/C", "d/D"]) await chmod(join(folder, file), 0o644);
          const file = `env-file:${folder}/a.env`;
          // The folder is 0700: nobody else comes so far.
          assertPrinted(await run([file]), `${RAN}\n`);
          await chmod(folder, 0o755);
          const warned = await run([file, `dir:${folder}/d`]);
          assert.deepEqual([warned.status, warned.stdout], [0, `${RAN}\n`]);
          assert.deepEqual(warned.stderr.split("\n").toSorted(), [
            "",
            `sealexec: hint: chmod o-r ${folder}/a.env`,
            `sealexec: hint: chmod o-rx ${folder}/d`,
            `sealexec: warning: dir:${folder}/d is readable by every user of this machine (A, B, 2 more)`,
            `sealexec: warning: ${file} is readable by every user of this machine`,
          ]);
          await put(folder, { "a.json": '{"A":"1"}' });
          await chmod(join(folder, "a.json"), 0o604);
          const object = await run([`json-file:${folder}/a.json`]);
          assert.equal(
            object.stderr.split("\n")[0],
            `sealexec: warning: json-file:${folder}/a.json is readable by every user of this machine`,
          );
          await mkdir(join(folder, "closed"), { mode: 0o750 });
          await put(folder, { "closed/A": "1" });
          await chmod(join(folder, "closed/A"), 0o644);
          assertPrinted(await run([`dir:${folder}/closed`]), `${RAN}\n`);
          // Closed further up: the folder that the file is in lets everybody through.
          await mkdir(join(folder, "closed/open"), { mode: 0o755 });
          await put(folder, { "closed/open/a.env": "A=1\n" });
          await chmod(join(folder, "closed/open/a.env"), 0o644);
          assertPrinted(await run([`env-file:${folder}/closed/open/a.env`]), `${RAN}\n`);
          const json = await run([file], ["--log", "json", "--", ...SAY]);
          const [event = {}] = eventsOf(json.stderr);
          assert.deepEqual(event, {
            time: event["time"],
            level: "warning",
            code: "readable-by-all",
            target: file,
            message: `${file} is readable by every user of this machine`,
            hint: `chmod o-r ${folder}/a.env`,
          });
          if (!existsSync("/dev/shm")) return;
          const memory = await mkdtemp("/dev/shm/sealexec-test-");
          try {
            await put(memory, { A: "1" });
            await chmod(memory, 0o755);
            await chmod(join(memory, "A"), 0o444);
            assertPrinted(await run([`dir:${memory}`], print("A")), "1\n");
          } finally {
            await rm(memory, { recursive: true });
          }
        }),
    );

    test("a pipe is read to its end: process substitution, standard input, a FIFO", () =>
      withFolder(async (folder) => {
        const [file, ...words] = artefact.command;
        const program = [file, ...words].map((word) => `'${word}'`).join(" ");
        const script = (source: string): string[] => [
          "bash",
          "-c",
          `${program} run --from ${source} -- printenv A B`,
        ];
        if (onPath("bash") !== undefined) {
          const slow = "env-file:<(echo A=1; sleep 0.2; printf 'B='; head -c 100000 /dev/zero | tr '\\0' x)";
          assertPrinted(await runProcess(script(slow)), `1\n${"x".repeat(100_000)}\n`);
          assertPrinted(await runProcess(script(`json-file:<(echo '{"A":1,"B":2}')`)), "1\n2\n");
          const empty = `${program} run --from env-file:<(true) -- ${SAY.map((word) => `'${word}'`).join(" ")}`;
          const nothing = await runProcess(["bash", "-c", empty]);
          assert.deepEqual([nothing.status, nothing.stdout], [0, `${RAN}\n`], nothing.stderr);
          assert.match(nothing.stderr, /warning: env-file:\S+: no variables in it\n$/);
        }
        const typed = `printf 'A=typed\\nB=2\\n' | ${program} run --from env-file:/dev/stdin -- printenv A B`;
        assertPrinted(await runProcess(["sh", "-c", typed]), "typed\n2\n");
        await runProcess(["mkfifo", join(folder, "fifo")]);
        const writer = spawn("sh", ["-c", `sleep 0.3; echo A=late >'${folder}/fifo'`], { stdio: "ignore" });
        assertPrinted(await run([`env-file:${folder}/fifo`], print("A")), "late\n");
        writer.kill();
      }));

    test("a pipe that never ends meets the deadline, and one that never stops the limit", () =>
      withFolder(async (folder) => {
        const fifo = join(folder, "fifo");
        await runProcess(["mkfifo", fifo]);
        const uri = `env-file:${fifo}`;
        const short = ["--timeout", "0.5", "--", ...SAY];
        assertFailed(
          await run([uri], short),
          75,
          /did not end within the deadline of 0\.5 s: nobody wrote to it$/,
        );
        const holder = spawn("sh", ["-c", `exec 3<>'${fifo}'; echo A=1 >&3; exec sleep 60`], {
          stdio: "ignore",
        });
        const outcome = await run([uri], short);
        // Until it has gone, it is a reader too, and the next writer would write to it.
        const gone = once(holder, "exit");
        holder.kill("SIGKILL");
        await gone;
        assertFailed(
          outcome,
          75,
          /did not end within the deadline of 0\.5 s: /,
          /the program that writes to it/,
        );
        const flood = spawn("sh", ["-c", `exec yes >'${fifo}'`], { stdio: "ignore" });
        assertFailed(await run([uri]), 65, /: larger than 4194304 bytes$/);
        flood.kill("SIGKILL");
      }));

    test("a file, and a volume of Kubernetes, that are replaced while starts go on: each sees one version whole", () =>
      withFolder(async (folder) => {
        const volume = join(folder, "volume");
        await mkdir(volume);
        const stop = new AbortController();
        const turn = async (version: number): Promise<void> => {
          await put(folder, { "a.tmp": `A=${version}\nB=${version}\n` });
          await rename(join(folder, "a.tmp"), join(folder, "a.env"));
          await mkdir(join(volume, `..${version}`));
          await put(volume, { [`..${version}/C`]: String(version), [`..${version}/D`]: String(version) });
          await symlink(`..${version}`, join(volume, "..data_tmp"));
          await rename(join(volume, "..data_tmp"), join(volume, "..data"));
          await rm(join(volume, `..${version - 1}`), { recursive: true, force: true });
        };
        await turn(1);
        for (const name of ["C", "D"]) await symlink(`..data/${name}`, join(volume, name));
        const turning = (async () => {
          for (let version = 2; !stop.signal.aborted; version += 1) await turn(version);
        })();
        const seen = new Set<string>();
        try {
          for (let starts = 0; starts < 15; starts += 1) {
            const outcome = await run(
              [`env-file:${folder}/a.env`, `dir:${volume}`],
              print("A", "B", "C", "D"),
            );
            const [a, b, c, d] = outcome.stdout.split("\n");
            assert.equal(outcome.status, 0, JSON.stringify(outcome));
            assert.deepEqual([a, c], [b, d]);
            seen.add(`${a}`);
          }
        } finally {
          stop.abort();
          await turning;
        }
        assert.ok(seen.size > 1);
      }));

    test("no value is shown, whatever fails, with -v", () =>
      withFolder(async (folder) => {
        await mkdir(join(folder, "d"));
        await mkdir(join(folder, "e"));
        await put(folder, {
          "ok.env": `A=${CANARY}\n`,
          "bad.env": `A=${CANARY}\n${CANARY}\n`,
          "bad.json": `{"A":"${CANARY}" "B"}`,
          "bad.yaml": `A: ${CANARY}: ${CANARY}\n`,
          "bad.docker": `A=${CANARY}\n${CANARY} ${CANARY}\n`,
          "d/A": `${CANARY}\0`,
          "e/A": CANARY,
        });
        let failed = 0;
        for (const uri of [
          "env-file:ok.env",
          "dir:e",
          "env-file:bad.env",
          "json-file:bad.json",
          "env-file:ok.env?format=json",
          "env-file:ok.env?format=yaml",
          "env-file:bad.yaml?format=yaml",
          "env-file:bad.docker?format=docker",
          "dir:d",
        ]) {
          const outcome = await run([uri], ["-v", "--require", "NONE", "--", ...SAY], { cwd: folder });
          assert.equal(outcome.status, 65, JSON.stringify(outcome));
          assert.match(outcome.stderr, /sealexec: error: /);
          const forms = [
            CANARY,
            Buffer.from(CANARY).toString("base64").slice(0, -2),
            Buffer.from(CANARY).toString("hex"),
          ];
          for (const form of forms) assert.ok(!outcome.stderr.includes(form), uri);
          failed += 1;
        }
        assert.equal(failed, 9);
      }));
  });
}

describe("?format= on s3://", () => {
  for (const [format, text, values] of [
    ["docker", 'A="1" # x\nB\n', ['"1" # x']],
    ["json", '{"A":1.0}', ["1.0"]],
    ["yaml", "A: >-\n  one\n  two\n", ["one two"]],
  ] as const) {
    test(`${format}: push checks it, run reads it, pull gives it back`, () =>
      withAws(async (aws) => {
        const uri = `s3://app-secrets/app.${format}?format=${format}`;
        const pushed = (input: string, to = uri) =>
          sealexec(["push", "-", to, "--key", KEY], { env: aws.env(), input });
        assert.equal((await pushed(text)).status, 0);
        const options = { env: aws.env() };
        assertPrinted(await sealexec(["run", "--from", uri, ...print("A")], options), `${values[0]}\n`);
        assertPrinted(await sealexec(["pull", uri], options), text);
        assertFailed(await pushed("=1: {"), 65, new RegExp(`^${format}: standard input: line 1: `));
        assertFailed(
          await pushed("A=1\n=x\n", uri.replace(/\?.*/, "")),
          65,
          /^dotenv: standard input: line 2: /,
        );
        const place = aws.s3.get("app-secrets", `app.${format}`);
        assert.ok(place !== undefined, "the format is no part of the place");
      }));
  }
});

/** The leak test of `run --watch` and `--fallback`: what is secret is in CMD's environment, on sockets, and nowhere else. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { BINARY, BUCKET, KEY, onPath, push, withAws } from "../harness.ts";
import { withFolder } from "../expect.ts";
import { findCanaries } from "../leak/canaries.ts";
import type { Canary } from "../leak/canaries.ts";
import { TALKATIVE, VALUE, canariesOf, filesIn, makeScene, plaintext } from "../leak/scene.ts";
import type { Scene } from "../leak/scene.ts";
import { decodeTrace } from "../leak/trace.ts";
import type { TracedCall } from "../leak/trace.ts";
import { SELDOM, watching } from "./watching.ts";

const linux = process.platform === "linux" ? false : "needs Linux";

/** Another value, of another length, in the second object. */
const CHANGED = `FIRST='${VALUE}'\nSECOND='${VALUE}'\n`;

function withScene(work: (scene: Scene) => Promise<void>): Promise<void> {
  return withFolder((folder) => withAws(async (aws) => work(await makeScene(aws, folder))));
}

const places = ({ folder }: Scene): Record<string, string> => ({ HOME: folder, TMPDIR: folder });

/** Says how long its secret is, and runs until it is told to end. */
const CMD = ["sh", "-c", 'trap "exit 0" TERM; echo "start ${#SECOND}"; while :; do sleep 0.02; done'];

describe("nothing leaks while sealexec watches", { skip: linux, concurrency: 2 }, () => {
  for (const log of ["text", "json"] as const) {
    test(`${log}: a start, a change, and everything that goes wrong with -v`, () =>
      withScene(async (scene) => {
        const { aws, uri, folder } = scene;
        const canaries = canariesOf(scene);
        const kept = join(folder, "kept");
        const flags = ["--from", uri, ...SELDOM, "--timeout", "1", "-v", "--log", log, "--fallback", kept];
        const env = { ...aws.env(), ...TALKATIVE, ...places(scene) };
        await watching({ env, cwd: folder, flags, cmd: CMD }, async (watch) => {
          const search = (): string[] => {
            const shown = [...watch.lines(), ...watch.said()].join("\n");
            const seen = ["cmdline", "environ"].map((name) => readFileSync(`/proc/${watch.pid}/${name}`));
            const files = [...filesIn(folder).values()];
            return [Buffer.from(shown), ...seen, ...files].flatMap((bytes) => findCanaries(bytes, canaries));
          };
          const said = watch.said().length;
          await push(aws, "app.env", CHANGED);
          await watch.lookUntil(() => watch.lines().filter((line) => line.startsWith("start")).length === 2);
          assert.ok(watch.said().length > said, "it says what it does");
          const faults = [
            { service: "s3", operation: "GetObject", action: "body", body: VALUE, status: 400 },
            { service: "s3", operation: "GetObject", action: "status", status: 503, message: VALUE },
            {
              service: "kms",
              operation: "Decrypt",
              action: "status",
              status: 400,
              code: "AccessDeniedException",
            },
            { service: "kms", operation: "Decrypt", action: "body", body: `{"Plaintext":"${VALUE}"}` },
          ] as const;
          for (const rule of faults) {
            // A push looks at what is there first, and is not to meet the fault.
            await push(aws, "app.env", plaintext);
            const fault = aws.faults.add(rule);
            const before = watch.said().length;
            await watch.lookUntil(() => fault.hits > 0 && watch.said().length > before);
            await fault.remove();
            assert.deepEqual(search(), [], JSON.stringify(rule));
          }
          aws.s3.put(BUCKET, "app.env", Buffer.from(plaintext));
          const before = watch.said().length;
          await watch.lookUntil(() => watch.said().length > before);
          assert.deepEqual(search(), []);
          assert.deepEqual([...filesIn(folder).keys()], ["kept"]);
        });
      }));
  }

  const skip = onPath("strace") === undefined ? "no strace on PATH" : false;
  test(
    "what the kernel sees: values only on sockets and in CMD's environment, at the start and after a change",
    { skip },
    () =>
      withScene(async (scene) => {
        const { aws, uri, folder } = scene;
        const canaries: readonly Canary[] = canariesOf(scene);
        await withFolder(async (elsewhere) => {
          const log = join(elsewhere, "trace");
          const calls =
            "write,writev,pwrite64,open,openat,creat,execve,sendto,sendmsg,rename,renameat,renameat2,link,linkat,memfd_create,mkdir";
          const strace = [
            "strace",
            "-f",
            "-v",
            "-xx",
            "-y",
            "-s",
            "1000000",
            "-e",
            `trace=${calls}`,
            "-o",
            log,
            "--",
          ];
          const [file = "", ...words] = [...strace, BINARY];
          const artefact = { name: "traced", command: [file, ...words] as const };
          const env = { ...aws.env(), ...TALKATIVE, ...places(scene) };
          const flags = ["--from", uri, "--key", KEY, "--every", "300ms", "-v"];
          // The second ends by itself, as strace would not pass a signal on.
          const cmd = [
            "sh",
            "-c",
            `[ \${#SECOND} -gt 1 ] && ending=1; ${CMD[2]}`.replace("do ", 'do [ "$ending" ] && exit; '),
          ];
          await watching({ env, cwd: folder, flags, cmd, artefact }, async (watch) => {
            await push(aws, "app.env", CHANGED);
            await watch.ended;
            assert.equal(watch.lines().filter((line) => line.startsWith("start")).length, 2);
          });
          const traced = decodeTrace(log);
          for (const call of traced.filter((one) => !isSocket(one))) {
            assert.deepEqual(findCanaries(call.data, canaries), [], `${call.name} ${call.target}`);
            assert.ok(!call.creates, `${call.name} creates ${call.data.toString("utf8")}`);
          }
          const started = traced.filter(({ name }) => name === "execve");
          const holding = started.filter(({ environment }) => findCanaries(environment, canaries).length > 0);
          // sealexec, twice itself as the child, and twice CMD; and what CMD itself runs, which inherits from it.
          const shells = holding.filter(({ data }) => data.includes("echo"));
          assert.equal(shells.length, 2);
          for (const { data, environment } of holding) {
            assert.ok(
              !data.includes(BINARY),
              "not in the environment of sealexec, nor of sealexec as the child",
            );
            assert.deepEqual(findCanaries(environment, canaries.slice(1)), []);
          }
        });
      }),
  );
});

function isSocket({ target }: TracedCall): boolean {
  return /^(socket|TCP|TCPv6|UDP|UNIX[^:]*):\[/.test(target);
}

/** `run --watch`: processes whose parent has ended are waited for by PID 1, and by nobody else; CMD's status is not lost among them. */
import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { describe, test } from "node:test";
import { buildPrograms, skipReason } from "../exec/programs.ts";
import { until } from "../expect.ts";
import { FIRST, PLACES, PLAIN, childrenOf, commandOf, stateOf, withScene } from "./watched.ts";

const programs = buildPrograms();
const orphans = programs?.orphans ?? "";
const skip = skipReason(programs);

describe("orphans", { concurrency: 2 }, () => {
  for (const place of PLACES) {
    describe(`orphans, ${place.name}`, { skip: skip || place.skip, concurrency: 2 }, () => {
      test("1,000 end while changes are looked at and told: no zombie of sealexec's is left", () =>
        withScene(async (scene) => {
          const done = `${scene.folder}/done`;
          // WINCH does nothing to a program that does not handle it.
          const flags = ["--on-change", "signal:WINCH"];
          const watched = scene.start({ place, flags, command: [orphans, "1000", "wait", done] });
          await until(() => watched.children.length > 0);
          const { child } = watched;
          let told = 0;
          const change = async (): Promise<void> => {
            scene.change();
            watched.signal("SIGHUP");
            told += 1;
            await until(() => watched.stderr.split("CMD is sent SIGWINCH").length > told);
          };
          for (let changes = 0; changes < 3; changes += 1) await change();
          await until(() => existsSync(done));
          await change();
          await until(() => watched.children.join() === String(child));
          assert.notEqual(stateOf(child), "Z");
          // Nobody else is left of them: what was waited for was all of it.
          if (place === FIRST) await until(() => zombiesBelow(watched.pid) === 0);
          watched.signal("SIGTERM");
          assert.deepEqual(await watched.ended, { status: 143, by: null });
        }));

      test("CMD's status is passed on where it ends in one moment with 200 orphans, 30 times", () =>
        withScene(async (scene) => {
          const statuses = Array.from({ length: 30 }, (_, index) => 7 + index);
          const found: (number | null)[] = [];
          for (const status of statuses) {
            const watched = scene.start({ place, command: [orphans, "200", "exit", String(status)] });
            found.push((await watched.ended).status);
          }
          assert.deepEqual(found, statuses);
        }));

      test("CMD is started again each time where it ends in one moment with 100 orphans", () =>
        withScene(async (scene) => {
          const flags = ["--on-exit", "restart"];
          const watched = scene.start({ place, flags, command: [orphans, "100", "exit", "9"] });
          await until(() => watched.stderr.includes("in 2 s"));
          assert.equal(watched.stderr.match(/CMD ended with status 9: it is started again in/g)?.length, 2);
          // All of them are over, and were waited for by PID 1.
          if (place === FIRST) await until(() => watched.children.length === 0);
          watched.signal("SIGTERM");
          assert.deepEqual(await watched.ended, { status: 143, by: null });
        }));
    });
  }
});

describe("a credential_process", { skip }, () => {
  for (const place of PLACES) {
    test(`is not taken for what CMD has left behind, ${place.name}`, { skip: place.skip }, () =>
      withScene(async (scene) => {
        const { folder } = scene;
        const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, ...env } = scene.aws.keyEnv();
        // So near to its end it is asked for anew by each look.
        const Expiration = new Date(Date.now() + 240_000).toISOString();
        const keys = { AccessKeyId: AWS_ACCESS_KEY_ID, SecretAccessKey: AWS_SECRET_ACCESS_KEY };
        writeFileSync(`${folder}/keys`, JSON.stringify({ Version: 1, ...keys, Expiration }));
        writeFileSync(`${folder}/process`, `cat ${folder}/keys\n`);
        writeFileSync(`${folder}/config`, `[profile tool]\ncredential_process = sh ${folder}/process\n`);
        const config = { AWS_CONFIG_FILE: `${folder}/config`, AWS_PROFILE: "tool" };
        const without = { AWS_ACCESS_KEY_ID: "", AWS_SECRET_ACCESS_KEY: "" };
        const watched = scene.start({
          place,
          flags: ["--on-exit", "restart"],
          env: { ...env, ...without, ...config },
          command: ["sh", "-c", "echo runs; exec sleep 60"],
        });
        await until(() => watched.stdout !== "");
        const slow = `trap 'echo >${folder}/told' TERM; echo >${folder}/begun; sleep 1 & wait; cat ${folder}/keys; echo >${folder}/done`;
        writeFileSync(`${folder}/process`, `${slow}\n`);
        watched.signal("SIGHUP");
        await until(() => existsSync(`${folder}/begun`));
        watched.signal("SIGUSR1");
        await until(() => existsSync(`${folder}/done`));
        assert.match(watched.stderr, /started again in 1 s/);
        assert.equal(existsSync(`${folder}/told`), false);
      }),
    );
  }
});

describe("a child that was there before sealexec was", { skip }, () => {
  // `… & exec sealexec`: as it would be CMD's without sealexec.
  const launch = ["sh", "-c", 'sleep 0.1 & exec "$@"', "sh"];

  test("is left alone by a plain process", () =>
    withScene(async (scene) => {
      const watched = scene.start({ place: PLAIN, launch, command: ["sleep", "60"] });
      const isZombie = (): boolean => watched.children.some((pid) => stateOf(pid) === "Z");
      await until(() => watched.children.length === 2 && isZombie());
      const looks = scene.aws.count("s3");
      for (const signal of ["SIGCHLD", "SIGHUP"] as const) watched.signal(signal);
      await until(() => scene.aws.count("s3") > looks);
      assert.ok(isZombie());
    }));

  for (const [when, seconds] of [
    ["before it listens", "0"],
    ["later", "0.5"],
  ] as const) {
    test(`is waited for by PID 1, where it ends ${when}`, { skip: FIRST.skip }, () => waitedFor(seconds));
  }

  const waitedFor = (seconds: string): Promise<void> =>
    withScene(async (scene) => {
      const before = ["sh", "-c", `sleep ${seconds} & exec "$@"`, "sh"];
      const watched = scene.start({ place: FIRST, launch: before, command: ["sleep", "60"] });
      // From its start the one was there, and CMD came to it.
      await until(() => watched.children.map(commandOf).join() === "sleep 60");
      assert.equal(watched.hasEnded, false);
    });
});

function zombiesBelow(pid: number): number {
  return childrenOf(pid).filter((child) => stateOf(child) === "Z").length;
}

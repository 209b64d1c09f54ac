/** `run --watch` on a terminal: whose it is, keys that send signals, jobs of a shell, restarts, and a terminal that hangs up. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { buildPrograms, isRoot, skipReason } from "../exec/programs.ts";
import { ARTEFACTS } from "../harness.ts";
import { KEYS, Witness, childrenOf, hasEnded, isAlive, isStopped, statOf } from "./pty.ts";
import { SHELLS, withScene } from "./scene.ts";
import type { Scene, Setting } from "./scene.ts";

const programs = buildPrograms();
const [, bundle] = ARTEFACTS;
assert.ok(bundle !== undefined);
const skip = skipReason(programs, "stty", "setsid", "bash", "dash");
const namespaces = isRoot ? skipReason({}, "unshare") : "needs root";

/** signal(7), as the witness writes them. */
const [INT, QUIT, CONT, WINCH, HUP] = ["02", "03", "18", "28", "01"].map((n) => `signal ${n}`);

/** By itself and as a job, each as PID 1 and not. */
const PLACES: readonly (Setting & { readonly name: string })[] = [false, true].flatMap((first) =>
  [undefined, ...Object.keys(SHELLS)].map((shell) => ({
    name: `${shell === undefined ? "leading the session" : `a job of ${shell}`}${first ? ", as PID 1" : ""}`,
    first,
    ...(shell === undefined ? {} : { shell }),
  })),
);
const JOBS = PLACES.filter(({ shell }) => shell !== undefined);
const LEADERS = PLACES.filter(({ shell }) => shell === undefined);

// Who was asked to end is given its time before anybody else stops it.
const AFTER_A_KEY: Setting = { flags: ["--grace", "500ms"] };

describe("run --watch on a terminal", { skip, concurrency: 3 }, () => {
  if (programs === undefined) return;

  /** One test a place, where the witness runs with these words. */
  function each(
    places: readonly (Setting & { readonly name: string })[],
    name: string,
    words: readonly string[],
    act: (scene: Scene, setting: Setting) => Promise<void>,
    setting: Setting = {},
  ): void {
    if (programs === undefined) return;
    for (const { name: placeName, ...place } of places) {
      test(`${placeName}: ${name}`, { skip: place.first === true ? namespaces : false }, () =>
        withScene(programs, { ...place, ...setting, witness: words }, async (scene) => {
          if (place.shell !== undefined) {
            scene.pty.type(`./job $W $LOG ${words.join(" ")}\n`);
            await scene.noted("start");
          }
          await act(scene, place);
        }),
      );
    }
  }

  each(
    PLACES,
    "CMD shares sealexec's group, which is in the foreground",
    [],
    async ({ witness, sealexec }) => {
      const [own, watching] = [statOf(witness.pid), statOf(sealexec)];
      assert.ok(own !== undefined && watching !== undefined);
      assert.equal(own.group, watching.group);
      assert.equal(own.foreground, own.group);
      assert.equal(own.session, watching.session);
      assert.notEqual(own.terminal, 0);
      assert.equal(own.terminal, watching.terminal);
    },
  );

  each(PLACES, "CMD reads what is typed, and follows the window's size", ["catch", "28"], async (scene) => {
    await scene.line("typed");
    await scene.line("again");
    scene.pty.type("size\n");
    await scene.noted("size 24 80");
    scene.pty.resize(50, 132);
    await scene.noted(`${WINCH}`);
    scene.pty.type("size\n");
    await scene.noted("size 50 132");
    assert.equal(scene.witness.count(`${WINCH}`), 1);
  });

  test("CMD may be stty", () =>
    withScene(programs, { words: ["stty", "size"] }, async ({ pty }) => {
      assert.equal(await pty.ended, 0);
      assert.equal(pty.screen, "24 80\r\n");
    }));

  for (const [name, key, signal, status] of [
    ["^C", KEYS.interrupt, `${INT}`, 130],
    ["^\\", KEYS.quit, `${QUIT}`, 131],
  ] as const) {
    each(PLACES, `${name} ends CMD, and its status is passed on`, [], async (scene, { shell }) => {
      await scene.line("runs");
      scene.pty.type(key);
      if (shell === undefined) return assert.equal(await scene.pty.ended, status);
      await scene.prompt();
      assert.match(await scene.command("echo status=$?"), new RegExp(`^status=${status}\\r$`, "m"));
    });

    const number = signal.replace("signal ", "");
    // By QUIT unshare ends, and all that is in it.
    each(
      PLACES.filter(({ first, shell }) => key !== KEYS.quit || first !== true || shell === undefined),
      `${name} reaches CMD once, which goes on and is watched`,
      ["catch", number],
      async (scene) => {
        const { sealexec, witness } = scene;
        scene.pty.type(key);
        await scene.noted(signal);
        await scene.line("fence");
        assert.equal(witness.count(signal), 1);
        const before = witness.pid;
        await scene.change();
        await scene.noted("start", 2);
        assert.notEqual(witness.pid, before);
        assert.equal(scene.sealexec, sealexec);
        scene.pty.type(key);
        await scene.noted(signal, 2);
        await scene.line("fence");
        assert.equal(witness.count(signal), 2);
      },
      AFTER_A_KEY,
    );
  }

  each(JOBS, "^Z stops both, fg continues both, ten times", ["catch", "18"], async (scene, { first }) => {
    const { sealexec, witness, pty } = scene;
    const { pid } = witness;
    for (let round = 1; round <= 10; round += 1) {
      await stop(scene);
      // PID 1 of a namespace cannot be stopped from within: unshare is, and with it the job.
      if (first !== true) assert.ok(isStopped(sealexec));
      // The shell looks at sealexec alone, and CMD stops in the same moment.
      await scene.until(() => isStopped(pid), "CMD has stopped");
      assert.match(await scene.command("jobs"), /\[1\] *\+ .*Stopped/);
      assert.equal(witness.count(`${CONT}`), round - 1);
      pty.type("fg\n");
      await scene.noted(`${CONT}`, round);
      await scene.line(`round ${round}`);
      assert.ok(isAlive(sealexec) && isAlive(pid));
      assert.ok(isInForeground(pid));
    }
    assert.equal(witness.count("start"), 1);
  });

  each(JOBS, "bg continues both without the terminal", ["deaf", "catch", "18"], async (scene) => {
    const { sealexec, witness } = scene;
    await stop(scene);
    await scene.command("bg");
    await scene.noted(`${CONT}`);
    assert.match(await scene.command("echo here"), /^here\r$/m);
    assert.ok(isAlive(sealexec) && isAlive(witness.pid));
    assert.match(await scene.command("jobs"), /\[1\] *\+ .*Running/);
    assert.ok(!isInForeground(witness.pid));
    scene.pty.type("fg\n");
    await scene.until(
      () => statOf(witness.pid)?.foreground !== shellGroup(scene),
      "the job has the terminal",
    );
    scene.pty.type(KEYS.interrupt);
    await scene.prompt();
    assert.match(await scene.command("echo status=$?"), /^status=130\r$/m);
  });

  each(JOBS, "kill %1 ends a job that is stopped", [], async (scene, { shell }) => {
    const { sealexec, witness } = scene;
    const { pid } = witness;
    await stop(scene);
    await scene.command("kill %1");
    if (shell === "dash") await scene.command("kill -s CONT %1");
    const job = [pid, sealexec, ...childrenOf(scene.pty.leader)];
    await scene.until(() => job.every(hasEnded), "all of the job have ended");
    // dash asks for the end of a job that it knows as stopped only before a prompt.
    scene.pty.type(shell === "dash" ? "jobs\n" : "wait %1; echo status=$?\n");
    await scene.until(() => /^status=143\r$|Done\(143\)/m.test(scene.pty.screen), "its status");
  });

  each(JOBS, "in the background, CMD is stopped as it reads, and reads after fg", [], async (scene) => {
    const { pid } = scene.witness;
    await stop(scene);
    await scene.command("bg");
    await scene.until(() => isStopped(pid), "it has stopped");
    let stopped = 0;
    await scene.until(() => (stopped = isStopped(pid) ? stopped + 1 : 0) > 20, "it stays so");
    await untilJob(scene, /Stopped/);
    scene.pty.type("fg\n");
    await scene.line("at last");
  });

  inShells("started in the background, CMD gets the terminal by fg", async (scene) => {
    await scene.command("./job $W $LOG catch 02 &");
    await scene.noted("start");
    await scene.until(() => isStopped(scene.witness.pid), "it has stopped");
    await untilJob(scene, /Stopped/);
    scene.pty.type("fg\n");
    await scene.line("at last");
    scene.pty.type(KEYS.interrupt);
    await scene.noted(`${INT}`);
    await scene.line("fence");
    assert.equal(scene.witness.count(`${INT}`), 1);
    await stop(scene);
  });

  each(LEADERS, "^Z does not stop CMD, as there is nobody to continue it", [], async (scene) => {
    for (let round = 1; round <= 10; round += 1) {
      scene.pty.type(KEYS.suspend);
      await scene.line(`round ${round}`);
    }
    assert.ok(isAlive(scene.sealexec));
  });

  each(
    PLACES,
    "behind a restart, CMD has the terminal as before",
    ["catch", "2"],
    async (scene, { shell }) => {
      const { witness, sealexec } = scene;
      for (let round = 1; round <= 3; round += 1) {
        const before = witness.pid;
        await scene.change();
        await scene.noted("start", round + 1);
        assert.ok(hasEnded(before));
        assert.equal(scene.sealexec, sealexec);
        assert.equal(statOf(witness.pid)?.group, statOf(sealexec)?.group);
        assert.ok(isInForeground(witness.pid));
        await scene.line(`round ${round}`);
        scene.pty.type(KEYS.interrupt);
        await scene.noted(`${INT}`, round);
      }
      if (shell === undefined) return;
      await stop(scene);
      scene.pty.type("fg\n");
      await scene.line("continued");
    },
    AFTER_A_KEY,
  );

  // From bash, unshare would hear of it, and kill all.
  const hearing = PLACES.filter(({ first, shell }) => first !== true || shell === undefined);
  each(hearing, "a terminal that hangs up: CMD hears of it", ["deaf", "catch", "1"], async (scene) => {
    const { sealexec, witness } = scene;
    const { pid } = witness;
    scene.pty.hangUp();
    await scene.noted(`${HUP}`);
    assert.ok(isAlive(pid) && isAlive(sealexec));
    process.kill(sealexec, "SIGTERM");
    await scene.until(() => hasEnded(pid) && hasEnded(sealexec), "both have ended");
  });

  each(
    PLACES,
    "a terminal that hangs up ends CMD and all it has started",
    ["deaf", "spawn"],
    async (scene, { shell }) => {
      const { sealexec, pty } = scene;
      pty.hangUp();
      await scene.until(() => hasEnded(sealexec), "sealexec has ended");
      if (shell === undefined) assert.equal(await pty.ended, 129);
    },
  );

  each(
    LEADERS,
    "a terminal that hangs up: the status is that of CMD",
    ["ignore", "1", "exit", "7"],
    async ({ pty, witness }) => {
      pty.hangUp();
      assert.equal(await pty.ended, 7);
      assert.equal(witness.lines.at(-1), "end");
    },
  );

  /** One test in each shell, without PID 1. */
  function inShells(
    name: string,
    act: (scene: Scene, shell: string) => Promise<void>,
    setting: Setting = {},
  ): void {
    for (const shell of Object.keys(SHELLS)) {
      test(`a job of ${shell}: ${name}`, () => {
        assert.ok(programs !== undefined);
        return withScene(programs, { ...setting, shell }, (scene) => act(scene, shell));
      });
    }
  }

  inShells("in a pipeline that begins with it, ^C ends all", async (scene) => {
    scene.pty.type("./job cat | tee copy\n");
    await scene.until(() => readCopy(scene) !== undefined, "tee runs");
    scene.pty.type("one line\n");
    await scene.until(() => readCopy(scene) === "one line\n", "it has come through");
    scene.pty.type(KEYS.interrupt);
    await scene.prompt();
    assert.equal(await scene.command("jobs"), "jobs\r\n");
  });

  inShells("in a pipeline that ends with it, ^C ends all", async (scene) => {
    await scene.command("echo through | ./job cat > copy");
    assert.equal(readCopy(scene), "through\n");
    // It does not read: it would end as the first of the pipeline does.
    scene.pty.type("sleep 1000 | ./job $W $LOG deaf spawn\n");
    await scene.noted("start");
    const { pid } = scene.witness;
    const started = childrenOf(pid);
    scene.pty.type(KEYS.interrupt);
    await scene.prompt();
    assert.equal(started.length, 1);
    await scene.until(() => [pid, ...started].every(hasEnded), "CMD and its child have ended");
    assert.equal(await scene.command("jobs"), "jobs\r\n");
  });

  inShells("in a pipeline, what is behind it reads the terminal, ^Z and fg go on so", async (scene) => {
    const first = new Witness(programs.witness, `${scene.folder}/first`);
    scene.pty.type("./job $W first deaf catch 18 | $W $LOG tty\n");
    await scene.until(() => first.count("start") === 1, "CMD runs");
    await scene.line("for the second");
    await stop(scene);
    assert.match(await scene.command("jobs"), /Stopped/);
    scene.pty.type("fg\n");
    await scene.line("again");
    assert.equal(first.count("end"), 0);
    scene.pty.type(KEYS.interrupt);
    await scene.prompt();
    assert.equal(await scene.command("jobs"), "jobs\r\n");
  });

  inShells("in a pipeline, what is behind it sets the terminal's modes while CMD runs", async (scene) => {
    // As a pager does: a group in the background is stopped for it.
    await writeFile(`${scene.folder}/before`, "echo one; exec sleep 1000\n");
    await writeFile(`${scene.folder}/behind`, "read -r a; stty -ixon </dev/tty && echo $a >copy; exec cat\n");
    scene.pty.type("./job sh before | sh behind\n");
    await scene.until(() => readCopy(scene) === "one\n", "it has set them");
    scene.pty.type(KEYS.interrupt);
    await scene.prompt();
    assert.equal(await scene.command("jobs"), "jobs\r\n");
  });

  inShells("in a pipeline, what is behind it has the terminal when CMD has ended", async (scene) => {
    // It reads when sealexec has ended: whoever reads between CMD's end and that may be stopped, and the shell hears of the end of
    // sealexec before it hears that the other goes on.
    await writeFile(`${scene.folder}/behind`, "read -r a; cat; read -r b </dev/tty; echo $b $a >copy\n");
    scene.pty.type("./job sh -c 'read -r a && echo $a' | sh behind\n");
    scene.pty.type("one\ntwo\n");
    await scene.prompt();
    assert.equal(readCopy(scene), "two one\n", scene.pty.screen);
  });

  inShells("in a pipeline, what is behind it gets the terminal from CMD", async (scene) => {
    await writeFile(`${scene.folder}/before`, "read -r a </dev/tty; echo $a >copy; exec sleep 1000\n");
    await writeFile(`${scene.folder}/behind`, "until test -s copy; do sleep 0.01; done; exec $W $LOG tty\n");
    scene.pty.type("./job sh before | sh behind\none\n");
    await scene.until(() => readCopy(scene) === "one\n", "CMD has read");
    await scene.noted("start");
    await scene.line("two");
    scene.pty.type(KEYS.interrupt);
    await scene.prompt();
    assert.equal(await scene.command("jobs"), "jobs\r\n");
  });

  inShells("a script around it stops and continues with it", async (scene) => {
    await writeFile(`${scene.folder}/script`, './job "$@"\necho behind $?\n');
    scene.pty.type("sh ./script $W $LOG\n");
    await scene.noted("start");
    const script = statOf(scene.sealexec)?.parent ?? 0;
    for (let round = 1; round <= 3; round += 1) {
      await stop(scene);
      const all = [script, scene.sealexec, scene.witness.pid];
      await scene.until(() => all.every(isStopped), "all of the job are stopped");
      scene.pty.type("fg\n");
      await scene.line(`round ${round}`);
      assert.ok(isInForeground(scene.witness.pid));
    }
    scene.pty.type("quit\n");
    assert.match(await scene.prompt(), /^behind 0\r$/m);
  });

  for (const shell of ["bash", "dash"]) {
    test(`in a script of ${shell} that leads the session, ^Z does not stop CMD`, () =>
      withScene(programs, { leader: [shell, "-c", './job "$W" "$LOG"; exit $?'] }, async (scene) => {
        await scene.noted("start");
        for (let round = 1; round <= 3; round += 1) {
          scene.pty.type(KEYS.suspend);
          await scene.line(`round ${round}`);
        }
        scene.pty.type(KEYS.interrupt);
        assert.equal(await scene.pty.ended, 130);
      }));
  }

  inShells(
    "somebody stops CMD alone: the job goes on, and whoever continues CMD continues it",
    async (scene) => {
      scene.pty.type("./job $W $LOG\n");
      await scene.noted("start");
      const { pid } = scene.witness;
      process.kill(pid, "SIGSTOP");
      await scene.until(() => isStopped(pid), "it has stopped");
      assert.ok(isAlive(scene.sealexec));
      process.kill(pid, "SIGCONT");
      await scene.line("continued");
    },
  );

  inShells("somebody continues a stopped job: both go on without the terminal", async (scene) => {
    scene.pty.type("./job $W $LOG deaf catch 18\n");
    await scene.noted("start");
    await stop(scene);
    const { pid } = scene.witness;
    process.kill(-(statOf(pid)?.group ?? 0), "SIGCONT");
    await scene.noted(`${CONT}`);
    await scene.until(() => isAlive(pid) && isAlive(scene.sealexec), "both run");
    assert.equal(statOf(pid)?.foreground, shellGroup(scene));
    assert.match(await scene.command("echo here"), /^here\r$/m);
    // dash would leave it running when the terminal hangs up.
    await scene.command("kill %1");
  });

  inShells(
    "between two lives of CMD, ^Z stops the job and ^C ends it",
    async (scene) => {
      scene.pty.type("./job $W $LOG exit 3\n");
      await scene.line("quit");
      await scene.until(() => /it is started again in 1 s/.test(scene.pty.screen), "it waits");
      await stop(scene);
      assert.match(await scene.command("jobs"), /Stopped/);
      scene.pty.type("fg\n");
      await scene.noted("start", 2);
      await scene.line("quit");
      await scene.until(() => /it is started again in 2 s/.test(scene.pty.screen), "it waits");
      scene.pty.type(KEYS.interrupt);
      await scene.prompt();
      assert.match(await scene.command("echo status=$?"), /^status=130\r$/m);
    },
    { flags: ["--on-exit", "restart"] },
  );

  for (const [name, place] of [
    ["leading the session", { witness: ["deaf"] }],
    ["in a script that leads the session", { leader: ["sh", "-c", "./job $W $LOG deaf; exit $?"] }],
    ["in a script of a shell", { leader: ["bash", "-ic", "sh -c './job $W $LOG deaf; exit $?'"] }],
  ] as const) {
    test(`${name}: --on-exit restart: nothing goes on when the terminal hangs up`, () =>
      withScene(programs, { ...place, flags: ["--on-exit", "restart"] }, async (scene) => {
        await scene.noted("start");
        scene.pty.hangUp();
      }));
  }

  test("a terminal that hangs up while CMD waits to be started again: it is not", () =>
    withScene(programs, { flags: ["--on-exit", "restart", "--grace", "0"] }, async (scene) => {
      const { sealexec, pty, witness } = scene;
      // The third wait is long enough to hang up in.
      for (let starts = 1; starts <= 3; starts += 1) {
        await scene.noted("start", starts);
        process.kill(witness.pid, "SIGKILL");
      }
      await scene.until(() => /started again in 4 s/.test(pty.screen), "it waits");
      pty.hangUp();
      await scene.until(() => hasEnded(sealexec), "sealexec has ended");
      assert.equal(await pty.ended, 129);
      assert.equal(witness.count("start"), 3);
    }));

  inShells("CMD finds the signals as sealexec did", async (scene) => {
    const ignored = /^Sig(Ign|Blk):.*\r$/gm;
    const direct = (await scene.command("grep Sig /proc/self/status")).match(ignored);
    assert.equal(direct?.length, 2);
    assert.deepEqual((await scene.command("./job grep Sig /proc/self/status")).match(ignored), direct);
  });

  inShells("stty tostop: what sealexec says does not stop it", async (scene) => {
    await scene.command("stty tostop");
    scene.pty.type("./job $W $LOG\n");
    await scene.noted("start");
    await scene.change();
    await scene.noted("start", 2);
    await scene.line("typed");
    await scene.until(() => /CMD is restarted/.test(scene.pty.screen), "a line that says so");
  });

  inShells("the modes that CMD sets and leaves stay", async (scene) => {
    await scene.command("./job stty -ixon");
    assert.match(await scene.command("stty -a"), / -ixon /);
  });

  inShells("a job in the background that ends leaves the modes alone", async (scene) => {
    await writeFile(`${scene.folder}/waits`, "echo >copy; until test -e go; do sleep 0.01; done\n");
    await scene.command("./job sh waits &");
    await scene.until(() => readCopy(scene) !== undefined, "CMD runs");
    await scene.command("stty -ixon");
    await scene.command("touch go; wait");
    assert.match(await scene.command("stty -a"), / -ixon /);
  });

  each(
    PLACES,
    "--on-exit restart: ^C ends it all the same",
    [],
    async (scene, { shell }) => {
      scene.pty.type(KEYS.interrupt);
      if (shell === undefined) return assert.equal(await scene.pty.ended, 130);
      await scene.prompt();
      assert.match(await scene.command("echo status=$?"), /^status=130\r$/m);
    },
    { flags: ["--on-exit", "restart"] },
  );

  each(
    PLACES,
    "--on-exit restart: ^C that CMD takes for its end is the end, with CMD's status",
    ["end", "2", "5"],
    async (scene, { shell }) => {
      scene.pty.type(KEYS.interrupt);
      if (shell === undefined) assert.equal(await scene.pty.ended, 5);
      else {
        await scene.prompt();
        assert.match(await scene.command("echo status=$?"), /^status=5\r$/m);
      }
      assert.equal(scene.witness.count("start"), 1);
    },
    { flags: ["--on-exit", "restart"] },
  );

  inShells(
    "the npm package: ^Z, fg, a change, and ^C",
    async (scene) => {
      scene.pty.type("./job $W $LOG catch 18\n");
      await scene.noted("start");
      await stop(scene);
      assert.ok(isStopped(scene.witness.pid) && isStopped(scene.sealexec));
      scene.pty.type("fg\n");
      await scene.noted(`${CONT}`);
      await scene.line("continued");
      assert.ok(isInForeground(scene.witness.pid));
      await scene.change();
      await scene.noted("start", 2);
      await scene.line("typed");
      scene.pty.type(KEYS.interrupt);
      await scene.prompt();
      assert.match(await scene.command("echo status=$?"), /^status=130\r$/m);
    },
    { artefact: bundle },
  );
});

async function stop(scene: Scene): Promise<void> {
  scene.pty.type(KEYS.suspend);
  await scene.prompt();
}

/** Asks the shell for its jobs until this is what it says. */
async function untilJob(scene: Scene, pattern: RegExp): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) if (pattern.test(await scene.command("jobs"))) return;
  throw new Error(`the shell never says ${pattern}: ${JSON.stringify(scene.pty.screen)}`);
}

function isInForeground(pid: number): boolean {
  const stat = statOf(pid);
  return stat !== undefined && stat.group === stat.foreground;
}

function shellGroup({ pty }: Scene): number | undefined {
  return statOf(pty.leader)?.group;
}

function readCopy({ folder }: Scene): string | undefined {
  try {
    return readFileSync(`${folder}/copy`, "utf8");
  } catch {
    return undefined;
  }
}

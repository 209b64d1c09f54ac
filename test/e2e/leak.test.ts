/**
 * The leak test: canaries in a value, in the data key and in the session token. Every stage of every command is made to
 * fail in turn at the highest verbosity; then everything that came out is searched.
 */
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { assertPrinted, withFolder } from "./expect.ts";
import { ARTEFACTS, BINARY, KEY, onPath, runProcess, sealexec, withAws } from "./harness.ts";
import type { Outcome } from "./harness.ts";
import { findCanaries } from "./leak/canaries.ts";
import type { Canary } from "./leak/canaries.ts";
import {
  OPENING,
  PUSHING,
  REFUSING,
  TALKATIVE,
  VALUE,
  canariesOf,
  filesIn,
  makeScene,
  SHORT,
} from "./leak/scene.ts";
import { plaintext, writeSource } from "./leak/scene.ts";
import type { PushStage, Scene, Stage } from "./leak/scene.ts";
import { decodeTrace } from "./leak/trace.ts";
import type { TracedCall } from "./leak/trace.ts";

type Log = "text" | "json";

describe("the searcher finds", () => {
  const bytes = Buffer.from(VALUE);
  const canaries: Canary[] = [{ name: "value", bytes }];
  const shifted = (shift: number, encoding: BufferEncoding) =>
    Buffer.concat([Buffer.from("xyz".slice(0, shift)), bytes, Buffer.from("tail")]).toString(encoding);
  const spilled: Record<string, string> = {
    "the value itself": `error: bad line: ${VALUE}!`,
    "a part of it": `error: near ${VALUE.slice(5, 20)}…`,
    hex: bytes.toString("hex"),
    "upper-case hex": bytes.toString("hex").toUpperCase(),
    "bytes as an inspector shows them": `<Buffer ${bytes.toString("hex").replace(/..(?!$)/g, "$& ")}>`,
    "a Uint8Array as JSON": JSON.stringify([...bytes]),
    "a URL": encodeURIComponent(VALUE),
    "a form": new URLSearchParams({ value: VALUE }).toString().replaceAll("%7E", "~"),
    "JSON in JSON": JSON.stringify(JSON.stringify({ value: VALUE })),
    ...Object.fromEntries([0, 1, 2].map((shift) => [`base64 at ${shift}`, shifted(shift, "base64")])),
    ...Object.fromEntries([0, 1, 2].map((shift) => [`base64url at ${shift}`, shifted(shift, "base64url")])),
  };
  for (const [name, text] of Object.entries(spilled)) {
    test(name, () => {
      assert.notDeepEqual(findCanaries(Buffer.from(text), canaries), []);
    });
  }

  test("and nothing where there is nothing", () => {
    const harmless = "sealexec: error: line 1: no assignment FIRST app.env alias/app cAnArY";
    assert.deepEqual(findCanaries(Buffer.from(harmless), canaries), []);
  });

  test("what pull prints, what is in a file, and every canary of a scene", () =>
    withScene(async (scene) => {
      const canaries = canariesOf(scene);
      const pulled = await sealexec(["pull", scene.uri], { env: scene.aws.env() });
      assertPrinted(pulled, plaintext);
      assert.notDeepEqual(search(pulled, scene, canaries), []);
      const file = join(scene.folder, "deep", "er", "file");
      await mkdir(join(scene.folder, "deep", "er"), { recursive: true });
      for (const { name, bytes } of canaries) {
        await writeFile(file, `x${bytes.toString("base64")}`);
        const silent = { status: 0, signal: null, stdout: "", stderr: "" };
        assert.ok(search(silent, scene, canaries).some((found) => found.startsWith(`${name} as base64`)));
      }
    }));
});

for (const artefact of ARTEFACTS) {
  // Node's own NODE_DEBUG prints what its http module sends, headers and all: the bundle refuses to go on with it.
  const { NODE_DEBUG, ...others } = TALKATIVE;
  const talkative = artefact.name === "binary" ? { NODE_DEBUG, ...others } : others;
  const ways: readonly (readonly ["run" | "pull" | "check", Log])[] =
    artefact.name === "binary"
      ? [
          ["run", "json"],
          ["pull", "text"],
          ["check", "text"],
        ]
      : [["run", "json"]];

  // Most of the time is waiting for a service that does not answer.
  describe(`nothing leaks from the ${artefact.name}`, { concurrency: 3 }, () => {
    for (const [command, log] of ways) {
      const stages = command === "pull" ? OPENING : [...OPENING, ...REFUSING];
      for (const stage of stages) {
        test(`${command}, ${log}, ${stage.name}`, () =>
          withScene(async (scene) => {
            const args = argumentsFor(command, scene, stage);
            await failAndSearch(scene, stage, [...args, ...loud(log), ...tail(command)]);
          }));
      }
    }

    const log = artefact.name === "binary" ? "text" : "json";
    for (const stage of PUSHING) {
      test(`push, ${log}, ${stage.name}`, () =>
        withScene(async (scene) => {
          const file = writeSource(scene, stage.text ?? plaintext);
          const flags = stage.flags ?? ["--replace", "--force"];
          const args = ["push", "-", scene.uri, "--key", KEY, ...flags, ...loud(log)];
          await failAndSearch(scene, stage, args, stage.text ?? plaintext);
          if (stage.given === undefined) await failAndSearch(scene, stage, ["push", file, ...args.slice(2)]);
        }));
    }

    if (artefact.name !== "binary") {
      test("a debug log that would show requests is refused before there is any", () =>
        withScene(async (scene) => {
          await failAndSearch(scene, { name: "NODE_DEBUG", status: 78, env: { NODE_DEBUG } }, [
            ...argumentsFor("run", scene),
            ...loud("text"),
            ...tail("run"),
          ]);
        }));
    }

    test("push that goes well says nothing of the value, the key or the token", () =>
      withScene(async (scene) => {
        const args = ["push", "-", scene.uri, "--key", KEY, "--replace", "--force", ...loud("json")];
        const env = { ...scene.aws.env(), ...talkative, ...places(scene) };
        const outcome = await sealexec(args, { env, artefact, input: plaintext, cwd: scene.folder });
        assert.equal(outcome.status, 0);
        assert.deepEqual(search(outcome, scene, canariesOf(scene)), []);
        assert.deepEqual([...filesIn(scene.folder).keys()], []);
      }));

    test("check and run that go well say nothing either", () =>
      withScene(async (scene) => {
        const env = { ...scene.aws.env(), ...talkative, ...places(scene) };
        for (const args of [
          ["check", "--from", scene.uri, ...loud("text")],
          ["check", "--from", scene.uri, "--format", "json", ...loud("json")],
          ["check", "--from", scene.uri, "--format", "github", ...loud("json")],
          ["run", "--from", scene.uri, ...loud("text"), "--", "true"],
        ]) {
          const outcome = await sealexec(args, { env, artefact, cwd: scene.folder });
          assert.equal(outcome.status, 0, outcome.stderr);
          assert.deepEqual(search(outcome, scene, canariesOf(scene)), []);
          assert.deepEqual([...filesIn(scene.folder).keys()], []);
        }
      }));

    test("run: a value that the kernel would not take", () =>
      withScene(async (scene) => {
        const large = `HUGE='${VALUE.repeat(4_000)}'\n`;
        const env = scene.aws.env();
        await sealexec(["push", "-", scene.uri, "--key", KEY, "--replace"], { env, input: large });
        await failAndSearch(scene, { name: "too large", status: 126 }, [
          ...argumentsFor("run", scene),
          ...loud("text"),
          ...tail("run"),
        ]);
      }));

    test("pull: a file that is there, a folder that is not, an output that is full", () =>
      withScene(async (scene) => {
        await writeFile(join(scene.folder, "there"), "");
        const into = (file: string) => ["pull", scene.uri, "-o", file, ...loud("json")];
        const stage = (status: number) => ({ name: "pull", status });
        await failAndSearch(scene, stage(64), into(join(scene.folder, "there")));
        await failAndSearch(scene, stage(78), into(join(scene.folder, "no", "such", "folder")));
        const [file = "", ...words] = [...artefact.command, "pull", scene.uri, ...loud("json")];
        const shell = ["sh", "-c", 'exec "$0" "$@" >/dev/full', file, ...words];
        const full = await runProcess(shell, { env: scene.aws.env() });
        assert.notEqual(full.status, 0);
        assert.deepEqual(search(full, scene, canariesOf(scene)), []);
      }));

    /** Makes the stage fail, and finds nothing in what came of it; and no file that was not there before. */
    async function failAndSearch(
      scene: Scene,
      stage: Stage | PushStage,
      args: readonly string[],
      input?: string | Buffer,
    ): Promise<void> {
      const canaries = canariesOf(scene);
      const before = [...filesIn(scene.folder).keys()].filter((name) => name !== "source.env");
      await stage.given?.(scene);
      const env = { ...scene.aws.env(), ...talkative, ...places(scene), ...stage.env };
      const options = { env, artefact, cwd: scene.folder, ...(input === undefined ? {} : { input }) };
      const outcome = await sealexec(args, options);
      // With so short a time a busy machine may not get as far as the fault; which status is which is tested elsewhere.
      const statuses = stage.flags === SHORT ? [stage.status, 75] : [stage.status];
      assert.ok(statuses.includes(outcome.status ?? 0), JSON.stringify(outcome));
      assert.notEqual(outcome.stdout + outcome.stderr, "");
      assert.deepEqual(search(outcome, scene, canaries), []);
      const after = [...filesIn(scene.folder).keys()].filter((name) => name !== "source.env");
      assert.deepEqual(after, before, "no file is made");
      assert.deepEqual(findCanaries(Buffer.from(args.join("\0")), canaries), []);
    }
  });
}

describe("what the kernel sees of the binary", () => {
  const skip = onPath("strace") === undefined ? "no strace on PATH" : false;

  test(
    "run: a secret is in no write but to a socket, in no path and no argument; only in CMD's environment",
    { skip },
    () =>
      withScene(async (scene) => {
        const calls = await trace(scene, ["run", "--from", scene.uri, ...loud("text"), "--", "true"], 0);
        const canaries = canariesOf(scene);
        assertHidden(calls, canaries);
        const execs = calls.filter(({ name }) => name === "execve");
        assert.ok(execs.length >= 2);
        const last = execs.at(-1);
        assert.ok(last !== undefined);
        // The control: this is where it has to be, and the trace shows it.
        assert.ok(findCanaries(last.environment, canaries).includes("value as plain bytes"));
        assert.deepEqual(findCanaries(last.environment, canaries.slice(1)), []);
        const sent = Buffer.concat(calls.filter(isSocket).map(({ data }) => data));
        assert.ok(findCanaries(sent, canaries).includes("session token as plain bytes"));
        assert.deepEqual(findCanaries(sent, canaries.slice(0, 2)), []);
      }),
  );

  for (const [name, status, args] of [
    ["check", 0, ["check"]],
    ["run that fails at its last stage", 65, ["run", "--require", "NONE"]],
  ] as const) {
    test(
      `${name}: a secret is in no write but to a socket, in no path, argument or environment`,
      { skip },
      () =>
        withScene(async (scene) => {
          const words = [...args, "--from", scene.uri, ...loud("json"), "--", "true"];
          const calls = await trace(scene, words, status);
          const canaries = canariesOf(scene);
          assertHidden(calls, canaries);
          for (const { environment } of calls) assert.deepEqual(findCanaries(environment, canaries), []);
        }),
    );
  }

  test("pull -o: the value is written to the one file, and nothing else is made", { skip }, () =>
    withScene(async (scene) => {
      const file = join(scene.folder, "out.env");
      const calls = await trace(scene, ["pull", scene.uri, "-o", file, ...loud("text")], 0);
      const canaries = canariesOf(scene);
      const holding = calls.filter((call) => !isSocket(call) && findCanaries(call.data, canaries).length > 0);
      assert.deepEqual(
        new Set(
          holding.map(({ name, target }) => `${name} ${target.replace(/\.out\.env\.[0-9a-f]+/, "DRAFT")}`),
        ),
        new Set([`write ${join(scene.folder, "DRAFT")}`]),
      );
      assert.deepEqual([...filesIn(scene.folder).keys()], ["out.env"]);
    }),
  );

  async function trace(scene: Scene, args: readonly string[], status: number): Promise<TracedCall[]> {
    return withFolder(async (elsewhere) => {
      const log = join(elsewhere, "trace");
      const calls = "write,writev,pwrite64,pwritev,pwritev2,open,openat,creat,execve,sendto,sendmsg,sendmmsg";
      const made =
        "rename,renameat,renameat2,link,linkat,symlink,symlinkat,mkdir,mkdirat,memfd_create,unlink";
      const strace = [
        "strace",
        "-f",
        "-v",
        "-xx",
        "-y",
        "-s",
        "1000000",
        "-e",
        `trace=${calls},${made}`,
        "-o",
        log,
      ];
      const env = { ...scene.aws.env(), ...TALKATIVE, ...places(scene) };
      const outcome = await runProcess([...strace, BINARY, ...args], { env, cwd: scene.folder });
      assert.equal(outcome.status, status, outcome.stderr);
      return decodeTrace(log);
    });
  }
});

/** Only sockets may see a canary; CMD's environment is looked at by itself. Nothing is created on a disk. */
function assertHidden(calls: readonly TracedCall[], canaries: readonly Canary[]): void {
  for (const call of calls) {
    if (isSocket(call)) continue;
    assert.deepEqual(findCanaries(call.data, canaries), [], `${call.name} ${call.target}`);
    assert.ok(!call.creates, `${call.name} creates ${call.data.toString("utf8")}`);
  }
}

function isSocket({ target }: TracedCall): boolean {
  return /^(socket|TCP|TCPv6|UDP|UNIX[^:]*):\[/.test(target);
}

function argumentsFor(command: "run" | "pull" | "check", scene: Scene, stage?: Stage): string[] {
  const source = command === "pull" ? [scene.uri] : ["--from", scene.uri];
  return [command, ...source, ...(stage?.flags ?? [])];
}

function loud(log: Log): string[] {
  return ["-v", "--log", log];
}

function tail(command: "run" | "pull" | "check"): string[] {
  return command === "run" ? ["--", "true"] : [];
}

function places({ folder }: Scene): Record<string, string> {
  return { HOME: folder, TMPDIR: folder, XDG_CACHE_HOME: folder, BUN_RUNTIME_TRANSPILER_CACHE_PATH: folder };
}

function search(outcome: Outcome, scene: Scene, canaries: readonly Canary[]): string[] {
  const files = [...filesIn(scene.folder)].filter(([name]) => name !== "source.env");
  const places = [outcome.stdout, outcome.stderr, ...files.flatMap(([name, bytes]) => [name, bytes])];
  return places.flatMap((place) => findCanaries(Buffer.from(place), canaries));
}

async function withScene(work: (scene: Scene) => Promise<void>): Promise<void> {
  await withFolder((folder) => withAws(async (aws) => work(await makeScene(aws, folder))));
}

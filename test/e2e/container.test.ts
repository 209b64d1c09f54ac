/** Dockerfile.example, built and run for real: podman, buildah, IMDS at its own address in a network namespace. */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "../aws/control.ts";
import { BINARY, BUCKET, KEY, ROOT, runProcess } from "./harness.ts";
import type { Outcome, RunOptions } from "./harness.ts";
import { createEngine, noImages } from "./images.ts";

const IMAGE = "localhost/sealexec-example";
const NETWORK = `sealexec-${process.pid}`;
const URI = `s3://${BUCKET}/app.env`;
const CANARY = "canary-7d1e44-never-in-an-image";
const MARKER = "marker-91c2f0-of-the-program";

const skip = noImages("ip");

let folder = "";
let aws: ChildProcess | undefined;
let endpoints: Readonly<Record<string, string>> = {};

describe("Dockerfile.example", { skip }, () => {
  before(async () => {
    folder = mkdtempSync(`${tmpdir()}/sealexec-container-`);
    await startNetwork();
    const sealed = await run(inNetwork([BINARY, "push", "-", URI, "--key", KEY]), {
      env: { ...endpoints, AWS_ACCESS_KEY_ID: key.id, AWS_SECRET_ACCESS_KEY: key.secret },
      input: `GREETING='hello from S3'\nAPI_TOKEN=${CANARY}\n`,
    });
    assert.equal(sealed.status, 0, sealed.stderr);
    await buildImage();
  });
  after(async () => {
    await podman("rm", "--all", "--force", "--time", "0");
    aws?.kill("SIGTERM");
    await runProcess(["ip", "netns", "delete", NETWORK]);
    rmSync(folder, { recursive: true, force: true });
  });

  test("CMD runs as PID 1 and uid 1000 with the variables, and its exit status is the container's", async () => {
    const script = 'echo "$GREETING $$ $(id -u)"; exit 7';
    const outcome = await podman("run", ...place(), IMAGE, "sh", "-c", script);
    assert.deepEqual(outcome, { status: 7, signal: null, stdout: "hello from S3 1 1000\n", stderr: "" });
  });

  test("with --read-only --cap-drop all --user 1000:1000", async () => {
    const hard = [
      "--read-only",
      "--cap-drop",
      "all",
      "--user",
      "1000:1000",
      "--security-opt",
      "no-new-privileges",
    ];
    const script = 'echo "$GREETING"; cat /proc/self/status; touch /x';
    const outcome = await podman("run", ...hard, ...place(), IMAGE, "sh", "-c", script);
    assert.match(outcome.stdout, /^hello from S3\n/);
    assert.match(outcome.stdout, /^CapEff:\t0+$/m);
    assert.match(outcome.stdout, /^NoNewPrivs:\t1$/m);
    assert.match(outcome.stdout, /^SigIgn:\t0+$/m);
    assert.match(outcome.stderr, /Read-only file system/);
  });

  test("the image's own CMD is the default", async () => {
    const outcome = await podman("run", ...place(), IMAGE);
    assert.deepEqual(outcome, { status: 0, signal: null, stdout: `${MARKER}: hello from S3\n`, stderr: "" });
  });

  test("a failure before CMD is the container's exit status, with its message in the log", async () => {
    const outcome = await podman("run", ...place({ SEALEXEC_FROM: `${URI}.not` }), IMAGE);
    assert.equal(outcome.status, 66);
    assert.equal(outcome.stdout, "");
    assert.match(outcome.stderr, /^sealexec: error: .*app\.env\.not/);
  });

  test("the soft limit of open files by SEALEXEC_NOFILE", async () => {
    const limits = place({ SEALEXEC_NOFILE: "512" });
    const script = "ulimit -Sn; ulimit -Hn";
    const outcome = await podman("run", "--ulimit", "nofile=512:1024", ...limits, IMAGE, "sh", "-c", script);
    assert.equal(outcome.stdout, "512\n1024\n", outcome.stderr);
  });

  test("stopped in CMD: CMD gets the SIGTERM", async () => {
    const script = 'trap "exit 3" TERM; echo ready; while :; do sleep 0.1; done';
    const id = await startDetached(IMAGE, "sh", "-c", script);
    await until(async () => (await podman("logs", id)).stdout === "ready\n", "CMD runs");
    assert.equal(await stop(id), "3");
  });

  test("SEALEXEC_WATCH=1, as PID 1, read-only and without capabilities: a push restarts CMD, and a stop is CMD's", async () => {
    const settings = place({ SEALEXEC_WATCH: "1", SEALEXEC_EVERY: "300ms" });
    const hard = ["--read-only", "--cap-drop", "all", "--user", "1000:1000"];
    const script =
      'echo "$GREETING, pid $$ of $PPID"; trap "exit 3" TERM; sh -c "sleep 0.1 &"; while :; do sleep 0.1; done';
    const started = await podman("run", "--detach", ...hard, ...settings, IMAGE, "sh", "-c", script);
    const id = started.stdout.trim();
    const greetings = async (): Promise<string[]> => (await podman("logs", id)).stdout.trimEnd().split("\n");
    await until(async () => (await greetings())[0]?.startsWith("hello from S3, pid ") === true, "CMD runs");
    const pushed = await run(inNetwork([BINARY, "push", "-", URI, "--key", KEY, "--replace"]), {
      env: { ...endpoints, AWS_ACCESS_KEY_ID: key.id, AWS_SECRET_ACCESS_KEY: key.secret },
      input: `GREETING='hello from S3'\nAPI_TOKEN=${CANARY}-2\n`,
    });
    assert.equal(pushed.status, 0, pushed.stderr);
    await until(async () => (await greetings()).length === 2, "CMD was restarted");
    for (const line of await greetings()) assert.match(line, /^hello from S3, pid \d+ of 1$/);
    const states = await podman("exec", id, "sh", "-c", "cat /proc/[0-9]*/stat");
    assert.doesNotMatch(states.stdout, /\) Z /);
    assert.equal(await stop(id), "3");
  });

  test("stopped while fetching: 143", async () => {
    const { fault } = await control({
      do: "addFault",
      rule: { service: "kms", operation: "Decrypt", action: "silent" },
    });
    const number = Number(fault);
    try {
      const id = await startDetached(IMAGE, "sh", "-c", "exit 9");
      await until(
        async () => (await control({ do: "hits", fault: number }))["hits"] !== 0,
        "it waits for KMS",
      );
      assert.equal(await stop(id), "143");
    } finally {
      await control({ do: "removeFault", fault: number });
    }
  });

  test("layers and configuration hold nothing secret", async () => {
    const archive = `${folder}/image.tar`;
    const saved = await podman("save", "--format", "docker-archive", "--output", archive, IMAGE);
    assert.equal(saved.status, 0, saved.stderr);
    const bytes = readFileSync(archive);
    // The control: what is in a layer is found.
    assert.ok(bytes.includes(MARKER));
    const forms = [CANARY, key.secret].flatMap((text) => {
      const raw = Buffer.from(text);
      return [text, raw.toString("hex"), raw.toString("base64").replace(/=+$/, "").slice(0, -1)];
    });
    for (const form of forms) assert.equal(bytes.includes(form), false, "a secret is in the image");
    const { stdout } = await podman("inspect", "--format", "{{json .Config}}", IMAGE);
    const config = JSON.parse(stdout) as Readonly<Record<string, unknown>>;
    assert.deepEqual(config["Entrypoint"], ["sealexec", "run", "--"]);
    assert.equal(config["User"], "1000:1000");
    assert.doesNotMatch(JSON.stringify(config["Env"]), /AWS_|SEALEXEC_/);
  });
});

/** The user's key that the loopback AWS knows: for the push, never for the container. */
let key = { id: "", secret: "" };

async function startNetwork(): Promise<void> {
  for (const words of [
    `netns add ${NETWORK}`,
    `-n ${NETWORK} link set lo up`,
    `-n ${NETWORK} addr add 169.254.169.254/32 dev lo`,
  ]) {
    execFileSync("ip", words.split(" "));
  }
  const portFile = `${folder}/aws.json`;
  const imds = ["--listen", "imds=169.254.169.254:80", "--port-file", portFile];
  const [file = "", ...args] = inNetwork([process.execPath, `${ROOT}test/aws/main.ts`, ...imds]);
  aws = spawn(file, args, { stdio: ["ignore", "ignore", "inherit"] });
  await until(async () => existsSync(portFile), "the loopback AWS listens");
  const started = JSON.parse(readFileSync(portFile, "utf8")) as {
    env: Record<string, string>;
    keyEnv: Record<string, string>;
    endpoints: Record<string, string>;
  };
  const { AWS_EC2_METADATA_SERVICE_ENDPOINT: _, ...services } = started.env;
  endpoints = services;
  controlUrl = `${started.endpoints["control"]}/_control`;
  const { AWS_ACCESS_KEY_ID: id = "", AWS_SECRET_ACCESS_KEY: secret = "" } = started.keyEnv;
  key = { id, secret };
  await control({ do: "s3.createBucket", bucket: BUCKET });
  await control({ do: "kms.createKey", alias: KEY.replace("alias/", "") });
}

let controlUrl = "";

async function control(command: Command): Promise<Record<string, unknown>> {
  const script =
    'fetch(process.argv[1], { method: "POST", body: process.argv[2] }).then((r) => r.text()).then((t) => process.stdout.write(t))';
  const words = [process.execPath, "-e", script, controlUrl, JSON.stringify(command)];
  const { stdout, stderr } = await runProcess(inNetwork(words));
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(stdout) as Record<string, unknown>;
}

function inNetwork(words: readonly string[]): string[] {
  return ["ip", "netns", "exec", NETWORK, ...words];
}

/** A build folder as a developer has it, secrets lying about, and the image of it. */
async function buildImage(): Promise<void> {
  const context = `${folder}/context`;
  for (const name of ["dist", "app", "app/.aws"]) mkdirSync(`${context}/${name}`, { recursive: true });
  copyFileSync(BINARY, `${context}/dist/sealexec`);
  for (const name of ["Dockerfile.example", ".dockerignore"]) copyFileSync(ROOT + name, `${context}/${name}`);
  writeFileSync(`${context}/app/server`, `#!/bin/sh\necho "${MARKER}: $GREETING"\n`, { mode: 0o755 });
  for (const name of [
    ".env",
    "prod.env",
    "app/.env",
    "app/.env.local",
    "app/.aws/credentials",
    "app/id.pem",
    "notes",
  ]) {
    writeFileSync(`${context}/${name}`, `API_TOKEN=${CANARY}\nAWS_SECRET_ACCESS_KEY=${key.secret}\n`);
  }
  const engine = createEngine(folder);
  await engine.importBase();
  const built = await engine.build(context, "-f", "Dockerfile.example", "-t", IMAGE);
  assert.equal(built.status, 0, built.stderr);
}

function podman(...words: string[]): Promise<Outcome> {
  return createEngine(folder).podman(...words);
}

function run(words: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  return createEngine(folder).run(words, options);
}

/** Where a container of these tests runs: its network, its limits, its variables. */
function place(env: Readonly<Record<string, string>> = {}): string[] {
  const variables = { ...endpoints, SEALEXEC_FROM: URI, SEALEXEC_KEY: KEY, ...env };
  const limits = ["--ulimit", "nproc=4096:4096"];
  if (!("SEALEXEC_NOFILE" in variables)) limits.push("--ulimit", "nofile=1024:1024");
  const settings = Object.entries(variables).flatMap(([name, value]) => ["--env", `${name}=${value}`]);
  return ["--network", `ns:/var/run/netns/${NETWORK}`, ...limits, ...settings];
}

async function startDetached(...words: string[]): Promise<string> {
  const { stdout, stderr } = await podman("run", "--detach", ...place(), ...words);
  assert.match(stdout, /^[0-9a-f]{64}\n$/, stderr);
  return stdout.trim();
}

/** `podman stop`; the exit status that the container has then. */
async function stop(id: string): Promise<string> {
  const stopped = await podman("stop", "--time", "30", id);
  assert.equal(stopped.status, 0, stopped.stderr);
  return (await podman("inspect", "--format", "{{.State.ExitCode}}", id)).stdout.trim();
}

async function until(isTrue: () => Promise<boolean>, what: string): Promise<void> {
  for (let tries = 0; !(await isTrue()); tries += 1) {
    if (tries > 300) throw new Error(`never: ${what}`);
    await sleep(50);
  }
}

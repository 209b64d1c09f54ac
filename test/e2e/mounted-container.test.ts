/** The examples with mounted secrets, run for real: what podman, Swarm, Compose and Kubernetes mount, and BuildKit's. */
import assert from "node:assert/strict";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { after, before, describe, test } from "node:test";
import { startAws } from "../aws/server.ts";
import type { Aws } from "../aws/server.ts";
import { BINARY, BUCKET, KEY, ROOT, push } from "./harness.ts";
import type { Outcome } from "./harness.ts";
import { createEngine, noImages } from "./images.ts";
import type { Engine } from "./images.ts";

const IMAGE = "localhost/sealexec-mounted";
const CANARY = "canary-b81f30-never-in-a-layer";

const scene: { folder: string; engine: Engine | undefined; aws: Aws | undefined; memory: string } = {
  folder: "",
  engine: undefined,
  aws: undefined,
  memory: "",
};

const engine = (): Engine => scene.engine ?? assert.fail("no engine");
const aws = (): Aws => scene.aws ?? assert.fail("no AWS");

/** What an example sets a variable to. */
function setting(example: string, name: string): string {
  const text = readFileSync(`${ROOT}examples/${example}`, "utf8");
  const found =
    new RegExp(`^ +${name}: (.+)$`, "m").exec(text) ??
    new RegExp(`- name: ${name}\\n +value: (.+)$`, "m").exec(text);
  return found?.[1] ?? assert.fail(`${example} does not set ${name}`);
}

/** The variables of an example, and of the loopback AWS without credentials. */
function settings(example: string, ...names: readonly string[]): string[] {
  const pairs = names.map((name) => [name, setting(example, name)] as const);
  return pairs.flatMap(([name, value]) => [
    "--env",
    `${name}=${value.replace("s3://my-secrets", `s3://${BUCKET}`)}`,
  ]);
}

/** Where the loopback AWS is; no credentials, and no metadata service that would have some. */
function endpoints(): Record<string, string> {
  const { AWS_EC2_METADATA_SERVICE_ENDPOINT: _, ...rest } = aws().env();
  return { ...rest, AWS_EC2_METADATA_DISABLED: "true" };
}

function credentialsFile(): string {
  const { AWS_ACCESS_KEY_ID: id = "", AWS_SECRET_ACCESS_KEY: secret = "" } = aws().keyEnv();
  const file = `${scene.folder}/credentials`;
  writeFileSync(file, `[default]\naws_access_key_id = ${id}\naws_secret_access_key = ${secret}\n`, {
    mode: 0o600,
  });
  return file;
}

async function secret(name: string, content: string): Promise<void> {
  const file = `${scene.folder}/secret-${name}`;
  writeFileSync(file, content);
  const { status, stderr } = await engine().podman("secret", "create", name, file);
  assert.equal(status, 0, stderr);
}

const LIMITS = ["--ulimit", "nproc=4096:4096", "--ulimit", "nofile=1024:1024"];

function run(flags: readonly string[], ...script: string[]): Promise<Outcome> {
  return engine().podman("run", "--rm", ...LIMITS, ...flags, IMAGE, "sh", "-c", ...script);
}

describe("mounted secrets in containers", { skip: noImages() }, () => {
  before(async () => {
    scene.folder = mkdtempSync(`${tmpdir()}/sealexec-mounted-`);
    scene.engine = createEngine(scene.folder);
    scene.aws = await startAws();
    aws().s3.createBucket(BUCKET);
    aws().kms.createKey({ alias: KEY.replace("alias/", "") });
    const context = `${scene.folder}/context`;
    for (const name of ["dist", "app"]) mkdirSync(`${context}/${name}`, { recursive: true });
    copyFileSync(BINARY, `${context}/dist/sealexec`);
    for (const name of ["Dockerfile.example", ".dockerignore"])
      copyFileSync(ROOT + name, `${context}/${name}`);
    writeFileSync(`${context}/app/server`, "#!/bin/sh\necho serving\n", { mode: 0o755 });
    await engine().importBase();
    const built = await engine().build(context, "-f", "Dockerfile.example", "-t", IMAGE);
    assert.equal(built.status, 0, built.stderr);
  });
  after(async () => {
    await scene.engine?.podman("rm", "--all", "--force", "--time", "0");
    await scene.aws?.close();
    for (const name of [scene.folder, scene.memory])
      if (name !== "") rmSync(name, { recursive: true, force: true });
  });

  test("compose.yaml: one file a variable at /run/secrets, without a network, as uid 1000, on a read-only root", async () => {
    // A folder of a tmpfs, as Docker and Swarm mount it.
    const memory = mkdtempSync("/dev/shm/sealexec-mounted-");
    scene.memory = memory;
    for (const [name, value] of Object.entries({ DATABASE_PASSWORD: "it's $ecret\n", API_TOKEN: CANARY })) {
      writeFileSync(`${memory}/${name}`, value, { mode: 0o444 });
    }
    chmodSync(memory, 0o755);
    const mounted = ["--volume", `${memory}:/run/secrets:ro`];
    const hard = [
      "--network",
      "none",
      "--read-only",
      "--cap-drop",
      "all",
      "--security-opt",
      "no-new-privileges",
    ];
    const flags = [...mounted, ...hard, ...settings("compose.yaml", "SEALEXEC_FROM", "SEALEXEC_REQUIRE")];
    const outcome = await run(flags, 'echo "$DATABASE_PASSWORD|$API_TOKEN $$ $(id -u)"');
    assert.deepEqual(outcome, {
      status: 0,
      signal: null,
      stdout: `it's $ecret|${CANARY} 1 1000\n`,
      stderr: "",
    });
  });

  test("compose.yaml without one of its secrets: 65, and CMD does not run", async () => {
    await secret("LONELY", "x");
    const flags = ["--secret", "LONELY", "--network", "none"];
    const outcome = await run(
      [...flags, ...settings("compose.yaml", "SEALEXEC_FROM", "SEALEXEC_REQUIRE")],
      "echo ran",
    );
    assert.equal(outcome.status, 65);
    assert.equal(outcome.stdout, "");
    assert.match(outcome.stderr, /missing or empty: DATABASE_PASSWORD, API_TOKEN/);
  });

  test("swarm-stack.yaml: a sealed .env with credentials of a mounted file, and the swarm's secrets over it", async () => {
    await push(aws(), "app.env", "DB_PASSWORD=sealed\nGREETING='from S3'\n");
    await secret("db-password", "of the swarm\n");
    await secret("aws-credentials", readFileSync(credentialsFile(), "utf8"));
    const target = setting("swarm-stack.yaml", "target");
    const mounted = [
      "--secret",
      "db-password",
      "--secret",
      `aws-credentials,target=${target},uid=1000,mode=0400`,
    ];
    const names = ["SEALEXEC_FROM", "SEALEXEC_KEY", "SEALEXEC_REQUIRE", "AWS_SHARED_CREDENTIALS_FILE"];
    const env = [
      ...settings("swarm-stack.yaml", ...names),
      ...Object.entries({ ...endpoints(), SEALEXEC_KEY: KEY }).flatMap(([name, value]) => [
        "--env",
        `${name}=${value}`,
      ]),
    ];
    const outcome = await run([...mounted, ...env, "--network", "host"], 'echo "$GREETING|$DB_PASSWORD"');
    assert.deepEqual(outcome, { status: 0, signal: null, stdout: "from S3|of the swarm\n", stderr: "" });
  });

  test("AWS credentials at /run/secrets/aws_credentials, of uid 1000 or not", async () => {
    const uri = await push(aws(), "creds.env", "GREETING=hello\n");
    await secret("aws_credentials", readFileSync(credentialsFile(), "utf8"));
    const variables = {
      ...endpoints(),
      AWS_SHARED_CREDENTIALS_FILE: "/run/secrets/aws_credentials",
      SEALEXEC_FROM: uri,
      SEALEXEC_KEY: KEY,
    };
    const env = Object.entries(variables).flatMap(([name, value]) => ["--env", `${name}=${value}`]);
    const flags = [...env, "--network", "host", "--secret"];
    const outcome = await run([...flags, "aws_credentials,uid=1000,mode=0400"], 'echo "$GREETING"');
    assert.deepEqual(outcome, { status: 0, signal: null, stdout: "hello\n", stderr: "" });
    const refused = await run([...flags, "aws_credentials,mode=0400"], 'echo "$GREETING"');
    assert.equal(refused.status, 78, JSON.stringify(refused));
    assert.equal(refused.stdout, "");
    assert.match(
      refused.stderr,
      /^sealexec: error: the shared file \/run\/secrets\/aws_credentials cannot be read \(EACCES\)$/m,
    );
  });

  test("kubernetes-volume.yaml: a volume as the kubelet makes it", async () => {
    const volume = `${scene.folder}/volume`;
    mkdirSync(`${volume}/..2026_11_21`, { recursive: true });
    for (const [name, content] of Object.entries({ DATABASE_PASSWORD: "p", API_TOKEN: "t\n" })) {
      writeFileSync(`${volume}/..2026_11_21/${name}`, content, { mode: 0o640 });
      symlinkSync(`..data/${name}`, `${volume}/${name}`);
    }
    symlinkSync("..2026_11_21", `${volume}/..data`);
    const from = setting("kubernetes-volume.yaml", "SEALEXEC_FROM");
    const mount = setting("kubernetes-volume.yaml", "mountPath");
    assert.equal(from, `dir:${mount}`);
    // The group is what fsGroup gives to the files.
    const flags = ["--volume", `${volume}:${mount}:ro`, "--user", "1000:0", "--network", "none"];
    const env = settings("kubernetes-volume.yaml", "SEALEXEC_FROM", "SEALEXEC_REQUIRE");
    const outcome = await run([...flags, ...env], 'echo "$DATABASE_PASSWORD|$API_TOKEN"');
    assert.deepEqual(outcome, { status: 0, signal: null, stdout: "p|t\n", stderr: "" });
  });

  test("Dockerfile.buildkit: the build has its secrets for one step, and no layer has them", async () => {
    const uri = await push(aws(), "build.env", `LICENCE=${CANARY}-sealed\nTOKEN=sealed\n`);
    const context = `${scene.folder}/context`;
    const plain = `${scene.folder}/build.env`;
    writeFileSync(plain, `TOKEN="${CANARY}-plain"\n`, { mode: 0o600 });
    writeFileSync(
      `${context}/app/build`,
      '#!/bin/sh\necho "built with ${#LICENCE} ${#TOKEN}" >/src/out/server\n[ "$TOKEN" = "$EXPECTED-plain" ]\n',
      { mode: 0o755 },
    );
    mkdirSync(`${context}/app/out`, { recursive: true });
    writeFileSync(`${context}/app/out/server`, "");
    const tag = "localhost/sealexec-built";
    // The loopback AWS, and what the script of this test compares with: no lines of the example.
    const scenery = Object.entries({ ...endpoints(), EXPECTED: CANARY }).map(
      ([name, value]) => `${name}=${value}`,
    );
    const example = readFileSync(`${ROOT}examples/Dockerfile.buildkit`, "utf8");
    writeFileSync(
      `${context}/Dockerfile.buildkit`,
      example.replace("AS build\n", `AS build\nENV HOME=/root ${scenery.join(" ")}\n`),
    );
    const secrets = { aws: credentialsFile(), env: plain };
    const values = { SEALEXEC_FROM: uri, SEALEXEC_KEY: KEY, AWS_REGION: aws().region };
    const flags = [
      ...Object.entries(secrets).flatMap(([id, file]) => ["--secret", `id=${id},src=${file}`]),
      ...Object.entries(values).flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]),
    ];
    const built = await engine().build(context, "-f", "Dockerfile.buildkit", "-t", tag, ...flags);
    assert.equal(built.status, 0, built.stderr);
    const archive = `${scene.folder}/built.tar`;
    const saved = await engine().podman("save", "--format", "docker-archive", "--output", archive, tag);
    assert.equal(saved.status, 0, saved.stderr);
    const bytes = readFileSync(archive);
    const { AWS_SECRET_ACCESS_KEY: key = "" } = aws().keyEnv();
    assert.ok(
      bytes.includes(`built with ${CANARY.length + 7} ${CANARY.length + 6}`),
      "the step ran with both",
    );
    for (const found of [`${CANARY}-sealed`, `${CANARY}-plain`, key])
      assert.equal(bytes.includes(found), false);
  });
});

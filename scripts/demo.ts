/**
 * npm run demo: the main job on one machine, without an AWS account. A loopback AWS (IMDSv2, S3, KMS) is started; the
 * built binary seals examples/app.env, runs a program with it, and checks what a deploy would find.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { startAws } from "../test/aws/server.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const BINARY = `${ROOT}dist/sealexec`;
const FILE = `${ROOT}examples/app.env`;
const URI = "s3://demo-secrets/app.env";
const KEY = "alias/demo";

const bold = (text: string): string =>
  process.stdout.isTTY && !process.env["NO_COLOR"] ? `\u001b[1m${text}\u001b[0m` : text;
const say = (text: string): void => void process.stdout.write(`${text}\n`);

// Everything that sealexec could write to by itself: empty now, and to be empty at the end.
const folder = mkdtempSync(join(tmpdir(), "sealexec-demo-"));
const aws = await startAws();
try {
  aws.s3.createBucket("demo-secrets");
  aws.kms.createKey({ alias: "demo" });
  await demo();
} finally {
  await aws.close();
  rmSync(folder, { recursive: true, force: true });
}

async function demo(): Promise<void> {
  say(bold("1. A developer seals a .env on this machine and uploads it"));
  await sealexec(["push", FILE, URI, "--key", KEY]);
  report();

  say(
    bold(
      "2. A container starts: sealexec takes the instance role's credentials, opens it, and becomes the program",
    ),
  );
  const program =
    'echo "pid $$: hello from $APP_NAME, with a database password of ${#DATABASE_PASSWORD} characters"';
  const started = await sealexec(["run", "--from", URI, "--key", KEY, "--", "sh", "-c", program]);
  say(`   the process that was started as sealexec had pid ${started.pid}: it is the same one`);
  report();

  say(bold("3. A CI job asks: would this deploy find its secrets?"));
  await sealexec([
    "check",
    "--from",
    URI,
    "--key",
    KEY,
    "--require",
    "DATABASE_PASSWORD,API_TOKEN",
    "--",
    "sh",
  ]);
  report();

  say(bold("4. And with a name that is not there?"));
  const failed = await sealexec(
    ["run", "--from", URI, "--key", KEY, "--require", "NO_SUCH_NAME", "--", "true"],
    65,
  );
  say(`   exit status ${failed.status}: the program was not started`);
  report();

  say(bold("5. A secret rotates while a program runs: sealexec stays behind, and looks every half second"));
  // In its second life it has seen what it waited for, and ends.
  const watched =
    'echo "pid $$: a password of ${#DATABASE_PASSWORD} characters"; ' +
    '[ "$DATABASE_PASSWORD" = rotated ] && exit; while :; do sleep 0.05; done';
  let pushed: Promise<unknown> | undefined;
  const rotated = readFileSync(FILE, "utf8").replace(/^DATABASE_PASSWORD=.*$/m, "DATABASE_PASSWORD=rotated");
  const pushRotated = (): void => {
    // Some looks are to find nothing.
    pushed ??= sleep(1_300).then(() =>
      sealexec(["push", "-", URI, "--key", KEY, "--replace"], 0, true, { input: rotated }),
    );
  };
  await sealexec(
    ["run", "--watch", "--every", "500ms", "--from", URI, "--key", KEY, "--", "sh", "-c", watched],
    0,
    false,
    { onOutput: pushRotated },
  );
  await pushed;
  const looks = aws.calls.filter(({ service, status }) => service === "s3" && status === 304).length;
  expect(looks > 0, "nobody looked");
  say(`   looks that found nothing new: ${looks}, each one request, none of them to KMS`);
  aws.resetCalls();
  await sealexec(["push", FILE, URI, "--key", KEY, "--replace"], 0, true);
  aws.resetCalls();
  say("");

  say(bold("6. No plaintext touched the disk"));
  const { stdout } = await sealexec(
    ["run", "--from", URI, "--key", KEY, "--", "cat", "/proc/self/io"],
    0,
    true,
  );
  const written = /^write_bytes: (\d+)$/m.exec(stdout)?.[1];
  expect(written === "0", "the process wrote to a disk before the program ran");
  say("   bytes that the process, from its start as sealexec on, wrote to any disk: 0 (/proc/self/io)");
  const files = readdirSync(folder, { recursive: true });
  expect(files.length === 0, `files were left: ${files.join(", ")}`);
  say("   files in its working, home and temporary folder: 0");
  const stored = aws.s3.get("demo-secrets", "app.env");
  const body = Buffer.from(stored?.body ?? []);
  expect(body.length > 0, "the bucket is empty");
  const values = [...readFileSync(FILE, "utf8").matchAll(/^[A-Z_]+=["']?(.{4,}?)["']?$/gm)].map(
    (match) => match[1] ?? "",
  );
  expect(
    values.length > 0 && values.every((value) => !body.includes(value)),
    "a value is readable in the bucket",
  );
  say(`   values of app.env readable in the sealed object: 0 of ${values.length}`);
  say(bold("Done."));
}

interface Ended {
  readonly pid: number | undefined;
  readonly status: number | null;
  readonly stdout: string;
}

/** Runs the built binary as a container would: nothing in its environment but the loopback's endpoints. */
function sealexec(
  args: readonly string[],
  expected = 0,
  quiet = false,
  { input, onOutput }: { readonly input?: string; readonly onOutput?: () => void } = {},
): Promise<Ended> {
  if (!quiet)
    say(
      `   $ sealexec ${args.map((arg) => (/[\s"$]/.test(arg) ? `'${arg}'` : arg.replace(ROOT, ""))).join(" ")}`,
    );
  return new Promise((resolve, reject) => {
    const env = { PATH: process.env["PATH"], HOME: folder, TMPDIR: folder, ...aws.env() };
    const child = spawn(BINARY, args, { env, cwd: folder });
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
    let [stdout, shown] = ["", ""];
    child.stdout.on("data", (chunk: Buffer) => {
      stdout += chunk.toString("utf8");
      shown += chunk.toString("utf8");
      onOutput?.();
    });
    child.stderr.on("data", (chunk: Buffer) => {
      shown += chunk.toString("utf8");
    });
    child.on("error", reject);
    child.on("close", (status) => {
      if (!quiet) say(shown.trimEnd().replace(/^/gm, "   "));
      if (status === expected) resolve({ pid: child.pid, status, stdout });
      else reject(new Error(`sealexec ended with ${status}, not ${expected}`));
    });
  });
}

/** One line of what was asked of the loopback AWS since the last. */
function report(): void {
  const calls = aws.calls.map(({ service, operation }) => `${service}:${operation}`);
  say(`   calls: ${calls.join(" ")}\n`);
  aws.resetCalls();
}

function expect(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}

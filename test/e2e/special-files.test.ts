/** Files that are none: a FIFO that nobody writes to, and a device that never ends, in the place of each file that is read. */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import type { Aws } from "../aws/server.ts";
import { RAN, SAY, assertFailed, assertPrinted, withFolder } from "./expect.ts";
import { asUser, canUserRun, isRoot } from "./exec/programs.ts";
import { ARTEFACTS, BINARY, KEY, push, sealexec, withAws } from "./harness.ts";

interface Read {
  readonly name: string;
  readonly env?: (file: string, aws: Aws) => Record<string, string>;
  readonly args?: (file: string) => readonly string[];
  /** where the file has to be, in HOME */
  readonly at?: string;
  /** in ~/.aws/config */
  readonly config?: (file: string) => string;
  readonly error?: RegExp;
}

const VAULT = { VAULT_ADDR: "http://127.0.0.1:1" };
const fromVault = (): readonly string[] => ["run", "--from", "vault://secret/app", "--", ...SAY];
const sso =
  "sso_start_url = https://corp.awsapps.com/start\nsso_region = us-east-1\nsso_account_id = 1\nsso_role_name = r\n";

const READS: readonly Read[] = [
  { name: "AWS_CA_BUNDLE", env: (file) => ({ AWS_CA_BUNDLE: file }) },
  { name: "AWS_CONFIG_FILE", env: (file) => ({ AWS_CONFIG_FILE: file }), error: /the shared file .*special/ },
  {
    name: "AWS_SHARED_CREDENTIALS_FILE",
    env: (file) => ({ AWS_SHARED_CREDENTIALS_FILE: file, AWS_PROFILE: "app" }),
    error: /the shared file .*special/,
  },
  { name: "~/.aws/config", at: ".aws/config", error: /the shared file .*config/ },
  { name: "~/.aws/credentials", at: ".aws/credentials", error: /the shared file .*credentials/ },
  {
    name: "web_identity_token_file of a profile",
    config: (file) => `[default]\nrole_arn = arn:aws:iam::1:role/r\nweb_identity_token_file = ${file}\n`,
  },
  {
    name: "web_identity_token_file of the profile below",
    config: (file) =>
      `[default]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = base\n[profile base]\nrole_arn = arn:aws:iam::1:role/b\nweb_identity_token_file = ${file}\n`,
    error: /profile base: its web_identity_token_file/,
  },
  {
    name: "a cached login",
    at: ".aws/sso/cache/2a0c0a1b.json",
    config: () => `[default]\n${sso}`,
    error: /a cached login: .*\.json/,
  },
  {
    name: "AWS_WEB_IDENTITY_TOKEN_FILE",
    env: (file) => ({ AWS_WEB_IDENTITY_TOKEN_FILE: file, AWS_ROLE_ARN: "arn:aws:iam::1:role/r" }),
  },
  {
    name: "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    env: (file, aws) => ({
      AWS_CONTAINER_CREDENTIALS_FULL_URI: aws.endpoints.container,
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: file,
    }),
  },
  {
    name: "VAULT_CACERT",
    env: (file) => ({ ...VAULT, VAULT_TOKEN: "t", VAULT_CACERT: file }),
    args: fromVault,
  },
  { name: "VAULT_TOKEN_FILE", env: (file) => ({ ...VAULT, VAULT_TOKEN_FILE: file }), args: fromVault },
  { name: "~/.vault-token", env: () => VAULT, at: ".vault-token", args: fromVault, error: /the token file/ },
  {
    name: "VAULT_SECRET_ID_FILE",
    env: (file) => ({ ...VAULT, VAULT_AUTH: "approle", VAULT_ROLE_ID: "r", VAULT_SECRET_ID_FILE: file }),
    args: fromVault,
  },
  {
    name: "VAULT_K8S_TOKEN_FILE",
    env: (file) => ({ ...VAULT, VAULT_AUTH: "kubernetes", VAULT_ROLE: "r", VAULT_K8S_TOKEN_FILE: file }),
    args: fromVault,
  },
  {
    name: "file:",
    env: (_, aws) => aws.keyEnv(),
    args: (file) => ["run", "--from", `file:${file}`, "--key", KEY, "--", ...SAY],
    error: /file:/,
  },
  {
    name: "--key local:",
    args: (file) => ["run", "--from", "file:sealed", "--key", `local:${file}`, "--", ...SAY],
    error: /file:sealed|local:/,
  },
];

/** Makes it, and says where it is. */
type Make = (file: string) => void;

const SPECIAL: readonly (readonly [string, Make])[] = [
  ["a FIFO", (file) => execFileSync("mkfifo", ["-m", "600", file])],
  ["a device", (file) => symlinkSync("/dev/zero", file)],
];

const URI = "s3://app-secrets/app.env";

describe("what is no file is refused, and never waited for", { concurrency: 3 }, () => {
  for (const artefact of ARTEFACTS) {
    for (const [what, make] of SPECIAL) {
      for (const { name, env, args, at = "special", config, error } of READS) {
        test(`${what} as ${name}, by the ${artefact.name}`, () =>
          withFolder((folder) =>
            withAws(async (aws) => {
              const file = join(folder, at);
              mkdirSync(dirname(file), { recursive: true });
              make(file);
              if (config !== undefined) {
                mkdirSync(join(folder, ".aws"), { recursive: true });
                writeFileSync(join(folder, ".aws/config"), config(file));
              }
              const line = args?.(file) ?? ["run", "--from", URI, "--", ...SAY];
              const { AWS_CA_BUNDLE: _, ...services } = aws.serviceEnv();
              const outcome = await sealexec(line, {
                env: { ...services, AWS_EC2_METADATA_DISABLED: "true", HOME: folder, ...env?.(file, aws) },
                artefact,
                cwd: folder,
                killAfterMs: 20_000,
              });
              if (name === "--key local:") return assert.ok([66, 78].includes(outcome.status ?? 0));
              const shown = error ?? new RegExp(name.split(" ")[0] ?? name);
              assertFailed(outcome, 78, shown);
              assert.match(outcome.stderr, /not a regular file/);
              assert.deepEqual(aws.calls, []);
            }),
          ));
      }
    }
  }
});

describe("the runtime's own files of CAs, which it reads as TLS is first used", { concurrency: 2 }, () => {
  for (const artefact of ARTEFACTS) {
    for (const [what, make] of SPECIAL) {
      for (const name of ["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"]) {
        test(`${what} as ${name} is refused, by the ${artefact.name}`, () =>
          withFolder((folder) =>
            withAws(
              async (aws) => {
                const file = join(folder, "special");
                make(file);
                const args = ["run", "--from", URI, "--timeout", "3", "--", ...SAY];
                const env = { ...aws.env(), [name]: file };
                const outcome = await sealexec(args, { env, artefact, killAfterMs: 20_000 });
                const error = new RegExp(`${name}: \\S+special cannot be read \\(not a regular file\\)$`);
                assertFailed(outcome, 78, error, /PEM/);
                assert.deepEqual(aws.calls, []);
              },
              { tls: true },
            ),
          ));
      }
    }

    test(`/dev/null and a file that is not there are no hindrance, by the ${artefact.name}`, () =>
      withAws(
        async (aws) => {
          await push(aws, "app.env", "TOKEN=t\n");
          for (const [name, file] of [
            ["NODE_EXTRA_CA_CERTS", "/dev/null"],
            ["SSL_CERT_FILE", "/dev/null"],
            ["SSL_CERT_FILE", "/nowhere/ca.pem"],
            ["SSL_CERT_FILE", ""],
          ] as const) {
            const env = { ...aws.env(), [name]: file };
            const outcome = await sealexec(["run", "--from", URI, "--", ...SAY], { env, artefact });
            assert.deepEqual([outcome.status, outcome.stdout], [0, `${RAN}\n`], outcome.stderr);
          }
        },
        { tls: true },
      ));
  }
});

describe("push of what is no file", { concurrency: 2 }, () => {
  for (const artefact of ARTEFACTS) {
    const args = (file: string, ...more: string[]) => ["push", file, URI, "--key", KEY, ...more];

    test(`a pipe that ends is read, by the ${artefact.name}`, () =>
      withAws(async (aws) => {
        const command = [...artefact.command, ...args('<(printf "TOKEN=t\\\\n")')].join(" ");
        const bash = { name: "bash", command: ["bash", "-c", command] } as const;
        const outcome = await sealexec([], { env: aws.env(), artefact: bash });
        assert.equal(outcome.status, 0, outcome.stderr);
        const run = ["run", "--from", URI, "--", "sh", "-c", 'printf %s "$TOKEN"'];
        assertPrinted(await sealexec(run, { env: aws.env(), artefact }), "t");
      }));

    test(`a FIFO that nobody writes to ends with the deadline, by the ${artefact.name}`, () =>
      withFolder((folder) =>
        withAws(async (aws) => {
          const file = join(folder, "fifo");
          execFileSync("mkfifo", [file]);
          const options = { env: aws.env(), artefact, killAfterMs: 20_000 };
          const outcome = await sealexec(args(file, "--timeout", "0.5"), options);
          assertFailed(outcome, 75, /fifo: the pipe did not end .*nobody wrote to it/, /--timeout/);
          const device = await sealexec(args("/dev/zero"), options);
          assertFailed(device, 78, /\/dev\/zero: a device or socket, where a file is expected/);
          assert.deepEqual(aws.calls, []);
        }),
      ));
  }

  test("and it hears a signal meanwhile", () =>
    withFolder((folder) =>
      withAws(async (aws) => {
        const file = join(folder, "fifo");
        execFileSync("mkfifo", [file]);
        const env = { ...aws.env(), PATH: process.env["PATH"] ?? "" };
        const child = spawn(BINARY, args0(file), { env, stdio: "ignore" });
        const ended = new Promise((resolve) => child.on("close", (status) => resolve(status)));
        const guard = setTimeout(() => child.kill("SIGKILL"), 20_000);
        const again = setInterval(() => child.kill("SIGTERM"), 300);
        assert.equal(await ended, 143);
        clearTimeout(guard);
        clearInterval(again);
      }),
    ));
});

function args0(file: string): string[] {
  return ["push", file, URI, "--key", KEY];
}

describe("/dev/null is an empty file to everybody", () => {
  test("as both shared files", () =>
    withAws(async (aws) => {
      await push(aws, "app.env", "TOKEN=t\n");
      const env = { ...aws.env(), AWS_CONFIG_FILE: "/dev/null", AWS_SHARED_CREDENTIALS_FILE: "/dev/null" };
      assertPrinted(await sealexec(["run", "--from", URI, "--", ...SAY], { env }), `${RAN}\n`);
    }));
});

describe("a shared file that is named is read, or refused", { concurrency: 3 }, () => {
  /** How a file is made that cannot be read, and what the kernel says of it. */
  const UNREADABLE: readonly (readonly [string, (folder: string) => string])[] = [
    ["EISDIR", (folder) => folder],
    ["ENOTDIR", (folder) => join(fileIn(folder), "below")],
    // A regular file, whose first byte nobody can read.
    ["EIO", () => "/proc/self/mem"],
    [
      "ELOOP",
      (folder) => {
        symlinkSync("loop", join(folder, "loop"));
        return join(folder, "loop");
      },
    ],
    [
      "EACCES",
      (folder) => {
        const file = fileIn(folder);
        chmodSync(file, 0);
        return file;
      },
    ],
  ];

  for (const artefact of ARTEFACTS) {
    const asAnother = !isRoot ? [] : asUser;
    const skipUser = isRoot && !canUserRun(artefact) ? "uid 1000 may not run the artefact" : false;
    for (const [code, make] of UNREADABLE) {
      for (const variable of ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"]) {
        const skip = code === "EACCES" && skipUser;
        test(`${variable}: ${code} is 78, before anybody is asked, by the ${artefact.name}`, { skip }, () =>
          withFolder((folder) =>
            withAws(async (aws) => {
              chmodSync(folder, 0o755);
              await push(aws, "app.env", "TOKEN=t\n");
              const file = make(folder);
              aws.resetCalls();
              // With credentials from elsewhere, so that the file could be passed over.
              for (const env of [aws.env(), aws.keyEnv()]) {
                const outcome = await sealexec(["run", "--from", URI, "--", ...SAY], {
                  env: { ...env, [variable]: file },
                  artefact,
                  ...(code === "EACCES" ? { prefix: asAnother } : {}),
                });
                assertFailed(
                  outcome,
                  78,
                  new RegExp(`the shared file ${file} cannot be read \\(${code}\\)$`),
                );
                assert.deepEqual(aws.calls, []);
              }
            }),
          ),
        );
      }
    }

    test(`one that is not there is an empty one, as to Amazon's SDKs, by the ${artefact.name}`, () =>
      withFolder((folder) =>
        withAws(async (aws) => {
          await push(aws, "app.env", "TOKEN=t\n");
          const none = join(folder, "none");
          const env = { ...aws.env(), AWS_CONFIG_FILE: none, AWS_SHARED_CREDENTIALS_FILE: none };
          assertPrinted(await sealexec(["run", "--from", URI, "--", ...SAY], { env, artefact }), `${RAN}\n`);
        }),
      ));

    test(`one that nobody named and nobody can get to is not there, by the ${artefact.name}`, () =>
      withFolder((folder) =>
        withAws(async (aws) => {
          await push(aws, "app.env", "TOKEN=t\n");
          const env = { ...aws.env(), HOME: fileIn(folder) };
          assertPrinted(await sealexec(["run", "--from", URI, "--", ...SAY], { env, artefact }), `${RAN}\n`);
        }),
      ));

    test(`one that nobody named and is there is read, or refused, by the ${artefact.name}`, () =>
      withFolder((folder) =>
        withAws(async (aws) => {
          await push(aws, "app.env", "TOKEN=t\n");
          mkdirSync(join(folder, ".aws"));
          symlinkSync("/proc/self/mem", join(folder, ".aws/credentials"));
          const env = { ...aws.env(), HOME: folder };
          const outcome = await sealexec(["run", "--from", URI, "--", ...SAY], { env, artefact });
          assertFailed(outcome, 78, /the shared file \S+\/\.aws\/credentials cannot be read \(EIO\)$/);
        }),
      ));
  }
});

function fileIn(folder: string): string {
  const file = join(folder, "file");
  writeFileSync(file, "");
  return file;
}

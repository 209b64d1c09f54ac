/** Who takes part in `npm run bench:peers`: the words that start each, and why one that is not installed stays out. */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { delimiter, dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { BINARY, BUCKET, BUNDLE, KEY, dotenvOf } from "../aws.ts";
import type { BenchAws } from "../aws.ts";
import type { Contestant } from "../rounds.ts";

const HERE = fileURLToPath(new URL("./", import.meta.url));
const BUN = fileURLToPath(new URL("../../node_modules/.bin/bun", import.meta.url));
/** Where Debian's golang-*-dev packages are. */
const GO_PACKAGES = "/usr/share/gocode";

export const VARIABLES = 30;
const LAST = VARIABLES - 1;
export const GO = "Go client";
export const NODE = "node -e 0";

export interface Peer {
  readonly name: string;
  /** the words that start it, with the program it becomes where it becomes one */
  readonly words: (program: string) => readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** whether that program finds the variables of the sealed .env */
  readonly opens: boolean;
  /** over 300 ms: takes part in fewer rounds */
  readonly slow: boolean;
  /** what a reader of its figures has to know */
  readonly note?: string;
  /** to make it, before its first start; its result is why it cannot be made */
  readonly prepare?: () => string | undefined;
}

export interface Field {
  readonly quick: readonly Contestant[];
  readonly slow: readonly Contestant[];
  readonly notes: readonly string[];
  /** one line for each that stays out */
  readonly absent: readonly string[];
}

/** @param folder an empty one, for what has to be made */
export function findPeers(aws: BenchAws, folder: string): Field {
  const absent: string[] = [];
  const present = peers(aws, folder).filter((peer) => {
    const reason = peer.prepare?.() ?? tryOut(peer);
    if (reason !== undefined) absent.push(`${peer.name} stays out: ${reason}`);
    return reason === undefined;
  });
  const contestants = (slow: boolean): Contestant[] =>
    present
      .filter((peer) => peer.slow === slow)
      .map(({ name, words, env }) => ({ name, words: words("true"), env }));
  return {
    quick: contestants(false),
    slow: contestants(true),
    notes: present.flatMap(({ note }) => note ?? []),
    absent,
  };
}

function peers({ env }: BenchAws, folder: string): Peer[] {
  const quick = { env, opens: true, slow: false };
  const object = [BUCKET, KEY];
  const go = `${folder}/go-client`;
  const dotenv = `${folder}/.env`;
  const dotenvFiles = ["-f", dotenv, "-fk", `${dotenv}.keys`];
  const withNode = { ...env, PATH: `${dirname(process.execPath)}${delimiter}${env["PATH"]}` };
  return [
    { ...quick, name: "sealexec, binary", words: (program) => [BINARY, "run", "--", program] },
    {
      ...quick,
      name: "sealexec, on Node",
      words: (program) => [process.execPath, BUNDLE, "run", "--", program],
    },
    { ...quick, name: GO, words: (program) => [go, ...object, program], prepare: () => buildGo(go) },
    {
      ...quick,
      name: "Ruby client",
      slow: true,
      words: (program) => ["ruby", `${HERE}ruby/get.rb`, ...object, program],
    },
    {
      name: "awscli, two calls",
      note: "awscli: the body stays sealed.",
      opens: false,
      slow: true,
      words: (program) => ["sh", `${HERE}awscli.sh`, ...object, program],
      // It knows no AWS_REGION, and puts the path of IMDS behind the endpoint as it stands.
      env: {
        ...env,
        AWS_DEFAULT_REGION: env["AWS_REGION"] ?? "",
        AWS_EC2_METADATA_SERVICE_ENDPOINT: `${env["AWS_EC2_METADATA_SERVICE_ENDPOINT"]}/`,
      },
      prepare: () => run(["aws", "--version"]),
    },
    {
      ...quick,
      name: "dotenvx, no network",
      note: "dotenvx: a local file, encrypted.",
      slow: true,
      env: withNode,
      words: (program) => ["dotenvx", "run", ...dotenvFiles, "--", program],
      prepare: () => {
        writeFileSync(dotenv, dotenvOf(VARIABLES));
        return run(["dotenvx", "encrypt", ...dotenvFiles], withNode);
      },
    },
    { ...quick, name: NODE, opens: false, words: () => [process.execPath, "-e", "0"] },
    {
      ...quick,
      name: "bun -e 0",
      note: "node, bun: empty programs, for scale.",
      opens: false,
      words: () => [BUN, "-e", "0"],
    },
  ];
}

function buildGo(outfile: string): string | undefined {
  const env = { ...process.env, GOPATH: GO_PACKAGES, GO111MODULE: "off" };
  return run(["go", "build", "-ldflags", "-s -w", "-o", outfile, `${HERE}go/main.go`], env);
}

/** Starts it once with `env`, to see that it does what it is measured for; dotenvx ends with 0 where it opens nothing. */
function tryOut({ words, env, opens }: Peer): string | undefined {
  const ended = spawnSync(words("env")[0] ?? "", words("env").slice(1), { env, encoding: "utf8" });
  const reason = failure(words("env"), ended);
  if (reason !== undefined) return reason;
  if (!opens || ended.stdout.includes(`VARIABLE_${LAST}=value ${LAST}\n`)) return undefined;
  return "it does not set the variables";
}

function run(words: readonly string[], env: NodeJS.ProcessEnv = process.env): string | undefined {
  return failure(words, spawnSync(words[0] ?? "", words.slice(1), { env, encoding: "utf8" }));
}

interface Ended {
  readonly status: number | null;
  readonly stderr: string;
  readonly error?: Error;
}

function failure([program]: readonly string[], { status, stderr, error }: Ended): string | undefined {
  if (error !== undefined)
    return `${program}: ${error.message.endsWith("ENOENT") ? "not on PATH" : error.message}`;
  if (status === 0) return undefined;
  const line = stderr.split("\n").find((text) => text.trim() !== "") ?? "nothing said";
  return `${program} ended with ${status}: ${line.slice(0, 200)}`;
}

/** The versions that took part, as far as they tell. */
export function versions(): string {
  const asked: readonly (readonly [string, readonly string[]])[] = [
    ["Node", [process.execPath, "--version"]],
    ["Bun", [BUN, "--version"]],
    ["Go", ["go", "version"]],
    ["Ruby", ["ruby", "--version"]],
    ["awscli", ["aws", "--version"]],
    ["dotenvx", ["dotenvx", "--version"]],
  ];
  return asked
    .flatMap(([name, [program = "", ...rest]]) => {
      const { stdout } = spawnSync(program, rest, { encoding: "utf8" });
      const version = /\d+\.\d+(?:\.\d+)*/u.exec(stdout ?? "")?.[0];
      return version === undefined ? [] : [`${name} ${version}`];
    })
    .join(", ");
}

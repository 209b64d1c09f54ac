/** The same program run directly and through sealexec, and what it saw each time. */
import { mkdtempSync, readFileSync, rmSync, chmodSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname } from "node:path";
import { after, before } from "node:test";
import { startAws } from "../../aws/server.ts";
import type { Aws } from "../../aws/server.ts";
import { BUCKET, KEY, push, runProcess } from "../harness.ts";
import type { Artefact, Outcome } from "../harness.ts";
import type { Programs } from "./programs.ts";

/** How the program is started. */
export interface Scene {
  /** words before `launch`: `unshare --pid …`, `setpriv …` */
  readonly prefix?: readonly string[];
  /** what `launch` does to itself */
  readonly state?: readonly string[];
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** on a terminal of its own: a line of shell that sets its modes first */
  readonly terminal?: string;
  /** more options of `run` */
  readonly flags?: readonly string[];
  /** the program is named without its folder, and found in PATH */
  readonly byName?: boolean;
  /** the program's arguments */
  readonly args?: readonly string[];
}

export interface Seen extends Report {
  /** the process that `launch` was before it became what follows */
  readonly startedAs: number;
  readonly outcome: Outcome;
}

/** The variable that the sealed object adds. */
export const ADDED = "PROBE_ADDED=by the sealed object";

/** A loopback AWS with the object, and a folder for files, for the tests of one file. */
export class Stage {
  readonly #programs: Programs;
  #aws: Aws | undefined;
  #folder = "";
  uri = "";

  constructor(programs: Programs) {
    this.#programs = programs;
    before(async () => {
      this.#folder = mkdtempSync(`${tmpdir()}/sealexec-exec-`);
      chmodSync(this.#folder, 0o777);
      this.#aws = await startAws();
      this.#aws.s3.createBucket(BUCKET);
      this.#aws.kms.createKey({ alias: KEY.replace("alias/", "") });
      this.uri = await push(this.#aws, "probe.env", "PROBE_ADDED='by the sealed object'\n");
    });
    after(async () => {
      await this.#aws?.close();
      rmSync(this.#folder, { recursive: true, force: true });
    });
  }

  get folder(): string {
    return this.#folder;
  }

  get aws(): Aws {
    if (this.#aws === undefined) throw new Error("before the tests");
    return this.#aws;
  }

  direct(scene: Scene): Promise<Seen> {
    return this.#look(scene, []);
  }

  through(artefact: Artefact, scene: Scene): Promise<Seen> {
    const flags = ["--from", this.uri, "--key", KEY, ...(scene.flags ?? [])];
    return this.#look(scene, [...artefact.command, "run", ...flags, "--"]);
  }

  async #look(scene: Scene, shim: readonly string[]): Promise<Seen> {
    const report = `${this.#folder}/report`;
    const pidFile = `${this.#folder}/pid`;
    for (const file of [report, pidFile]) rmSync(file, { force: true });
    const { launch, probe } = this.#programs;
    const state = ["pid", pidFile, ...(scene.state ?? [])];
    const [command, PATH] =
      scene.byName === true
        ? [basename(probe), `/nowhere:${dirname(probe)}:${process.env["PATH"] ?? ""}`]
        : [probe, process.env["PATH"] ?? ""];
    const words = [launch, ...state, "--", ...shim, command, report, ...(scene.args ?? [])];
    const all = [...(scene.prefix ?? []), ...words];
    const outcome = await runProcess(scene.terminal === undefined ? all : onTerminal(scene.terminal, all), {
      env: { ...this.aws.keyEnv(), PATH, ...scene.env },
      ...(scene.input === undefined ? {} : { input: scene.input }),
    });
    let text: string;
    try {
      text = readFileSync(report, "latin1");
    } catch {
      throw new Error(`the probe did not run: ${JSON.stringify(outcome)}`);
    }
    return { ...parseReport(text), startedAs: Number(readFileSync(pidFile, "utf8")), outcome };
  }
}

function onTerminal(first: string, words: readonly string[]): string[] {
  const line = words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
  return ["script", "-qec", `${first}; exec ${line}`, "/dev/null"];
}

export interface Report {
  readonly pid: number;
  /** what the probe printed, but its PID */
  readonly lines: readonly string[];
}

export function parseReport(text: string): Report {
  const lines = text
    .trimEnd()
    .split("\n")
    .map((line) => line.replace(/\/dev\/pts\/\d+/g, "/dev/pts/#"));
  const pid = lines.find((line) => line.startsWith("pid: "))?.slice("pid: ".length);
  return { pid: Number(pid), lines: lines.filter((line) => !line.startsWith("pid: ")) };
}

/** What differs between the two, but for the variable that was added: "- " seen directly, "+ " seen through sealexec. */
export function differences(direct: Report, through: Report): string[] {
  const rest = [...direct.lines];
  const more: string[] = [];
  for (const line of through.lines) {
    const known = withoutAdded(line);
    if (known === undefined) continue;
    const index = rest.indexOf(known);
    if (index === -1) more.push(`+ ${known}`);
    else rest.splice(index, 1);
  }
  return [...rest.map((line) => `- ${line}`), ...more];
}

function withoutAdded(line: string): string | undefined {
  if (line === `env: ${ADDED}`) return undefined;
  return line.startsWith("environment block: ") ? line.replace(`${ADDED}\\x00`, "") : line;
}

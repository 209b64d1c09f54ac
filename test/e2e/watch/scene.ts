/** `run --watch` on a terminal: by itself, as a container's entrypoint has it, or as a job of an interactive shell. */
import assert from "node:assert/strict";
import { chmod, writeFile } from "node:fs/promises";
import type { Aws } from "../../aws/server.ts";
import { until, withFolder } from "../expect.ts";
import { firstInNamespace } from "../exec/programs.ts";
import type { Programs } from "../exec/programs.ts";
import { BINARY, KEY, push, withAws } from "../harness.ts";
import type { Artefact } from "../harness.ts";
import { Pty, Witness, hasEnded, pidsOf, statOf } from "./pty.ts";

export const SHELLS: Readonly<Record<string, readonly string[]>> = {
  bash: ["bash", "--norc", "--noprofile", "--noediting", "-i"],
  dash: ["dash", "-i"],
};

export interface Setting {
  /** of SHELLS, in which `./job` is sealexec; none: sealexec leads the session itself */
  readonly shell?: string;
  /** where it leads the session itself: the witness's words */
  readonly witness?: readonly string[];
  /** what is started there instead of the witness */
  readonly words?: readonly string[];
  /** what leads the session instead of sealexec: it starts `./job` */
  readonly leader?: readonly string[];
  /** of sealexec */
  readonly flags?: readonly string[];
  /** PID 1 of a namespace */
  readonly first?: boolean;
  /** the binary by default */
  readonly artefact?: Artefact;
}

const PROMPT = "READY> ";

export class Scene {
  readonly pty: Pty;
  readonly witness: Witness;
  readonly folder: string;
  readonly #aws: Aws;
  #prompts = 0;
  #revision = 0;

  constructor(pty: Pty, witness: Witness, folder: string, aws: Aws) {
    this.pty = pty;
    this.witness = witness;
    this.folder = folder;
    this.#aws = aws;
  }

  /** The process that watches. */
  get sealexec(): number {
    const parent = statOf(this.witness.pid)?.parent;
    assert.ok(parent !== undefined);
    return parent;
  }

  /** Waits for the next prompt of the shell. @returns what the screen has shown since the last one */
  async prompt(): Promise<string> {
    const wanted = this.#prompts + 1;
    const parts = (): string[] => this.pty.screen.split(PROMPT);
    await this.until(() => parts().length > wanted, "a prompt");
    this.#prompts = wanted;
    return parts()[wanted - 1] ?? "";
  }

  /** @returns what the screen shows of a command, from its echo to the next prompt */
  command(line: string): Promise<string> {
    this.pty.type(`${line}\n`);
    return this.prompt();
  }

  /** Types a line at the witness, and waits until it has read it: what came before it has arrived. */
  async line(text: string): Promise<void> {
    const times = this.witness.count(`line ${text}`) + 1;
    this.pty.type(`${text}\n`);
    await this.noted(`line ${text}`, times);
  }

  async noted(line: string, times = 1): Promise<void> {
    await this.until(
      () => this.witness.count(line) >= times,
      () => `${times} × "${line}" in ${JSON.stringify(this.witness.lines)}`,
    );
  }

  async until(isTrue: () => boolean, what: string | (() => string)): Promise<void> {
    await until(isTrue).catch(() => {
      const wanted = typeof what === "string" ? what : what();
      throw new Error(`never: ${wanted}; on the screen: ${JSON.stringify(this.pty.screen)}`);
    });
  }

  /** Gives the source another value, and asks for a look. */
  async change(): Promise<void> {
    this.#revision += 1;
    await push(this.#aws, "app.env", `A=${this.#revision}\n`);
    process.kill(this.sealexec, "SIGHUP");
  }
}

/** A scene for the time of one test. Nothing of it may be left when it is over. */
export async function withScene(
  programs: Programs,
  setting: Setting,
  act: (scene: Scene) => Promise<void>,
): Promise<void> {
  await withAws((aws) =>
    withFolder(async (folder) => {
      const uri = await push(aws, "app.env", "A=0\n");
      const witness = new Witness(programs.witness, `${folder}/log`);
      const first = setting.first === true ? firstInNamespace : [];
      // As a container's engine does: PID 1 leads the session, and the terminal is its own.
      const leader = setting.first === true && setting.shell === undefined ? ["setsid", "--ctty"] : [];
      const command = setting.artefact?.command ?? [BINARY];
      const job = [...first, ...leader, ...command, "run", "--watch", "--every", "1h"];
      job.push(...(setting.flags ?? []));
      job.push("--from", uri, "--key", KEY, "--");
      await writeFile(`${folder}/job`, `#!/bin/sh\nexec ${job.join(" ")} "$@"\n`);
      await chmod(`${folder}/job`, 0o755);
      const own = setting.words ?? [programs.witness, witness.log, ...(setting.witness ?? [])];
      const outer = setting.shell === undefined ? setting.leader : SHELLS[setting.shell];
      const words = outer ?? [`${folder}/job`, ...own];
      const env = { ...aws.keyEnv(), PS1: PROMPT, ENV: "", W: programs.witness, LOG: witness.log };
      const pty = new Pty(programs.terminal, words, { env, cwd: folder });
      const scene = new Scene(pty, witness, folder, aws);
      const left = (): number[] => pidsOf("environ", `LOG=${witness.log}`);
      try {
        if (outer === undefined && setting.words === undefined) await scene.noted("start");
        if (setting.shell !== undefined) await scene.prompt();
        await act(scene);
        if (pty.isOpen) pty.hangUp();
        await scene.until(() => !pty.isOpen, "the leader of the session has ended");
        await scene.until(() => left().every(hasEnded), "nothing is left behind");
      } finally {
        await pty.close(left());
      }
    }),
  );
}

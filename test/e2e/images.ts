/** podman and buildah with a storage of their own, and a base image of this machine's files, as nothing can be pulled. */
import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, mkdirSync, renameSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname } from "node:path";
import { cacheFolder, isRoot, skipReason } from "./exec/programs.ts";
import { BINARY, onPath, runProcess } from "./harness.ts";
import type { Outcome, RunOptions } from "./harness.ts";

/** The name that our Dockerfiles call their base by. */
export const BASE = "docker.io/library/debian:bookworm-slim";

const NEEDED = ["podman", "buildah", "runc", "conmon", "tar", "ldd"];

/** Why images cannot be built and run here; false: they can. */
export function noImages(...more: readonly string[]): string | false {
  return isRoot ? skipReason({ probe: "", launch: "" }, ...NEEDED, ...more) : "needs root";
}

export interface Engine {
  /** any program, with nothing of this user's settings */
  run(words: readonly string[], options?: RunOptions): Promise<Outcome>;
  podman(...words: string[]): Promise<Outcome>;
  /** `buildah bud` in the folder `context`; nothing is pulled */
  build(context: string, ...words: string[]): Promise<Outcome>;
  /** makes the base image; throws where that fails */
  importBase(): Promise<void>;
}

/** @param folder where images and containers are kept; for the caller to remove */
export function createEngine(folder: string): Engine {
  const storage = ["--root", `${folder}/storage`, "--runroot", `${folder}/run`, "--storage-driver", "vfs"];
  const settings = ["--runtime", "runc", "--cgroup-manager", "cgroupfs", "--events-backend", "none"];
  const run: Engine["run"] = (words, options = {}) =>
    runProcess(words, { ...options, env: { TMPDIR: tmpdir(), HOME: folder, ...options.env } });
  const podman: Engine["podman"] = (...words) => run(["podman", ...storage, ...settings, ...words]);
  return {
    run,
    podman,
    build: (cwd, ...words) => {
      const fixed = ["bud", "--isolation", "chroot", "--pull=never"];
      return run(["buildah", ...storage, ...fixed, ...words, "."], { cwd });
    },
    importBase: async () => {
      const { status, stderr } = await podman("import", baseArchive(folder), BASE);
      if (status !== 0) throw new Error(stderr);
    },
  };
}

const PROGRAMS = ["sh", "cat", "id", "sleep", "touch"];

/** A base image of this machine's own files; kept for the next run. */
function baseArchive(folder: string): string {
  const programs = PROGRAMS.map((name) => onPath(name) ?? "");
  const archive = `${cacheFolder("base", ...programs)}/base.tar`;
  if (existsSync(archive)) return archive;
  const tree = `${folder}/base`;
  for (const name of ["usr/bin", "usr/local/bin", "etc", "proc", "dev", "sys", "tmp", "run"]) {
    mkdirSync(`${tree}/${name}`, { recursive: true });
  }
  const put = (from: string, to: string): void => {
    mkdirSync(dirname(tree + to), { recursive: true });
    copyFileSync(from, tree + to);
    chmodSync(tree + to, 0o755);
  };
  for (const [index, file] of programs.entries()) put(file, `/usr/bin/${PROGRAMS[index]}`);
  put(programs[0] ?? "", "/bin/sh");
  for (const file of [...programs, BINARY]) {
    const text = execFileSync("ldd", [file], { encoding: "utf8" });
    for (const [, library = ""] of text.matchAll(/(?:=> |^\s+)(\/\S+) \(0x/gm)) put(library, library);
  }
  execFileSync("tar", ["-C", tree, "--owner=0", "--group=0", "-cf", `${folder}/base.tar`, "."]);
  copyFileSync(`${folder}/base.tar`, `${archive}.${process.pid}`);
  renameSync(`${archive}.${process.pid}`, archive);
  return archive;
}

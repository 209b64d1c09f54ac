/** The C programs of test/probe/, built once and kept for the next run, and the reasons to skip without them. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { tmpdir } from "node:os";
import { ROOT, onPath } from "../harness.ts";
import type { Artefact } from "../harness.ts";

export interface Programs {
  /** prints all that it sees of itself */
  readonly probe: string;
  /** gives itself a state and becomes another program */
  readonly launch: string;
  /** stays, and writes down each signal that it is sent */
  readonly recorder: string;
  /** leaves orphans behind */
  readonly orphans: string;
  /** runs a program on a new terminal */
  readonly terminal: string;
  /** writes down what happens to it on a terminal */
  readonly witness: string;
}

/** A folder of this content, in the temporary folder of the system, that every user may enter. */
export function cacheFolder(name: string, ...inputs: readonly (string | Uint8Array)[]): string {
  const hash = createHash("sha256");
  for (const input of inputs) hash.update(input).update("\0");
  const folder = `${tmpdir()}/sealexec-test-${name}-${hash.digest("hex").slice(0, 16)}`;
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  return folder;
}

const SOURCES = ["probe", "launch", "recorder", "orphans", "terminal", "witness"] as const;

/** Statically linked: they are to run in a root that has nothing. Undefined where there is no C compiler. */
export function buildPrograms(): Programs | undefined {
  const compiler = onPath("cc") ?? onPath("gcc");
  if (compiler === undefined || process.platform !== "linux") return undefined;
  const sources = SOURCES.map((name) => `${ROOT}test/probe/${name}.c`);
  const folder = cacheFolder("probe", ...sources.map((file) => readFileSync(file)));
  for (const [index, name] of SOURCES.entries()) {
    const file = `${folder}/${name}`;
    if (existsSync(file)) continue;
    // Two test files may build at once: each its own, and the last rename wins.
    const mine = `${file}.${process.pid}`;
    execFileSync(compiler, ["-static", "-O1", "-o", mine, sources[index] ?? ""]);
    renameSync(mine, file);
  }
  return Object.fromEntries(SOURCES.map((name) => [name, `${folder}/${name}`])) as Record<
    (typeof SOURCES)[number],
    string
  >;
}

export const isRoot = process.getuid?.() === 0;

/** Why the tests of this folder cannot run here; false: they can. */
export function skipReason(programs: object | undefined, ...needed: readonly string[]): string | false {
  if (process.platform !== "linux") return "needs Linux";
  if (programs === undefined) return "needs a C compiler";
  const missing = needed.filter((name) => onPath(name) === undefined);
  return missing.length === 0 ? false : `needs ${missing.join(", ")}`;
}

/** Words that make what follows PID 1 of its own namespace. */
export const firstInNamespace = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"];

/** Words that make what follows uid 1000. */
export const asUser = ["setpriv", "--reuid", "1000", "--regid", "1000", "--clear-groups"];

/** Whether uid 1000 may execute and read every file of the artefact, where this checkout is. */
export function canUserRun({ command }: Artefact): boolean {
  try {
    return command.every((file) => {
      execFileSync(asUser[0] ?? "", [...asUser.slice(1), "test", "-r", file], { stdio: "ignore" });
      return true;
    });
  } catch {
    return false;
  }
}

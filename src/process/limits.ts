/** Resource limits, as /proc tells them: setrlimit(2), proc(5). */
import { readFileSync } from "node:fs";
import { SealexecError } from "../base/errors.ts";
import { ALWAYS_BYTES, MOST_BYTES } from "../base/start-size.ts";

/** A resource limit; Infinity for "unlimited". */
export interface Limit {
  readonly soft: number;
  readonly hard: number;
}

/** As it is, and as it was before the runtime raised its soft half, if that can be told. */
export interface FileLimit {
  readonly now: Limit | undefined;
  readonly inherited: Limit | undefined;
}

// Both runtimes raise the soft limit to the hard one at their start. Before, it was the parent's, unless
// somebody changed limits in between: then the hard limit is no longer the parent's.
export function fileLimit(ppid: number): FileLimit {
  const now = readLimit("self", FILES);
  const parents = readLimit(String(ppid), FILES);
  return { now, inherited: now !== undefined && now.hard === parents?.hard ? parents : undefined };
}

const FILES = "Max open files";

/** The limit that CMD gets: the one asked for, or the inherited one. Undefined: nothing is changed. */
export function chooseFileLimit(
  { now, inherited }: FileLimit,
  asked: number | undefined,
  canSet: boolean,
): Limit | undefined {
  if (asked === undefined) return inherited;
  if (!canSet || now === undefined) {
    const hint = "it takes the sealexec binary on Linux, and /proc";
    throw new SealexecError("config", "--nofile (SEALEXEC_NOFILE) cannot be set here", { hint });
  }
  if (asked <= now.hard) return { soft: asked, hard: now.hard };
  throw new SealexecError("usage", `--nofile (SEALEXEC_NOFILE) is more than the hard limit of ${now.hard}`, {
    hint: "raise the hard limit where the container is started",
  });
}

/** The number of --nofile or SEALEXEC_NOFILE; undefined: not given. */
export function parseFileLimit(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (text === "unlimited") return Infinity;
  if (/^[1-9]\d{0,9}$/.test(text)) return Number(text);
  throw new SealexecError("usage", "--nofile (SEALEXEC_NOFILE) is neither a number of files nor unlimited");
}

/** Of arguments and environment, bytes. execve(2): a quarter of the stack's soft limit, in bounds. */
export function argumentLimit(): number {
  const stack = readLimit("self", "Max stack size")?.soft ?? 8 * 1024 * 1024;
  return Math.max(ALWAYS_BYTES, Math.min(MOST_BYTES, stack / 4));
}

function readLimit(process: string, name: string): Limit | undefined {
  try {
    const text = readFileSync(`/proc/${process}/limits`, "latin1");
    const found = new RegExp(`^${name} +(\\S+) +(\\S+)`, "m").exec(text);
    const [soft, hard] =
      found?.slice(1).map((word) => (word === "unlimited" ? Infinity : Number(word))) ?? [];
    return soft === undefined || hard === undefined || Number.isNaN(soft) ? undefined : { soft, hard };
  } catch {
    return undefined;
  }
}

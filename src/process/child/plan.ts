/**
 * What is said over a socket pair. Pure. The plan goes to the process that is to become CMD; back comes that
 * CMD is executed now, or why not. The kernel closes it at exec. Who ends without a word was never CMD.
 */
import { SealexecError } from "../../base/errors.ts";
import { VERSION } from "../../base/version.ts";
import type { Program } from "../replace.ts";

export interface Plan extends Program {
  /** file descriptors above 2 that CMD gets */
  readonly fds: readonly number[];
  /** file descriptor of the working directory; null: it is as it was started in */
  readonly folder: number | null;
  /** the flags (open(2)) that standard input, output and error are to have */
  readonly streamFlags: readonly number[];
  /** numbers of the signals that were ignored when sealexec was started */
  readonly ignored: readonly number[];
  /** the process that watches */
  readonly parent: number;
  /** whether CMD leads a process group of its own, where it can be given one */
  readonly ownGroup: boolean;
}

const END = Buffer.of(0);
/** The last word before the kernel is asked to execute CMD. */
export const EXECUTING = "executing\n";
/** Of the failure that no second attempt can mend. */
export const OTHER_VERSION = "other-version";

/** A line of JSON, then arguments and environment byte for byte, each ended by a NUL, as execve(2) takes them. */
export function printPlan({ args, env, fileLimit, ...rest }: Plan): Buffer {
  // JSON has no Infinity.
  const limit = fileLimit && [fileLimit.soft, fileLimit.hard].map(String);
  const head = JSON.stringify({ ...rest, limit, version: VERSION, argc: args.length, envc: env.length });
  return Buffer.concat([Buffer.from(`${head}\n`), ...[...args, ...env].flatMap((bytes) => [bytes, END])]);
}

type Head = Omit<Plan, "args" | "env" | "fileLimit"> & {
  readonly limit?: readonly string[];
  readonly version: string;
  readonly argc: number;
  readonly envc: number;
};

/** @throws where it is not whole, as its writer has gone; "cannot-execute" where another version wrote it, before an upgrade */
export function parsePlan(bytes: Buffer): Plan {
  const headEnd = Math.max(bytes.indexOf("\n"), 0);
  const { version, argc, envc, limit, ...rest } = JSON.parse(bytes.toString("utf8", 0, headEnd)) as Head;
  if (version !== VERSION) {
    const message = `command: sealexec ${VERSION} is now where the ${version} that watches was started from`;
    const details = { code: OTHER_VERSION, hint: "start sealexec again", located: true };
    throw new SealexecError("cannot-execute", message, details);
  }
  const strings: Buffer[] = [];
  for (let start = headEnd + 1, end; (end = bytes.indexOf(END, start)) !== -1; start = end + 1)
    strings.push(bytes.subarray(start, end));
  if (strings.length !== argc + envc) throw new Error("not the whole plan");
  const [soft = 0, hard = 0] = limit?.map(Number) ?? [];
  const fileLimit = limit && { soft, hard };
  return { ...rest, fileLimit, args: strings.slice(0, argc), env: strings.slice(argc) };
}

/** "cannot-execute", as one line. */
export function printRefusal({ code, message, hint }: SealexecError): string {
  return `${JSON.stringify({ code, message, hint })}\n`;
}

/** @returns of all that was said, to its end: that it was executed, why not, or nothing where its writer was killed */
export function parseOutcome(text: string): "executed" | "silent" | SealexecError {
  if (text === EXECUTING) return "executed";
  try {
    const said = JSON.parse(text.replace(EXECUTING, "")) as { message: string; code: string; hint?: string };
    const { message, ...details } = said;
    return new SealexecError("cannot-execute", message, { ...details, stage: "command", located: true });
  } catch {
    return "silent";
  }
}

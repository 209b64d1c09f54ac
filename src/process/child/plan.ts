/**
 * What the process that is to become CMD is told by the one that watches: a line of JSON, then the arguments and the
 * environment byte for byte, each ended by a NUL, as execve(2) takes them. Pure.
 */
import { SealexecError } from "../../base/errors.ts";
import type { Limit } from "../limits.ts";
import { VERSION } from "../../base/version.ts";
import { OTHER_VERSION } from "./outcome.ts";
import type { StreamStates } from "./streams.ts";

export interface Plan {
  readonly file: string;
  /** argv, the name of the program first */
  readonly args: readonly Buffer[];
  /** `NAME=value` each */
  readonly env: readonly Buffer[];
  /** of open files; undefined: as it is */
  readonly fileLimit: Limit | undefined;
  /** file descriptors above 2 that CMD gets */
  readonly fds: readonly number[];
  /** those that are there only because a list of them has no holes */
  readonly fillers: readonly number[];
  /** file descriptor of the working directory; null: it is as it was started in */
  readonly folder: number | null;
  /** standard input, output and error as they are to be */
  readonly streams: StreamStates;
  /** numbers of the signals that were ignored when sealexec was started */
  readonly ignored: readonly number[];
  /** the process that watches */
  readonly parent: number;
  /** the foreground process group, whose terminal is to be taken over; null: none is */
  readonly foreground: number | null;
}

/** JSON has no Infinity. */
const UNLIMITED = "unlimited";

export function printPlan(plan: Plan): Buffer {
  const { args, env, fileLimit, ...rest } = plan;
  const limits = fileLimit === undefined ? null : [fileLimit.soft, fileLimit.hard].map(printLimit);
  const head = JSON.stringify({ version: VERSION, ...rest, limits, argc: args.length, envc: env.length });
  const strings = [...args, ...env].flatMap((bytes) => [bytes, Buffer.of(0)]);
  return Buffer.concat([Buffer.from(`${head}\n`), ...strings]);
}

interface Head extends Omit<Plan, "args" | "env" | "fileLimit"> {
  readonly version: string;
  readonly limits: readonly [Printed, Printed] | null;
  readonly argc: number;
  readonly envc: number;
}

/**
 * @throws "cannot-execute" where another version of sealexec has written it: the npm package was upgraded meanwhile
 * @throws where it is not whole: whoever was to write it has gone
 */
export function parsePlan(bytes: Buffer): Plan {
  const lineEnd = bytes.indexOf(0x0a);
  if (lineEnd === -1) throw new Error("no plan");
  const { version, limits, argc, envc, ...rest } = JSON.parse(bytes.toString("utf8", 0, lineEnd)) as Head;
  if (version !== VERSION) throw otherVersion(version);
  const strings = split(bytes.subarray(lineEnd + 1));
  if (strings.length !== argc + envc) throw new Error("not the whole plan");
  const [soft, hard] = (limits ?? []).map(parseLimit);
  return {
    ...rest,
    args: strings.slice(0, argc),
    env: strings.slice(argc),
    fileLimit: soft === undefined || hard === undefined ? undefined : { soft, hard },
  };
}

function otherVersion(version: string): SealexecError {
  return new SealexecError(
    "cannot-execute",
    `command: sealexec ${VERSION} is now where the ${version} that watches was started from`,
    { code: OTHER_VERSION, hint: "start sealexec again", located: true },
  );
}

function split(bytes: Buffer): Buffer[] {
  const strings: Buffer[] = [];
  let start = 0;
  for (let end = bytes.indexOf(0); end !== -1; end = bytes.indexOf(0, start)) {
    strings.push(bytes.subarray(start, end));
    start = end + 1;
  }
  if (start !== bytes.length) throw new Error("not the whole plan");
  return strings;
}

type Printed = number | typeof UNLIMITED;

function printLimit(limit: number): Printed {
  return limit === Infinity ? UNLIMITED : limit;
}

function parseLimit(printed: Printed): number {
  return printed === UNLIMITED ? Infinity : printed;
}

/**
 * Standard input, output and error as sealexec was given them: the runtime gives a child /dev/null where one was closed, and takes
 * O_NONBLOCK away from those that it hands on.
 */
import { readFileSync } from "node:fs";

export interface StreamStates {
  readonly closed: readonly number[];
  readonly nonblocking: readonly number[];
}

// proc(5), open(2): the same numbers on x86-64 and arm64.
const [O_NONBLOCK, O_CLOEXEC] = [0o4000, 0o2000000];

/** To be asked before the first child is started. */
export function takeStreamStates(): StreamStates {
  const flags = new Map([0, 1, 2].map((fd) => [fd, flagsOf(fd)]));
  const withFlag = (flag: number): number[] =>
    [...flags].flatMap(([fd, all]) => ((all & flag) === 0 ? [] : [fd]));
  // One that is to be closed at exec cannot have come through one: the runtime has opened it in a closed one's place.
  return { closed: withFlag(O_CLOEXEC), nonblocking: withFlag(O_NONBLOCK) };
}

function flagsOf(fd: number): number {
  try {
    const [, flags = "0"] =
      /^flags:\t([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "latin1")) ?? [];
    return Number.parseInt(flags, 8);
  } catch {
    return 0;
  }
}

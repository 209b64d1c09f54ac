/** Whether there is a shell above that looks after jobs: one that shows what has stopped, and continues it. */
import { readFileSync } from "node:fs";
import type { ChildLibc } from "./libc.ts";

/**
 * credentials(7): a process group is orphaned where no parent of its members is in another group of the same session. What stops
 * in it would never be continued.
 */
export function hasShell(libc: ChildLibc): boolean {
  const [group, session] = [libc.groupOf(0), libc.sessionOf(0)];
  let parent: number | undefined = process.ppid;
  // 0: outside of our PID namespace. Where our session's leader is there too, a shell may be.
  for (; parent !== 0; parent = parentOf(parent)) {
    if (parent === undefined || libc.sessionOf(parent) !== session) return false;
    if (libc.groupOf(parent) !== group) return true;
  }
  return session === 0;
}

function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // proc_pid_stat(5): the name of the program, in brackets, may hold anything.
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return undefined;
  }
}

/**
 * Orphans: as PID 1, sealexec is the parent of every process whose own parent has ended, and is to wait for them
 * (pid_namespaces(7)); otherwise they stay as zombies until the process table is full.
 */
import type { ChildLibc } from "./libc.ts";

/**
 * Waits for all that have ended, except for the one child, for which the runtime waits.
 *
 * @param isOurs whether it is that child
 */
export function reapOrphans(libc: ChildLibc, isOurs: (pid: number) => boolean): void {
  for (let pid = libc.firstEnded(); pid !== undefined; pid = libc.firstEnded()) {
    // It stands before the others until the runtime has waited for it; then this is called again.
    if (isOurs(pid)) return;
    libc.reap(pid);
  }
}

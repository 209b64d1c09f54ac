/** Whether anybody is left in a process group: from /proc, as kill(2) does not tell the living from the dead. */
import { readFileSync, readdirSync } from "node:fs";

/**
 * Whether a process group has a member that is no zombie. A zombie holds no file and no port, and where the PID 1 of a
 * container waits for nobody, it stays for ever.
 *
 * @param group of which at least one member is there
 * @param known those that were seen to live; as long as one of them does, nobody else is looked at. Kept up to date
 */
export function hasLivingMember(group: number, known: Set<string>): boolean {
  for (const name of known) {
    if (isAlive(stateIn(group, name))) return true;
    known.delete(name);
  }
  let hasZombie = false;
  for (const name of processes()) {
    const state = stateIn(group, name);
    if (state === undefined) continue;
    if (isAlive(state)) known.add(name);
    else hasZombie = true;
  }
  if (known.size > 0) return true;
  // Where none is to be seen (hidepid, another namespace's /proc), somebody lives.
  return !hasZombie;
}

function isAlive(state: string | undefined): boolean {
  return state !== undefined && state !== "Z" && state !== "X";
}

function processes(): string[] {
  try {
    return readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
}

/** proc(5): `PID (NAME) STATE PARENT GROUP …`; the name may hold anything. undefined: not a member */
function stateIn(group: number, process: string): string | undefined {
  try {
    const stat = readFileSync(`/proc/${process}/stat`, "latin1");
    const [state, , of] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return Number(of) === group ? state : undefined;
  } catch {
    // It has ended meanwhile.
    return undefined;
  }
}

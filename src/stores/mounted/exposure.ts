/** Who else can read what is mounted. */
import { realpathSync, statSync, statfsSync } from "node:fs";
import { dirname } from "node:path";
import type { Context } from "../../base/context.ts";

const OTHERS_READ = 0o004;
const OTHERS_ENTER = 0o001;

/** Here a mode for everybody is normal; on a disk, that is every user and service. statfs(2), f_type. */
const CONTAINERS_OWN: ReadonlySet<number> = new Set([
  0x01021994, // TMPFS_MAGIC: Swarm mounts secrets 0444, Kubernetes 0644
  0x858458f6, // RAMFS_MAGIC: systemd's credentials
  0x794c7630, // OVERLAYFS_SUPER_MAGIC: "everybody" is the one container
]);

/** Where container engines mount. Podman mounts secrets 0444 too, but from its storage, which is a disk. */
const ENGINES_OWN = "/run/secrets";

export interface Exposed {
  /** of a folder, the variable that the file is */
  readonly name?: string;
  readonly mode: number;
}

/** Warns if everybody on the machine can read the file, or files of the folder. Its owner may want it so. */
export function warnOfReaders(uri: string, path: string, files: readonly Exposed[], context: Context): void {
  const open = files.filter(({ mode }) => (mode & OTHERS_READ) !== 0);
  if (open.length === 0 || !isWithinReach(path)) return;
  const names = open.flatMap(({ name }) => (name === undefined ? [] : [name]));
  const shown = names.length > 3 ? [...names.slice(0, 2), `${names.length - 2} more`] : names;
  const [which, mode] = shown.length === 0 ? ["", "o-r"] : [` (${shown.join(", ")})`, "o-rx"];
  const message = `${uri} is readable by every user of this machine${which}`;
  context.log.warn(message, `chmod ${mode} ${path}`, { code: "readable-by-all", target: uri });
}

/** Whether other users come so far: it is no container's own, and every folder above lets them through. */
function isWithinReach(path: string): boolean {
  try {
    if (CONTAINERS_OWN.has(statfsSync(path).type)) return false;
    const real = realpathSync(path);
    if (`${real}/`.startsWith(`${ENGINES_OWN}/`)) return false;
    if (statSync(real).isDirectory() && !lets(real)) return false;
    for (let folder = dirname(real); ; folder = dirname(folder)) {
      if (!lets(folder)) return false;
      if (folder === dirname(folder)) return true;
    }
  } catch {
    return false; // It has gone, or cannot be looked at: nothing is known to warn of.
  }
}

function lets(folder: string): boolean {
  return (statSync(folder).mode & OTHERS_ENTER) !== 0;
}

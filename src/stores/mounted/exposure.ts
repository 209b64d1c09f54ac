/** Who else can read what is mounted. */
import { realpathSync, statSync, statfsSync } from "node:fs";
import { dirname } from "node:path";
import type { Context } from "../../base/context.ts";

const OTHERS_READ = 0o004;
const OTHERS_ENTER = 0o001;

/**
 * File systems on which a mode that lets everybody read is normal: Swarm mounts secrets 0444 and Kubernetes 0644, on a
 * tmpfs of the container's own; systemd's credentials lie on a ramfs; on an overlay, "everybody" is the one container.
 * On a disk, everybody is every user and every service of the machine. Source: statfs(2), f_type.
 */
const CONTAINERS_OWN: ReadonlySet<number> = new Set([
  0x01021994, // TMPFS_MAGIC
  0x858458f6, // RAMFS_MAGIC
  0x794c7630, // OVERLAYFS_SUPER_MAGIC
]);

/** Where container engines mount. Podman mounts secrets 0444 too, but from its storage, which is a disk. */
const ENGINES_OWN = "/run/secrets";

export interface Exposed {
  /** of a folder, the variable that the file is */
  readonly name?: string;
  readonly mode: number;
}

/** Warns if everybody on the machine can read the file, or files of the folder. It may be what the machine's owner decided. */
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
    // It has gone, or cannot be looked at: nothing to warn of that could be known.
    return false;
  }
}

function lets(folder: string): boolean {
  return (statSync(folder).mode & OTHERS_ENTER) !== 0;
}

/** `sealexec keygen`: a key for sealed files where there is no KMS. */
import { lstatSync } from "node:fs";
import { SealexecError } from "../errors.ts";
import { makeLocalKey } from "../local-key.ts";
import { LOCAL } from "../key-name.ts";
import type { World } from "../world.ts";
import { writePrivateFile } from "../private-file.ts";

/** Writes a fresh local key of mode 0600. Never over a file that is there: what it has sealed would be lost. */
export async function makeKeyFile(file: string, world: World): Promise<void> {
  if (lstatSync(file, { throwIfNoEntry: false }) !== undefined) {
    throw new SealexecError("usage", `${file}: is there already`, {
      hint: "name another file: what a key has sealed opens with that key alone",
    });
  }
  writePrivateFile(file, Buffer.from(makeLocalKey()), "nothing");
  await world.writeOutput(`key       ${LOCAL}${file}\n`);
}

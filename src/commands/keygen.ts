/** `sealexec keygen`: a key for sealed files where there is no KMS. */
import { makeLocalKey } from "../keys/local-key.ts";
import { LOCAL } from "../keys/key.ts";
import type { World } from "./world.ts";
import { refuseExisting, writePrivateFile } from "../base/files/write.ts";

/** Never over a file that is there: what it has sealed would be lost. */
export async function makeKeyFile(file: string, world: World): Promise<void> {
  refuseExisting(file, "name another file: what a key has sealed opens with that key alone");
  writePrivateFile(file, Buffer.from(makeLocalKey()), "nothing");
  await world.writeOutput(`key       ${LOCAL}${file}\n`);
}

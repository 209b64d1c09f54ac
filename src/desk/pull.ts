/** `sealexec pull`: open a sealed .env and give it to its owner, on stdout or in a file of mode 0600. */
import { AwsSession } from "../aws/session.ts";
import type { Context } from "../context.ts";
import { parseOpenPolicy } from "../options.ts";
import type { OpenFlags } from "../options.ts";
import { openSealed } from "../sealed/open.ts";
import { parseS3Uri } from "../stores/s3/ref.ts";
import type { World } from "../world.ts";
import { refuseExisting, writePrivateFile } from "./private-file.ts";

export interface PullFlags extends OpenFlags {
  readonly output?: string;
  readonly force?: boolean;
}

export async function pullFile(uri: string, flags: PullFlags, world: World, context: Context): Promise<void> {
  const ref = parseS3Uri(uri);
  const policy = parseOpenPolicy(flags, context.env);
  const replace = flags.force ?? false;
  if (flags.output !== undefined && !replace) refuseExisting(flags.output);
  const session = new AwsSession(context, policy.key);
  await session.begin([ref]);
  const { plaintext } = await openSealed(ref, policy, session, context);
  if (flags.output === undefined) await world.writeOutput(plaintext);
  else writePrivateFile(flags.output, plaintext, replace);
}

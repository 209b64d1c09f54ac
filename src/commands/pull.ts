/** `sealexec pull`: open a sealed .env and give it to its owner, on stdout or in a file of mode 0600. */
import { step, type Context } from "../base/context.ts";
import { checkLagOption, givenCredentials, parseOpenPolicy, type OpenFlags } from "./open-options.ts";
import { printDotenv } from "../text/dotenv/print.ts";
import { readSource, type PlainContent } from "../sources/read.ts";
import { parseSource } from "../stores/registry.ts";
import { RunTools } from "../sources/tools.ts";
import type { World } from "./world.ts";
import { refuseExisting, refuseForeign, writePrivateFile } from "../base/files/write.ts";

export interface PullFlags extends OpenFlags {
  readonly output?: string;
  readonly force?: boolean;
}

export async function pullFile(uri: string, flags: PullFlags, world: World, context: Context): Promise<void> {
  const source = await parseSource(uri);
  const policy = parseOpenPolicy(flags, context.env);
  checkLagOption(policy, [source]);
  const replace = flags.force ?? false;
  if (flags.output !== undefined) {
    if (replace) refuseForeign(flags.output);
    else refuseExisting(flags.output);
  }
  const tools = new RunTools(context, policy.key, givenCredentials(flags, context.env));
  await tools.begin([source]);
  const content = await readSource(source, policy, tools);
  const text = await textOf(content, uri, context);
  if (flags.output === undefined) await world.writeOutput(text);
  else writePrivateFile(flags.output, text, replace ? "ours" : "nothing");
}

async function textOf(content: PlainContent, uri: string, context: Context): Promise<Uint8Array> {
  switch (content.kind) {
    case "text":
      return content.bytes;
    case "unverified":
      return step(context, "decrypt", uri, content.open);
    case "variables":
      return Buffer.from(printDotenv(content.variables));
  }
}

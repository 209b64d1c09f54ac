/** From the command line of `run` to its code, which is loaded here. */
import type { ProcessImage } from "../exec/image.ts";
import { parseFileLimit } from "../exec/limits.ts";
import type { World } from "../world.ts";
import { createContext } from "./context.ts";
import type { CommonFlags } from "./context.ts";

export type RunCliFlags = CommonFlags & import("../run/options.ts").RunFlags;

/** @param words CMD and its arguments */
export async function startRun(words: readonly string[], flags: RunCliFlags, world: World): Promise<void> {
  world.trace?.mark("command line");
  const context = createContext(world, flags);
  world.leaveStreams();
  const { run } = await import("../run/run.ts");
  const { parseEnvironmentPolicy, parseSourceOptions } = await import("../run/options.ts");
  const { underneath } = await import("../run/environment.ts");
  const policy = parseEnvironmentPolicy(flags);
  const options = {
    ...(await parseSourceOptions(flags, world.env)),
    policy,
    ...(flags.explain === true ? { explain: underneath(world.image, policy) } : {}),
    softFileLimit: parseFileLimit(flags.nofile ?? world.env["SEALEXEC_NOFILE"]),
    command: words[0] ?? "",
    args: rawArguments(words, world.image),
  };
  world.trace?.mark("code of run");
  await run(options, world, context);
}

/** The last arguments as the kernel has them: a string would lose bytes that are not UTF-8. */
function rawArguments(words: readonly string[], image: ProcessImage): Buffer[] {
  const raw = image.arguments?.slice(-words.length);
  const same =
    raw?.length === words.length && raw.every((bytes, index) => bytes.toString("utf8") === words[index]);
  return same ? raw : words.map((word) => Buffer.from(word));
}

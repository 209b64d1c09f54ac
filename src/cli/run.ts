/** From the command line of `run` to its code, which is loaded here. */
import type { ProcessImage } from "../process/image.ts";
import { parseFileLimit } from "../process/limits.ts";
import type { CheckedStart } from "../commands/check.ts";
import type { World } from "../commands/world.ts";
import { createContext } from "./context.ts";
import { mentionsWatching, type RunCliFlags } from "./run-line.ts";

/** @returns with --watch, the exit status when CMD has ended; otherwise never */
export async function startRun(words: readonly string[], flags: RunCliFlags, world: World): Promise<number> {
  world.trace?.mark("command line");
  const context = await createContext(world, flags);
  world.leaveStreams();
  const { run } = await import("../commands/run.ts");
  const { options, how } = await readStart("run", words, flags, world);
  world.trace?.mark("code of run");
  if (how === undefined) return run(options, world, context);
  // Before execa, which an older Node cannot even load.
  (await import("../process/replace.ts")).refuseWithoutExec(world);
  const { watch } = await import("../watch/watch.ts");
  return watch(options, how, world, context);
}

/** @param words CMD and its arguments; none where there is no CMD to check */
export async function readStart(
  verb: "run" | "check",
  words: readonly string[],
  flags: RunCliFlags,
  world: World,
): Promise<Pick<CheckedStart, "options" | "how">> {
  const { parseEnvironmentPolicy, parseFallback, parseSourceOptions, refuseSource } =
    await import("../commands/run-options.ts");
  const { handsOn, underneath } = await import("../process/environment.ts");
  refuseSource(words[0] ?? "", verb);
  const policy = parseEnvironmentPolicy(flags, world.env);
  const sourceOptions = await parseSourceOptions(flags, world.env);
  const options = {
    ...sourceOptions,
    policy,
    handsOn: (name: string) => handsOn(policy, name),
    ...(flags.explain === true ? { explain: underneath(world.image, policy) } : {}),
    fallback: parseFallback(flags, world.env, sourceOptions.sources),
    softFileLimit: parseFileLimit(flags.nofile ?? world.env["SEALEXEC_NOFILE"]),
    command: words[0] ?? "",
    args: rawArguments(words, world.image),
  };
  if (!mentionsWatching(flags, world.env)) return { options, how: undefined };
  const { parseWatchOptions } = await import("../commands/watch-options.ts");
  return { options, how: parseWatchOptions(flags, world.env) };
}

/** The last arguments as the kernel has them: a string would lose bytes that are not UTF-8. */
function rawArguments(words: readonly string[], image: ProcessImage): Buffer[] {
  const raw = words.length === 0 ? [] : image.arguments?.slice(-words.length);
  const same =
    raw?.length === words.length && raw.every((bytes, index) => bytes.toString("utf8") === words[index]);
  return same ? raw : words.map((word) => Buffer.from(word));
}

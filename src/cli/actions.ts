/** What each command does once its line is read. A command's code is loaded when it is called. */
import type { Context } from "../base/context.ts";
import type { World } from "../commands/world.ts";
import { createContext, type CommonFlags } from "./context.ts";
import { readStart, startRun } from "./run.ts";
import type { RunCliFlags } from "./run-line.ts";
import type { CommandName } from "./table.ts";

/** @returns the exit status */
export type Action<Flags> = (words: readonly string[], flags: Flags, world: World) => Promise<number>;

interface FlagsOf {
  readonly run: RunCliFlags;
  readonly push: CommonFlags & import("../commands/push-options.ts").PushFlags;
  readonly pull: CommonFlags & import("../commands/pull.ts").PullFlags;
  readonly check: RunCliFlags & import("../commands/check.ts").CheckFlags;
  readonly keygen: CommonFlags;
  readonly completion: object;
}

export type Actions = { readonly [Name in CommandName]: Action<FlagsOf[Name]> };

export const ACTIONS: Actions = {
  run: startRun,

  push([file = "", uri = ""], flags, world) {
    return within(flags.json === true ? { ...flags, log: "json" } : flags, world, async (context) => {
      const { pushFile } = await import("../commands/push.ts");
      await pushFile(file, uri, flags, world, context);
    });
  },

  pull([uri = ""], flags, world) {
    return within(flags, world, async (context) => {
      const { pullFile } = await import("../commands/pull.ts");
      await pullFile(uri, flags, world, context);
    });
  },

  async check(words, flags, world) {
    const { checkStart, Heard } = await import("../commands/check.ts");
    const heard = new Heard();
    const inJson = flags.format === "json" ? { ...flags, log: "json" } : flags;
    const context = await createContext(world, inJson, heard);
    const start = { ...(await readStart("check", words, flags, world)), command: words[0] };
    return checkStart(start, flags, world, context, heard);
  },

  keygen([file = ""], flags, world) {
    return within(flags, world, async () => {
      const { makeKeyFile } = await import("../commands/keygen.ts");
      await makeKeyFile(file, world);
    });
  },

  async completion([shell = ""], _flags, world) {
    const { completionScript } = await import("./completion/script.ts");
    await world.writeOutput(completionScript(shell));
    return 0;
  },
};

/** Within a context, whose deadline is over when the work is. */
async function within(
  flags: CommonFlags,
  world: World,
  work: (context: Context) => Promise<void>,
): Promise<number> {
  const context = await createContext(world, flags);
  await work(context);
  context.deadline.clear();
  return 0;
}

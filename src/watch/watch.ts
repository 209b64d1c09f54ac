/**
 * `run --watch`: as `run`, but CMD is a child, and we look at the sources again and again. A change is opened
 * and verified whole before CMD is touched; whatever goes wrong on the way, CMD goes on as it is.
 */
import { createHmac, randomBytes } from "node:crypto";
import { Supervised } from "../process/child/supervised.ts";
import type { Context } from "../base/context.ts";
import { Deadline } from "../base/deadline.ts";
import { SealexecError, exitStatus } from "../base/errors.ts";
import { eventLoopTurn } from "../base/event-loop.ts";
import type { Host, Program } from "../process/replace.ts";
import type { Fallback } from "../sources/fallback/fallback.ts";
import { sayingOnce } from "../base/logger.ts";
import { findCommand, withVariables, type Command } from "../process/command.ts";
import type { RunOptions } from "../sources/options.ts";
import { openFallback, openKeeping } from "../sources/fallback/keeping.ts";
import { openSources, toolsFor, type Opened } from "../sources/sources.ts";
import type { RunTools } from "../sources/tools.ts";
import { Alarm, type Range } from "./alarm.ts";
import { EnvOut } from "./env-out.ts";
import { Lookout, type Changes } from "./lookout.ts";
import { memoryGiver } from "./memory.ts";
import type { WatchOptions } from "./how.ts";
import { Backoff, waitBeforeAttempt } from "./schedule.ts";
import { Trouble, toKnown } from "./trouble.ts";

/**
 * @returns the exit status: CMD's own, 128 + n if signal n ended it, or that of "changed"
 * @throws as `run` does, before CMD runs; never after that
 */
export async function watch(
  options: RunOptions,
  how: WatchOptions,
  host: Host,
  context: Context,
): Promise<number> {
  // In a function of its own, so that nothing that was opened outlives the start of CMD.
  const watcher = await startFirst(options, how, host, context);
  return watcher.untilEnd();
}

async function startFirst(
  options: RunOptions,
  how: WatchOptions,
  host: Host,
  context: Context,
): Promise<Watcher> {
  const envOut = how.envOut === undefined ? undefined : new EnvOut(how.envOut, context.log);
  checkFileLimit(host);
  const command = findCommand(options, host, context);
  const tools = toolsFor(options, { ...context, log: sayingOnce(context.log) });
  const fallback = await openFallback(options, host, context);
  const opened = await openKeeping(fallback, options, tools);
  const program = withVariables(command, opened.variables, options, host);
  const watcher = new Watcher(options, how, host, context, fallback, envOut);
  context.deadline.clear();
  tools.close();
  watcher.start(program, opened, tools);
  return watcher;
}

// A hard limit of open files with which a child can be started, some that CMD inherits included. Measured
// without any: 254 on Bun, which moves the files that a child is to get above 252, and 32 on Node.
const LEAST_FILES = { bun: 256, node: 128 };

function checkFileLimit({ image, libc }: Host): void {
  const { hard = Infinity } = image.fileLimit.now ?? {};
  const needed = libc === undefined ? LEAST_FILES.node : LEAST_FILES.bun;
  if (hard >= needed) return;
  const what = `--watch: the hard limit of open files is ${hard}, and it takes ${needed} or more`;
  const hint =
    "raise it where the container is started (docker run --ulimit nofile=1024); CMD can have less: --nofile";
  throw new SealexecError("config", what, { hint });
}

class Watcher {
  readonly #options: RunOptions;
  readonly #how: WatchOptions;
  readonly #host: Host;
  readonly #context: Context;
  readonly #lookout: Lookout;
  readonly #sourceTrouble: Trouble;
  readonly #commandTrouble: Trouble;
  readonly #fileTrouble: Trouble;
  readonly #alarm: Alarm;
  readonly #supervised: Supervised;
  readonly #fallback: Fallback | undefined;
  readonly #envOut: EnvOut | undefined;
  readonly #key = randomBytes(32);
  /** of the environment that CMD was given last: the values themselves are not kept */
  #digest = "";

  constructor(
    options: RunOptions,
    how: WatchOptions,
    host: Host,
    context: Context,
    fallback: Fallback | undefined,
    envOut: EnvOut | undefined,
  ) {
    this.#envOut = envOut;
    this.#fallback = fallback;
    this.#options = options;
    this.#how = how;
    this.#host = host;
    this.#context = context;
    this.#lookout = new Lookout(options.sources, fallback?.seen);
    const trouble = (message: string, code: string): Trouble => new Trouble(context.log, { message, code });
    this.#sourceTrouble = trouble("the sources can be read again", "sources-readable-again");
    this.#commandTrouble = trouble("CMD can be executed again", "cmd-executable-again");
    this.#fileTrouble = trouble(`--env-out: ${how.envOut} can be written again`, "env-out-writable-again");
    this.#alarm = new Alarm(how.everyMs, this.#lookout.folders);
    this.#supervised = new Supervised({
      graceMs: how.graceMs,
      env: context.env,
      image: host.image,
      onHangup: () => this.#alarm.ring("all"),
      retryAfter: (error, attempts) => {
        const waitMs = waitBeforeAttempt(attempts);
        const hint = attempts === 1 ? error.hint : undefined;
        context.log.warn(`${error.message}; it is tried again in ${waitMs / 1_000} s`, hint);
        return waitMs;
      },
      restartAfter: how.onExit === "exit" ? () => undefined : restartWith(new Backoff(), context),
    });
  }

  start(program: Program, opened: Opened, tools: RunTools): void {
    this.#remember(program, opened);
    this.#envOut?.write(opened.variables);
    for (const uri of this.#lookout.fixed) this.#context.log.info(`${uri}: never looked at again`);
    this.#supervised.start(program);
    this.#wipe(program);
    void this.#lookAgainAndAgain(tools);
  }

  /** @returns the exit status to end with */
  async untilEnd(): Promise<number> {
    try {
      return await this.#supervised.finished;
    } finally {
      this.#alarm.close();
      this.#envOut?.remove();
    }
  }

  /** Until the process ends. */
  async #lookAgainAndAgain(first: RunTools): Promise<never> {
    // What was opened for the start is out of use after the next turn of the event loop.
    await eventLoopTurn();
    const giveBackMemory = memoryGiver();
    giveBackMemory();
    const { log } = first.context;
    for (let tools = first; ;) {
      const range = await this.#alarm.next();
      const deadline = new Deadline(this.#context.deadline.timeoutMs, this.#context.now);
      tools = tools.renew({ ...this.#context, deadline, log });
      try {
        await this.#round(range, tools);
      } finally {
        deadline.clear();
        tools.close();
      }
      giveBackMemory();
    }
  }

  async #round(range: Range, tools: RunTools): Promise<void> {
    let changes: Changes = new Map();
    try {
      const seen = await this.#lookout.look(range, tools);
      this.#fallback?.confirm(seen.unchanged);
      ({ changes } = seen);
      const taken = changes.size === 0 ? undefined : await this.#open(changes, tools);
      if (seen.failure !== undefined) this.#report(seen.failure, tools);
      else if (taken !== undefined || (changes.size === 0 && range === "all" && !this.#lookout.hasRefused))
        this.#sourceTrouble.over();
      if (taken !== undefined) await this.#take(taken);
    } catch (error) {
      const known = toKnown(error);
      // It will not open before it changes again; what is only out of reach may.
      if (known.kind === "data") this.#lookout.refused(changes);
      this.#report(known, tools);
    }
  }

  #report(error: SealexecError, tools: RunTools): void {
    if (error.kind === "denied") tools.forgetCredentials();
    this.#sourceTrouble.report(error);
  }

  /** @returns what has changed, opened whole; undefined: CMD cannot be given it now, which has been said */
  async #open(changes: Changes, tools: RunTools): Promise<Taken | undefined> {
    const command = this.#commandTrouble.attempt(() => findCommand(this.#options, this.#host, tools.context));
    if (command === undefined) return undefined;
    const opened = await openSources({ ...this.#options, seen: this.#lookout.seen }, tools);
    const program = this.#complete(command, opened, changes);
    const hasChanged = this.#digestOf(program) !== this.#digest;
    if (hasChanged && !this.#writeOut(opened)) return undefined;
    this.#remember(program, opened);
    this.#fallback?.keep(opened.sources);
    return { what: describe(changes, opened), program, hasChanged };
  }

  /** @returns whether CMD can read it in the file of --env-out, if there is one */
  #writeOut({ variables }: Opened): boolean {
    const file = this.#envOut;
    return file === undefined || this.#fileTrouble.attempt(() => file.write(variables)) !== undefined;
  }

  /** Only then CMD is touched. */
  async #take({ what, program, hasChanged }: Taken): Promise<void> {
    if (hasChanged) await this.#act(what, program);
    else this.#context.log.info(`${what}: the variables are the same as before`);
    this.#wipe(program);
  }

  /** @throws as withVariables: what is too large for any program is not opened again before it changes */
  #complete(command: Command, opened: Opened, changes: Changes): Program {
    try {
      return withVariables(command, opened.variables, this.#options, this.#host);
    } catch (error) {
      this.#lookout.refused(changes);
      throw error;
    }
  }

  /** What was made for CMD is CMD's by now; where it may have to be started again, it is kept. */
  #wipe({ env }: Program): void {
    if (this.#how.onExit === "restart") return;
    const inherited = new Set(this.#host.image.environment);
    for (const entry of env) if (!inherited.has(entry)) entry.fill(0);
  }

  async #act(what: string, program: Program): Promise<void> {
    const { onChange } = this.#how;
    const { log } = this.#context;
    switch (onChange.do) {
      case "restart":
        log.notice(`${what}: CMD is restarted`, { code: "cmd-restarted" });
        return this.#supervised.replace(program);
      case "signal":
        log.notice(`${what}: CMD is sent ${onChange.name}`, { code: "cmd-signalled" });
        return this.#supervised.signal(onChange.name, program);
      case "exit":
        log.notice(`${what}: CMD is ended, to be started again with it`, { code: "cmd-ended" });
        return this.#supervised.end(exitStatus("changed"));
    }
  }

  #remember(program: Program, opened: Opened): void {
    this.#lookout.opened(opened.sources);
    this.#digest = this.#digestOf(program);
  }

  // With a key of this process, so that nobody could find a value by its digest.
  #digestOf({ env }: Program): string {
    const digest = createHmac("sha256", this.#key);
    for (const entry of env) digest.update(entry).update("\0");
    return digest.digest("base64");
  }
}

interface Taken {
  /** for people */
  readonly what: string;
  readonly program: Program;
  /** whether CMD's environment is another by it */
  readonly hasChanged: boolean;
}

function restartWith(backoff: Backoff, { log }: Context): (status: number, livedMs: number) => number {
  return (status, livedMs) => {
    const waitMs = backoff.next(livedMs);
    const when = waitMs === 0 ? "" : ` in ${waitMs / 1_000} s`;
    log.notice(`CMD ended with status ${status}: it is started again${when}`, { code: "cmd-started-again" });
    return waitMs;
  };
}

/** For people: `s3://b/app.env (revision 5)`. */
function describe(changes: Changes, { sources }: Opened): string {
  return sources
    .filter(({ uri }) => changes.has(uri))
    .map(({ uri, sealed }) => (sealed?.revision === undefined ? uri : `${uri} (revision ${sealed.revision})`))
    .join(", ")
    .concat(changes.size === 1 ? " has changed" : " have changed");
}

/** The options of `run --watch`, from flags and from the variables that stand for them in a Dockerfile. */
import { constants } from "node:os";
import type { Environment } from "../base/env.ts";
import { parseDuration } from "../base/duration.ts";
import { SealexecError } from "../base/errors.ts";
import type { OnChange, WatchOptions } from "../watch/how.ts";

/** What the flags say; undefined: not given. */
export interface WatchFlags {
  readonly watch?: boolean;
  readonly onChange?: string;
  readonly every?: string;
  readonly grace?: string;
  readonly onExit?: string;
  readonly envOut?: string;
}

const DAY_MS = 86_400_000;

/** Each option and its variable. */
const VARIABLES = {
  onChange: ["--on-change", "SEALEXEC_ON_CHANGE"],
  every: ["--every", "SEALEXEC_EVERY"],
  grace: ["--grace", "SEALEXEC_GRACE"],
  onExit: ["--on-exit", "SEALEXEC_ON_EXIT"],
  envOut: ["--env-out", "SEALEXEC_ENV_OUT"],
} as const;

/** @returns undefined: not to watch */
export function parseWatchOptions(flags: WatchFlags, env: Environment): WatchOptions | undefined {
  if (!isAsked(flags, env)) {
    // A variable may be there for those who watch; a flag is meant for this very start.
    for (const [name, [flag]] of Object.entries(VARIABLES)) {
      if (flags[name as keyof typeof VARIABLES] === undefined) continue;
      throw new SealexecError("usage", `${flag} is for --watch`, {
        hint: "add --watch (SEALEXEC_WATCH=1): without it nobody stays behind to look",
      });
    }
    return undefined;
  }
  const text = (name: keyof typeof VARIABLES): string | undefined => flags[name] ?? env[VARIABLES[name][1]];
  const onChange = parseOnChange(text("onChange") ?? "restart");
  return {
    everyMs: parseDuration("--every (SEALEXEC_EVERY)", text("every") ?? "60s", 100, DAY_MS),
    onChange,
    graceMs: parseDuration("--grace (SEALEXEC_GRACE)", text("grace") ?? "10s", 0, DAY_MS),
    onExit: parseOnExit(text("onExit") ?? "exit"),
    envOut: parseEnvOut(text("envOut"), onChange),
  };
}

function isAsked({ watch }: WatchFlags, env: Environment): boolean {
  if (watch === true) return true;
  const text = env["SEALEXEC_WATCH"] ?? "0";
  if (text === "0") return false;
  if (text === "1") return true;
  throw new SealexecError("usage", "SEALEXEC_WATCH is neither 1 nor 0");
}

function parseOnChange(text: string): OnChange {
  if (text === "restart" || text === "exit") return { do: text };
  const name = text.startsWith("signal:") ? parseSignal(text.slice("signal:".length)) : undefined;
  if (name !== undefined) return { do: "signal", name };
  const what = "--on-change (SEALEXEC_ON_CHANGE) is neither restart, signal:NAME nor exit";
  const hint = "for example signal:HUP: a signal that a program can handle";
  throw new SealexecError("usage", what, { hint });
}

/** `HUP`, `SIGHUP`: a signal for a program. undefined: there is none, or a program cannot handle it. */
export function parseSignal(text: string): NodeJS.Signals | undefined {
  const name = `SIG${text.replace(/^SIG/, "")}`;
  const isUseless = ["SIGKILL", "SIGSTOP", "SIGCHLD", "SIGCONT"].includes(name);
  return Object.hasOwn(constants.signals, name) && !isUseless ? (name as NodeJS.Signals) : undefined;
}

function parseOnExit(text: string): "exit" | "restart" {
  if (text === "exit" || text === "restart") return text;
  throw new SealexecError("usage", "--on-exit (SEALEXEC_ON_EXIT) is neither exit nor restart");
}

function parseEnvOut(path: string | undefined, onChange: OnChange): string | undefined {
  if (path === undefined) return undefined;
  if (onChange.do !== "signal") {
    throw new SealexecError("usage", "--env-out (SEALEXEC_ENV_OUT) is for --on-change signal:NAME", {
      hint: "a program that is started anew has its variables in its environment",
    });
  }
  if (!path.includes("\0") && !path.endsWith("/")) return path;
  throw new SealexecError("usage", "--env-out (SEALEXEC_ENV_OUT) names no file");
}

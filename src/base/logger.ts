import type { Facts, SealexecError } from "./errors.ts";
import { exitStatus } from "./errors.ts";

export type LogFormat = "text" | "json";

/** What a line says beside its message is for `--log json`: see docs/operations.md, "Logs". */
export interface Logger {
  /** shown with -v only */
  info(message: string, facts?: Facts): void;
  warn(message: string, hint?: string, facts?: Facts): void;
  /** what `run --watch` does by itself */
  notice(message: string, facts?: Facts): void;
  /** asked for by --explain */
  explain(message: string): void;
  failure(error: SealexecError): void;
}

/** Without control characters: a stranger's bytes can neither start a line nor drive a terminal. */
export function createLogger(format: LogFormat, verbose: boolean, write: (line: string) => void): Logger {
  const line = (level: string, message: string, hint?: string, facts?: Facts): void => {
    if (format === "json") return write(`${jsonOf(level, message, hint, facts)}\n`);
    write(`sealexec: ${level}: ${printable(message)}\n`);
    if (hint !== undefined) write(`sealexec: hint: ${printable(hint)}\n`);
  };
  return {
    info: (message, facts) => {
      if (verbose) line("info", message, undefined, facts);
    },
    warn: (message, hint, facts) => line("warning", message, hint, facts),
    notice: (message, facts) => line("notice", message, undefined, facts),
    explain: (message) => line("explain", message),
    failure: (error) => {
      const { kind, message, hint, particulars } = error;
      line("error", message, hint, { ...particulars, kind, status: exitStatus(kind) });
    },
  };
}

/** One event as `--log json` writes it. What names no code of its own is called by its level. */
function jsonOf(level: string, message: string, hint: string | undefined, facts: Facts = {}): string {
  const { code = level, stage, target, ...others } = facts;
  const said = { time: new Date().toISOString(), level, code, stage, target, message, hint };
  const clean = (_: string, value: unknown): unknown =>
    typeof value === "string" ? printable(value) : value;
  return JSON.stringify({ ...said, ...others, ...said }, clean);
}

/** `1 variable`, `2 variables`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

// C0, DEL, C1, and the Unicode line and direction controls.
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

export function printable(text: string): string {
  return text.replace(UNPRINTABLE, "?");
}

const MOST_REMEMBERED = 100;

/** The same log, but a warning (a source that all can read, an empty one) is not said again at each look. */
export function sayingOnce(log: Logger): Logger {
  const said = new Set<string>();
  return {
    ...log,
    warn: (message, hint, facts) => {
      if (said.has(message)) return log.info(message, facts);
      if (said.size < MOST_REMEMBERED) said.add(message);
      log.warn(message, hint, facts);
    },
  };
}

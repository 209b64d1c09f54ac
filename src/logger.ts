import type { SealexecError } from "./errors.ts";
import { exitStatus } from "./errors.ts";

export type LogFormat = "text" | "json";

export interface Logger {
  /** shown with -v only */
  info(message: string): void;
  warn(message: string, hint?: string): void;
  /** what `run --watch` does by itself */
  notice(message: string): void;
  /** asked for by --explain */
  explain(message: string): void;
  failure(error: SealexecError): void;
}

/**
 * Lines for stderr, one event a line: `sealexec: error: …` and `sealexec: hint: …`, or one JSON object.
 * Control characters are taken out, so that a stranger's bytes can neither start a line nor drive a terminal.
 */
export function createLogger(format: LogFormat, verbose: boolean, write: (line: string) => void): Logger {
  const line = (level: string, message: string, facts: Record<string, unknown> = {}): void => {
    const text = printable(message);
    write(
      format === "json"
        ? `${JSON.stringify({ level, message: text, ...facts })}\n`
        : `sealexec: ${level}: ${text}\n`,
    );
  };
  return {
    info: (message) => {
      if (verbose) line("info", message);
    },
    warn: (message, hint) => {
      const text = hint === undefined ? undefined : printable(hint);
      if (format === "json") return line("warning", message, text === undefined ? {} : { hint: text });
      line("warning", message);
      if (text !== undefined) line("hint", text);
    },
    notice: (message) => line("notice", message),
    explain: (message) => line("explain", message),
    failure: (error) => {
      const hint = error.hint === undefined ? undefined : printable(error.hint);
      if (format === "json") {
        line("error", error.message, {
          kind: error.kind,
          status: exitStatus(error.kind),
          ...(hint === undefined ? {} : { hint }),
        });
        return;
      }
      line("error", error.message);
      if (hint !== undefined) line("hint", hint);
    },
  };
}

// C0, DEL, C1, and the Unicode line and direction controls.
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/** Text with every control character replaced by `?`. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, "?");
}

/** What a check warns of: what a start would say as well, and what only who looks at it should know. */
import type { Logger } from "../base/logger.ts";
import { SEAL_AGAIN } from "../envelope/index.ts";
import type { OpenedSource } from "../sources/sources.ts";
import { HONEST_LAG_MS, PUT_BACK, describeLag, lagOf } from "../sources/freshness.ts";

export interface Warning {
  readonly message: string;
  readonly hint?: string;
  /** as in the log */
  readonly code?: string;
  readonly target?: string;
}

/** The same log, whose warnings are also put into `warnings`. */
export function collecting(log: Logger, warnings: Warning[]): Logger {
  return {
    ...log,
    warn: (message, hint, facts = {}) => {
      const { code, target } = facts;
      warnings.push({
        message,
        ...(hint === undefined ? {} : { hint }),
        ...(typeof code === "string" ? { code } : {}),
        ...(typeof target === "string" ? { target } : {}),
      });
      log.warn(message, hint, facts);
    },
  };
}

/** Warns of what a start would open, and who looks at it should know. */
export function warnOfSource({ uri, sealed }: OpenedSource, log: Logger): void {
  if (sealed?.isBound === false) {
    log.warn(
      `${uri}: not bound to its place: who may write there can put any object of its key there`,
      `${SEAL_AGAIN}, and leave unbound out of --accept and ?accept=`,
      { code: "not-bound", target: uri },
    );
  }
  if (sealed === undefined) return;
  const { revision, object } = sealed;
  const lagMs = lagOf(revision, object);
  if (lagMs === undefined || lagMs <= HONEST_LAG_MS) return;
  log.warn(`${uri}: ${describeLag(revision, lagMs)}`, PUT_BACK, { code: "put-back", target: uri });
}

import type { Logger } from "../base/logger.ts";
import { nearest } from "../base/nearest.ts";
import { PREFIX } from "./given.ts";
import { VARIABLES } from "./table.ts";

/** Warns of each variable that looks like ours and is not: it could be meant for CMD, so it is no error. */
export function warnUnknown(names: readonly string[], command: string, log: Logger): void {
  const known = [...VARIABLES].map((variable) => variable.slice(PREFIX.length));
  for (const name of names) {
    const near = nearest(name.slice(PREFIX.length), known);
    log.warn(
      `${name} is no variable of sealexec`,
      near === undefined
        ? `sealexec help ${command} names those that there are`
        : `did you mean ${PREFIX}${near}?`,
      { code: "unknown-variable", target: name },
    );
  }
}

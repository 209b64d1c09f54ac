/** What must hold of a sealed object, as options say it: of the command line for all sources, or of a URI for one. Pure. */
// Not of index.ts, which brings the whole envelope and node:crypto before the first request has left.
import { RESERVED_CONTEXT_NAMES } from "../envelope/context.ts";
import { ACCEPTANCES } from "../envelope/format.ts";
import type { Acceptance, EncryptionContext } from "../envelope/format.ts";
import { SealexecError } from "../base/errors.ts";
import { elements } from "../text/names.ts";

/** `K=V` pairs as a map. @param option for messages */
export function parseContext(pairs: readonly string[], option = "--context"): EncryptionContext {
  const context: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const pair of pairs) {
    const equals = pair.indexOf("=");
    if (equals < 1) throw new SealexecError("usage", `${option} is not of the form K=V`);
    const name = pair.slice(0, equals);
    if (RESERVED_CONTEXT_NAMES.includes(name)) {
      const hint = "leave it out: sealexec sets it and checks it by itself";
      throw new SealexecError("usage", `${option}: ${name} is a reserved name`, { hint });
    }
    if (name in context) throw new SealexecError("usage", `${option} gives ${name} twice`);
    context[name] = pair.slice(equals + 1);
  }
  return context;
}

/** What may be opened beside v3, from comma-separated lists. @param option for messages */
export function parseAccept(lists: readonly string[], option = "--accept"): Acceptance[] {
  return lists
    .flatMap((list) => elements(option, list))
    .map((name) => {
      const known = ACCEPTANCES.find((acceptance) => acceptance === name);
      if (known !== undefined) return known;
      const hint = `it takes ${ACCEPTANCES.join(", ")}`;
      throw new SealexecError("usage", `${option} does not know ${JSON.stringify(name)}`, { hint });
    });
}

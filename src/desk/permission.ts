/** Whether a push may write over what is there: never by accident over somebody else's change. */
import { SealexecError, type Facts } from "../base/errors.ts";
import { describeChanges } from "./changes.ts";
import type { Present, PresentThere, PushOptions, Target } from "./target.ts";

/** What lies at a target, in a sentence. */
const ONE = { object: "an object", file: "a file", secret: "a secret", parameters: "parameters" } as const;

/** Refuses what no flag speaks of, or not as it is; and what may not be looked at, if no flag says it. */
export function checkPermission(
  { name, noun }: Target,
  present: Present,
  { create, ifMatch, replace }: PushOptions,
): void {
  switch (present.kind) {
    case "parts":
      return;
    case "absent":
      if (ifMatch === undefined) return;
      throw conflict(
        name,
        `the ${noun} is no longer the one expected: there is none`,
        "push again without --if-match",
      );
    case "hidden":
      if (create || ifMatch !== undefined) return;
      throw hidden(name, present.error);
    case "there":
      if (create || (ifMatch === undefined && !replace))
        throw occupied(`there is ${ONE[noun]} already`, name, present, create);
      if (ifMatch !== undefined && ifMatch !== present.etag)
        throw occupied(`the ${noun} is no longer the one expected`, name, present, false);
  }
}

function hidden(name: string, error: SealexecError): SealexecError {
  const hint = `${error.hint ?? "ask for the right to read it"}; or say what must be there: --create, or --if-match ETAG`;
  return error.hinting(hint).at("object", name);
}

function occupied(says: string, name: string, present: PresentThere, isCreate: boolean): SealexecError {
  const bare = bareEtag(present.etag);
  const { revision } = present.state;
  return conflict(
    name,
    `${says} (etag ${bare}${revision === undefined ? "" : `, revision ${revision}`}): ${describeChanges(present)}`,
    `look at it (sealexec pull -v), then push again with --if-match ${bare}${isCreate ? " in the place of --create" : ", or with --replace"}`,
    { etag: bare, ...(revision === undefined ? {} : { revision }) },
  );
}

function conflict(name: string, says: string, hint: string, facts: Facts = {}): SealexecError {
  const details = { hint: `${hint}; nothing was written`, facts };
  return new SealexecError("conflict", says, details).at("object", name);
}

/** Without the quotes that a shell would take away. */
export function bareEtag(etag: string): string {
  return etag.replace(/^"|"$/g, "");
}

// RFC 9110, section 8.8.3: an entity tag has quotes around it; people copy it without.
export function quotedEtag(etag: string): string {
  const bare = bareEtag(etag);
  if (/^[\x21\x23-\x7e]+$/.test(bare)) return `"${bare}"`;
  const hint = "push and pull -v print the ETag of each version";
  throw new SealexecError("usage", "--if-match is not an ETag", { hint });
}

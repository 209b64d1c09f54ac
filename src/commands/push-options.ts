/** The options of `push`, from flags and from the variables that stand for them. */
import type { Environment } from "../base/env.ts";
import { SealexecError } from "../base/errors.ts";
import { parseRevision } from "../envelope/revision.ts";
import { quotedEtag } from "../desk/permission.ts";
import type { PushOptions } from "../desk/target.ts";
import { givenContext, givenCredentials, givenKey, type KeyFlags } from "./open-options.ts";

/** What the flags say, as commander hands it over; undefined: not given. */
export interface PushFlags extends KeyFlags {
  readonly format: "v3" | "v2";
  readonly bind: boolean;
  readonly ifMatch?: string;
  readonly create?: boolean;
  readonly replace?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
  readonly revision?: string;
  readonly allow?: readonly string[];
}

export function parsePushOptions(flags: PushFlags, env: Environment): PushOptions {
  const { format, bind, create = false, replace = false, ifMatch } = flags;
  return {
    key: givenKey(flags, env),
    format,
    context: givenContext(flags, env),
    bind,
    revision: parseGivenRevision(flags),
    sealingFlag: sealingFlag(flags),
    create,
    ifMatch: ifMatch === undefined ? undefined : quotedEtag(ifMatch),
    replace,
    credentials: givenCredentials(flags, env),
  };
}

function parseGivenRevision({ revision, bind }: PushFlags): number | undefined {
  if (revision === undefined) return undefined;
  if (!bind) throw new SealexecError("usage", "--revision: an object that is not bound has none");
  const parsed = parseRevision(revision);
  if (parsed !== undefined) return parsed;
  throw new SealexecError("usage", "--revision is not a number from 1");
}

function sealingFlag({ format, bind, context, revision }: PushFlags): string | undefined {
  if (format === "v2") return "--format v2";
  if (!bind) return "--no-bind";
  if (context !== undefined) return "--context";
  return revision === undefined ? undefined : "--revision";
}

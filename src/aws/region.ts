/** The region of a source: URI → environment → profile → key ARN → instance. S3 may name another later. */
import type { Context } from "../base/context.ts";
import { isSet } from "../base/env.ts";
import { SealexecError } from "../base/errors.ts";
import type { Network } from "../http/network.ts";
import { hasSharedFiles } from "./settings.ts";

export interface Region {
  readonly name: string;
  /** where it was found, for people */
  readonly from: string;
}

/** Nobody said where to ask, and a guess would ask strangers: for a secret, or with credentials. */
export function unknownRegion(): SealexecError {
  return new SealexecError("config", "no region is known", {
    hint: "set AWS_REGION, or name it in the URI: ?region=REGION",
  });
}

// One DNS label: it can never change which host a request goes to.
const REGION = /^[a-z0-9]+(-[a-z0-9]+)*$/;

/** @throws "config" where `name`, found in `from`, is not a region */
export function parseRegion(name: string, from: string): Region {
  if (name.length <= 32 && REGION.test(name)) return { name, from };
  throw new SealexecError("config", `the region in ${from} is not a region`, {
    hint: "a region looks like eu-west-1",
  });
}

/** The region that a key ARN names; undefined for a key id or alias. */
export function regionOfKey(key: string | undefined): string | undefined {
  const parts = key?.split(":") ?? [];
  return parts[0] === "arn" && parts[2] === "kms" ? parts[3] : undefined;
}

/** Rejects with "config" if nobody tells it, or if it is no region. @param key KMS key id, alias or ARN */
export async function resolveRegion(
  context: Context,
  inUri: string | undefined,
  key: string | undefined,
  network: Network,
): Promise<Region> {
  const { env } = context;
  const found = (name: string | undefined, from: string): Region | undefined =>
    name === undefined ? undefined : parseRegion(name, from);
  const told =
    found(inUri, "the URI") ??
    found(env["AWS_REGION"] || undefined, "AWS_REGION") ??
    found(env["AWS_DEFAULT_REGION"] || undefined, "AWS_DEFAULT_REGION") ??
    found(await regionOfProfile(env), "the profile") ??
    found(regionOfKey(key), "the key ARN");
  if (told !== undefined) return told;
  const { instanceRegion } = await import("./imds.ts");
  const ofInstance = found(await instanceRegion(context, network), "instance metadata");
  if (ofInstance === undefined) throw unknownRegion();
  return ofInstance;
}

async function regionOfProfile(env: Context["env"]): Promise<string | undefined> {
  if (!hasSharedFiles(env) && !isSet(env, "AWS_PROFILE")) return undefined;
  const { profileRegion } = await import("./config-file-sdk.ts");
  return profileRegion();
}

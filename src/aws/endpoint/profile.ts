/**
 * What a profile says of endpoints. The direct way does not follow it, so that a service which has no other way must
 * not be asked elsewhere than the profile says.
 * Source: AWS SDKs and Tools Reference Guide, "Service-specific endpoints", "Dual-stack and FIPS endpoints", "Shared
 * config and credentials files: file format".
 */
import type { Environment } from "../../base/env.ts";
import { SealexecError } from "../../base/errors.ts";
import { readSmallFile } from "../../base/files/read.ts";
import { isSet } from "../../base/env.ts";
import { LARGEST_SHARED_BYTES, hasSharedFiles, sharedFile } from "../shared-files.ts";
import { customEndpoint } from "./custom.ts";
import { parseFlag } from "../flag.ts";

/** How the services are named in a `services` section, and in the environment. */
const NAMES = {
  secretsmanager: { section: "secrets_manager", variable: "AWS_ENDPOINT_URL_SECRETS_MANAGER" },
  ssm: { section: "ssm", variable: "AWS_ENDPOINT_URL_SSM" },
} as const;

/** @throws "config" where the profile in use names an endpoint, or a kind of it, that the environment does not */
export function refuseProfileEndpoint(service: keyof typeof NAMES, env: Environment): void {
  if (customEndpoint(service, env) !== undefined) return;
  const { name, profile, sections } = readProfile(env);
  const { section, variable } = NAMES[service];
  const services = sections.get(`services ${profile.get("services") ?? ""}`);
  const ignored =
    parseFlag(IGNORE, env[IGNORE]) ?? flagOf(name, profile, "ignore_configured_endpoint_urls") ?? false;
  if (!ignored && (profile.has("endpoint_url") || services?.has(`${section}.endpoint_url`) === true)) {
    throw refusal(name, "endpoint_url", `set ${variable} to it`);
  }
  for (const kind of KINDS) {
    const inEnv = `AWS_${kind.toUpperCase()}`;
    if (!isSet(env, inEnv) && flagOf(name, profile, kind) === true)
      throw refusal(name, kind, `set ${inEnv}=true (or =false to go without)`);
  }
}

const KINDS = ["use_fips_endpoint", "use_dualstack_endpoint"] as const;
const IGNORE = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS";

/**
 * Whether such endpoints are to be asked: as the environment says, or else the profile.
 *
 * @throws "config" where it says neither true nor false
 */
export function usesEndpoint(kind: (typeof KINDS)[number], env: Environment): boolean {
  const variable = `AWS_${kind.toUpperCase()}`;
  const told = parseFlag(variable, env[variable]);
  // Asked in any case: what comes next is a client of the SDK, which reads them.
  const isShared = hasSharedFiles(env);
  if (told !== undefined || !isShared) return told ?? false;
  const { name, profile } = readProfile(env);
  return flagOf(name, profile, kind) ?? false;
}

type Section = ReadonlyMap<string, string>;

function flagOf(name: string, profile: Section, entry: string): boolean | undefined {
  return parseFlag(`profile ${name}: its ${entry}`, profile.get(entry));
}

function readProfile(env: Environment) {
  const sections = readSections(env, "config");
  const name = chosenProfile(env);
  const profile = profileIn(sections, name);
  return { name, profile, sections };
}

function chosenProfile(env: Environment): string {
  return env["AWS_PROFILE"] || "default";
}

function profileIn(sections: ReadonlyMap<string, Section>, name: string): Section {
  return sections.get(`profile ${name}`) ?? sections.get(name) ?? new Map<string, string>();
}

/** The profile in use and those that it takes its credentials from, of both files. */
export function profileChain(env: Environment): { readonly name: string; readonly entries: Section }[] {
  const [config, credentials] = [readSections(env, "config"), readSections(env, "credentials")];
  const chain = new Map<string, Section>();
  for (let name: string | undefined = chosenProfile(env); name !== undefined && !chain.has(name);) {
    const entries: Section = new Map([...profileIn(config, name), ...(credentials.get(name) ?? [])]);
    chain.set(name, entries);
    name = entries.get("source_profile");
  }
  return [...chain].map(([name, entries]) => ({ name, entries }));
}

function refusal(profile: string, setting: string, hint: string): SealexecError {
  return new SealexecError("config", `profile ${profile}: its ${setting} is not read for this service`, {
    hint,
  });
}

/** Section → key → value; a nested key stands behind the one above it: `ssm.endpoint_url`. */
function readSections(env: Environment, kind: "config" | "credentials"): ReadonlyMap<string, Section> {
  const sections = new Map<string, Map<string, string>>();
  let section = new Map<string, string>();
  let parent = "";
  for (const line of readShared(env, kind).split(/\r?\n/)) {
    const header = /^\[\s*([^\]]*?)\s*\]/.exec(line)?.[1];
    if (header !== undefined) {
      // `[profile "my name"]` and `[profile name]` are the same.
      const name = header.replace(/^(\S+)\s+["']?(.*?)["']?$/, "$1 $2");
      section = sections.get(name) ?? new Map<string, string>();
      sections.set(name, section);
      continue;
    }
    const [, blanks = "", key = "", value = ""] = /^(\s*)([^\s=#;]+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (key === "") continue;
    section.set(blanks === "" ? key : `${parent}.${key}`, value);
    if (blanks === "") parent = key;
  }
  return sections;
}

/** @throws "config" where one that is there cannot be read */
function readShared(env: Environment, kind: "config" | "credentials"): string {
  if (!hasSharedFiles(env)) return "";
  const file = sharedFile(env, kind);
  try {
    return file === undefined ? "" : readSmallFile(file, LARGEST_SHARED_BYTES).toString("utf8");
  } catch {
    // This one is not there, or it is /dev/null.
    return "";
  }
}

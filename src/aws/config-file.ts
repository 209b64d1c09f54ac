/** The shared config file's endpoints. The direct way does not follow them: it refuses to ask elsewhere. */
// AWS SDKs and Tools Reference Guide, "Service-specific endpoints", "Dual-stack and FIPS endpoints",
// "Shared config and credentials files: file format".
import { isSet } from "../base/env.ts";
import type { Environment } from "../base/env.ts";
import { SealexecError } from "../base/errors.ts";
import { readSmallFile } from "../base/files/read.ts";
import { customEndpoint, endpointVariable } from "./endpoint.ts";
import { LARGEST_SHARED_BYTES, hasSharedFiles, parseFlag, sharedFile } from "./settings.ts";

const SECTIONS = { secretsmanager: "secrets_manager", ssm: "ssm" } as const;
const KINDS = ["use_fips_endpoint", "use_dualstack_endpoint"] as const;
const IGNORE = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS";

/** @throws "config" where the profile in use names an endpoint, or a kind of it, that the environment does not */
export function refuseProfileEndpoint(service: keyof typeof SECTIONS, env: Environment): void {
  if (customEndpoint(service, env) !== undefined) return;
  const { name, profile, sections, flag } = readProfile(env);
  const refuse = (setting: string, hint: string): never => {
    const says = `profile ${name}: its ${setting} is not read for this service`;
    throw new SealexecError("config", says, { hint });
  };
  const services = sections.get(`services ${profile.get("services") ?? ""}`);
  const ignored = parseFlag(IGNORE, env[IGNORE]) ?? flag("ignore_configured_endpoint_urls") ?? false;
  const names = profile.has("endpoint_url") || services?.has(`${SECTIONS[service]}.endpoint_url`) === true;
  if (names && !ignored) refuse("endpoint_url", `set ${endpointVariable(service)} to it`);
  for (const kind of KINDS) {
    const inEnv = `AWS_${kind.toUpperCase()}`;
    if (!isSet(env, inEnv) && flag(kind) === true)
      refuse(kind, `set ${inEnv}=true (or =false to go without)`);
  }
}

/** As the environment says, or else the profile. @throws "config" where it says neither true nor false */
export function usesEndpoint(kind: (typeof KINDS)[number], env: Environment): boolean {
  const variable = `AWS_${kind.toUpperCase()}`;
  const told = parseFlag(variable, env[variable]);
  // Asked in any case: what comes next is a client of the SDK, which reads them.
  const isShared = hasSharedFiles(env);
  if (told !== undefined || !isShared) return told ?? false;
  return readProfile(env).flag(kind) ?? false;
}

type Section = ReadonlyMap<string, string>;

function readProfile(env: Environment) {
  const [name, sections] = [chosenProfile(env), readSections(env, "config")];
  const profile = profileIn(sections, name);
  const flag = (entry: string) => parseFlag(`profile ${name}: its ${entry}`, profile.get(entry));
  return { name, profile, sections, flag };
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

/** Section → key → value; a nested key stands after the one above it: `ssm.endpoint_url`. */
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

import { matchesName, type NamePatterns } from "../base/name-patterns.ts";
import type { Secret, Variables } from "../base/secret.ts";

export interface EnvironmentPolicy {
  /** a variable that is already set wins over the source */
  readonly keepExisting: boolean;
  /** give CMD only the secrets, and the names of `pass` */
  readonly pristine: boolean;
  readonly pass: ReadonlySet<string>;
  /** inherited variables that are not handed on */
  readonly drop?: NamePatterns;
}

/** Whether CMD is given an inherited variable, where no source sets it. */
export function handsOn({ pristine, pass, drop }: EnvironmentPolicy, name: string): boolean {
  return (!pristine || pass.has(name)) && (drop === undefined || !matchesName(drop, name));
}

/** CMD's environment: what is inherited, byte for byte; a secret in its name's place, or after the rest. */
export function buildEnvironment(
  inherited: readonly Buffer[],
  secrets: Variables,
  policy: EnvironmentPolicy,
): Buffer[] {
  const added = new Map(secrets);
  const block: Buffer[] = [];
  for (const entry of inherited) {
    const name = nameOf(entry);
    if (!handsOn(policy, name)) continue;
    const secret = secrets.get(name);
    if (secret === undefined || policy.keepExisting) {
      block.push(entry);
      if (policy.keepExisting) added.delete(name);
      continue;
    }
    // A name that stands there twice is replaced once; which of two would win differs from libc to libc.
    const mine = added.get(name);
    if (mine !== undefined) block.push(entryOf(name, mine));
    added.delete(name);
  }
  for (const [name, secret] of added) block.push(entryOf(name, secret));
  return block;
}

/** The names of an environment, for `--explain`. */
export function underneath(
  { environment }: { readonly environment: readonly Buffer[] },
  policy: EnvironmentPolicy,
): Underneath {
  return { inherited: new Set(environment.map(nameOf)), policy };
}

/** The name of an entry `NAME=value`; the whole entry where it has no "=". */
export function nameOf(entry: Buffer): string {
  const equals = entry.indexOf(0x3d, 1);
  return (equals === -1 ? entry : entry.subarray(0, equals)).toString("utf8");
}

/** What the sources are put over. */
export interface Underneath {
  /** names in the environment that sealexec was started with */
  readonly inherited: ReadonlySet<string>;
  readonly policy: EnvironmentPolicy;
}

/** As bytes from the beginning, which can be wiped: a text of both would stay. */
function entryOf(name: string, secret: Secret): Buffer {
  const entry = Buffer.alloc(Buffer.byteLength(name) + 1 + secret.sizeBytes);
  const at = entry.write(`${name}=`);
  entry.write(secret.reveal(), at);
  return entry;
}

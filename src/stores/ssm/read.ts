import { callRegional, regionalNeed } from "../../aws/call/regional.ts";
import type { AwsNeed } from "../../aws/session.ts";
import { defined } from "../../base/defined.ts";
import { SealexecError } from "../../base/errors.ts";
import type { Content, Tools } from "../source.ts";
import { ssmMeaning } from "./meanings.ts";
import type { SsmOperation } from "./meanings.ts";
import { variablesOf } from "./names.ts";
import type { Parameter } from "./names.ts";
import type { SsmRef } from "./ref.ts";

/** What a push writes to, and a read with a slash at its end. */
export type SsmPath = Extract<SsmRef, { readonly kind: "path" }>;

// GetParametersByPath: MaxResults is 10 at most.
const PAGE_SIZE = 10;
/** More than this is no environment. */
const MOST_PARAMETERS = 1_000;
/** Pages may be empty, or shorter than they could be. */
const MOST_PAGES = 300;
/** What keeps the values from who may list them; meanings.ts. */
const KEY_TROUBLES: readonly string[] = ["key-denied", "key-unusable"];

/** How the parameters are asked for. */
interface Asking {
  readonly decrypt: boolean;
  readonly mostAttempts?: number;
}

/** What reading parameters, or writing them, wants of AWS. */
export function ssmNeed(ref: SsmRef): AwsNeed {
  return regionalNeed("ssm", ref.region);
}

/** Calls an operation: once, or again if an attempt failed. */
export function callSsm(
  operation: SsmOperation,
  ref: SsmRef,
  input: Readonly<Record<string, unknown>>,
  { session, context }: Tools,
  mostAttempts?: number,
): Promise<Readonly<Record<string, unknown>>> {
  const how = { service: "ssm", need: ssmNeed(ref), ...defined({ mostAttempts }) } as const;
  return callRegional({ ...how, operation, input, meaning: ssmMeaning(operation) }, session, context);
}

/** Reads one parameter, or all below a path. Throws as `read` of a source. */
export async function readParameters(ref: SsmRef, tools: Tools): Promise<Content> {
  const parameters = await read(ref, { decrypt: true }, tools);
  if (parameters.length === 0) {
    const hint = "check the path and the region; those of deeper paths are read with ?recursive";
    throw new SealexecError("missing", "no parameters below this path", { hint });
  }
  const versionId = ref.kind === "parameter" ? parameters[0]?.versionId : undefined;
  const state = { ...defined({ versionId }), validator: validatorOf(parameters) };
  return { kind: "variables", variables: variablesOf(parameters), ...state };
}

/** The parameters right below a path, for a push; without values if these credentials may not have them. */
export async function listParameters(
  ref: SsmPath,
  tools: Tools,
): Promise<{ readonly parameters: readonly Parameter[]; readonly areDecrypted: boolean }> {
  try {
    return { parameters: await readPath(ref, { decrypt: true }, tools), areDecrypted: true };
  } catch (error) {
    // Who may not list at all need not be refused twice.
    if (!(error instanceof SealexecError) || !KEY_TROUBLES.includes(error.code)) throw error;
    return { parameters: await readPath(ref, { decrypt: false }, tools), areDecrypted: false };
  }
}

/** As `look` of a source. No value is decrypted: one request, or for a path one for each ten parameters. */
export async function changedParameters(ref: SsmRef, was: string, tools: Tools): Promise<string | undefined> {
  const now = validatorOf(await read(ref, { decrypt: false, mostAttempts: 1 }, tools));
  return now === was ? undefined : now;
}

interface ReadParameter extends Parameter {
  readonly versionId: string | undefined;
  /** what tells this state of it from any other: its version, and when it was made */
  readonly state: string;
}

function validatorOf(parameters: readonly ReadParameter[]): string {
  const states = parameters.map(({ name, state }) => `${name} ${state}`);
  return states.toSorted().join("\n");
}

async function read(ref: SsmRef, asking: Asking, tools: Tools): Promise<readonly ReadParameter[]> {
  if (ref.kind === "path") return readPath(ref, asking, tools);
  const input = { Name: ref.name, WithDecryption: asking.decrypt };
  const { Parameter } = await callSsm("GetParameter", ref, input, tools, asking.mostAttempts);
  return [parameterOf(Parameter, "GetParameter")];
}

async function readPath(ref: SsmPath, asking: Asking, tools: Tools): Promise<readonly ReadParameter[]> {
  const operation = "GetParametersByPath";
  const found: ReadParameter[] = [];
  let token: string | undefined;
  for (let pages = 0; pages < MOST_PAGES; pages += 1) {
    const input = {
      Path: ref.path.slice(0, -1),
      Recursive: ref.recursive,
      WithDecryption: asking.decrypt,
      MaxResults: PAGE_SIZE,
      ...defined({ NextToken: token }),
    };
    const { Parameters, NextToken } = await callSsm(operation, ref, input, tools, asking.mostAttempts);
    if (!Array.isArray(Parameters)) throw unreadable(operation, "the answer holds no parameters");
    found.push(...Parameters.map((item) => parameterOf(item, operation)));
    if (found.length > MOST_PARAMETERS) {
      const hint = "name a path that holds only what this program needs";
      throw new SealexecError("data", `more than ${MOST_PARAMETERS} parameters below this path`, { hint });
    }
    if (NextToken === undefined || NextToken === null || NextToken === "") return found;
    // Not the last page, then, and no way to the next: what was read is not all there is.
    if (typeof NextToken !== "string") throw unreadable(operation, "the answer holds no next page");
    token = NextToken;
  }
  throw unreadable(operation, `${MOST_PAGES} pages, and more are said to follow`);
}

function parameterOf(item: unknown, operation: SsmOperation): ReadParameter {
  const { Name, Value, Version, LastModifiedDate } = (item ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof Name !== "string" || typeof Value !== "string")
    throw unreadable(operation, "the answer holds no parameters");
  // One that was deleted and made again begins with version 1 again.
  const state = `${String(Version)} ${String(LastModifiedDate)}`;
  const versionId = typeof Version === "number" ? String(Version) : undefined;
  return { name: Name, value: Value, versionId, state };
}

function unreadable(operation: SsmOperation, says: string): SealexecError {
  const hint = "check the endpoint, and what stands between here and there";
  return new SealexecError("unavailable", `${operation}: ${says}`, { hint });
}

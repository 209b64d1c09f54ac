import { callRegional, regionalNeed } from "../../aws/call/regional.ts";
import type { AwsNeed } from "../../aws/session.ts";
import { SealexecError } from "../../base/errors.ts";
import type { Content, Tools } from "../source.ts";
import { ssmMeaning } from "./meanings.ts";
import type { SsmOperation } from "./meanings.ts";
import { variablesOf } from "./names.ts";
import type { Parameter } from "./names.ts";
import type { SsmRef } from "./ref.ts";

// GetParametersByPath: MaxResults is 10 at most.
const PAGE_SIZE = 10;
/** More than this is no environment. */
const MOST_PARAMETERS = 1_000;
/** What stands between the values and who may list them; meanings.ts. */
const KEY_TROUBLES: readonly string[] = ["key-denied", "key-unusable"];
/** Pages may be empty, or shorter than they could be. */
const MOST_PAGES = 300;

/** What reading parameters, or writing them, wants of AWS. */
export function ssmNeed(ref: SsmRef): AwsNeed {
  return regionalNeed("ssm", ref.region);
}

/**
 * Reads one parameter, or all below a path, ten at a time.
 *
 * @throws "missing" where there is none, "denied", "data" (names), "config", "unavailable", "timeout"
 */
export async function readParameters(ref: SsmRef, tools: Tools): Promise<Content> {
  if (ref.kind === "parameter") {
    const { parameter, versionId } = await readOne(ref, ref.name, DECRYPTED, tools);
    const validator = validatorOf([parameter]);
    return { kind: "variables", variables: variablesOf([parameter]), versionId, validator };
  }
  const parameters = await readPath(ref, DECRYPTED, tools);
  if (parameters.length === 0) {
    throw new SealexecError("missing", "no parameters below this path", {
      hint: "check the path and the region; those of deeper paths are read with ?recursive",
    });
  }
  return { kind: "variables", variables: variablesOf(parameters), validator: validatorOf(parameters) };
}

/**
 * The parameters right below a path, for the one who writes there.
 *
 * @returns without values if these credentials may not have them decrypted
 * @throws "denied" if they may not even list them; "unavailable", "timeout"
 */
export async function listParameters(
  ref: Extract<SsmRef, { readonly kind: "path" }>,
  tools: Tools,
): Promise<{ readonly parameters: readonly Parameter[]; readonly areDecrypted: boolean }> {
  try {
    return { parameters: await readPath(ref, DECRYPTED, tools), areDecrypted: true };
  } catch (error) {
    // Who may not list at all need not be refused twice.
    const isKey = error instanceof SealexecError && KEY_TROUBLES.includes(error.code);
    if (!isKey) throw error;
    return { parameters: await readPath(ref, { decrypt: false }, tools), areDecrypted: false };
  }
}

/**
 * Looks at the versions of the parameters, without having a value decrypted: one request, or for a path one for each ten.
 *
 * @param validator of what was read
 * @returns the validator of what is there now, where it is another
 * @throws as readParameters
 */
export async function changedParameters(
  ref: SsmRef,
  validator: string,
  tools: Tools,
): Promise<string | undefined> {
  const parameters =
    ref.kind === "parameter"
      ? [(await readOne(ref, ref.name, SEALED, tools)).parameter]
      : await readPath(ref, SEALED, tools);
  const now = validatorOf(parameters);
  return now === validator ? undefined : now;
}

interface ReadParameter extends Parameter {
  /** what tells this state of it from any other: its version, and when it was made */
  readonly state: string;
}

/** How the parameters are asked for. */
interface Asking {
  readonly decrypt: boolean;
  readonly mostAttempts?: number;
}

const DECRYPTED: Asking = { decrypt: true };
const SEALED: Asking = { decrypt: false, mostAttempts: 1 };

function validatorOf(parameters: readonly ReadParameter[]): string {
  return parameters
    .map(({ name, state }) => `${name} ${state}`)
    .toSorted()
    .join("\n");
}

async function readOne(
  ref: SsmRef,
  name: string,
  asking: Asking,
  tools: Tools,
): Promise<{ readonly parameter: ReadParameter; readonly versionId: string | undefined }> {
  const answer = await call(
    ref,
    "GetParameter",
    { Name: name, WithDecryption: asking.decrypt },
    asking,
    tools,
  );
  const parameter = parameterOf(answer["Parameter"], "GetParameter");
  const { Version } = answer["Parameter"] as { readonly Version?: unknown };
  return { parameter, versionId: typeof Version === "number" ? String(Version) : undefined };
}

async function readPath(
  ref: Extract<SsmRef, { readonly kind: "path" }>,
  asking: Asking,
  tools: Tools,
): Promise<readonly ReadParameter[]> {
  const found: ReadParameter[] = [];
  let token: string | undefined;
  for (let pages = 0; pages < MOST_PAGES; pages += 1) {
    const input = {
      Path: ref.path.slice(0, -1),
      Recursive: ref.recursive,
      WithDecryption: asking.decrypt,
      MaxResults: PAGE_SIZE,
      ...(token === undefined ? {} : { NextToken: token }),
    };
    const { Parameters, NextToken } = await call(ref, "GetParametersByPath", input, asking, tools);
    if (!Array.isArray(Parameters)) throw unreadable("GetParametersByPath", "the answer holds no parameters");
    for (const item of Parameters) found.push(parameterOf(item, "GetParametersByPath"));
    if (found.length > MOST_PARAMETERS) throw tooMany();
    if (NextToken === undefined || NextToken === null || NextToken === "") return found;
    // Not the last page, then, and no way to the next: what was read is not all there is.
    if (typeof NextToken !== "string")
      throw unreadable("GetParametersByPath", "the answer holds no next page");
    token = NextToken;
  }
  throw unreadable("GetParametersByPath", `${MOST_PAGES} pages, and more are said to follow`);
}

function call(
  ref: SsmRef,
  operation: SsmOperation,
  input: Readonly<Record<string, unknown>>,
  { mostAttempts }: Asking,
  { session, context }: Tools,
): Promise<Readonly<Record<string, unknown>>> {
  const meaning = ssmMeaning(operation);
  const attempts = mostAttempts === undefined ? {} : { mostAttempts };
  return callRegional(
    { service: "ssm", need: ssmNeed(ref), operation, input, meaning, ...attempts },
    session,
    context,
  );
}

function parameterOf(item: unknown, operation: SsmOperation): ReadParameter {
  const { Name, Value, Version, LastModifiedDate } = (item ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof Name !== "string" || typeof Value !== "string")
    throw unreadable(operation, "the answer holds no parameters");
  // One that was deleted and made again begins with version 1 again.
  return { name: Name, value: Value, state: `${String(Version)} ${String(LastModifiedDate)}` };
}

function unreadable(operation: SsmOperation, says: string): SealexecError {
  return new SealexecError("unavailable", `${operation}: ${says}`, {
    hint: "check the endpoint, and what stands between here and there",
  });
}

function tooMany(): SealexecError {
  return new SealexecError("data", `more than ${MOST_PARAMETERS} parameters below this path`, {
    hint: "name a path that holds only what this program needs",
  });
}

import { callRegional } from "../../aws/call/regional.ts";
import { SealexecError } from "../../base/errors.ts";
import type { Variables } from "../../base/secret.ts";
import type { Tools } from "../source.ts";
import { ssmMeaning } from "./meanings.ts";
import { variableName } from "./names.ts";
import { ssmNeed } from "./read.ts";
import type { SsmRef } from "./ref.ts";

// Systems Manager User Guide, "Managing parameter tiers".
const LARGEST_STANDARD_BYTES = 4_096;
const LARGEST_VALUE_BYTES = 8_192;

export interface ParametersWrite {
  readonly variables: Variables;
  /** variable → the last part of the parameter that gives it already; a second one would leave a path that nothing can read */
  readonly spellings: ReadonlyMap<string, string>;
  /** absent: the account's alias/aws/ssm */
  readonly key: string | undefined;
}

type SsmPath = Extract<SsmRef, { readonly kind: "path" }>;

/**
 * Puts each variable there as a SecureString, one after the other; what else is below the path stays.
 *
 * @param write checked by checkParameters
 * @throws as a call is refused, saying what was written
 */
export async function writeParameters(ref: SsmPath, write: ParametersWrite, tools: Tools): Promise<void> {
  const { variables, spellings } = write;
  const written: string[] = [];
  for (const [name, value] of variables) {
    try {
      await putParameter(ref, spellings.get(name) ?? name, value.reveal(), write.key, tools);
      written.push(name);
    } catch (error) {
      throw error instanceof SealexecError ? partly(error, name, written, variables.size) : error;
    }
  }
}

/** DeleteParameters takes ten at once. */
const MOST_DELETED = 10;

/**
 * Takes parameters away. One that is gone by then is no failure.
 *
 * @param names the last parts
 * @throws "denied", "unavailable", "timeout", saying what was removed before
 */
export async function removeParameters(
  ref: SsmPath,
  names: readonly string[],
  { session, context }: Tools,
): Promise<void> {
  const meaning = ssmMeaning("DeleteParameters");
  for (let from = 0; from < names.length; from += MOST_DELETED) {
    const input = { Names: names.slice(from, from + MOST_DELETED).map((name) => ref.path + name) };
    try {
      await callRegional(
        { service: "ssm", need: ssmNeed(ref), operation: "DeleteParameters", input, meaning },
        session,
        context,
      );
    } catch (error) {
      if (!(error instanceof SealexecError)) throw error;
      throw error.reworded(
        `${error.message}; all of the file is written, ${from} of ${names.length} others are removed`,
      );
    }
  }
}

/** @throws "data" if one of them cannot be a parameter */
export function checkParameters(variables: Variables): void {
  for (const [name, value] of variables) checkVariable(name, value.sizeBytes);
}

function checkVariable(name: string, sizeBytes: number): void {
  if (variableName(name) !== name) {
    throw new SealexecError("data", `${name}: it would be read back as ${variableName(name)}`, {
      hint: "write it in upper case, or keep it in another store",
    });
  }
  if (sizeBytes === 0) {
    throw new SealexecError("data", `${name} is empty, and a parameter cannot be`, {
      hint: "leave it out, or keep it in another store",
    });
  }
  if (sizeBytes > LARGEST_VALUE_BYTES) {
    throw new SealexecError("data", `${name} has more than the ${LARGEST_VALUE_BYTES} bytes of a parameter`, {
      hint: "seal it in S3: sealexec push FILE s3://BUCKET/KEY --key KEY",
    });
  }
}

// Overwriting with the same value once more does no harm: an attempt may be made again.
async function putParameter(
  ref: SsmPath,
  name: string,
  value: string,
  key: string | undefined,
  { session, context }: Tools,
): Promise<void> {
  const isLarge = Buffer.byteLength(value) > LARGEST_STANDARD_BYTES;
  const input = {
    Name: ref.path + name,
    Value: value,
    Type: "SecureString",
    Overwrite: true,
    ...(key === undefined ? {} : { KeyId: key }),
    ...(isLarge ? { Tier: "Intelligent-Tiering" } : {}),
  };
  const meaning = ssmMeaning("PutParameter");
  await callRegional(
    { service: "ssm", need: ssmNeed(ref), operation: "PutParameter", input, meaning },
    session,
    context,
  );
}

function partly(
  error: SealexecError,
  name: string,
  written: readonly string[],
  total: number,
): SealexecError {
  const done = written.length === 0 ? "nothing was written" : `written before it: ${written.join(", ")}`;
  return error.reworded(`${name}: ${error.message}; ${done} (${written.length} of ${total})`);
}

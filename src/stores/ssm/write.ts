import { defined } from "../../base/defined.ts";
import { SealexecError } from "../../base/errors.ts";
import type { Variables } from "../../base/secret.ts";
import type { Tools } from "../source.ts";
import { variableName } from "./names.ts";
import { callSsm } from "./read.ts";
import type { SsmPath } from "./read.ts";

// Systems Manager User Guide, "Managing parameter tiers".
const LARGEST_STANDARD_BYTES = 4_096;
const LARGEST_VALUE_BYTES = 8_192;

interface ParametersWrite {
  readonly variables: Variables;
  /** spellingsOf what is there: a second parameter for a variable would leave a path that nothing can read */
  readonly spellings: ReadonlyMap<string, string>;
  /** absent: the account's alias/aws/ssm */
  readonly key: string | undefined;
}

/** Puts each variable there as a SecureString, in turn; others stay. A failure says what was written. */
export async function writeParameters(
  ref: SsmPath,
  { variables, spellings, key }: ParametersWrite,
  tools: Tools,
): Promise<void> {
  const written: string[] = [];
  for (const [name, value] of variables) {
    const isLarge = value.sizeBytes > LARGEST_STANDARD_BYTES;
    const input = {
      Name: ref.path + (spellings.get(name) ?? name),
      Value: value.reveal(),
      Type: "SecureString",
      Overwrite: true,
      ...defined({ KeyId: key, Tier: isLarge ? "Intelligent-Tiering" : undefined }),
    };
    try {
      // To overwrite with the same value once more does no harm: an attempt may be made again.
      await callSsm("PutParameter", ref, input, tools);
      written.push(name);
    } catch (error) {
      if (!(error instanceof SealexecError)) throw error;
      const done = written.length === 0 ? "nothing was written" : `written before it: ${written.join(", ")}`;
      throw error.reworded(`${name}: ${error.message}; ${done} (${written.length} of ${variables.size})`);
    }
  }
}

/** DeleteParameters takes ten at once. */
const MOST_DELETED = 10;

/** Takes parameters away, by their last parts. One that is gone by then is no failure. */
export async function removeParameters(ref: SsmPath, names: readonly string[], tools: Tools): Promise<void> {
  for (let from = 0; from < names.length; from += MOST_DELETED) {
    const input = { Names: names.slice(from, from + MOST_DELETED).map((name) => ref.path + name) };
    try {
      await callSsm("DeleteParameters", ref, input, tools);
    } catch (error) {
      if (!(error instanceof SealexecError)) throw error;
      throw error.reworded(
        `${error.message}; all of the file is written, ${from} of ${names.length} others are removed`,
      );
    }
  }
}

export function checkParameters(variables: Variables): void {
  for (const [name, { sizeBytes }] of variables) {
    const readAs = variableName(name);
    if (readAs !== name) {
      const hint = "write it in upper case, or keep it in another store";
      throw unfit(`${name}: it would be read back as ${readAs}`, hint);
    }
    if (sizeBytes === 0)
      throw unfit(`${name} is empty, and a parameter cannot be`, "leave it out, or keep it in another store");
    if (sizeBytes > LARGEST_VALUE_BYTES) {
      const says = `${name} has more than the ${LARGEST_VALUE_BYTES} bytes of a parameter`;
      throw unfit(says, "seal it in S3: sealexec push FILE s3://BUCKET/KEY --key KEY");
    }
  }
}

function unfit(says: string, hint: string): SealexecError {
  return new SealexecError("data", says, { hint });
}

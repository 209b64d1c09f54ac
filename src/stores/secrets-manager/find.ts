import { contentOf, readValue } from "./read.ts";
import { SealexecError } from "../../base/errors.ts";
import type { Variables } from "../../base/secret.ts";
import type { Tools } from "../source.ts";
import type { SecretRef } from "./ref.ts";

/** What a secret holds before a push. */
export type FoundSecret =
  | { readonly kind: "absent" }
  /** a secret that has no value yet */
  | { readonly kind: "empty" }
  /** it may not be read */
  | { readonly kind: "hidden"; readonly error: SealexecError }
  | {
      readonly kind: "there";
      /** of AWSCURRENT */
      readonly versionId: string;
      /** undefined: it is not one JSON object of variables */
      readonly variables: Variables | undefined;
    };

/** @throws "missing" if it is marked for deletion, or an ARN of none; "config", "unavailable", "timeout" */
export async function findSecret(ref: SecretRef, tools: Tools): Promise<FoundSecret> {
  try {
    const { versionId, text } = await readValue(ref, tools);
    if (versionId === undefined) {
      const hint = "check the endpoint, and what stands between here and there";
      throw new SealexecError("unavailable", "GetSecretValue: the answer names no version", { hint });
    }
    return { kind: "there", versionId, variables: text === undefined ? undefined : variablesOf(ref, text) };
  } catch (error) {
    if (!(error instanceof SealexecError)) throw error;
    if (error.kind === "denied") return { kind: "hidden", error };
    if (error.code === "no-such-version") return { kind: "empty" };
    // An ARN is of a secret that was there; nothing can be made under it.
    if (error.code === "no-such-secret" && !ref.id.startsWith("arn:")) return { kind: "absent" };
    throw error;
  }
}

function variablesOf(ref: SecretRef, text: string): Variables | undefined {
  try {
    const content = contentOf(text, ref.reading);
    return content.kind === "variables" ? content.variables : undefined;
  } catch {
    return undefined;
  }
}

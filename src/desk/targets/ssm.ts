/** `sealexec push` to Systems Manager: a SecureString for each variable, one after the other. */
import { step } from "../../context.ts";
import type { Context } from "../../context.ts";
import { SealexecError } from "../../errors.ts";
import { ssmNeed } from "../../stores/ssm/read.ts";
import { formatSsmUri, parseSsmUri } from "../../stores/ssm/ref.ts";
import type { SsmRef } from "../../stores/ssm/ref.ts";
import { writeParameters } from "../../stores/ssm/write.ts";
import type { PushFlags } from "../push.ts";
import { openTools, refuseSealingFlags, storeKeyOf } from "../target.ts";
import type { Target } from "../target.ts";

/** Far more than an environment holds. */
const LARGEST_FILE_BYTES = 4 * 1024 * 1024;

export function ssmTarget(uri: string, flags: PushFlags, context: Context): Target {
  const ref = parseTarget(uri);
  refuseSealingFlags("Systems Manager", flags);
  if (flags.create === true) {
    throw new SealexecError(
      "usage",
      "--create is for what is written at once: parameters are written one by one",
      {
        hint: "look at what is there first: sealexec pull",
      },
    );
  }
  const key = storeKeyOf("Systems Manager", flags, context);
  return {
    largestBytes: LARGEST_FILE_BYTES,
    write: async ({ plaintext, variables }) => {
      plaintext.fill(0);
      const tools = openTools(key, flags, context);
      await tools.session.begin([ssmNeed(ref)]);
      await step(context, "object", formatSsmUri(ref), () => writeParameters(ref, { variables, key }, tools));
      return [
        ["path", ref.path],
        ["type", "SecureString"],
        ["key", key ?? "alias/aws/ssm"],
        ["written", `${variables.size} of ${variables.size}`],
        ["variables", String(variables.size)],
      ];
    },
  };
}

function parseTarget(uri: string): Extract<SsmRef, { readonly kind: "path" }> {
  const ref = parseSsmUri(uri);
  if (ref.kind === "path" && !ref.recursive) return ref;
  throw new SealexecError("usage", "a push writes the parameters of one path: the URI ends with a slash", {
    hint: "ssm:///PATH/[?region=REGION]",
  });
}

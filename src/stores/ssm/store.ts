import type { Store } from "../source.ts";
import { changedParameters, readParameters, ssmNeed } from "./read.ts";
import { SSM_GRAMMAR, formatSsmUri, ssmRef } from "./ref.ts";

/** Parameters of AWS Systems Manager. */
export const ssm: Store = {
  grammar: SSM_GRAMMAR,
  source: (parsed) => {
    const ref = ssmRef(parsed);
    return {
      uri: formatSsmUri(ref),
      gives: "variables",
      aws: ssmNeed(ref),
      read: (tools) => readParameters(ref, tools),
      look: (validator, tools) => changedParameters(ref, validator, tools),
    };
  },
};

import type { Store, StoreSource } from "../source.ts";
import { changedParameters, readParameters, ssmNeed } from "./read.ts";
import { SSM_GRAMMAR, formatSsmUri, ssmRef } from "./ref.ts";
import type { SsmRef } from "./ref.ts";

/** Parameters of AWS Systems Manager. */
export const ssm: Store = { grammar: SSM_GRAMMAR, source: (parsed) => ssmSource(ssmRef(parsed)) };

function ssmSource(ref: SsmRef): StoreSource {
  return {
    uri: formatSsmUri(ref),
    gives: "variables",
    aws: ssmNeed(ref),
    read: (tools) => readParameters(ref, tools),
    look: (validator, tools) => changedParameters(ref, validator, tools),
  };
}

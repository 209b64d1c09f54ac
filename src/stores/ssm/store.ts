import type { Store, StoreSource } from "../source.ts";
import { changedParameters, readParameters, ssmNeed } from "./read.ts";
import { formatSsmUri, parseSsmUri } from "./ref.ts";
import type { SsmRef } from "./ref.ts";

/** Parameters of AWS Systems Manager: `ssm:///PATH/[?recursive]`, `ssm:///PATH/NAME`. */
export const store: Store = { parse: (uri) => ssmSource(parseSsmUri(uri)) };

function ssmSource(ref: SsmRef): StoreSource {
  return {
    uri: formatSsmUri(ref),
    gives: "variables",
    aws: ssmNeed(ref),
    read: (tools) => readParameters(ref, tools),
    look: (validator, tools) => changedParameters(ref, validator, tools),
  };
}

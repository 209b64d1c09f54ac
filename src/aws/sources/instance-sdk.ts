import { fromInstanceMetadata } from "../sdk.ts";
import type { Identity } from "../credentials.ts";
import { SILENT } from "../silent.ts";

/** The same by the SDK, which reads the service's address from the shared config file as well. */
export function loadBySdk(): Promise<Identity> {
  // A provider of its own for each attempt: the SDK's remembers a refused token and would then go without.
  return fromInstanceMetadata({
    timeout: 1_000,
    maxRetries: 0,
    ec2MetadataV1Disabled: true,
    logger: SILENT,
  })();
}

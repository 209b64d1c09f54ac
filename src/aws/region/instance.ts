/** The region of the instance. A missing metadata service is no error here: the region is not known from it, then. */
import type { Context } from "../../base/context.ts";
import { orAborted } from "../../base/deadline.ts";
import { isTrue } from "../flag.ts";
import { InstanceMetadata, metadataEndpoint } from "../metadata/imds.ts";
import type { Network } from "../../http/network.ts";

const TIMEOUT_MS = 1_000;

export async function instanceRegion(
  { env, deadline }: Context,
  network: Network,
): Promise<string | undefined> {
  if (isTrue(env, "AWS_EC2_METADATA_DISABLED")) return undefined;
  const signal = AbortSignal.any([deadline.signal, AbortSignal.timeout(TIMEOUT_MS)]);
  try {
    const metadata = new InstanceMetadata(await metadataEndpoint(env), network, signal);
    return await orAborted(metadata.read("placement/region"), signal);
  } catch {
    return undefined;
  }
}

/** What the SDK's own readers find in the shared config file, by the environment of this process. */
import { KMSClient, loadConfig } from "./sdk.ts";

const IPV6_ENDPOINT = "http://[fd00:ec2::254]";

export async function profileRegion(): Promise<string | undefined> {
  try {
    return await new KMSClient({}).config.region();
  } catch {
    // "Region is missing": it is not there, and the next source is asked.
    return undefined;
  }
}

export function configuredMetadataEndpoint(): Promise<string | undefined> {
  return loadConfig<string | undefined>({
    // The environment has been looked at.
    environmentVariableSelector: () => undefined,
    configFileSelector: (profile) => {
      const { ec2_metadata_service_endpoint: endpoint, ec2_metadata_service_endpoint_mode: mode } = profile;
      return endpoint ?? (mode?.toLowerCase() === "ipv6" ? IPV6_ENDPOINT : undefined);
    },
    default: undefined,
  })();
}

/** The address of the instance metadata service that the shared config file names, by the SDK's own reader of it. */
import { loadConfig } from "../sdk.ts";

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

const IPV6_ENDPOINT = "http://[fd00:ec2::254]";

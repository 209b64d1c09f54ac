/** Where the instance metadata service is. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { metadataEndpoint } from "../../../../src/aws/imds.ts";

const IPV4 = "http://169.254.169.254";
const IPV6 = "http://[fd00:ec2::254]";
const MODE = "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE";
const NAMED = "AWS_EC2_METADATA_SERVICE_ENDPOINT";

for (const { env, endpoint } of [
  { env: {}, endpoint: IPV4 },
  { env: { [MODE]: "IPv4" }, endpoint: IPV4 },
  // As AWS's guide writes it, and as others do.
  { env: { [MODE]: "IPv6" }, endpoint: IPV6 },
  { env: { [MODE]: "ipv6" }, endpoint: IPV6 },
  { env: { [MODE]: "IPv6", [NAMED]: "" }, endpoint: IPV6 },
  { env: { [MODE]: "IPv6", [NAMED]: "http://127.0.0.1:1338" }, endpoint: "http://127.0.0.1:1338" },
]) {
  test(`the metadata service by ${JSON.stringify(env)} is ${endpoint}`, async () => {
    const none = { AWS_CONFIG_FILE: "/nonexistent", AWS_SHARED_CREDENTIALS_FILE: "/nonexistent" };
    assert.equal(await metadataEndpoint({ ...none, ...env }), endpoint);
  });
}

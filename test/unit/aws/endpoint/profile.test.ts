import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { profileChain, refuseProfileEndpoint, usesEndpoint } from "../../../../src/aws/config-file.ts";
import { refuses } from "../../refuses.ts";

const FOLDER = mkdtempSync(join(tmpdir(), "sealexec-profile-"));
after(() => rmSync(FOLDER, { recursive: true, force: true }));

const CONFIG = `
# endpoint_url = in a comment
[default]
region = eu-west-1
s3 =
  endpoint_url = https://s3.example.com

[profile local]
endpoint_url = http://localhost:4566

[profile "two words"]
services = both

[services both]
secrets_manager =
  endpoint_url = http://localhost:1
kms =
  endpoint_url = http://localhost:2

[profile fips]
use_fips_endpoint = true
[profile dual]
use_dualstack_endpoint=TRUE
[profile ignoring]
endpoint_url = http://localhost:4566
ignore_configured_endpoint_urls = true

[profile twice]
use_fips_endpoint = true
[profile between]
[profile twice]
region = eu-west-1
`;

function envOf(more: Readonly<Record<string, string>>): Record<string, string> {
  const file = join(FOLDER, "config");
  writeFileSync(file, CONFIG);
  return { AWS_CONFIG_FILE: file, ...more };
}

describe("what a profile says of endpoints", () => {
  for (const [service, env] of [
    ["ssm", {}],
    ["secretsmanager", {}],
    ["ssm", { AWS_PROFILE: "none" }],
    ["ssm", { AWS_PROFILE: "two words" }],
    ["ssm", { AWS_PROFILE: "ignoring" }],
    ["ssm", { AWS_PROFILE: "local", AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: "true" }],
    ["ssm", { AWS_PROFILE: "local", AWS_ENDPOINT_URL_SSM: "https://ssm.example.com" }],
    ["secretsmanager", { AWS_PROFILE: "two words", AWS_ENDPOINT_URL: "https://aws.example.com" }],
    ["ssm", { AWS_PROFILE: "fips", AWS_USE_FIPS_ENDPOINT: "true" }],
    ["ssm", { AWS_PROFILE: "fips", AWS_USE_FIPS_ENDPOINT: "false" }],
    ["ssm", { AWS_CONFIG_FILE: "/nonexistent" }],
    ["ssm", { AWS_CONFIG_FILE: "/dev/null" }],
  ] as const) {
    test(`${service} with ${JSON.stringify(env)}: nothing against it`, () =>
      assert.doesNotThrow(() => refuseProfileEndpoint(service, envOf(env))));
  }

  for (const [service, profile, message, hint] of [
    ["ssm", "local", /^profile local: its endpoint_url is not read/, /set AWS_ENDPOINT_URL_SSM to it/],
    ["secretsmanager", "local", /endpoint_url/, /AWS_ENDPOINT_URL_SECRETS_MANAGER/],
    ["secretsmanager", "two words", /endpoint_url/, /AWS_ENDPOINT_URL_SECRETS_MANAGER/],
    ["ssm", "fips", /use_fips_endpoint/, /AWS_USE_FIPS_ENDPOINT=true/],
    ["ssm", "twice", /use_fips_endpoint/, /AWS_USE_FIPS_ENDPOINT=true/],
    ["ssm", "dual", /use_dualstack_endpoint/, /AWS_USE_DUALSTACK_ENDPOINT=true/],
  ] as const) {
    test(`${service} with the profile ${profile} is refused`, () => {
      const env = envOf({ AWS_PROFILE: profile });
      const error = refuses(() => refuseProfileEndpoint(service, env), "config", message);
      assert.match(error.hint ?? "", hint);
      assert.doesNotMatch(error.message, /localhost/);
    });
  }
});

describe("the kind of endpoints", () => {
  const FIPS = { AWS_PROFILE: "fips" };
  const DUAL = { AWS_PROFILE: "dual" };
  for (const [kind, env, wanted] of [
    ["use_fips_endpoint", {}, false],
    ["use_fips_endpoint", FIPS, true],
    ["use_dualstack_endpoint", FIPS, false],
    ["use_dualstack_endpoint", DUAL, true],
    ["use_fips_endpoint", DUAL, false],
    ["use_fips_endpoint", { ...FIPS, AWS_USE_FIPS_ENDPOINT: "false" }, false],
    ["use_fips_endpoint", { ...FIPS, AWS_USE_FIPS_ENDPOINT: "" }, true],
    ["use_fips_endpoint", { ...FIPS, AWS_USE_DUALSTACK_ENDPOINT: "false" }, true],
    ["use_fips_endpoint", { AWS_USE_FIPS_ENDPOINT: "TRUE" }, true],
    ["use_dualstack_endpoint", { AWS_USE_DUALSTACK_ENDPOINT: "true" }, true],
    ["use_fips_endpoint", { AWS_CONFIG_FILE: "/nonexistent" }, false],
    ["use_fips_endpoint", { ...FIPS, AWS_CONFIG_FILE: "/nonexistent" }, false],
  ] as const) {
    test(`${kind} with ${JSON.stringify(env)}: ${wanted}`, () =>
      assert.equal(usesEndpoint(kind, envOf(env)), wanted));
  }

  test("a value that is neither, and a file that cannot be read, are refused", () => {
    const file = join(FOLDER, "other");
    writeFileSync(file, "[default]\nuse_fips_endpoint = 1\n");
    const env = { AWS_CONFIG_FILE: file };
    refuses(
      () => usesEndpoint("use_fips_endpoint", env),
      "config",
      /^profile default: its use_fips_endpoint is neither/,
    );
    refuses(
      () => usesEndpoint("use_fips_endpoint", envOf({ AWS_USE_FIPS_ENDPOINT: "1" })),
      "config",
      /^AWS_USE_FIPS_ENDPOINT /,
    );
    const told = { AWS_CONFIG_FILE: FOLDER, AWS_USE_FIPS_ENDPOINT: "true" };
    refuses(() => usesEndpoint("use_fips_endpoint", told), "config", /cannot be read/);
  });
});

test("the profiles that one takes its credentials from, of both files, the keys of the second first", () => {
  const [config, credentials] = [join(FOLDER, "c"), join(FOLDER, "s")];
  writeFileSync(
    config,
    "[default]\nsource_profile=a\nx = 1\n; y = 2\n# z = 3\n[profile a]\r\nsource_profile = b\r\nx =\r\n  y = in x\r\nz= two words \r\n" +
      "[b]\nx = of the config\n[profile b]\nsource_profile = default\n",
  );
  writeFileSync(credentials, "[b]\nx = of the credentials\n[other]\nx = 1\n");
  const env = { AWS_CONFIG_FILE: config, AWS_SHARED_CREDENTIALS_FILE: credentials };
  const chain = (more: Readonly<Record<string, string>>) =>
    profileChain({ ...env, ...more }).map(({ name, entries }) => [name, Object.fromEntries(entries)]);
  const [first, a, b] = [
    ["default", { source_profile: "a", x: "1" }],
    ["a", { source_profile: "b", x: "", "x.y": "in x", z: "two words" }],
    ["b", { source_profile: "default", x: "of the credentials" }],
  ];
  assert.deepEqual(chain({}), [first, a, b]);
  assert.deepEqual(chain({ AWS_PROFILE: "" }), [first, a, b]);
  assert.deepEqual(chain({ AWS_PROFILE: "b" }), [b, first, a]);
  assert.deepEqual(chain({ AWS_PROFILE: "none" }), [["none", {}]]);
});

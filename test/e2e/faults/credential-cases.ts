/** Rows 1 to 16: instance metadata, container agents, web identity. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Rule } from "../../aws/faults.ts";
import type { Aws } from "../../aws/server.ts";
import { seconds } from "./fault-case.ts";
import type { Expected, FaultCase, Scene, Setup } from "./fault-case.ts";
import { startFarMetadata, whyNoNamespaces } from "./far-metadata.ts";

const NO_METADATA: Expected = {
  status: 69,
  error: /credentials: AWS: instance metadata at http:\/\/[\d.]+(:\d+)?: /,
  hint: /hop limit.*aws ec2 modify-instance-metadata-options --instance-id .*--http-put-response-hop-limit 2/,
};
const NO_AGENT: Expected = {
  status: 69,
  error: /credentials: AWS: container .*the agent gives no answer/,
  hint: /agent runs and .*reachable/,
};

const onlyTokens = (aws: Aws): void => assert.equal(aws.count("imds"), aws.count("imds", "GetToken"));
const untouched = (aws: Aws): void => {
  assert.equal(aws.count("s3"), 0);
  assert.equal(aws.count("kms"), 0);
};

const failing = (operation: string, times: number, status: number): Rule => ({
  service: "imds",
  operation,
  action: "status",
  status,
  times,
});

/** The ECS form, whose secret is in the path, at an address that may be asked here. */
const ecs = ({ aws }: Scene): Setup => ({
  env: {
    ...aws.serviceEnv(),
    AWS_CONTAINER_CREDENTIALS_FULL_URI: aws.endpoints.container + aws.container.relativeUri,
  },
});
const podIdentity = ({ aws }: Scene): Setup => ({ env: aws.containerEnv() });

async function webIdentity({ aws, folder }: Scene, token: string | undefined): Promise<Setup> {
  const file = join(folder, "token");
  if (token !== undefined) await writeFile(file, token);
  return {
    env: {
      ...aws.serviceEnv(),
      AWS_ROLE_ARN: `arn:aws:iam::${aws.account}:role/app`,
      AWS_WEB_IDENTITY_TOKEN_FILE: file,
    },
  };
}

export const CREDENTIAL_CASES: readonly FaultCase[] = [
  {
    id: "1",
    fault: "IMDS refused",
    rules: [{ service: "imds", action: "refuse" }],
    boundMs: seconds(6),
    expected: NO_METADATA,
    verify: untouched,
  },
  {
    id: "1b",
    fault: "no route to 169.254.169.254",
    prepare: ({ aws }) => ({ env: aws.serviceEnv(), prefix: ["unshare", "--net"] }),
    boundMs: seconds(6),
    expected: NO_METADATA,
    verify: untouched,
    skip: whyNoNamespaces(),
  },
  {
    id: "2",
    fault: "IMDS black-holed at connect",
    rules: [{ service: "imds", action: "connectHang" }],
    boundMs: seconds(6),
    expected: NO_METADATA,
    verify: untouched,
  },
  {
    id: "2b",
    fault: "IMDS accepts and stays silent",
    rules: [{ service: "imds", action: "blackHole" }],
    boundMs: seconds(6),
    expected: NO_METADATA,
    verify: untouched,
  },
  {
    id: "3",
    fault: "the answer to the token's PUT is dropped",
    rules: [{ service: "imds", operation: "GetToken", action: "silent" }],
    boundMs: seconds(6),
    expected: NO_METADATA,
    verify: onlyTokens,
  },
  {
    id: "3b",
    fault: "the real address behind one hop, answers with a TTL of 1",
    prepare: async ({ aws }) => {
      const far = await startFarMetadata(1);
      return { env: aws.serviceEnv(), prefix: far.prefix, cleanUp: far.close };
    },
    boundMs: seconds(6),
    expected: NO_METADATA,
    skip: whyNoNamespaces(),
  },
  {
    id: "4",
    fault: "IMDS token 403",
    rules: [{ service: "imds", operation: "GetToken", action: "status", status: 403 }],
    boundMs: seconds(6),
    expected: NO_METADATA,
    verify: onlyTokens,
  },
  {
    id: "4b",
    fault: "IMDS token 404",
    rules: [{ service: "imds", operation: "GetToken", action: "status", status: 404 }],
    boundMs: seconds(6),
    expected: NO_METADATA,
    verify: onlyTokens,
  },
  {
    id: "4c",
    fault: "a session token with a line break at its end",
    prepare: ({ aws }) => ({ env: { ...aws.keyEnv(), AWS_SESSION_TOKEN: "token\n" } }),
    boundMs: seconds(3),
    expected: {
      status: 78,
      error: /credentials: AWS: environment: the session token is not one word of plain text/,
      hint: /line break/,
    },
    verify: untouched,
  },
  {
    id: "4d",
    fault: "a proxy in the environment and a shared config file",
    prepare: ({ aws }) => ({
      env: {
        ...aws.env(),
        AWS_CONFIG_FILE: "/dev/null",
        NODE_USE_ENV_PROXY: "1",
        HTTP_PROXY: "http://127.0.0.1:9",
        http_proxy: "http://127.0.0.1:9",
      },
    }),
    boundMs: seconds(5),
    expected: "CMD runs",
  },
  {
    id: "4e",
    fault: "IMDS token empty",
    rules: [{ service: "imds", operation: "GetToken", action: "body", body: "", contentType: "text/plain" }],
    boundMs: seconds(10),
    expected: NO_METADATA,
    verify: onlyTokens,
  },
  {
    id: "5",
    fault: "IMDS token 500",
    rules: [{ service: "imds", operation: "GetToken", action: "status", status: 500 }],
    boundMs: seconds(6),
    expected: NO_METADATA,
    verify: onlyTokens,
  },
  {
    id: "6",
    fault: "IMDS token hangs, and IMDSv1 would answer",
    prepare: ({ aws }) => {
      aws.imds.allowV1 = true;
      return {};
    },
    rules: [{ service: "imds", operation: "GetToken", action: "silent" }],
    boundMs: seconds(6),
    expected: NO_METADATA,
    verify: onlyTokens,
  },
  {
    id: "7",
    fault: "IMDS 429 five times",
    rules: [failing("GetToken", 5, 429)],
    boundMs: seconds(10),
    expected: "CMD runs",
  },
  {
    id: "7b",
    fault: "IMDS 429 five times, for the credentials",
    rules: [failing("GetCredentials", 5, 429)],
    boundMs: seconds(10),
    expected: "CMD runs",
  },
  {
    id: "8",
    fault: "IMDS 503 twice",
    rules: [failing("GetToken", 2, 503)],
    boundMs: seconds(10),
    expected: "CMD runs",
  },
  {
    id: "8b",
    fault: "IMDS 503 twice, for the role list",
    rules: [failing("ListRoles", 2, 503)],
    boundMs: seconds(10),
    expected: "CMD runs",
  },
  {
    id: "9",
    fault: "role list cut",
    rules: [{ service: "imds", operation: "ListRoles", action: "closeMidBody" }],
    boundMs: seconds(10),
    expected: NO_METADATA,
    verify: untouched,
  },
  {
    id: "9b",
    fault: "role list a captive portal's page",
    rules: [{ service: "imds", operation: "ListRoles", action: "body", body: "<html>log in</html>" }],
    boundMs: seconds(10),
    expected: NO_METADATA,
    verify: (aws) =>
      assert.equal(aws.count("imds"), aws.count("imds", "GetToken") + aws.count("imds", "ListRoles")),
  },
  {
    id: "10",
    fault: "credentials cut",
    rules: [{ service: "imds", operation: "GetCredentials", action: "cutJson" }],
    boundMs: seconds(10),
    expected: NO_METADATA,
    verify: untouched,
  },
  {
    id: "10b",
    fault: "credentials short and claiming to be whole",
    rules: [{ service: "imds", operation: "GetCredentials", action: "wrongLength" }],
    boundMs: seconds(10),
    expected: NO_METADATA,
    verify: untouched,
  },
  {
    id: "10c",
    fault: "credentials without their session token",
    prepare: ({ aws }) => {
      const { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey } = aws.imds.credentials;
      const body = JSON.stringify({ Code: "Success", AccessKeyId, SecretAccessKey });
      aws.faults.add({ service: "imds", operation: "GetCredentials", action: "body", body });
      return {};
    },
    boundMs: seconds(10),
    expected: NO_METADATA,
    verify: untouched,
  },
  {
    id: "11",
    fault: "credentials stalled",
    rules: [{ service: "imds", operation: "GetCredentials", action: "drip" }],
    boundMs: seconds(10),
    expected: NO_METADATA,
    verify: untouched,
  },
  {
    id: "12",
    fault: "no role attached",
    prepare: ({ aws }) => {
      aws.imds.role = undefined;
      return {};
    },
    boundMs: seconds(3),
    expected: {
      status: 77,
      error: /instance metadata at .*: no role is attached/,
      hint: /attach an instance profile/,
    },
    verify: (aws) => assert.equal(aws.count("imds", "ListRoles"), 1),
  },
  {
    id: "13",
    fault: "expired credentials handed out",
    prepare: ({ aws }) => {
      aws.imds.credentials = aws.identities.issue("arn:aws:iam::111122223333:role/app", "i-0", -60_000);
      return {};
    },
    boundMs: seconds(10),
    expected: {
      status: 77,
      error: /object: s3:\/\/.*expired.*\(GetObject: ExpiredToken, 400, request id \w+\)/,
      hint: /metadata/,
    },
    verify: (aws) => assert.equal(aws.count("s3"), 1),
  },
  {
    id: "14",
    fault: "Pod Identity agent never answers",
    prepare: podIdentity,
    rules: [{ service: "container", action: "silent" }],
    boundMs: seconds(10),
    expected: NO_AGENT,
    verify: untouched,
  },
  {
    id: "14b",
    fault: "ECS agent black-holed",
    prepare: ecs,
    rules: [{ service: "container", action: "connectHang" }],
    boundMs: seconds(10),
    expected: NO_AGENT,
    verify: untouched,
  },
  {
    id: "15",
    fault: "Pod Identity agent 500 three times",
    prepare: podIdentity,
    rules: [{ service: "container", action: "status", status: 500, times: 3 }],
    boundMs: seconds(10),
    expected: "CMD runs",
  },
  {
    id: "15b",
    fault: "ECS agent 500 three times",
    prepare: ecs,
    rules: [{ service: "container", action: "status", status: 500, times: 3 }],
    boundMs: seconds(10),
    expected: "CMD runs",
  },
  {
    id: "15d",
    fault: "Pod Identity agent throttles three times",
    prepare: podIdentity,
    rules: [{ service: "container", action: "status", status: 429, times: 3 }],
    boundMs: seconds(10),
    expected: "CMD runs",
  },
  {
    id: "15c",
    fault: "Pod Identity agent refuses the token",
    prepare: ({ aws }) => ({
      env: { ...aws.containerEnv(), AWS_CONTAINER_AUTHORIZATION_TOKEN: "another" },
    }),
    boundMs: seconds(3),
    expected: {
      status: 77,
      error: /container .*refused to give credentials \(403\)/,
      hint: /service account has a role/,
    },
    verify: (aws) => assert.equal(aws.count("container"), 1),
  },
  {
    id: "16",
    fault: "web identity token file missing",
    prepare: (scene) => webIdentity(scene, undefined),
    boundMs: seconds(5),
    expected: {
      status: 78,
      error: /AWS_WEB_IDENTITY_TOKEN_FILE: \/.*\/token cannot be read/,
      hint: /mount the service account's token/,
    },
    verify: (aws) => assert.equal(aws.count("sts"), 0),
  },
  {
    id: "16b",
    fault: "web identity token expired",
    prepare: async (scene) => {
      scene.aws.sts.addWebToken("a.b.c", { expired: true });
      return webIdentity(scene, "a.b.c");
    },
    boundMs: seconds(5),
    expected: {
      status: 77,
      error: /expired.*\(AssumeRoleWithWebIdentity: ExpiredToken/,
      hint: /get new ones/,
    },
    verify: (aws) => assert.equal(aws.count("sts"), 1),
  },
];

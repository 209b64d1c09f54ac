/** The chain and its sources, on the loopback AWS: what each hands out, and at its edges. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { loadCredentials } from "../../../../src/aws/credentials/chain.ts";
import { containerSource } from "../../../../src/aws/credentials/container.ts";
import { instanceSource } from "../../../../src/aws/credentials/instance.ts";
import { profileSource } from "../../../../src/aws/credentials/profile.ts";
import { checkProfileFiles } from "../../../../src/aws/credentials/profile.ts";
import { describeProfiles, explainProfile } from "../../../../src/aws/credentials/profiles.ts";
import type { ProcessEnd } from "../../../../src/aws/credentials/profiles.ts";
import type {
  ChosenSource,
  CredentialSource,
  Credentials,
  LoadedIdentity,
} from "../../../../src/aws/credentials/source.ts";
import { webIdentitySource } from "../../../../src/aws/credentials/web-identity.ts";
import { SealexecError } from "../../../../src/base/errors.ts";
import { AttemptTimeout } from "../../../../src/http/failure.ts";
import { Network } from "../../../../src/http/network.ts";
import type { Aws } from "../../../aws/server.ts";
import { withFolder } from "../../../e2e/expect.ts";
import { withAws } from "../../../e2e/harness.ts";
import { makeContext, refuses } from "../../refuses.ts";

type Env = Readonly<Record<string, string>>;

/** No shared files, and no metadata service. */
const NONE: Env = {
  AWS_CONFIG_FILE: "/nonexistent",
  AWS_SHARED_CREDENTIALS_FILE: "/nonexistent",
  AWS_EC2_METADATA_DISABLED: "true",
};
const region = async (): Promise<string> => "us-east-1";

async function load(env: Env, chosen?: ChosenSource): Promise<Credentials> {
  const { context } = makeContext({ ...NONE, ...env });
  const network = new Network(context);
  try {
    return await loadCredentials(context, network, region, chosen);
  } finally {
    network.close();
    context.deadline.clear();
  }
}

/** One attempt of a source. */
async function attempt(source: CredentialSource, env: Env): Promise<LoadedIdentity | undefined> {
  const { context } = makeContext({ ...NONE, ...env });
  const network = new Network(context);
  try {
    return await source.load({ context, network, region, signal: context.deadline.signal });
  } finally {
    network.close();
    context.deadline.clear();
  }
}

const KEY = { AWS_ACCESS_KEY_ID: "AKIAEXAMPLE", AWS_SECRET_ACCESS_KEY: "secret" };
const MISSING = {
  environment: "environment: AWS_ACCESS_KEY_ID is not set",
  profile: "profile: AWS_PROFILE is not set, and there are no shared files",
  web: "web identity: AWS_WEB_IDENTITY_TOKEN_FILE is not set",
  container: "container: AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and _FULL_URI are not set",
};

describe("the chain", () => {
  test("hands out the first source's, and says why each before it was passed over", async () => {
    assert.deepEqual(await load(KEY), {
      identity: { accessKeyId: "AKIAEXAMPLE", secretAccessKey: "secret" },
      source: "environment",
      passedOver: [],
    });
    await withAws(async (aws) => {
      const { environment, profile, web, container } = MISSING;
      for (const [env, source, passedOver, given] of [
        [
          { ...aws.env(), AWS_EC2_METADATA_DISABLED: "false" },
          "instance metadata",
          [environment, profile, web, container],
          aws.imds,
        ],
        [
          aws.containerEnv(),
          "container (full URI: EKS Pod Identity or another agent)",
          [environment, profile, web],
          aws.container,
        ],
      ] as const) {
        const { expiresAt, ...credentials } = await load(env);
        const { accessKeyId, secretAccessKey, sessionToken, expiration } = given.credentials;
        assert.deepEqual(credentials, {
          identity: { accessKeyId, secretAccessKey, sessionToken },
          source,
          passedOver,
        });
        // To the second, which is what the services tell.
        assert.equal(expiresAt, Math.floor((expiration ?? 0) / 1_000) * 1_000);
      }
    });
  });

  test("has none where nothing is configured, and says what could be", () =>
    assert.rejects(load({}), {
      kind: "denied",
      code: "no-credentials",
      hint: /^on a desk, set AWS_PROFILE or run aws sso login; elsewhere attach a role/,
    }));

  test("is not asked where a source was chosen", async () => {
    const identity = { accessKeyId: "AKIACHOSEN", secretAccessKey: "secret" };
    const chosen = { name: "chosen", load: async () => ({ identity, source: "chosen", settledAt: 7 }) };
    const { passedOver, ...credentials } = await load(KEY, chosen);
    assert.deepEqual(credentials, { identity, source: "chosen", settledAt: 7 });
    assert.deepEqual(
      passedOver,
      ["environment", "profile", "web identity", "container", "instance metadata"].map(
        (name) => `${name}: --credentials (SEALEXEC_CREDENTIALS) names another`,
      ),
    );
  });

  for (const [variable, what] of [
    ["AWS_ACCESS_KEY_ID", "access key id"],
    ["AWS_SECRET_ACCESS_KEY", "secret access key"],
    ["AWS_SESSION_TOKEN", "session token"],
  ] as const) {
    for (const value of ["canary\n", " canary", "can ary", "canary\t", "cänary", "canary\x7f"]) {
      test(`${variable} of ${JSON.stringify(value)} is refused, and not repeated`, async () => {
        const error = await load({ ...KEY, [variable]: value }).then(
          () => assert.fail("it was taken"),
          (refused: { kind: string; message: string; hint: string }) => refused,
        );
        assert.equal(error.kind, "config");
        assert.equal(error.message, `environment: the ${what} is not one word of plain text`);
        assert.doesNotMatch(error.hint, /can/);
      });
    }
  }

  for (const [name, other] of [
    ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"],
    ["AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID"],
  ] as const) {
    test(`${name} alone is half of a key`, async () => {
      for (const empty of [{}, { [other]: "" }])
        await assert.rejects(load({ [name]: "x", ...empty }), {
          kind: "config",
          message: `${other} is missing beside its other half`,
        });
    });
  }
});

const answering = (aws: Aws, service: "imds" | "container", operation: string, body: string): void =>
  void aws.faults.add({ service, operation, action: "body", body });

describe("the instance's role", () => {
  for (const [list, role] of [
    ["sealexec-role", "sealexec-role"],
    ["sealexec-role\nother", "sealexec-role"],
    ["  sealexec-role \r\nother\n", "sealexec-role"],
    ["a+b=c,d.e@f-g_h", "a+b=c,d.e@f-g_h"],
    ["x".repeat(64), "x".repeat(64)],
    ["x".repeat(65), undefined],
    ["", undefined],
    [".", undefined],
    ["..", undefined],
    ["../../placement", undefined],
    ["a/b", undefined],
    ["a b", undefined],
    ["a?b", undefined],
    ["a#b", undefined],
    ["a%2fb", undefined],
    ["<html>", undefined],
  ] as const) {
    test(`${JSON.stringify(list)} in the list: ${role === undefined ? "none is asked for" : role}`, () =>
      withAws(async (aws) => {
        answering(aws, "imds", "ListRoles", list);
        if (role !== undefined) aws.imds.role = role;
        const env = aws.env();
        const asked = attempt(await instanceSource(env), env);
        if (role === undefined) {
          await assert.rejects(asked);
          assert.equal(aws.count("imds", "GetCredentials"), 0);
        } else assert.equal((await asked)?.accessKeyId, aws.imds.credentials.accessKeyId);
        assert.equal(aws.count("imds", "GetToken"), 1);
      }));
  }

  test("why there are none: no role, or a service that does not answer as it should", () =>
    withAws(async (aws) => {
      const env = aws.env();
      const source = await instanceSource(env);
      const failed = async () =>
        attempt(source, env).then(
          () => assert.fail("there are some"),
          (error: unknown) => source.classify(error),
        );
      const { imds } = aws.endpoints;
      for (const [operation, status, kind] of [
        ["ListRoles", 404, "denied"],
        ["ListRoles", 403, "unavailable"],
        ["ListRoles", 500, "unavailable"],
        ["GetToken", 404, "unavailable"],
        ["GetCredentials", 404, "unavailable"],
      ] as const) {
        const fault = aws.faults.add({ service: "imds", operation, action: "status", status });
        const { error, transient } = await failed();
        assert.deepEqual(
          [error.kind, transient],
          [kind, kind === "denied" ? undefined : "unreachable"],
          `${operation} ${status}`,
        );
        const says =
          kind === "denied" ? "no role is attached to this instance" : "no credentials to be had by IMDSv2";
        assert.equal(error.message, `instance metadata at ${imds}: ${says}`);
        await fault.remove();
      }
      const { transient } = source.classify(new AttemptTimeout());
      assert.equal(transient, "unreachable");
    }));
});

const CREDENTIALS = { AccessKeyId: "AKIA", SecretAccessKey: "secret", Token: "token" };

describe("what an agent answers", () => {
  for (const [what, body, wanted] of [
    ["without an end", CREDENTIALS, {}],
    [
      "with an end",
      { ...CREDENTIALS, Expiration: "2030-01-01T00:00:00Z" },
      { expiration: new Date("2030-01-01T00:00:00Z") },
    ],
    ["with an end that is no text", { ...CREDENTIALS, Expiration: 7 }, {}],
    ["with more", { ...CREDENTIALS, Code: "Success", Type: "AWS-HMAC", RoleArn: "arn" }, {}],
  ] as const) {
    test(`credentials ${what}`, () =>
      withAws(async (aws) => {
        answering(aws, "container", "GetCredentials", JSON.stringify(body));
        const env = aws.containerEnv();
        assert.deepEqual(await attempt(containerSource(env), env), {
          accessKeyId: "AKIA",
          secretAccessKey: "secret",
          sessionToken: "token",
          ...wanted,
        });
      }));
  }

  test("an end that is no time is none", () =>
    withAws(async (aws) => {
      answering(aws, "container", "GetCredentials", JSON.stringify({ ...CREDENTIALS, Expiration: "soon" }));
      assert.ok(!("expiresAt" in (await load(aws.containerEnv()))));
    }));

  for (const body of [
    ...Object.keys(CREDENTIALS).flatMap((name) => [
      JSON.stringify({ ...CREDENTIALS, [name]: undefined }),
      JSON.stringify({ ...CREDENTIALS, [name]: "" }),
      JSON.stringify({ ...CREDENTIALS, [name]: 7 }),
    ]),
    "",
    "null",
    '"canary"',
    "{canary",
  ]) {
    test(`${JSON.stringify(body)} is no answer, and is not repeated`, () =>
      withAws(async (aws) => {
        answering(aws, "container", "GetCredentials", body);
        const env = aws.containerEnv();
        const source = containerSource(env);
        await assert.rejects(attempt(source, env), (error: Error) => {
          assert.doesNotMatch(`${error.message} ${String(error.cause)}`, /canary|secret/);
          const { error: told, transient } = source.classify(error);
          assert.deepEqual([told.kind, transient], ["unavailable", "unreachable"]);
          return true;
        });
      }));
  }
});

describe("an agent", () => {
  for (const [status, kind] of [
    [201, "unavailable"],
    [302, "unavailable"],
    [399, "unavailable"],
    [400, "denied"],
    [403, "denied"],
    [404, "denied"],
    [428, "denied"],
    [429, "unavailable"],
    [430, "denied"],
    [499, "denied"],
    [500, "unavailable"],
    [503, "unavailable"],
  ] as const) {
    test(`that answers ${status}: ${kind}`, () =>
      withAws(async (aws) => {
        aws.faults.add({ service: "container", action: "body", status, body: JSON.stringify(CREDENTIALS) });
        const env = aws.containerEnv();
        const source = containerSource(env);
        await assert.rejects(attempt(source, env), (thrown) => {
          const { error, transient } = source.classify(thrown);
          assert.deepEqual([error.kind, transient], [kind, kind === "denied" ? undefined : "unreachable"]);
          assert.ok(
            error.message.startsWith("container (full URI: EKS Pod Identity or another agent): the agent "),
          );
          assert.ok(error.message.endsWith(` (${status})`), error.message);
          return true;
        });
      }));
  }

  test("is called ECS where its URI is relative, which counts before the other", () => {
    const both = {
      AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: "/a",
      AWS_CONTAINER_CREDENTIALS_FULL_URI: "https://a.test",
    };
    assert.equal(containerSource(both).name, "container (ECS)");
    const empty = { ...both, AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: "" };
    assert.equal(containerSource(empty).name, "container (full URI: EKS Pod Identity or another agent)");
  });

  test("is told the token of its file, without blanks around it, else that of the variable, else none", () =>
    withFolder((folder) =>
      withAws(async (aws) => {
        const { AWS_CONTAINER_AUTHORIZATION_TOKEN: _, ...bare } = aws.containerEnv();
        const file = join(folder, "token");
        writeFileSync(file, " of the file \n");
        const sent = async (more: Env): Promise<string | undefined> => {
          aws.resetCalls();
          const env = { ...bare, ...more };
          await attempt(containerSource(env), env).catch(() => undefined);
          return aws.calls[0]?.headers.get("authorization");
        };
        const [FILE, VARIABLE] = [
          "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
          "AWS_CONTAINER_AUTHORIZATION_TOKEN",
        ];
        assert.equal(await sent({ [FILE]: file, [VARIABLE]: "of the variable" }), "of the file");
        assert.equal(await sent({ [FILE]: "", [VARIABLE]: "of the variable" }), "of the variable");
        assert.equal(await sent({ [VARIABLE]: "" }), undefined);
        for (const token of ["two\nlines", "cänary", "a\0"]) {
          const env = { ...bare, [VARIABLE]: token };
          await assert.rejects(attempt(containerSource(env), env), {
            kind: "config",
            message: /is not one line of text$/,
          });
        }
        const missing = { ...bare, [FILE]: join(folder, "none"), [VARIABLE]: "x" };
        await assert.rejects(attempt(containerSource(missing), missing), {
          kind: "config",
          message: `AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: ${folder}/none cannot be read (ENOENT)`,
        });
      }),
    ));

  test("that is away is asked again", () => {
    const source = containerSource({ AWS_CONTAINER_CREDENTIALS_FULL_URI: "https://a.test" });
    const { error, transient } = source.classify(new AttemptTimeout());
    assert.deepEqual([error.kind, transient], ["unavailable", "unreachable"]);
    assert.ok(error.message.endsWith("the agent gives no answer that can be used"));
  });
});

describe("a web identity", () => {
  const ROLE = "arn:aws:iam::111122223333:role/app";

  test("is exchanged with the token of its file, and the name of its session where there is one", () =>
    withFolder((folder) =>
      withAws(async (aws) => {
        aws.sts.addWebToken("token");
        const file = join(folder, "token");
        writeFileSync(file, " token\n");
        const env = { ...aws.serviceEnv(), AWS_WEB_IDENTITY_TOKEN_FILE: file, AWS_ROLE_ARN: ROLE };
        const credentials = await load(env);
        assert.equal(credentials.source, `web identity (${ROLE})`);
        assert.deepEqual(credentials.passedOver, [MISSING.environment, MISSING.profile]);
        assert.ok((credentials.expiresAt ?? 0) > Date.now());
        assert.match(credentials.identity.sessionToken ?? "", /./);
        for (const [name, session] of [
          ["pod", /\/app\/pod$/],
          ["", /\/app\/.+$/],
        ] as const) {
          const { accessKeyId } = (await load({ ...env, AWS_ROLE_SESSION_NAME: name })).identity;
          assert.match(aws.identities.find(accessKeyId)?.arn ?? "", session);
        }
        assert.equal(aws.count("sts"), 3);
      }),
    ));

  test("one that STS keeps failing for is one call an attempt", () =>
    withFolder((folder) =>
      withAws(async (aws) => {
        const file = join(folder, "token");
        writeFileSync(file, "token");
        aws.faults.add({ service: "sts", action: "status", status: 500 });
        const env = { ...aws.serviceEnv(), AWS_WEB_IDENTITY_TOKEN_FILE: file, AWS_ROLE_ARN: ROLE };
        const source = webIdentitySource(env);
        await assert.rejects(attempt(source, env), (error) => {
          const { error: told, transient } = source.classify(error);
          assert.deepEqual([told.kind, transient], ["unavailable", "failing"]);
          assert.match(told.message, /\(AssumeRoleWithWebIdentity: /);
          return true;
        });
        assert.equal(aws.count("sts"), 1);
      }),
    ));

  test("without a role, or with an empty one, is broken", async () => {
    for (const more of [{}, { AWS_ROLE_ARN: "" }]) {
      const env = { AWS_WEB_IDENTITY_TOKEN_FILE: "/dev/null", ...more };
      await assert.rejects(attempt(webIdentitySource(env), env), { kind: "config" });
    }
  });
});

function profilesIn(folder: string, config: string, credentials = ""): Env {
  const [AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE] = [
    join(folder, "config"),
    join(folder, "credentials"),
  ];
  writeFileSync(AWS_CONFIG_FILE, config);
  writeFileSync(AWS_SHARED_CREDENTIALS_FILE, credentials);
  return { AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE, HOME: folder };
}

describe("a profile's failures", () => {
  const source = profileSource({ AWS_PROFILE: "dev" });
  const failed = (name: string, message: string, more: object = {}): Error =>
    Object.assign(new Error(message), { name, ...more });
  const at = (httpStatusCode: number) => ({ $metadata: { httpStatusCode } });

  for (const [error, kind, code, transient] of [
    [
      failed("CredentialsProviderError", "The SSO session has expired"),
      "denied",
      "sso-login-needed",
      undefined,
    ],
    [
      failed("TokenProviderError", "Token is expired: run aws sso login"),
      "denied",
      "sso-login-needed",
      undefined,
    ],
    [failed("ProviderError", "run aws login"), "denied", "sso-login-needed", undefined],
    [failed("CredentialsProviderError", "canary"), "config", "config", undefined],
    [failed("AccessDenied", "SSO", at(403)), "denied", "access-denied", undefined],
    [failed("CredentialsProviderError", "SSO", at(500)), "unavailable", "service-failing", "failing"],
    [failed("SlowDown", "canary", at(503)), "timeout", "throttled", "throttled"],
    // The next attempt knows nothing of the clock that this one has learned of.
    [
      failed("RequestExpired", "canary", { $metadata: { httpStatusCode: 400, clockSkewCorrected: true } }),
      "config",
      "clock-skew",
      undefined,
    ],
    [failed("Error", "canary", { code: "ECONNRESET" }), "unavailable", "unreachable", "unreachable"],
  ] as const) {
    test(`${error.name}, ${error.message}: ${kind}, ${code}`, () => {
      const failure = source.classify(error);
      assert.deepEqual([failure.error.kind, failure.error.code, failure.transient], [kind, code, transient]);
      assert.match(failure.error.message, /profile dev/);
      assert.doesNotMatch(`${failure.error.message} ${failure.error.hint}`, /canary/);
    });
  }

  test("our own stay what they are, and each names the profile in use", () => {
    const own = new SealexecError("data", "own");
    assert.deepEqual(source.classify(own), { error: own });
    assert.equal(source.name, "profile dev");
    for (const env of [{}, { AWS_PROFILE: "" }]) assert.equal(profileSource(env).name, "profile default");
  });
});

type WhyNone = readonly [
  what: string,
  config: string,
  says: readonly [code: string, message: RegExp] | undefined,
  ended?: ProcessEnd | undefined,
  message?: string,
];

describe("profiles, for messages", () => {
  test("ten are named, in their order, each cut; of more, how many", async () => {
    const sections = (count: number): string =>
      Array.from({ length: count }, (_, index) => `[p${String(index).padStart(2, "0")}]\na = b\n`)
        .toReversed()
        .join("");
    const ten = "p00, p01, p02, p03, p04, p05, p06, p07, p08, p09";
    for (const [config, credentials, described] of [
      ["", "", "there are no profiles in the shared files"],
      ["[sso-session a]\na = b\n[services b]\na = b\n", "", "there are no profiles in the shared files"],
      [
        "[default]\na = b\n[profile b]\na = b\n",
        "[a]\na = b\n[b]\na = c\n",
        "the shared files have a, b, default",
      ],
      ["", sections(10), `the shared files have ${ten}`],
      ["", sections(11), `the shared files have ${ten} and 1 more`],
      ["", `[${"x".repeat(65)}]\na = b\n`, `the shared files have ${"x".repeat(64)}`],
    ] as const)
      // A folder for each: the SDK reads a file once.
      await withFolder(async (folder) =>
        assert.equal(await describeProfiles(profilesIn(folder, config, credentials)), described),
      );
  });

  const NOT_RESOLVED =
    "Could not resolve credentials using profile: [x] in configuration/credentials file(s).";
  const ROLE = "role_arn = arn:aws:iam::111122223333:role/x\n";
  const PROCESS = "credential_process = x\n";

  for (const [what, config, says, ended, message = NOT_RESOLVED] of [
    [
      "nothing in it",
      "[default]\na = b\n[profile x]\na = b\n",
      ["no-credentials-in-it", /: x has none in it$/],
    ],
    ["no such profile", "[profile y]\na = b\n", ["no-such-profile", /: there is no profile x$/]],
    [
      "the half of a key",
      "[profile x]\naws_access_key_id = a\n",
      ["profile-unusable", /x has no aws_secret_access_key/],
    ],
    [
      "an empty half",
      "[profile x]\naws_access_key_id =\naws_secret_access_key = a\n",
      ["profile-unusable", /x has no aws_access_key_id/],
    ],
    ["a role alone", `[profile x]\n${ROLE}`, ["profile-unusable", /x has a role_arn, but no source_profile/]],
    [
      "a role by its environment",
      `[profile x]\n${ROLE}credential_source = Environment\n`,
      ["no-credentials-in-it", /x has none/],
    ],
    [
      "a role by a token",
      `[profile x]\n${ROLE}web_identity_token_file = /x\n`,
      ["no-credentials-in-it", /x has none/],
    ],
    [
      "a role over a profile without",
      `[profile x]\n${ROLE}source_profile = y\n[profile y]\na = b\n`,
      ["no-credentials-in-it", /: y has none/],
    ],
    [
      "a role over itself",
      `[profile x]\n${ROLE}source_profile = x\n`,
      ["profile-unusable", /x is its own source_profile$/],
    ],
    [
      "a role over itself, with a key",
      `[profile x]\n${ROLE}source_profile = x\naws_access_key_id = a\naws_secret_access_key = b\n`,
      ["no-credentials-in-it", /x has none/],
    ],
    [
      "a source without a role",
      "[profile x]\nsource_profile = y\n[profile y]\na = b\n",
      ["no-credentials-in-it", /: x has none/],
    ],
    ["single sign-on", "[profile x]\nsso_session = a\n", undefined],
    ["a login", "[profile x]\nlogin_session = a\n", undefined],
    ["another failure", "[profile x]\na = b\n", undefined, undefined, "canary"],
    [
      "a process that failed",
      `[profile x]\n${PROCESS}`,
      ["credential-process-failed", /the credential_process of x ended with status 7$/],
      { code: 7, signal: null },
    ],
    [
      "a process that was killed",
      `[profile x]\n${PROCESS}`,
      ["credential-process-failed", /x ended with SIGKILL$/],
      { code: null, signal: "SIGKILL" },
    ],
    [
      "a process that is not there",
      `[profile x]\n${PROCESS}`,
      ["credential-process-failed", /x ended with ENOENT$/],
      { code: "ENOENT", signal: null },
    ],
    [
      "a process whose end nobody knows",
      `[profile x]\n${PROCESS}`,
      ["credential-process-failed", /x ended with an error$/],
      {},
    ],
    [
      "a process that printed nothing",
      `[profile x]\n${PROCESS}`,
      ["credential-process-failed", /x did not print credentials$/],
    ],
    [
      "a process of yesterday",
      `[profile x]\n${PROCESS}`,
      ["credentials-expired", /x gave expired credentials$/],
      undefined,
      "Profile x credential_process returned expired credentials.",
    ],
  ] as readonly WhyNone[]) {
    test(`why one gives none: ${what}`, () =>
      withFolder(async (folder) => {
        const cause = new Error(message);
        const told = await explainProfile("x", profilesIn(folder, config), cause, ended);
        assert.deepEqual(
          [told?.code, told?.cause],
          says === undefined ? [undefined, undefined] : [says[0], cause],
        );
        if (told === undefined || says === undefined) return;
        assert.equal(told.kind, says[0] === "credentials-expired" ? "denied" : "config");
        assert.match(told.message, says[1]);
        assert.match(told.message, /^profile x: no usable credentials in the shared files: /);
        assert.match(told.hint ?? "", /./);
      }));
  }
});

describe("files that the SDK reads for a profile", () => {
  test("none may be a pipe or a folder, of the profile or of those that it is over; what is not there is the SDK's", () =>
    withFolder(async (folder) => {
      const pipe = join(folder, "pipe");
      execFileSync("mkfifo", [pipe]);
      const config = (file: string): string =>
        `[profile x]\nsource_profile = y\n[profile y]\nweb_identity_token_file = ${file}\n[profile z]\nweb_identity_token_file = ${pipe}\n`;
      for (const file of [pipe, folder]) {
        const env = { ...profilesIn(folder, config(file)), AWS_PROFILE: "x" };
        refuses(
          () => checkProfileFiles(env),
          "config",
          /^profile y: its web_identity_token_file: \S+ cannot be read \(/,
        );
      }
      for (const file of [join(folder, "none"), join(folder, "config")])
        checkProfileFiles({ ...profilesIn(folder, config(file)), AWS_PROFILE: "x" });
    }));

  test("nor may a cached login", () =>
    withFolder(async (folder) => {
      const env = profilesIn(folder, "");
      const places = [".aws/sso/cache", ".aws/login/cache", "elsewhere"].map((place) => join(folder, place));
      for (const place of places) {
        mkdirSync(place, { recursive: true });
        writeFileSync(join(place, "good.json"), "{}");
        execFileSync("mkfifo", [join(place, "other.txt")]);
      }
      const [sso = "", login = "", elsewhere = ""] = places;
      const moved = { ...env, AWS_LOGIN_CACHE_DIRECTORY: elsewhere };
      for (const each of [env, moved]) checkProfileFiles(each);
      const refused = (each: Env): void =>
        void refuses(
          () => checkProfileFiles(each),
          "config",
          /^a cached login: \S+\.json cannot be read \(not a regular file\)$/,
        );
      execFileSync("mkfifo", [join(login, "a.json")]);
      refused(env);
      checkProfileFiles(moved);
      execFileSync("mkfifo", [join(elsewhere, "a.json")]);
      refused(moved);
      execFileSync("mkfifo", [join(sso, "a.json")]);
      refused({ ...env, AWS_LOGIN_CACHE_DIRECTORY: folder });
    }));
});

/** What Secrets Manager is asked, to the letter, and what is taken of its answers. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SealexecError } from "../../../../src/base/errors.ts";
import { Secret } from "../../../../src/base/secret.ts";
import type { Content } from "../../../../src/stores/source.ts";
import { findSecret } from "../../../../src/stores/secrets-manager/find.ts";
import { secretNeed } from "../../../../src/stores/secrets-manager/read.ts";
import type { SecretRef } from "../../../../src/stores/secrets-manager/ref.ts";
import { parseSource } from "../../../../src/stores/registry.ts";
import { secretText, writeSecret } from "../../../../src/stores/secrets-manager/write.ts";
import type { ExpectedSecret, WrittenSecret } from "../../../../src/stores/secrets-manager/write.ts";
import type { Reply } from "../../service.ts";
import { callsOf, refusal, withAwsTools } from "../aws-tools.ts";
import type { Place } from "../aws-tools.ts";

const REF: SecretRef = { id: "prod/app", reading: { as: "object" } };
const URI = "secretsmanager://prod/app";
const [VERSION, OTHER] = ["11111111-2222-4333-8444-555555555555", "99999999-2222-4333-8444-555555555555"];
const ARN = "arn:aws:secretsmanager:us-east-1:111122223333:secret:prod/app-AbCdEf";

const withPlace = (work: (place: Place) => Promise<void>): Promise<void> =>
  withAwsTools([secretNeed(REF)], work);

const value = (more: object): Reply => ({ body: { ARN, VersionId: VERSION, ...more } });
const text = (SecretString: string): Reply => value({ SecretString });

function shown(content: Content): unknown {
  if (content.kind !== "variables") return content;
  const values = Object.fromEntries([...content.variables].map(([name, secret]) => [name, secret.reveal()]));
  return { ...content, variables: values };
}

describe("a read of a secret", () => {
  for (const [uri, input] of [
    [URI, { SecretId: "prod/app", VersionStage: "AWSCURRENT" }],
    [`${URI}?stage=BLUE`, { SecretId: "prod/app", VersionStage: "BLUE" }],
    [`${URI}?versionId=${VERSION}`, { SecretId: "prod/app", VersionId: VERSION }],
    [
      `${URI}?stage=BLUE&versionId=${VERSION}`,
      { SecretId: "prod/app", VersionStage: "BLUE", VersionId: VERSION },
    ],
    [`secretsmanager://${ARN}`, { SecretId: ARN, VersionStage: "AWSCURRENT" }],
  ] as const) {
    test(`${uri.slice(0, 60)}: one call`, async () => {
      const source = await parseSource(uri);
      return withAwsTools(source.aws === undefined ? [] : [source.aws], async ({ service, tools }) => {
        service.answers(text('{"A":"x"}'));
        await source.read(tools);
        assert.deepEqual(callsOf(service), [["GetSecretValue", input]]);
      });
    });
  }

  test("gives what the text holds, and the version that it was", () =>
    withPlace(async ({ service, tools }) => {
      const state = { versionId: VERSION, etag: `"${VERSION}"`, validator: VERSION };
      for (const [more, string, content] of [
        ["", '{"A":"x","B":1}', { kind: "variables", variables: { A: "x", B: "1" }, ...state }],
        ["?as=P", "hunter2", { kind: "variables", variables: { P: "hunter2" }, ...state }],
        ["#A", '{"A":"x","B":1}', { kind: "variables", variables: { A: "x" }, ...state }],
        ["?format=json", "{}", { kind: "text", bytes: Buffer.from("{}"), ...state }],
      ] as const) {
        service.answers(text(string));
        assert.deepEqual(shown(await (await parseSource(URI + more)).read(tools)), content);
      }
      for (const VersionId of [undefined, 7, null]) {
        service.answers({ body: { SecretString: "{}", VersionId } });
        assert.deepEqual(shown(await (await parseSource(URI)).read(tools)), {
          kind: "variables",
          variables: {},
        });
      }
    }));

  for (const [what, reply, failure] of [
    [
      "binary",
      value({ SecretBinary: "eA==" }),
      { kind: "data", message: "the secret is binary", hint: /text/ },
    ],
    [
      "without a text",
      value({}),
      { kind: "unavailable", message: "GetSecretValue: the answer holds no secret", hint: /endpoint/ },
    ],
    ["with a text that is none", value({ SecretString: 7 }), { kind: "unavailable" }],
    ["that is not there", refusal("ResourceNotFoundException"), { kind: "missing", code: "no-such-secret" }],
    [
      "that is denied",
      refusal("AccessDeniedException"),
      { kind: "denied", hint: /secretsmanager:GetSecretValue/ },
    ],
  ] as const) {
    test(`of one ${what} fails after one call`, () =>
      withPlace(async ({ service, tools }) => {
        service.answers(reply);
        await assert.rejects((await parseSource(URI)).read(tools), failure);
        assert.equal(service.asked.length, 1);
      }));
  }

  test("that fails is made again", () =>
    withPlace(async ({ service, tools }) => {
      service.answers({ status: 500 }, refusal("ThrottlingException"), text("{}"));
      await (await parseSource(URI)).read(tools);
      assert.equal(service.asked.length, 3);
    }));
});

describe("a look at a secret", () => {
  const versions = (stages: unknown, more: object = {}): Reply => ({
    body: { ARN, VersionIdsToStages: stages, ...more },
  });
  const lookAt = async (
    { service, tools }: Place,
    uri: string,
    reply: Reply,
  ): Promise<string | undefined> => {
    service.answers(reply);
    return (await parseSource(uri)).look?.(VERSION, tools);
  };
  const BOTH = { [OTHER]: ["AWSPREVIOUS", "BLUE"], [VERSION]: ["GREEN", "AWSCURRENT"] };

  test("is one call without a key, and finds the version that has the stage", () =>
    withPlace(async (place) => {
      assert.equal(await lookAt(place, URI, versions(BOTH)), undefined);
      assert.deepEqual(callsOf(place.service), [["DescribeSecret", { SecretId: "prod/app" }]]);
      assert.equal(await lookAt(place, `${URI}?stage=GREEN`, versions(BOTH)), undefined);
      assert.equal(await lookAt(place, `${URI}?stage=BLUE`, versions(BOTH)), OTHER);
      assert.equal(await lookAt(place, URI, versions({ [OTHER]: ["AWSCURRENT"] })), OTHER);
      const notDeleted = versions({ [VERSION]: ["AWSCURRENT"] }, { DeletedDate: null });
      assert.equal(await lookAt(place, URI, notDeleted), undefined);
    }));

  test("finds none, or one that is marked for deletion", () =>
    withPlace(async (place) => {
      const none = { kind: "missing", message: "no version of the secret has the stage AWSCURRENT" };
      for (const stages of [{}, { [VERSION]: ["BLUE"] }, { [VERSION]: "AWSCURRENT" }, null, undefined, "x"])
        await assert.rejects(lookAt(place, URI, versions(stages)), none);
      await assert.rejects(lookAt(place, `${URI}?stage=RED`, versions(BOTH)), { message: /the stage RED$/ });
      for (const DeletedDate of [1.5e9, 0]) {
        const deleted = { kind: "missing", message: "the secret is marked for deletion", hint: /restore/ };
        await assert.rejects(lookAt(place, URI, versions(BOTH, { DeletedDate })), deleted);
      }
    }));

  test("is not made again, and there is none at a version", () =>
    withPlace(async (place) => {
      await assert.rejects(lookAt(place, URI, { status: 500 }), { kind: "unavailable" });
      assert.equal(place.service.asked.length, 1);
      const denied = {
        kind: "denied",
        code: "access-denied",
        message: /^access denied \(DescribeSecret/,
        hint: /secretsmanager:DescribeSecret .* run --watch looks with it/,
      };
      await assert.rejects(lookAt(place, URI, refusal("AccessDeniedException")), denied);
      assert.equal((await parseSource(`${URI}?versionId=${VERSION}`)).look, undefined);
    }));
});

describe("a source of Secrets Manager", () => {
  test("says what it is, where it is asked, and what it gives", async () => {
    const source = await parseSource(`${URI}?region=eu-west-1&format=json`);
    assert.deepEqual([source.uri, source.gives, source.dialect], [URI, "text", "json"]);
    assert.deepEqual([source.aws?.home, source.aws?.region], ["secretsmanager in eu-west-1", "eu-west-1"]);
    for (const more of ["", "?as=A", "#A"]) {
      const { gives, dialect } = await parseSource(URI + more);
      assert.deepEqual([gives, dialect], ["variables", undefined]);
    }
  });
});

describe("what a secret holds before a push", () => {
  const gone = (message: string): Reply => refusal("ResourceNotFoundException", message);

  for (const [what, reply, found] of [
    ["variables", text('{"A":"x"}'), { kind: "there", versionId: VERSION, variables: { A: "x" } }],
    ["a password", text("hunter2"), { kind: "there", versionId: VERSION, variables: undefined }],
    ["a list", text("[1]"), { kind: "there", versionId: VERSION, variables: undefined }],
    ["bytes", value({ SecretBinary: "eA==" }), { kind: "there", versionId: VERSION, variables: undefined }],
    ["no value yet", gone("can't find the specified secret value for staging label: X"), { kind: "empty" }],
    ["nothing, as it is not there", gone("can't find the specified secret."), { kind: "absent" }],
  ] as const) {
    test(what, () =>
      withPlace(async ({ service, tools }) => {
        service.answers(reply);
        const result = await findSecret(REF, tools);
        const shownFound =
          result.kind === "there" && result.variables !== undefined
            ? {
                ...result,
                variables: Object.fromEntries([...result.variables].map(([k, v]) => [k, v.reveal()])),
              }
            : result;
        assert.deepEqual(shownFound, found);
        assert.deepEqual(callsOf(service), [
          ["GetSecretValue", { SecretId: "prod/app", VersionStage: "AWSCURRENT" }],
        ]);
      }),
    );
  }

  test("what may not be read is hidden, with the reason", () =>
    withPlace(async ({ service, tools }) => {
      service.answers(refusal("AccessDeniedException"));
      const found = await findSecret(REF, tools);
      assert.ok(found.kind === "hidden" && found.error.code === "access-denied");
    }));

  test("what cannot be known is said, and nothing is made under an ARN", () =>
    withPlace(async ({ service, tools }) => {
      for (const [ref, reply, failure] of [
        [
          REF,
          { body: { SecretString: "{}" } },
          { kind: "unavailable", message: /the answer names no version$/ },
        ],
        [REF, refusal("DecryptionFailure"), { kind: "config" }],
        [
          REF,
          refusal("InvalidRequestException", "the secret was marked for deletion"),
          { kind: "missing", code: "marked-for-deletion" },
        ],
        [{ ...REF, id: ARN }, gone("can't find it"), { kind: "missing", code: "no-such-secret" }],
      ] as const) {
        service.answers(reply);
        await assert.rejects(findSecret(ref, tools), failure);
      }
    }));
});

describe("a write of a secret", () => {
  const WRITE = { text: '{"A":"x"}', token: "t".repeat(32), key: undefined };
  const PUT = { SecretId: "prod/app", ClientRequestToken: WRITE.token, SecretString: WRITE.text };
  const put = (stage: string): unknown => ["PutSecretValue", { ...PUT, VersionStages: [stage] }];
  const move = (input: object): unknown => ["UpdateSecretVersionStage", { SecretId: "prod/app", ...input }];
  const MOVE = move({ VersionStage: "AWSCURRENT", MoveToVersionId: VERSION, RemoveFromVersionId: OTHER });
  const TIDY = move({ VersionStage: "SEALEXECPENDING", RemoveFromVersionId: VERSION });
  const READ = ["GetSecretValue", { SecretId: "prod/app", VersionStage: "AWSCURRENT" }];
  const CONFLICT = refusal("InvalidParameterException");
  const written = (stages: unknown): Reply => value({ VersionStages: stages });
  const REPLACED: ExpectedSecret = { kind: "version", versionId: OTHER };

  const write = ({ tools }: Place, expected: ExpectedSecret, key?: string): Promise<WrittenSecret> =>
    writeSecret(REF, { ...WRITE, key, expected }, tools);

  test("that is not there makes it, under a key if one is named", () =>
    withPlace(async (place) => {
      const { service } = place;
      service.answers(value({}), value({ VersionStages: ["X", 7] }));
      const made = { arn: ARN, versionId: VERSION, made: true };
      assert.deepEqual(await write(place, { kind: "absent" }), { ...made, stages: ["AWSCURRENT"] });
      assert.deepEqual(await write(place, { kind: "absent" }, "alias/app"), { ...made, stages: ["X"] });
      const create = { Name: "prod/app", ClientRequestToken: WRITE.token, SecretString: WRITE.text };
      assert.deepEqual(callsOf(service), [
        ["CreateSecret", create],
        ["CreateSecret", { ...create, KmsKeyId: "alias/app" }],
      ]);
    }));

  test("that has no value yet gives it its first", () =>
    withPlace(async (place) => {
      place.service.answers(written(["AWSCURRENT"]));
      assert.deepEqual(await write(place, { kind: "empty" }), {
        arn: ARN,
        versionId: VERSION,
        stages: ["AWSCURRENT"],
        made: false,
      });
      assert.deepEqual(callsOf(place.service), [put("AWSCURRENT")]);
    }));

  test("over a version makes another, which takes its place in a step of its own", () =>
    withPlace(async (place) => {
      place.service.answers(written(["SEALEXECPENDING"]), {});
      assert.deepEqual(await write(place, REPLACED), {
        arn: ARN,
        versionId: VERSION,
        stages: ["AWSCURRENT"],
        made: false,
      });
      assert.deepEqual(callsOf(place.service), [put("SEALEXECPENDING"), MOVE]);
    }));

  for (const [what, after] of [
    ["another is current", text("{}")],
    ["it may not be read", refusal("AccessDeniedException")],
  ] as const) {
    test(`that comes too late is a conflict, and takes its label away: ${what}`, () =>
      withPlace(async (place) => {
        const answer = "body" in after && after.status === undefined ? { body: { VersionId: OTHER } } : after;
        for (const last of [{}, { status: 400 }] as const) {
          place.service.answers(written([]), CONFLICT, answer, last);
          await assert.rejects(write(place, REPLACED), {
            kind: "conflict",
            code: "conflict",
            message: /^the secret is no longer the one expected/,
            hint: /nothing was overwritten/,
          });
          assert.deepEqual(callsOf(place.service), [put("SEALEXECPENDING"), MOVE, READ, TIDY]);
        }
      }));
  }

  test("whose own step came through although its answer was lost is none", () =>
    withPlace(async (place) => {
      place.service.answers(written([]), CONFLICT, text("{}"));
      assert.equal((await write(place, REPLACED)).versionId, VERSION);
      assert.deepEqual(callsOf(place.service), [put("SEALEXECPENDING"), MOVE, READ]);
    }));

  test("whose step fails otherwise fails so, and so does one of which nobody knows", () =>
    withPlace(async (place) => {
      const hint = /secretsmanager:UpdateSecretVersionStage .* only the version that it has seen/;
      const message = /^access denied \(UpdateSecretVersionStage/;
      place.service.answers(written([]), refusal("AccessDeniedException"));
      await assert.rejects(write(place, REPLACED), {
        kind: "denied",
        code: "access-denied",
        message,
        hint,
      });
      assert.deepEqual(callsOf(place.service), [put("SEALEXECPENDING"), MOVE]);
      place.service.answers(written([]), CONFLICT, refusal("DecryptionFailure"));
      await assert.rejects(write(place, REPLACED), { kind: "config", code: "key-unusable" });
      assert.deepEqual(callsOf(place.service), [put("SEALEXECPENDING"), MOVE, READ]);
    }));

  test("whose answer names no version is one of which nobody knows", () =>
    withPlace(async (place) => {
      for (const body of [{}, { ARN }, { VersionId: VERSION }, { ARN: 7, VersionId: VERSION }]) {
        for (const expected of [{ kind: "absent" }, { kind: "empty" }, REPLACED] as const) {
          place.service.answers({ body });
          const message = "the answer names no version: it is not known whether one was made";
          await assert.rejects(write(place, expected), { kind: "unavailable", message, hint: /pull/ });
          assert.equal(place.service.asked.length, 1);
        }
      }
      place.service.answers(written("none"));
      assert.deepEqual((await write(place, { kind: "empty" })).stages, []);
    }));

  test("that AWS refuses has the permission that it takes", () =>
    withPlace(async (place) => {
      for (const [expected, operation] of [
        [{ kind: "absent" }, "CreateSecret"],
        [{ kind: "empty" }, "PutSecretValue"],
      ] as const) {
        place.service.answers(refusal("AccessDeniedException"));
        const hint = new RegExp(`allow secretsmanager:${operation} .* and kms:GenerateDataKey if`);
        await assert.rejects(write(place, expected), { kind: "denied", hint });
        place.service.answers(refusal("AccessDeniedException", "Access to KMS is not allowed"));
        const ofKey = { code: "key-denied", hint: /allow kms:GenerateDataKey and kms:Decrypt on/ };
        await assert.rejects(write(place, expected), ofKey);
      }
      place.service.answers(refusal("ResourceExistsException"));
      const there = { kind: "conflict", message: /^there is a secret already/ };
      await assert.rejects(write(place, { kind: "absent" }), there);
    }));
});

test("a secret holds 65,536 bytes, which are not characters", () => {
  const variables = (letter: string, count: number) => new Map([["A", new Secret(letter.repeat(count))]]);
  const frame = '{"A":""}'.length;
  assert.equal(secretText(variables("x", 65_536 - frame)).length, 65_536);
  assert.equal(secretText(variables("é", (65_536 - frame) / 2)).length, 32_768 + frame / 2);
  for (const tooMany of [variables("x", 65_537 - frame), variables("é", (65_538 - frame) / 2)])
    assert.throws(
      () => secretText(tooMany),
      (error) =>
        error instanceof SealexecError &&
        error.kind === "data" &&
        error.message === "more than the 65536 bytes that a secret holds",
    );
});

describe("a refusal has a name for machines, and facts", () => {
  for (const [refused, message, kind, code] of [
    ["AccessDeniedException", "not authorized", "denied", "access-denied"],
    ["AccessDeniedException", "Access to KMS is not allowed", "denied", "key-denied"],
    ["AccessDeniedException", "not authorized to perform: kms:Decrypt", "denied", "key-denied"],
    ["ResourceNotFoundException", "the specified secret", "missing", "no-such-secret"],
    ["ResourceNotFoundException", "for Staging Label: X", "missing", "no-such-version"],
    ["ResourceNotFoundException", "for VersionId: X", "missing", "no-such-version"],
    ["InvalidRequestException", "it was marked for deletion", "missing", "marked-for-deletion"],
    ["InvalidRequestException", "currently marked deleted", "missing", "marked-for-deletion"],
    ["InvalidRequestException", "already scheduled for deletion", "missing", "marked-for-deletion"],
    ["InvalidRequestException", "the secret was deleted", "missing", "marked-for-deletion"],
    ["InvalidRequestException", "a rotation is in progress", "config", "secret-unusable"],
    ["InvalidParameterException", "", "config", "not-taken"],
    ["ValidationException", "", "config", "not-taken"],
    ["DecryptionFailure", "", "config", "key-unusable"],
    ["EncryptionFailure", "", "config", "key-unusable"],
    ["LimitExceededException", "", "config", "quota-used-up"],
    ["ResourceExistsException", "", "conflict", "conflict"],
    ["toString", "", "config", "config"],
  ] as const) {
    test(`${refused}: ${message}`, () =>
      withPlace(async ({ service, tools }) => {
        service.answers(refusal(refused, message));
        const facts = { operation: "GetSecretValue", awsCode: refused, httpStatus: 400 };
        await assert.rejects((await parseSource(URI)).read(tools), { kind, code, facts });
        assert.equal(service.asked.length, 1);
      }));
  }
});

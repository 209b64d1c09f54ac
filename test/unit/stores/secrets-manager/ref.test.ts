import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { formatSecretUri } from "../../../../src/stores/secrets-manager/ref.ts";
import { parseSecretUri } from "../parse.ts";
import { refuses } from "../../refuses.ts";

const S = "secretsmanager://";
const ARN = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/app-AbCdEf";
const VERSION = "0f0f0f0f-1111-2222-3333-444444444444";
const OBJECT = { as: "object" } as const;

describe("URIs of secrets", () => {
  for (const [uri, ref] of [
    ["name", { id: "name", reading: OBJECT }],
    ["prod/app_1+a=b.c@d-e", { id: "prod/app_1+a=b.c@d-e", reading: OBJECT }],
    ["/prod/app", { id: "/prod/app", reading: OBJECT }],
    [ARN, { id: ARN, region: "eu-west-1", reading: OBJECT }],
    [
      ARN.replace("aws", "aws-us-gov").replace("eu", "us-gov"),
      {
        id: ARN.replace("aws", "aws-us-gov").replace("eu", "us-gov"),
        region: "us-gov-west-1",
        reading: OBJECT,
      },
    ],
    ["a?stage=AWSPREVIOUS", { id: "a", stage: "AWSPREVIOUS", reading: OBJECT }],
    [
      `a?versionId=${VERSION}&region=eu-west-3`,
      { id: "a", region: "eu-west-3", versionId: VERSION, reading: OBJECT },
    ],
    ["a?flatten=_", { id: "a", reading: { as: "object", flatten: "_" } }],
    [`a?flatten=${"f".repeat(16)}`, { id: "a", reading: { as: "object", flatten: "f".repeat(16) } }],
    ["x".repeat(512), { id: "x".repeat(512), reading: OBJECT }],
    [
      `a?stage=${"/_+=.@-".repeat(36)}abcd`,
      { id: "a", stage: `${"/_+=.@-".repeat(36)}abcd`, reading: OBJECT },
    ],
    ...["/_+=.@:-".repeat(4), "v".repeat(64)].map(
      (versionId) => [`a?versionId=${versionId}`, { id: "a", versionId, reading: OBJECT }] as const,
    ),
    ["a?as=DB_PASSWORD", { id: "a", reading: { as: "value", name: "DB_PASSWORD" } }],
    ["a?format=dotenv", { id: "a", reading: { as: "text", dialect: "dotenv" } }],
    ["a?format=json", { id: "a", reading: { as: "text", dialect: "json" } }],
    ["a#KEY", { id: "a", reading: { as: "key", key: "KEY", name: "KEY" } }],
    ["a?as=B#db.pass word#1", { id: "a", reading: { as: "key", key: "db.pass word#1", name: "B" } }],
    [
      `${ARN}?stage=A#password`,
      {
        id: ARN,
        region: "eu-west-1",
        stage: "A",
        reading: { as: "key", key: "password", name: "password" },
      },
    ],
  ] as const) {
    test(uri, () => assert.deepEqual(parseSecretUri(S + uri), ref));
  }

  for (const [uri, why] of [
    ["", /no valid name/],
    ["?stage=A", /no valid name/],
    ["#KEY", /no valid name/],
    ["a b", /no valid name/],
    ["a:b", /no valid name/],
    ["a\\b", /no valid name/],
    ["żółw", /no valid name/],
    ["a%2fb", /no valid name/],
    ["x".repeat(513), /no valid name/],
    ["arn:aws:secretsmanager:eu-west-1:111122223333:secret:", /no valid ARN/],
    ["arn:aws:ssm:eu-west-1:111122223333:parameter/a", /no valid ARN/],
    ["arn:aws:secretsmanager:eu-west-1:1:secret:a", /no valid ARN/],
    [`${ARN}:password::`, /form of ECS: give #KEY/],
    [`${ARN}?region=eu-west-1`, /a region beside that of its ARN/],
    ["a?", /parameter other than/],
    ["a?version=1", /parameter other than stage, versionId/],
    ["a?stage=", /empty stage/],
    ["a?stage=A&stage=B", /stage twice/],
    ["a?stage=a b", /no valid stage/],
    [`a?stage=${"s".repeat(257)}`, /no valid stage/],
    [`a?versionId=${"v".repeat(31)}`, /no valid versionId/],
    [`a?versionId=${"v".repeat(65)}`, /no valid versionId/],
    [`a?flatten=${"f".repeat(17)}`, /flatten=/],
    [`arn:x:${ARN}`, /no valid ARN/],
    [ARN.replace("aws", "aws-"), /no valid ARN/],
    ["a?versionId=1", /no valid versionId/],
    ["a?as=1A", /as= that is not the name/],
    ["a?as=__proto__", /as= that is not the name/],
    ["a?format=xml", /format other than dotenv/],
    ["a?flatten=-", /flatten=/],
    ["a?as=A&format=json", /two ways/],
    ["a?flatten=_&format=json", /two ways/],
    ["a?as=A&flatten=_", /two ways/],
    ["a?format=dotenv#A", /two ways/],
    ["a?flatten=_#A", /two ways/],
    ["a#", /empty #KEY/],
    ["a#db-host", /add \?as=NAME/],
    ["a#KEY?stage=AWSPREVIOUS", /they come before it/],
    [`a#b ${S}c`, /two URIs in one/],
    ["a\r\nx", /control character/],
    ["a#k\u0000", /control character/],
    ["a\u0085", /control character/],
  ] as const) {
    test(`refuses ${JSON.stringify(uri.slice(0, 60))}`, () => {
      const { message, hint } = refuses(() => parseSecretUri(S + uri), "usage", why);
      assert.doesNotMatch(message, /\p{Cc}/u);
      assert.ok(message.length < 400);
      // What is wrong is said of the URI, but for what could move a cursor, is two, or has no parameter to name.
      const isNamed = uri !== "a?" && !/control character|two URIs/.test(message);
      assert.equal(message.startsWith((S + uri).slice(0, 200)), isNamed);
      assert.match(hint ?? "", /the form is secretsmanager:\/\/|repeat --from/);
    });
  }

  test("begin with two slashes", () => {
    refuses(() => parseSecretUri("secretsmanager:/a"), "usage", /does not begin with secretsmanager:\/\/$/);
  });

  for (const region of ["evil.example.com", "us-east-1/", "us-east-1@evil", "US-EAST-1", "us--east-1"]) {
    test(`refuses the region ${region}, of the URI and of an ARN`, () => {
      refuses(() => parseSecretUri(`${S}a?region=${region}`), "config", /not a region/);
      refuses(() => parseSecretUri(S + ARN.replace("eu-west-1", region)), "config", /not a region/);
    });
  }

  test("are printed back without what decides only region and form", () => {
    for (const uri of [`${S}a`, `${S}${ARN}`, `${S}a?stage=X#KEY`, `${S}a?stage=X&versionId=${VERSION}`])
      assert.equal(formatSecretUri(parseSecretUri(uri)), uri);
    assert.equal(formatSecretUri(parseSecretUri(`${S}a?region=eu-west-1&as=B`)), `${S}a`);
  });
});

/** What KMS is asked for a data key, to the letter, by both ways to it, and what is taken of its answers. */
import assert from "node:assert/strict";
import { describe, mock, test } from "node:test";
import { SealexecError } from "../../../../src/base/errors.ts";
import { AwsSession } from "../../../../src/aws/session.ts";
import { decryptDataKey, generateDataKey } from "../../../../src/keys/kms/data-key.ts";
import { kmsMeaning } from "../../../../src/keys/kms/meanings.ts";
import { unwrap, wrap } from "../../../../src/keys/keyring.ts";
import { sealUnder } from "../../../../src/keys/seal.ts";
import type { Sealed } from "../../../../src/keys/seal.ts";
import { makeContext } from "../../refuses.ts";
import { lastsAtMost, withServices } from "../../service.ts";
import type { Reply } from "../../service.ts";
import { callsOf, refusal, withAwsTools } from "../../stores/aws-tools.ts";
import type { Place } from "../../stores/aws-tools.ts";

const ID = "11111111-2222-3333-4444-555555555555";
const ARN = `arn:aws:kms:us-east-1:111122223333:key/${ID}`;
const OTHER = ARN.replace("5555", "9999");
const LOCATED = { home: "bucket", region: "us-east-1" };
const NEED = { ...LOCATED, urls: () => [] };
const [DATA_KEY, WRAPPED] = [Buffer.alloc(32, 7), Buffer.from([1, 2, 250])];
const [PLAINTEXT, BLOB] = [DATA_KEY.toString("base64"), WRAPPED.toString("base64")];
const UNBOUND = { wrappedKey: WRAPPED, encryptionContext: {} };
const CONTEXT = { "aws:x-amz-cek-alg": "115", b: "ü" };

const answer = (more: object = {}): Reply => ({
  body: { KeyId: ARN, Plaintext: PLAINTEXT, CiphertextBlob: BLOB, ...more },
});

const WAYS = [
  { way: "directly", env: {} },
  { way: "by the SDK", env: { AWS_CONFIG_FILE: "/dev/null" } },
] as const;

for (const { way, env } of WAYS) {
  const withPlace = (work: (place: Place) => Promise<void>): Promise<void> =>
    withAwsTools([NEED], work, { env });
  const decrypt = ({ tools }: Place, key?: string, context: Readonly<Record<string, string>> = CONTEXT) =>
    decryptDataKey({ wrappedKey: WRAPPED, encryptionContext: context }, key, LOCATED, tools);
  const generate = ({ tools }: Place, key = ARN) => generateDataKey(key, CONTEXT, LOCATED, tools);

  describe(`a data key of KMS, asked ${way}`, () => {
    test("is opened with its context, and under the key that is named", () =>
      withPlace(async (place) => {
        place.service.answers(answer(), answer(), answer());
        const opened = await decrypt(place);
        assert.deepEqual([Buffer.from(opened.plaintext), opened.keyArn], [DATA_KEY, ARN]);
        await decrypt(place, ID);
        await decrypt(place, undefined, {});
        const CiphertextBlob = BLOB;
        assert.deepEqual(callsOf(place.service), [
          ["Decrypt", { CiphertextBlob, EncryptionContext: CONTEXT }],
          ["Decrypt", { CiphertextBlob, EncryptionContext: CONTEXT, KeyId: ID }],
          ["Decrypt", { CiphertextBlob }],
        ]);
      }));

    test("is made under the key that is named, with the context", () =>
      withPlace(async (place) => {
        place.service.answers(answer());
        const { plaintext, wrapped, keyArn } = await generate(place);
        assert.deepEqual([Buffer.from(plaintext), Buffer.from(wrapped), keyArn], [DATA_KEY, WRAPPED, ARN]);
        assert.deepEqual(callsOf(place.service), [
          ["GenerateDataKey", { KeySpec: "AES_256", KeyId: ARN, EncryptionContext: CONTEXT }],
        ]);
      }));

    test("is asked for again if KMS fails, not if it refuses", () =>
      withPlace(async (place) => {
        for (const [work, operation] of [
          [decrypt, "Decrypt"],
          [generate, "GenerateDataKey"],
        ] as const) {
          place.service.answers({ status: 500 }, refusal("ThrottlingException"), answer());
          await work(place);
          assert.equal(place.service.asked.length, 3);
          place.service.answers(refusal("AccessDeniedException"));
          const message = new RegExp(`\\(${operation}: AccessDeniedException, 400`);
          await assert.rejects(work(place), { kind: "denied", message });
          assert.equal(place.service.asked.length, 1);
          place.service.answers(
            refusal("NotFoundException", `Alias ${ARN.slice(0, 40)}:alias/x is not found.`),
          );
          await assert.rejects(work(place), {
            kind: "config",
            code: "no-such-key",
            message: /region us-east-1/,
          });
        }
      }));

    test("of an answer that names another key is wiped, and none", () =>
      withPlace(async (place) => {
        for (const [operation, work] of [
          ["Decrypt", () => decrypt(place, ARN)],
          ["GenerateDataKey", () => generate(place)],
        ] as const) {
          place.service.answers(answer({ KeyId: OTHER }));
          const [failure, left] = await leftOfKey(work);
          assert.ok(failure instanceof SealexecError);
          assert.deepEqual([failure.kind, failure.code], ["denied", "wrong-key"]);
          assert.equal(failure.message, `${operation}: the answer is of another key than the configured one`);
          assert.match(failure.hint ?? "", /--key \(SEALEXEC_KEY\).*endpoint/);
          assert.equal(left, 0);
          assert.equal(place.service.asked.length, 1);
        }
      }));

    test("of an answer that is not whole is wiped, and none", () =>
      withPlace(async (place) => {
        for (const [work, more, message] of [
          [decrypt, { Plaintext: undefined }, "Decrypt: the answer holds no data key"],
          [decrypt, { KeyId: undefined }, "Decrypt: the answer holds no data key"],
          [decrypt, { KeyId: 7 }, "Decrypt: the answer holds no data key"],
          ...[{ Plaintext: undefined }, { KeyId: undefined }, { CiphertextBlob: undefined }].map(
            (without) =>
              [generate, without, "GenerateDataKey: the answer holds no data key of 32 bytes"] as const,
          ),
        ] as const) {
          place.service.answers(answer(more));
          const [failure, left] = await leftOfKey(() => work(place));
          assert.ok(failure instanceof SealexecError, String(failure));
          assert.deepEqual([failure.kind, failure.message], ["unavailable", message]);
          assert.match(failure.hint ?? "", /endpoint/);
          assert.equal(left, 0);
          assert.equal(place.service.asked.length, 1);
        }
      }));
  });
}

/** How the work fails, and how many of the buffers made meanwhile hold the data key still. */
async function leftOfKey(work: () => Promise<unknown>): Promise<readonly [unknown, number]> {
  const made: Buffer[] = [];
  const alloc = Buffer.alloc.bind(Buffer) as (size: number) => Buffer;
  const watched = mock.method(Buffer, "alloc", (size: number) => {
    const buffer = alloc(size);
    made.push(buffer);
    return buffer;
  });
  try {
    const failure = await work().then(
      () => undefined,
      (error: unknown) => error,
    );
    return [failure, made.filter((buffer) => buffer.includes(DATA_KEY)).length];
  } finally {
    watched.mock.restore();
  }
}

for (const { way, env } of WAYS) {
  test(`a page in the place of KMS's answer, or half of one, is asked for again, ${way}`, () =>
    withAwsTools(
      [NEED],
      async ({ service, tools: { session, context } }) => {
        service.answers(
          { body: "<html></html>" },
          { body: '{"KeyId":"x"' },
          { body: '"Plaintext"}' },
          answer(),
        );
        await decryptDataKey(UNBOUND, undefined, LOCATED, { session, context });
        assert.equal(service.asked.length, 4);
      },
      { env },
    ));
}

describe("KMS is waited for ten seconds, and its connection given up", () => {
  for (const [work, more] of [
    ["Decrypt", {}],
    ["GenerateDataKey", {}],
    ["Decrypt", WAYS[1].env],
    ["GenerateDataKey", WAYS[1].env],
  ] as const) {
    test(`${work} ${JSON.stringify(more)}`, () =>
      withServices(1, async (service) => {
        const failure = await lastsAtMost(10_000, service, async () => {
          // The time is over then: no second attempt is begun.
          const now = (): number => (service.asked.length === 0 ? 0 : 60_000);
          const env = {
            AWS_ENDPOINT_URL: service.url,
            AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE",
            AWS_SECRET_ACCESS_KEY: "secret",
            AWS_REGION: "us-east-1",
            ...more,
          };
          const { context } = makeContext(env, 60_000, now);
          const session = new AwsSession(context, undefined);
          try {
            await session.begin([NEED]);
            if (work === "Decrypt") await decryptDataKey(UNBOUND, undefined, LOCATED, { session, context });
            else await generateDataKey(ARN, {}, LOCATED, { session, context });
          } finally {
            await service.isLeft();
            session.close();
            context.deadline.clear();
          }
        });
        assert.ok(failure instanceof SealexecError && failure.kind === "timeout", String(failure));
      }));
  }
});

describe("the key that an answer names", () => {
  const MRK = "mrk-1234abcd12ab34cd56ef1234567890ab";
  const inRegion = (region: string, id: string): string => `arn:aws:kms:${region}:111122223333:key/${id}`;
  const EU = inRegion("eu-west-1", MRK);

  for (const [key, answered, isTaken] of [
    [ARN, ARN, true],
    [ARN, ARN.toUpperCase().replace("ARN:AWS:KMS", "arn:aws:kms"), true],
    [ARN.toUpperCase(), ARN, true],
    [ARN, inRegion("eu-west-1", ID), false],
    [ARN, `${ARN}0`, false],
    [ID, ARN, true],
    [ID.toUpperCase(), ARN, true],
    [ID, OTHER, false],
    // Not an ARN of KMS: it names nothing.
    [ID, ID, false],
    [ID, `arn:aws:s3:us-east-1:111122223333:key/${ID}`, false],
    [ARN, "", false],
    [ID, `x:${ARN}`, false],
    [ID, ARN.replace("arn:aws", "arn:"), false],
    [MRK, EU, true],
    [EU, inRegion("us-east-1", MRK), true],
    [EU, inRegion("us-east-1", `${MRK}c`), false],
    ["alias/app", OTHER, true],
    ["arn:aws:kms:us-east-1:111122223333:alias/app", OTHER, true],
    ["my-alias/app", OTHER, false],
  ] as const) {
    test(`${key.slice(-40)}: ${answered.slice(-45)} is ${isTaken ? "taken" : "refused"}`, () =>
      withAwsTools([NEED], async ({ service, tools: { session, context } }) => {
        service.answers(answer({ KeyId: answered }));
        const decrypting = decryptDataKey(UNBOUND, key, LOCATED, { session, context });
        if (isTaken) assert.equal((await decrypting).keyArn, answered);
        else await assert.rejects(decrypting, { kind: "denied", code: "wrong-key" });
      }));
  }
});

describe("a key that KMS does not know", () => {
  const NOT_FOUND = "Alias arn:aws-us-gov:kms:us-gov-west-1:444455556666:alias/app is not found.";
  const meaningOf = (key: string | undefined, message = ""): ReturnType<ReturnType<typeof kmsMeaning>> =>
    kmsMeaning(key, "eu-west-1")("NotFoundException", message);

  test("is looked for in the account that KMS names, and nothing else of its words is shown", () => {
    const { kind, code, says, transient } = meaningOf("alias/app", NOT_FOUND) ?? assert.fail();
    assert.deepEqual([kind, code, transient], ["config", "no-such-key", undefined]);
    assert.equal(says, "no such KMS key in account 444455556666 and region eu-west-1");
    for (const message of ["", "arn:aws:kms:eu-west-1:12345:key/x", "arn:aws:iam::444455556666:role/x"])
      assert.equal(meaningOf("a", message)?.says, "no such KMS key in this account and region eu-west-1");
  });

  test("is perhaps an alias without its alias/", () => {
    const MRK = "mrk-1234abcd12ab34cd56ef1234567890ab";
    for (const key of ["app", "my-app/alias/x", `x${ID}`, `${ID}0`, MRK.slice(0, -1)])
      assert.equal(meaningOf(key)?.hint, `an alias begins with alias/: --key alias/${key}`);
    for (const key of [undefined, "alias/app", ARN, ID, ID.toUpperCase(), MRK])
      assert.match(meaningOf(key)?.hint ?? "", /^check --key \(SEALEXEC_KEY\) and the region/);
  });

  test("is all that this says", () =>
    assert.equal(kmsMeaning("a", "b")("AccessDeniedException", ""), undefined));
});

describe("the keyring", () => {
  const ENVELOPE = { wrappedKey: WRAPPED, encryptionContext: CONTEXT };

  test("asks KMS with the key that is named, or none", () =>
    withAwsTools([NEED], async ({ service, tools }) => {
      service.answers(answer(), answer(), answer());
      const key = { kind: "kms", text: ARN } as const;
      const envelope = ENVELOPE as unknown as Parameters<typeof unwrap>[1];
      assert.equal((await unwrap(undefined, envelope, LOCATED, tools)).keyArn, ARN);
      assert.deepEqual(Buffer.from((await unwrap(key, envelope, LOCATED, tools)).plaintext), DATA_KEY);
      assert.deepEqual(Buffer.from((await wrap(key, CONTEXT, LOCATED, tools)).wrapped), WRAPPED);
      const input = { CiphertextBlob: BLOB, EncryptionContext: CONTEXT };
      assert.deepEqual(callsOf(service), [
        ["Decrypt", input],
        ["Decrypt", { ...input, KeyId: ARN }],
        ["GenerateDataKey", { KeySpec: "AES_256", KeyId: ARN, EncryptionContext: CONTEXT }],
      ]);
    }));

  for (const format of ["v3", "v2"] as const) {
    test(`seals ${format} in a step that names the key, and leaves nothing of the text`, () =>
      withAwsTools([NEED], async ({ service, tools, stage }) => {
        const algorithm = { "aws:x-amz-cek-alg": format === "v3" ? "115" : "AES/GCM/NoPadding" };
        const text = Buffer.from("A=1\n");
        const how = {
          key: { kind: "kms", text: "alias/app" },
          format,
          encryptionContext: algorithm,
        } as const;
        service.answers(answer());
        let sealed: Sealed | undefined;
        const [failed, left] = await leftOfKey(async () => {
          sealed = await sealUnder({ ...how, located: LOCATED }, text, tools);
        });
        assert.ok(sealed !== undefined, String(failed));
        assert.equal(left, 0);
        assert.deepEqual([sealed.key, sealed.body.length], [ARN, 4 + 16]);
        assert.equal(JSON.stringify(sealed.metadata).includes(BLOB), true);
        assert.ok(text.every((byte) => byte === 0));
        const { stage: name, target } = stage.steps.at(-1) ?? assert.fail("no step");
        assert.deepEqual([name, target], ["key", "alias/app"]);
        service.answers(refusal("AccessDeniedException"));
        const failing = Buffer.from("A=1\n");
        await assert.rejects(sealUnder({ ...how, located: LOCATED }, failing, tools), {
          kind: "denied",
          message: /^key: alias\/app: /,
        });
        assert.ok(failing.every((byte) => byte === 0));
      }));
  }
});

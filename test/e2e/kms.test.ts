/** What KMS is asked, by both ways to it, and what it may answer. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, test } from "node:test";
import { seal, writerContext } from "../../src/envelope/index.ts";
import type { Aws } from "../aws/server.ts";
import { assertFailed, assertPrinted, RAN, SAY } from "./expect.ts";
import { BUCKET, push, sealexec, withAws } from "./harness.ts";

const PLACE = `s3://${BUCKET}/app.env`;
const ARN = "arn:aws:kms:us-east-1:111122223333:key/11111111-2222-3333-4444-555555555555";

const WAYS = [
  { name: "directly", more: {} },
  { name: "by the SDK", more: { AWS_CONFIG_FILE: "/dev/null" } },
] as const;

for (const { name, more } of WAYS) {
  test(`--key of another key is refused by KMS, asked ${name}`, () =>
    withAws(async (aws) => {
      const uri = await push(aws, "app.env", "A=1\n");
      aws.kms.createKey({ alias: "other" });
      const env = { ...aws.env(), ...more };
      const run = (key: string) => sealexec(["run", "--from", uri, "--key", key, "--", ...SAY], { env });
      assertPrinted(await run("alias/app"), `${RAN}\n`);
      assertFailed(await run("alias/other"), 77, /^key: .*alias\/other/);
    }));
}

describe("a data key that KMS answers is base64 to the letter", () => {
  // With both characters that URLs have others for.
  const dataKey = Buffer.concat([Buffer.from("fbff", "hex"), randomBytes(30)]);
  const text = dataKey.toString("base64");
  for (const { what, plaintext, opens } of [
    { what: "as it is", plaintext: text, opens: true },
    { what: "with a line end", plaintext: `${text}\n`, opens: false },
    { what: "with a space inside", plaintext: `${text.slice(0, 8)} ${text.slice(8)}`, opens: false },
    { what: "without its padding", plaintext: text.replace("=", ""), opens: false },
    { what: "with more behind its padding", plaintext: `${text}AAAA`, opens: false },
    { what: "for URLs", plaintext: `${dataKey.toString("base64url")}=`, opens: false },
  ]) {
    test(what, () =>
      withAws(async (aws) => {
        putSealed(aws, dataKey);
        await withKms({ KeyId: ARN, Plaintext: plaintext }, async (endpoint) => {
          const env = { ...aws.env(), AWS_ENDPOINT_URL_KMS: endpoint };
          const ran = await sealexec(["run", "--from", PLACE, "--", ...SAY], { env });
          if (opens) assertPrinted(ran, `${RAN}\n`);
          else assertFailed(ran, 69, /^key: .*Decrypt: the answer holds no data key$/);
        });
      }),
    );
  }
});

const ID = "11111111-2222-3333-4444-555555555555";
const OTHER = "arn:aws:kms:us-east-1:111122223333:key/99999999-2222-3333-4444-555555555555";
const MRK = "mrk-1234abcd12ab34cd56ef1234567890ab";

describe("an answer of KMS is of the key that was asked for", { concurrency: 2 }, () => {
  for (const { what, key, answered, opens } of [
    { what: "the ARN that was sent", key: ARN, answered: ARN, opens: true },
    { what: "another ARN", key: ARN, answered: OTHER, opens: false },
    { what: "the same id in another account", key: ARN, answered: ARN.replace("1111", "2222"), opens: false },
    { what: "none", key: ARN, answered: "", opens: false },
    { what: "the ARN of the id that was sent", key: ID, answered: ARN, opens: true },
    { what: "the ARN of another id", key: ID, answered: OTHER, opens: false },
    {
      what: "a key in several regions, by another region's ARN",
      key: `arn:aws:kms:eu-west-1:111122223333:key/${MRK}`,
      answered: `arn:aws:kms:us-east-1:111122223333:key/${MRK}`,
      opens: true,
    },
    {
      what: "another key in several regions",
      key: MRK,
      answered: `${OTHER.slice(0, -36)}${MRK}c`,
      opens: false,
    },
    { what: "any, for an alias", key: "alias/app", answered: OTHER, opens: true },
    {
      what: "any, for an alias by its ARN",
      key: "arn:aws:kms:us-east-1:111122223333:alias/app",
      answered: OTHER,
      opens: true,
    },
  ]) {
    for (const { name, more } of WAYS) {
      test(`${what}, asked ${name}`, () =>
        withAws(async (aws) => {
          const dataKey = randomBytes(32);
          putSealed(aws, dataKey);
          await withKms({ KeyId: answered, Plaintext: dataKey.toString("base64") }, async (endpoint) => {
            // The key's own region is asked, and the endpoint is one for all of them.
            const env = { ...aws.env(), ...more, AWS_ENDPOINT_URL_KMS: endpoint };
            const ran = await sealexec(["run", "--from", PLACE, "--key", key, "--", ...SAY], { env });
            if (opens) assertPrinted(ran, `${RAN}\n`);
            else assertFailed(ran, 77, /^key: .*Decrypt: the answer is of another key/, /--key/);
          });
        }));
    }
  }

  for (const { name, more } of WAYS) {
    test(`one that names no key is none, also if any would do, asked ${name}`, () =>
      withAws(async (aws) => {
        const dataKey = randomBytes(32);
        putSealed(aws, dataKey);
        await withKms({ Plaintext: dataKey.toString("base64") }, async (endpoint) => {
          const env = { ...aws.env(), ...more, AWS_ENDPOINT_URL_KMS: endpoint };
          const ran = await sealexec(["run", "--from", PLACE, "--", ...SAY], { env });
          assertFailed(ran, 69, /^key: .*Decrypt: the answer holds no data key$/);
        });
      }));
  }

  test("a push seals under no other key either", () =>
    withAws(async (aws) => {
      const answer = {
        Plaintext: randomBytes(32).toString("base64"),
        CiphertextBlob: randomBytes(64).toString("base64"),
      };
      const push = (key: string, endpoint: string) =>
        sealexec(["push", "-", PLACE, "--key", key, "--create"], {
          env: { ...aws.env(), AWS_ENDPOINT_URL_KMS: endpoint },
          input: "A=1\n",
        });
      await withKms({ ...answer, KeyId: OTHER }, async (endpoint) => {
        assertFailed(await push(ARN, endpoint), 77, /GenerateDataKey: the answer is of another key/);
        assert.equal(aws.count("s3", "PutObject"), 0);
      });
      await withKms({ ...answer, KeyId: ARN }, async (endpoint) => {
        const { status, stderr } = await push(ARN, endpoint);
        assert.equal(status, 0, stderr);
      });
    }));
});

/** Something that stands where KMS is expected, and answers all alike. */
async function withKms(
  answer: Readonly<Record<string, string>>,
  work: (endpoint: string) => Promise<void>,
): Promise<void> {
  const kms = createServer((_request, response) => {
    response.setHeader("content-type", "application/x-amz-json-1.1");
    response.end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => void kms.listen(0, "127.0.0.1", resolve));
  try {
    await work(`http://127.0.0.1:${(kms.address() as AddressInfo).port}`);
  } finally {
    kms.close();
  }
}

/** An object at its place whose data key is known. */
function putSealed(aws: Aws, dataKey: Buffer): void {
  const encryptionContext = writerContext("v3", {}, PLACE);
  const input = { plaintext: Buffer.from("A=1\n"), dataKey, wrappedKey: randomBytes(64), encryptionContext };
  const { metadata, body } = seal("v3", input);
  aws.s3.put(BUCKET, "app.env", Buffer.from(body), metadata);
}

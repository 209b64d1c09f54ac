import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { openBlob, sealBlob } from "../kms-blob.ts";
import { startAws } from "../server.ts";
import type { Aws } from "../server.ts";
import { kms } from "./client.ts";

describe("the loopback KMS", () => {
  let aws: Aws;
  let keyArn: string;

  before(async () => {
    aws = await startAws({ regions: ["eu-west-1"] });
  });
  after(async () => aws.close());
  beforeEach(() => {
    keyArn = aws.kms.createKey().arn;
  });

  async function call(operation: string, input: unknown): Promise<Record<string, unknown>> {
    return (await kms(aws, operation, input)).json;
  }

  async function failure(operation: string, input: unknown): Promise<unknown> {
    const answer = await kms(aws, operation, input);
    assert.equal(answer.status, 400);
    return answer.json["__type"];
  }

  async function dataKey(
    EncryptionContext: Record<string, string> = {},
  ): Promise<{ blob: string; plaintext: string }> {
    const output = await call("GenerateDataKey", { KeyId: keyArn, KeySpec: "AES_256", EncryptionContext });
    return { blob: String(output["CiphertextBlob"]), plaintext: String(output["Plaintext"]) };
  }

  it("opens what it made, whatever the order of the context", async () => {
    const { blob, plaintext } = await dataKey({ b: "2", a: "1" });
    assert.equal(Buffer.from(plaintext, "base64").length, 32);
    assert.equal(Buffer.from(blob, "base64").length, 184);
    const opened = await call("Decrypt", { CiphertextBlob: blob, EncryptionContext: { a: "1", b: "2" } });
    assert.equal(opened["Plaintext"], plaintext);
    assert.equal(opened["KeyId"], keyArn);
  });

  it("another context, more of it or less, opens nothing", async () => {
    const { blob } = await dataKey({ a: "1" });
    for (const EncryptionContext of [{ a: "2" }, { A: "1" }, { a: "1", b: "2" }, {}, { a1: "" }])
      assert.equal(
        await failure("Decrypt", { CiphertextBlob: blob, EncryptionContext }),
        "InvalidCiphertextException",
      );
  });

  it("no flipped bit of a blob opens", () => {
    const key = aws.kms.createKey();
    const blob = sealBlob(key, aws.kms.macKey, Buffer.alloc(32), {});
    assert.deepEqual(openBlob(key, blob, {}), Buffer.alloc(32));
    for (let bit = 0; bit < blob.length * 8; bit += 1) {
      const copy = Buffer.from(blob);
      copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      assert.equal(openBlob(key, copy, {}), undefined, `bit ${bit}`);
    }
  });

  it("a damaged or cut blob is an invalid ciphertext wherever the damage is", async () => {
    const bytes = Buffer.from((await dataKey()).blob, "base64");
    for (const at of [0, 5, 30, 60, 100, 130, 150, 183]) {
      const copy = Buffer.from(bytes);
      copy[at] = (copy[at] ?? 0) ^ 1;
      const CiphertextBlob = copy.toString("base64");
      assert.equal(await failure("Decrypt", { CiphertextBlob }), "InvalidCiphertextException", `byte ${at}`);
    }
    const CiphertextBlob = bytes.subarray(0, 40).toString("base64");
    assert.equal(await failure("Decrypt", { CiphertextBlob }), "InvalidCiphertextException");
  });

  it("takes a key by id, ARN, alias or alias ARN, and answers with the key ARN", async () => {
    const key = aws.kms.createKey({ alias: `alias/four-${keyArn.slice(-8)}` });
    const alias = `alias/four-${keyArn.slice(-8)}`;
    const aliasArn = `arn:aws:kms:us-east-1:111122223333:${alias}`;
    for (const KeyId of [key.id, key.arn, alias, aliasArn]) {
      const made = await call("GenerateDataKey", { KeyId, KeySpec: "AES_256" });
      assert.equal(made["KeyId"], key.arn);
      const opened = await call("Decrypt", { KeyId, CiphertextBlob: made["CiphertextBlob"] });
      assert.equal(opened["Plaintext"], made["Plaintext"]);
    }
  });

  it("does not find other keys", async () => {
    for (const KeyId of [
      "alias/none",
      "sealexec",
      "00000000-0000-4000-8000-000000000000",
      keyArn.replace("us-east-1", "eu-west-1"),
      keyArn.replace("111122223333", "999999999999"),
      "arn:aws:kms:us-east-1:999999999999:alias/sealexec",
    ])
      assert.equal(await failure("DescribeKey", { KeyId }), "NotFoundException", KeyId);
  });

  it("refuses a KeyId that is not the blob's key", async () => {
    const { blob } = await dataKey();
    const input = { KeyId: "alias/sealexec", CiphertextBlob: blob };
    assert.equal(await failure("Decrypt", input), "IncorrectKeyException");
    assert.equal(await failure("Decrypt", { ...input, KeyId: "alias/none" }), "NotFoundException");
  });

  it("a key that is disabled or to be deleted opens nothing and makes nothing", async () => {
    const { blob } = await dataKey();
    for (const [state, code] of [
      ["Disabled", "DisabledException"],
      ["PendingDeletion", "KMSInvalidStateException"],
    ] as const) {
      aws.kms.setState(keyArn, state);
      assert.equal(await failure("Decrypt", { CiphertextBlob: blob }), code);
      assert.equal(await failure("GenerateDataKey", { KeyId: keyArn, KeySpec: "AES_256" }), code);
    }
    aws.kms.setState(keyArn, "Enabled");
    assert.ok((await call("Decrypt", { CiphertextBlob: blob }))["Plaintext"]);
  });

  it("denies by operation, and says who and what", async () => {
    const { blob } = await dataKey();
    aws.kms.deny("Decrypt");
    const answer = await kms(aws, "Decrypt", { CiphertextBlob: blob });
    aws.kms.allow("Decrypt");
    assert.equal(answer.json["__type"], "AccessDeniedException");
    assert.equal(
      answer.json["message"],
      `User: arn:aws:iam::111122223333:user/tester is not authorized to perform: kms:Decrypt on resource: ${keyArn} because no identity-based policy allows the kms:Decrypt action`,
    );
  });

  it("encrypts 1 to 4096 bytes", async () => {
    const Plaintext = Buffer.alloc(4096, 7).toString("base64");
    const made = await call("Encrypt", { KeyId: keyArn, Plaintext });
    const opened = await call("Decrypt", { CiphertextBlob: made["CiphertextBlob"] });
    assert.equal(opened["Plaintext"], Plaintext);
    for (const bytes of [0, 4097]) {
      const input = { KeyId: keyArn, Plaintext: Buffer.alloc(bytes).toString("base64") };
      assert.equal(await failure("Encrypt", input), "ValidationException");
    }
  });

  it("opens blobs made elsewhere that it was taught, with their context", async () => {
    const blob = Buffer.from("made elsewhere");
    const plaintext = Buffer.alloc(32, 9);
    aws.kms.importDataKey(blob, plaintext, { encryptionContext: { k: "v" } });
    const input = { CiphertextBlob: blob.toString("base64"), EncryptionContext: { k: "v" } };
    const opened = await call("Decrypt", { ...input, KeyId: "alias/sealexec" });
    assert.equal(opened["Plaintext"], plaintext.toString("base64"));
    assert.equal(await failure("Decrypt", { ...input, EncryptionContext: {} }), "InvalidCiphertextException");
    assert.equal(await failure("Decrypt", { ...input, KeyId: keyArn }), "IncorrectKeyException");
  });

  it("keeps regions apart", async () => {
    const there = aws.kms.createKey({ region: "eu-west-1" });
    const input = { KeyId: there.arn, KeySpec: "AES_256" };
    const made = await kms(aws, "GenerateDataKey", input, { region: "eu-west-1" });
    assert.equal(made.json["KeyId"], there.arn);
    assert.equal(await failure("GenerateDataKey", input), "NotFoundException");
    const CiphertextBlob = made.json["CiphertextBlob"];
    assert.equal(await failure("Decrypt", { CiphertextBlob }), "AccessDeniedException");
  });

  it("makes keys and aliases, and takes them out of use", async () => {
    const made = (await call("CreateKey", { Description: "mine" }))["KeyMetadata"] as Record<string, unknown>;
    const AliasName = `alias/made-${String(made["KeyId"])}`;
    await call("CreateAlias", { AliasName, TargetKeyId: made["KeyId"] });
    assert.equal(await failure("CreateAlias", { AliasName, TargetKeyId: keyArn }), "AlreadyExistsException");
    const state = async (): Promise<unknown> => {
      const { KeyMetadata } = await call("DescribeKey", { KeyId: AliasName });
      return (KeyMetadata as Record<string, unknown>)["KeyState"];
    };
    await call("DisableKey", { KeyId: made["KeyId"] });
    assert.equal(await state(), "Disabled");
    await call("EnableKey", { KeyId: made["KeyId"] });
    assert.equal(await state(), "Enabled");
    await call("ScheduleKeyDeletion", { KeyId: made["KeyId"], PendingWindowInDays: 7 });
    assert.equal(await state(), "PendingDeletion");
  });

  it("refuses input that is not right", async () => {
    assert.equal(await failure("GenerateDataKey", { KeyId: keyArn }), "ValidationException");
    assert.equal(await failure("GenerateDataKey", { KeySpec: "AES_256" }), "ValidationException");
    assert.equal(await failure("Decrypt", { CiphertextBlob: "not base64!" }), "SerializationException");
    assert.equal(await failure("Decrypt", ["no", "map"]), "SerializationException");
    assert.equal(await failure("Frobnicate", {}), "UnknownOperationException");
  });

  it("logs the key and the context that were asked for", async () => {
    const { blob } = await dataKey({ a: "1" });
    aws.resetCalls();
    await call("Decrypt", { KeyId: keyArn, CiphertextBlob: blob, EncryptionContext: { a: "1" } });
    assert.equal(aws.count("kms", "Decrypt"), 1);
    assert.equal(aws.calls[0]?.detail.KeyId, keyArn);
    assert.deepEqual(aws.calls[0]?.detail.EncryptionContext, { a: "1" });
  });
});

/**
 * CBC is not authenticated. Whoever may write the object and read the logs must not learn from them what a changed body
 * decrypts to: a padding oracle gives the whole text away, one guess a start. How long a start takes is not looked at.
 */
import assert from "node:assert/strict";
import { createCipheriv, hash } from "node:crypto";
import { test } from "node:test";
import { sealBlob } from "../aws/kms-blob.ts";
import type { Aws } from "../aws/server.ts";
import { assertPrinted } from "./expect.ts";
import { BUCKET, KEY, sealexec, withAws } from "./harness.ts";
import { SELDOM, watching } from "./watch/watching.ts";

const skip = process.platform === "linux" ? false : "needs Linux";

const TEXT = "DATABASE_URL=postgres://user:password@host/db\nSECOND='two words'\n";
const WAYS: readonly (readonly [format: string, command: "run" | "check", ...flags: string[]])[] = [
  ["", "run", "-v"],
  ["", "run", "--log", "json"],
  ["", "check", "--format", "json", "-v"],
  ["?format=json", "run", "-v"],
];
const CONTEXT = { kms_cmk_id: "alias/app" };
// The same each time: a body changed by chance may decrypt to anything, also to what is valid.
const dataKey = noise("key");
const iv = noise("iv").subarray(0, 16);

/** 32 bytes. */
function noise(name: string): Buffer {
  return hash("sha256", name, "buffer");
}

/** Of the text of a `.env` under this key and IV. */
function encrypt(text: string | Buffer, padding = true): Buffer {
  const cipher = createCipheriv("aes-256-cbc", dataKey, iv).setAutoPadding(padding);
  return Buffer.concat([cipher.update(text), cipher.final()]);
}

function put(aws: Aws, name: string, body: Buffer): void {
  const wrapped = sealBlob(aws.kms.find(KEY, aws.region), aws.kms.macKey, dataKey, CONTEXT);
  aws.s3.put(BUCKET, name, body, {
    "x-amz-key-v2": wrapped.toString("base64"),
    "x-amz-wrap-alg": "kms",
    "x-amz-matdesc": JSON.stringify(CONTEXT),
    "x-amz-cek-alg": "AES/CBC/PKCS5Padding",
    "x-amz-iv": iv.toString("base64"),
  });
}

/** Each fails at another place: the padding, UTF-8, a control character, a name, a quote, a line without "=". */
function bodies(): readonly Buffer[] {
  const whole = encrypt(TEXT);
  const flipped = [0, 1, 8, 13, 14, 15].map((index) => {
    const body = Buffer.from(whole);
    // The block before the last decides what the last decrypts to: its padding, byte by byte.
    const at = body.length - 32 + index;
    body.writeUInt8(body.readUInt8(at) ^ (index + 1), at);
    return body;
  });
  const texts = [
    "A",
    "A=\u0000\n",
    "=b\n",
    "A='b\n",
    "A=b\nA=c\n",
    "1=2\n",
    "{",
    '{"A":1,"A":2}',
    '{"A":{}}',
  ];
  const blocks = ["", "\n"].map((end) => encrypt(`${"#".repeat(16 - end.length)}${end}`, false));
  return [
    ...flipped,
    ...blocks,
    whole.subarray(0, 16),
    whole.subarray(0, -16),
    encrypt(Buffer.of(0xff, 0xfe, 0x41, 0x3d)),
    ...texts.map((text) => encrypt(text)),
    ...Array.from({ length: 8 }, (_, index) => noise(`body ${index}`)),
  ];
}

test("a changed body says one and the same, whatever it decrypts to", () =>
  withAws(async (aws) => {
    for (const [format, command, ...flags] of WAYS) {
      const uri = `s3://${BUCKET}/app.env${format}`;
      const words = [command, "--from", uri, "--key", KEY, "--accept", "kms-cbc", ...flags];
      const said = new Set<string>();
      for (const body of bodies()) {
        put(aws, "app.env", body);
        const ended = await sealexec([...words, ...(command === "run" ? ["--", "true"] : [])], {
          env: aws.env(),
        });
        assert.equal(ended.status, 65, ended.stderr);
        said.add(JSON.stringify(ended, (_, value: unknown) => withoutNumbers(value)));
      }
      assert.equal(said.size, 1, [...said].join("\n"));
    }
  }));

/** Sizes and ETags are plain to see in the bucket; how long a step took, and what a version is called, is another each time. */
function withoutNumbers(value: unknown): unknown {
  return typeof value === "string"
    ? value
        .replaceAll(/\d+ bytes, version [\w.-]+/g, "# bytes, version #")
        .replaceAll(/etag \\?"[0-9a-f]+\\?"/g, "etag #")
        .replaceAll(/\d+(\.\d+)? ms\b/g, "# ms")
        .replaceAll(/"(ms|durationMs|time)": ?("[^"]*"|\d+)/g, '"$1": #')
    : value;
}

test("what is whole opens, and pull still shows what is in one that is not", () =>
  withAws(async (aws) => {
    const uri = `s3://${BUCKET}/app.env`;
    const accept = ["--accept", "kms-cbc", "--key", KEY];
    put(aws, "app.env", encrypt(TEXT));
    const run = ["run", "--from", uri, ...accept, "--", "sh", "-c", 'echo "$SECOND"'];
    assertPrinted(await sealexec(run, { env: aws.env() }), "two words\n");
    put(aws, "app.env", encrypt("no assignment\n"));
    assertPrinted(await sealexec(["pull", uri, ...accept], { env: aws.env() }), "no assignment\n");
    put(aws, "app.env", noise("body"));
    const pulled = await sealexec(["pull", uri, ...accept], { env: aws.env() });
    assert.equal(pulled.status, 65);
    assert.equal(pulled.stdout, "");
  }));

test("--watch follows one like any other", { skip }, () =>
  withAws(async (aws) => {
    put(aws, "app.env", encrypt("A=1\n"));
    const from = ["--from", `s3://${BUCKET}/app.env`, "--accept", "kms-cbc", "--key", KEY];
    await watching({ env: aws.env(), flags: [...SELDOM, ...from] }, async (watch) => {
      const opened = aws.count("kms", "Decrypt");
      const asked = aws.count("s3", "GetObject");
      await watch.lookUntil(() => aws.count("s3", "GetObject") > asked);
      assert.equal(aws.count("kms", "Decrypt"), opened);
      put(aws, "app.env", encrypt("A=2\n"));
      await watch.lookUntil(() => watch.lines().length === 3);
      assert.match(watch.lines()[2] ?? "", / A=2$/);
      put(aws, "app.env", noise("body"));
      await watch.lookUntil(() => watch.said().length >= 3);
      assert.match(watch.said()[1] ?? "", /; CMD goes on as it is$/);
      assert.equal(watch.lines().length, 3);
    });
  }),
);

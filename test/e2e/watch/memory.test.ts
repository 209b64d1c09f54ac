/**
 * What the parent of `run --watch` keeps of the data key in its memory, which is looked through as root can: nothing of the
 * key, and of KMS's answer what the runtime has received last, which no program of it can reach.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { kms } from "../../unit/aws/client.ts";
import { isRoot } from "../exec/programs.ts";
import { BUCKET, push, withAws } from "../harness.ts";
import type { Aws } from "../../aws/server.ts";
import { countInMemory } from "../memory.ts";
import { SELDOM, watching } from "./watching.ts";

async function dataKeyOf(aws: Aws, key: string): Promise<string> {
  const metadata = aws.s3.get(BUCKET, key)?.metadata ?? assert.fail("no object");
  const EncryptionContext = JSON.parse(metadata["x-amz-t"] ?? "{}") as Record<string, string>;
  const { json } = await kms(aws, "Decrypt", { CiphertextBlob: metadata["x-amz-3"], EncryptionContext });
  return String(json["Plaintext"]);
}

for (const tls of [false, true]) {
  test(
    `the data key is not in the memory of who watches, ${tls ? "over TLS" : "without TLS"}`,
    {
      skip: isRoot ? false : "needs root",
    },
    () =>
      withAws(
        async (aws) => {
          const uri = await push(aws, "app.env", "A=1\n");
          const text = await dataKeyOf(aws, "app.env");
          const key = Buffer.from(text, "base64");
          assert.equal(key.length, 32);
          const mark = `mark-${process.pid}`;
          const env = { ...aws.env(), MARK: mark };
          await watching({ env, flags: [...SELDOM, "--from", uri] }, async ({ pid }) => {
            const wanted = [mark, text, key, Buffer.from(text, "utf16le")].map((what) => Buffer.from(what));
            const [marks = 0, texts, keys, wide] = countInMemory(pid, wanted);
            assert.ok(marks > 0, "its memory can be read");
            assert.deepEqual([keys, wide], [0, 0]);
            assert.ok((texts ?? 2) <= 1, `${texts} times as text`);
          });
        },
        { tls },
      ),
  );
}

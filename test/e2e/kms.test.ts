/** What KMS is asked, by both ways to it, and what it may answer. */
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

for (const { name, more } of [
  { name: "directly", more: {} },
  { name: "by the SDK", more: { AWS_CONFIG_FILE: "/dev/null" } },
]) {
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
        const kms = createServer((_request, response) => {
          response.setHeader("content-type", "application/x-amz-json-1.1");
          response.end(JSON.stringify({ KeyId: ARN, Plaintext: plaintext }));
        });
        await new Promise<void>((resolve) => void kms.listen(0, "127.0.0.1", resolve));
        try {
          const { port } = kms.address() as AddressInfo;
          const env = { ...aws.env(), AWS_ENDPOINT_URL_KMS: `http://127.0.0.1:${port}` };
          const ran = await sealexec(["run", "--from", PLACE, "--", ...SAY], { env });
          if (opens) assertPrinted(ran, `${RAN}\n`);
          else assertFailed(ran, 69, /^key: .*Decrypt: the answer holds no data key$/);
        } finally {
          kms.close();
        }
      }),
    );
  }
});

/** An object at its place whose data key is known. */
function putSealed(aws: Aws, dataKey: Buffer): void {
  const encryptionContext = writerContext("v3", {}, PLACE);
  const input = { plaintext: Buffer.from("A=1\n"), dataKey, wrappedKey: randomBytes(64), encryptionContext };
  const { metadata, body } = seal("v3", input);
  aws.s3.put(BUCKET, "app.env", Buffer.from(body), metadata);
}

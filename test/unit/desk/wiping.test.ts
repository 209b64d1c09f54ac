/** The .env that is pushed is in memory no longer than it takes: whoever writes it wipes it. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { Secret } from "../../../src/base/secret.ts";
import { parsePushOptions } from "../../../src/commands/push-options.ts";
import { parseTarget } from "../../../src/desk/targets/registry.ts";
import { makeLocalKey } from "../../../src/keys/local-key.ts";
import { startAws } from "../../aws/server.ts";
import { makeContext } from "../refuses.ts";

describe("the text of a push is wiped when it is written", () => {
  for (const [uri, key] of [
    ["s3://app-secrets/app.env", "alias/app"],
    ["file:FOLDER/app.sealed", "local:FOLDER/key"],
    ["secretsmanager://app", undefined],
    ["ssm:///app/", undefined],
  ] as const)
    test(uri, async () => {
      const aws = await startAws();
      const folder = await mkdtemp(join(tmpdir(), "sealexec-test-"));
      const { context } = makeContext(aws.env());
      try {
        aws.s3.createBucket("app-secrets");
        aws.kms.createKey({ alias: "app" });
        await writeFile(join(folder, "key"), makeLocalKey(), { mode: 0o600 });
        const named = key === undefined ? {} : { key: key.replace("FOLDER", folder) };
        const options = parsePushOptions({ format: "v3", bind: true, ...named }, {});
        const target = await parseTarget(uri.replace("FOLDER", folder), options, context);
        const plaintext = Buffer.from("A=canary\n");
        const { present, write } = await target.look({
          plaintext,
          variables: new Map([["A", new Secret("canary")]]),
        });
        assert.notEqual(present.kind, "there");
        await write();
        assert.deepEqual(plaintext, Buffer.alloc(plaintext.length));
      } finally {
        context.deadline.clear();
        await aws.close();
        await rm(folder, { recursive: true });
      }
    });
});

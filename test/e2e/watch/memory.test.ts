/** What many looks leave behind in the memory of the one that watches: nothing. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { withFolder } from "../expect.ts";
import { BUCKET, push, withAws } from "../harness.ts";

const BUN = fileURLToPath(new URL("../../../node_modules/.bin/bun", import.meta.url));
const PROBE = fileURLToPath(new URL("../../probe/looks.ts", import.meta.url));
/** As large as the ones that operating systems bring. */
const BUNDLE_BYTES = 220_000;

test("200 looks over TLS with a large CA bundle: no type of object has become more, and the bundle is not read again", () =>
  withFolder((folder) =>
    withAws(
      async (aws) => {
        const uri = await push(aws, "app.env", "A=1\n");
        const own = readFileSync(aws.env()["AWS_CA_BUNDLE"] ?? "", "utf8");
        const bundle = join(folder, "bundle.pem");
        writeFileSync(bundle, own.repeat(Math.ceil(BUNDLE_BYTES / own.length)));
        const env = { PATH: process.env["PATH"] ?? "", ...aws.env(), AWS_CA_BUNDLE: bundle };
        const etag = aws.s3.get(BUCKET, "app.env")?.etag ?? "";
        const { stdout } = await promisify(execFile)(BUN, [PROBE, uri, etag], { env });
        const { looks, before, after, read } = JSON.parse(stdout) as {
          looks: number;
          before: Record<string, number>;
          after: Record<string, number>;
          read: number;
        };
        // The code itself is compiled again as it gets used more often.
        const counts = Object.entries(after).filter(([type]) => !type.endsWith("CodeBlock"));
        const grown = counts.filter(([type, count]) => count - (before[type] ?? 0) > looks / 4);
        assert.deepEqual(grown, [], JSON.stringify(grown.map(([type]) => [type, before[type], after[type]])));
        assert.ok(read < 10 * BUNDLE_BYTES, `${read} bytes were read from files`);
        assert.ok(aws.count("s3", "GetObject") >= looks);
      },
      { tls: true },
    ),
  ));

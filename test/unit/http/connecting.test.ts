/** What holds for every connection. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { Connecting } from "../../../src/http/connecting.ts";
import { withFolder } from "../../e2e/expect.ts";
import { makeContext, refuses } from "../refuses.ts";

const MIB = 1024 * 1024;
const CERTIFICATE = "-----BEGIN CERTIFICATE-----\n";

for (const variable of ["AWS_CA_BUNDLE", "VAULT_CACERT"] as const) {
  // All CAs that browsers trust take 220 KB.
  test(`${variable}: a bundle of 4 MiB is read whole, and not a byte more`, () =>
    withFolder(async (folder) => {
      const file = join(folder, "ca.pem");
      const { context } = makeContext({ [variable]: file });
      try {
        await writeFile(file, CERTIFICATE.padEnd(4 * MIB, "#"));
        assert.equal(new Connecting(context, variable).ca?.length, 4 * MIB);
        await writeFile(file, CERTIFICATE.padEnd(4 * MIB + 1, "#"));
        refuses(() => new Connecting(context, variable), "config", /cannot be read/);
      } finally {
        context.deadline.clear();
      }
    }));
}

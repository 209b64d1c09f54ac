/** --nofile where it cannot be honoured: said before anything is fetched. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ARTEFACTS, sealexec } from "../harness.ts";

const linux = process.platform === "linux" ? false : "needs Linux";
const bundle = ARTEFACTS[1];
const command = ["run", "--from", "s3://app-secrets/app.env"];

describe("--nofile", { skip: linux }, () => {
  for (const value of ["0", "-1", "1e3", "many", "0x10", "10000000000"]) {
    test(`${value} is wrong usage`, async () => {
      const outcome = await sealexec([...command, `--nofile=${value}`, "--", "true"], {});
      assert.equal(outcome.status, 64);
      assert.match(
        outcome.stderr,
        /^sealexec: error: --nofile \(SEALEXEC_NOFILE\) is neither a number of files/,
      );
    });
  }

  test("more than the hard limit is wrong usage", async () => {
    const prefix = ["sh", "-c", 'ulimit -n 512; exec "$@"', "sh"];
    const outcome = await sealexec([...command, "--nofile", "513", "--", "true"], { prefix });
    assert.equal(outcome.status, 64);
    assert.match(outcome.stderr, /more than the hard limit of 512/);
  });

  test("the npm bundle says that it cannot set it", async () => {
    assert.ok(bundle !== undefined);
    const outcome = await sealexec([...command, "--", "true"], {
      artefact: bundle,
      env: { SEALEXEC_NOFILE: "512" },
    });
    assert.equal(outcome.status, 78);
    assert.match(outcome.stderr, /error: --nofile \(SEALEXEC_NOFILE\) cannot be set here\n/);
  });
});

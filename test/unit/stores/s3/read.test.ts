/** Reading an object of the loopback S3, by both ways to it. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { AwsSession } from "../../../../src/aws/session.ts";
import { Deadline } from "../../../../src/base/deadline.ts";
import { createLogger } from "../../../../src/base/logger.ts";
import { readObject } from "../../../../src/stores/s3/read.ts";
import type { S3Object } from "../../../../src/stores/s3/object.ts";
import { s3Need } from "../../../../src/stores/s3/store.ts";
import { parseHttpDate } from "../../../../src/stores/s3/times.ts";
import { withFolder } from "../../../e2e/expect.ts";
import { BUCKET, withAws } from "../../../e2e/harness.ts";
import type { Aws } from "../../../aws/server.ts";

const HOUR_MS = 3_600_000;

async function read(aws: Aws, key: string, more: Readonly<Record<string, string>>): Promise<S3Object> {
  const now = (): number => performance.now();
  const context = {
    env: { ...aws.keyEnv(), ...more },
    deadline: new Deadline(20_000, now),
    log: createLogger("text", false, () => {}),
    now,
  };
  const session = new AwsSession(context, undefined);
  try {
    const ref = { bucket: BUCKET, key };
    await session.begin([s3Need(ref)]);
    return await readObject(ref, session, context);
  } finally {
    session.close();
    context.deadline.clear();
  }
}

describe("the times that S3 tells", () => {
  for (const way of ["directly", "by the SDK"] as const) {
    test(`when it answered, and when the object was written: ${way}`, () =>
      withFolder((folder) =>
        withAws(async (aws) => {
          // A shared file may hold endpoints, which only the SDK knows.
          const config = join(folder, "config");
          if (way === "by the SDK") writeFileSync(config, "[default]\n");
          const seconds = (): number => Math.floor((Date.now() + aws.clockOffsetMs) / 1_000) * 1_000;
          aws.clockOffsetMs = -HOUR_MS;
          const written = seconds();
          aws.s3.put(BUCKET, "app.env", "x");
          const writtenBy = seconds();
          // Within the time that a signature may be off.
          aws.clockOffsetMs = 120_000;
          const asked = seconds();
          const { date = 0, lastModified = 0 } = await read(aws, "app.env", {
            AWS_CONFIG_FILE: config,
            AWS_SHARED_CREDENTIALS_FILE: join(folder, "none"),
          });
          assert.ok(lastModified >= written && lastModified <= writtenBy, String(lastModified - written));
          assert.ok(date >= asked && date <= seconds(), String(date - asked));
        }),
      ));
  }
});

describe("a time of HTTP", () => {
  test("is read in the one form that is sent", () => {
    // RFC 9110, section 5.6.7: the example.
    assert.equal(parseHttpDate("Sun, 06 Nov 1994 08:49:37 GMT"), 784_111_777_000);
  });

  for (const text of [
    undefined,
    "",
    "2026-11-20T10:00:00Z",
    "784111777000",
    "Sunday, 06-Nov-94 08:49:37 GMT",
    "Sun Nov  6 08:49:37 1994",
    "Sun, 06 Nov 1994 08:49:37 +0100",
    "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 25:49:37 GMT",
  ]) {
    test(`${JSON.stringify(text)} is none`, () => assert.equal(parseHttpDate(text), undefined));
  }
});

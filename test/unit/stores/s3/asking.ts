/** S3 as its rooms see it: a session of ours, and the loopback AWS over sockets. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { mock } from "node:test";
import { AwsSession } from "../../../../src/aws/session.ts";
import { s3Need } from "../../../../src/stores/s3/store.ts";
import type { S3Ref } from "../../../../src/stores/s3/ref.ts";
import type { Tools } from "../../../../src/stores/source.ts";
import type { Aws } from "../../../aws/server.ts";
import { withFolder } from "../../../e2e/expect.ts";
import { BUCKET, withAws } from "../../../e2e/harness.ts";
import { makeContext } from "../../refuses.ts";

export const REF: S3Ref = { bucket: BUCKET, key: "app.env" };

/** By requests of our own; a shared file may hold endpoints, which only the SDK knows. */
export const WAYS = ["directly", "by the SDK"] as const;
export type Way = (typeof WAYS)[number];

export interface Place {
  readonly aws: Aws;
  readonly tools: Tools;
  readonly log: readonly string[];
  /** the S3 requests so far: `GetObject 200` */
  readonly asked: () => readonly string[];
}

/** A loopback AWS with a bucket, and the tools with which `ref` is asked for that way. */
export function withS3(way: Way, ref: S3Ref, work: (place: Place) => Promise<void>): Promise<void> {
  return withFolder((folder) =>
    withAws(async (aws) => {
      const config = join(folder, "config");
      if (way === "by the SDK") writeFileSync(config, "[default]\n");
      const shared = { AWS_CONFIG_FILE: config, AWS_SHARED_CREDENTIALS_FILE: join(folder, "none") };
      const { context, log } = makeContext({ ...aws.keyEnv(), ...shared }, 20_000);
      const session = new AwsSession(context, undefined);
      const vault = (): never => {
        throw new Error("nobody asks Vault here");
      };
      const asked = (): readonly string[] =>
        aws.calls.map(({ operation, status }) => `${operation} ${status}`);
      // No test waits for the pause before another attempt.
      const jitter = mock.method(Math, "random", () => 0);
      try {
        await session.begin([s3Need(ref)]);
        await work({ aws, tools: { context, session, vault }, log, asked });
      } finally {
        jitter.mock.restore();
        session.close();
        context.deadline.clear();
      }
    }),
  );
}

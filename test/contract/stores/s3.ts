import { printDotenv } from "../../../src/text/dotenv/print.ts";
import { BUCKET, KEY, push, withAws } from "../../e2e/harness.ts";
import { secretsOf } from "./secrets.ts";
import type { StoreFixture } from "./fixture.ts";

const NAME = "contract.env";

export const S3: StoreFixture = {
  name: "s3",
  lacks: { empty: "push refuses an empty .env" },
  prepare: (work) =>
    withAws((aws) =>
      work({
        env: aws.env(),
        flags: ["--key", KEY],
        pushFlags: ["--key", KEY],
        aws,
        seed: (variables) => push(aws, NAME, printDotenv(secretsOf(variables))),
        missing: `s3://${BUCKET}/nothing.env`,
        malform: async () => {
          const object = aws.s3.get(BUCKET, NAME);
          if (object === undefined) throw new Error("nothing there");
          const body = Buffer.from(object.body);
          body[0] = (body[0] ?? 0) ^ 1;
          aws.s3.put(BUCKET, NAME, body, object.metadata);
        },
        enlarge: async () => void aws.faults.add({ service: "s3", action: "hugeBody" }),
        deny: async () => {
          aws.faults.add({ service: "s3", action: "status", status: 403 });
          return { status: 77, error: /missing or forbidden \(GetObject: AccessDenied, 403/ };
        },
        hang: () => void aws.faults.add({ service: "s3", action: "silent" }),
        cutOnce: () => void aws.faults.add({ service: "s3", action: "closeMidBody", times: 1 }),
      }),
    ),
};

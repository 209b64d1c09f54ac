/** What a store reads and writes with: a session of AWS, whose services are one service of the test. */
import { AwsSession } from "../../../src/aws/session.ts";
import type { AwsNeed } from "../../../src/aws/session.ts";
import type { Tools } from "../../../src/stores/source.ts";
import { makeContext } from "../refuses.ts";
import type { Stage } from "../refuses.ts";
import { withServices } from "../service.ts";
import type { Reply, Service } from "../service.ts";

export interface Place {
  readonly service: Service;
  readonly tools: Tools;
  readonly stage: Stage;
  /** sets the clock, which stands otherwise, milliseconds: the time of a start is 30 seconds */
  at(ms: number): void;
}

/** @param needs of the sources of the test */
export function withAwsTools(
  needs: readonly AwsNeed[],
  work: (place: Place) => Promise<void>,
  more: { readonly key?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<void> {
  return withServices(1, async (service) => {
    let nowMs = 0;
    const env = {
      AWS_ENDPOINT_URL: service.url,
      AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE",
      AWS_SECRET_ACCESS_KEY: "secret",
      AWS_REGION: "us-east-1",
      AWS_EC2_METADATA_DISABLED: "true",
      ...more.env,
    };
    const stage = makeContext(env, 30_000, () => nowMs);
    const { context } = stage;
    const session = new AwsSession(context, more.key);
    const vault = async (): Promise<never> => {
      throw new Error("no Vault");
    };
    try {
      await session.begin(needs);
      await work({ service, stage, tools: { context, session, vault }, at: (ms) => (nowMs = ms) });
    } finally {
      session.close();
      context.deadline.clear();
    }
  });
}

/** A refusal of a JSON service. */
export function refusal(code: string, message = "m", status = 400): Reply {
  return { status, body: { __type: code, message } };
}

/** Operation and input of each call. */
export function callsOf({ asked }: Service): readonly unknown[] {
  return asked.map(({ headers, body }) => {
    const [, operation] = String(headers["x-amz-target"]).split(".");
    return [operation, JSON.parse(body)];
  });
}

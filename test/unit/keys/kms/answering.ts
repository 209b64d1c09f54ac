/** A session whose KMS gives one answer, over a connection that nobody is at the other end of. */
import { Clock } from "../../../../src/aws/call/clock.ts";
import type { Direct } from "../../../../src/aws/call/call.ts";
import type { Listener } from "../../../../src/http/connection.ts";
import type { AwsSession } from "../../../../src/aws/session.ts";

export function kmsThatAnswers(answer: object): AwsSession {
  const direct = {
    url: new URL("http://127.0.0.1/"),
    caller: {
      network: {
        takeIdle: async () => undefined,
        open: async () => connectionThatAnswers(answer),
        give: () => undefined,
      },
      identity: { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "secret" },
      clock: new Clock(),
      region: "us-east-1",
    },
  } as unknown as Direct;
  const session = { kmsRegion: () => "us-east-1", directKms: async () => direct };
  return session as unknown as AwsSession;
}

function connectionThatAnswers(answer: object): object {
  const body = JSON.stringify(answer);
  let listener: Listener | undefined;
  return {
    closed: false,
    listen: (given: Listener) => void (listener = given),
    send: () =>
      listener?.onData(Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`)),
    close: () => undefined,
  };
}

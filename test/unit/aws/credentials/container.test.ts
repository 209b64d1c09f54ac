/** Which agents may be asked for credentials, which the token goes to as well. Nobody is asked here. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { containerSource } from "../../../../src/aws/credentials/container.ts";
import { SealexecError } from "../../../../src/base/errors.ts";
import type { Network } from "../../../../src/http/network.ts";
import { makeContext } from "../../refuses.ts";

class Asked extends Error {
  readonly url: string;

  constructor(url: URL) {
    super();
    this.url = url.href;
  }
}

/** What asking the agent that the environment names comes to. */
async function outcomeIn(env: Readonly<Record<string, string>>): Promise<unknown> {
  const network = {
    takeIdle: (to: URL) => {
      throw new Asked(to);
    },
  };
  const { context } = makeContext(env);
  const attempt = { context, network: network as unknown as Network, signal: context.deadline.signal };
  try {
    return await containerSource(env).load({ ...attempt, region: async () => "us-east-1" });
  } catch (error) {
    return error;
  } finally {
    context.deadline.clear();
  }
}

const outcomeOf = (url: string): Promise<unknown> => outcomeIn({ AWS_CONTAINER_CREDENTIALS_FULL_URI: url });

for (const url of [
  "http://169.254.170.2/v2/credentials",
  "http://169.254.170.23/v1/credentials",
  "http://[fd00:ec2::23]/v1/credentials",
  "http://localhost:8080/",
  "http://127.0.0.1:8080/",
  "http://127.1.2.3/",
  "http://[::1]:8080/",
  "https://agent.example.com/v1",
]) {
  test(`${url} may be asked`, async () => {
    const outcome = await outcomeOf(url);
    assert.ok(outcome instanceof Asked, String(outcome));
    assert.equal(outcome.url, url);
  });
}

for (const url of [
  "http://agent.example.com/v1",
  "http://169.254.169.254/v1",
  "http://169.254.170.22/v1",
  "http://[fd00:ec2::254]/v1",
  "http://127.0.0.1.example.com/",
  "http://localhost.example.com/",
  "ftp://127.0.0.1/",
  "/v1/credentials",
]) {
  test(`${url} may not`, async () => {
    const outcome = await outcomeOf(url);
    assert.ok(outcome instanceof SealexecError, String(outcome));
    assert.equal(outcome.kind, "config");
    assert.match(outcome.message, /the address of the agent is not one that may be asked/);
  });
}

for (const [relative, asked] of [
  ["/v2/credentials/id", "http://169.254.170.2/v2/credentials/id"],
  ["", "https://agent.example.com/v1"],
] as const) {
  test(`the relative URI ${JSON.stringify(relative)} beside a full one: ${asked} is asked`, async () => {
    const outcome = await outcomeIn({
      AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: relative,
      AWS_CONTAINER_CREDENTIALS_FULL_URI: "https://agent.example.com/v1",
    });
    assert.ok(outcome instanceof Asked, String(outcome));
    assert.equal(outcome.url, asked);
  });
}

for (const relative of ["@agent.example.com/v1", ".example.com/v1", "9/v1"]) {
  test(`the relative URI ${relative} names no other host`, async () => {
    const outcome = await outcomeIn({ AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: relative });
    assert.ok(outcome instanceof SealexecError, String(outcome));
    assert.equal(outcome.kind, "config");
  });
}

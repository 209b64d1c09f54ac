/** Which refusals tell the time to sign with. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ServiceRefusal } from "../../../../src/aws/call/call.ts";
import { Clock } from "../../../../src/aws/call/clock.ts";

const HOUR_MS = 3_600_000;
const identity = { accessKeyId: "AKIA", secretAccessKey: "secret" };

for (const { code, message, learns } of [
  { code: "RequestTimeTooSkewed", message: "", learns: true },
  { code: "InvalidSignatureException", message: "Signature expired: …", learns: true },
  { code: "InvalidSignatureException", message: "The signature does not match", learns: false },
  { code: "SlowDown", message: "", learns: false },
  // Of whatever stands in between, whose clock is its own.
  { code: undefined, message: undefined, learns: false },
]) {
  test(`${code ?? "a page of a proxy"}, "${message ?? ""}": its Date ${learns ? "counts" : "does not"}`, () => {
    const clock = new Clock();
    const headers = { date: new Date(Date.now() + HOUR_MS).toUTCString() };
    const answer = { status: 503, headers, body: Buffer.alloc(0), reusable: true };
    const caller = { identity, clock, region: "us-east-1" };
    const { $metadata } = new ServiceRefusal(answer, { code, message }, caller);
    assert.equal($metadata.clockSkewCorrected ?? false, learns);
    assert.equal(clock.now().getTime() - Date.now() > HOUR_MS / 2, learns);
  });
}

test("a time that is four minutes off is learned, one that is nearer says nothing; the last one counts", (t) => {
  const startMs = 1_700_000_000_000;
  t.mock.timers.enable({ apis: ["Date"], now: startMs });
  const clock = new Clock();
  const learn = (offMs: number): boolean => clock.learn(new Date(Date.now() + offMs).toUTCString());
  const offMs = (): number => clock.now().getTime() - Date.now();
  for (const near of [0, 239_000, -239_000]) {
    assert.equal(learn(near), false);
    assert.equal(offMs(), 0);
  }
  for (const date of [undefined, "", "canary"]) assert.equal(clock.learn(date), false);
  assert.equal(learn(240_000), true);
  assert.equal(offMs(), 240_000);
  // It is right by now, and goes on.
  t.mock.timers.setTime(startMs + 60_000);
  assert.equal(offMs(), 240_000);
  assert.equal(learn(240_000), false);
  assert.equal(learn(0), true);
  assert.equal(offMs(), 0);
  assert.equal(learn(-3_600_000), true);
  assert.equal(offMs(), -3_600_000);
});

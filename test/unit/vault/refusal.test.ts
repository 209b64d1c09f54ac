/** Answers of Vault and failures below it: kind, whether another attempt helps, and that no text of theirs is shown. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AnswerTooLarge, InvalidAnswer } from "../../../src/http/answer.ts";
import { AttemptTimeout } from "../../../src/http/failure.ts";
import type { ErrorKind } from "../../../src/base/errors.ts";
import { UnreadableVaultAnswer, VaultRefusal, classifyVault } from "../../../src/vault/refusal.ts";

const CANARY = "hvs.canary";

function refusal(status: number, ...errors: unknown[]): VaultRefusal {
  const body = Buffer.from(JSON.stringify({ errors: [...errors, CANARY] }));
  return new VaultRefusal({ status, headers: {}, body, reusable: true });
}

const REFUSALS: readonly (readonly [number, readonly unknown[], ErrorKind, boolean, RegExp])[] = [
  [400, [], "config", false, /does not take this request/],
  [400, ["missing client token"], "denied", false, /refused the token/],
  [400, ["Upgrading from non-versioned to versioned data."], "unavailable", true, /kept failing/],
  [401, [], "denied", false, /permission denied/],
  [403, ["1 error occurred:\n\t* permission denied\n\n"], "denied", false, /permission denied/],
  [403, ["permission denied", "invalid token"], "denied", false, /refused the token/],
  [403, [{ a: 1 }, 7, null], "denied", false, /permission denied/],
  [404, [], "missing", false, /not there/],
  [404, ['no handler for route "x"'], "missing", false, /nothing is mounted/],
  [405, [], "config", false, /does not take/],
  [301, [], "config", false, /does not take/],
  [412, ["required index state not present"], "unavailable", true, /kept failing/],
  [429, [], "timeout", true, /throttled/],
  [472, [], "unavailable", true, /standby/],
  [473, [], "unavailable", true, /standby/],
  [500, ["internal error"], "unavailable", true, /kept failing/],
  [502, [], "unavailable", true, /kept failing/],
  [503, ["Vault is sealed"], "unavailable", true, /is sealed/],
  [503, [], "unavailable", true, /maintenance, or sealed/],
];

describe("what Vault's answers mean", () => {
  for (const [status, errors, kind, transient, message] of REFUSALS) {
    test(`${status} ${JSON.stringify(errors)}: ${kind}`, () => {
      const failure = classifyVault("GET secret/data/app", refusal(status, ...errors));
      assert.equal(failure.error.kind, kind);
      assert.equal(failure.transient !== undefined, transient);
      assert.match(failure.error.message, message);
      assert.match(failure.error.message, new RegExp(`\\(GET secret/data/app: ${status}\\)$`));
      assert.ok(!`${failure.error.message} ${failure.error.hint}`.includes(CANARY));
    });
  }

  test("a body that is no JSON, or no object", () => {
    for (const text of ["", "<html>", "[]", "null", '"x"', '{"errors": "sealed"}']) {
      const answer = { status: 503, headers: {}, body: Buffer.from(text), reusable: true };
      const { error } = classifyVault("GET x", new VaultRefusal(answer));
      assert.match(error.message, /^Vault is down for maintenance, or sealed \(GET x: 503\)$/);
    }
  });

  for (const [name, error, kind, transient] of [
    ["silence", new AttemptTimeout(), "timeout", true],
    ["no JSON", new UnreadableVaultAnswer(), "unavailable", true],
    ["no HTTP", new InvalidAnswer("x"), "unavailable", true],
    ["too large", new AnswerTooLarge("x"), "data", false],
    ["refused", Object.assign(new Error(CANARY), { code: "ECONNREFUSED" }), "unavailable", true],
    ["no name", Object.assign(new Error(CANARY), { code: "ENOTFOUND" }), "unavailable", true],
    ["TLS", Object.assign(new Error(CANARY), { code: "CERT_HAS_EXPIRED" }), "unavailable", false],
  ] as const) {
    test(`${name}: ${kind}`, () => {
      const failure = classifyVault("GET x", error);
      assert.equal(failure.error.kind, kind);
      assert.equal(failure.transient !== undefined, transient);
      assert.ok(!failure.error.message.includes(CANARY));
    });
  }

  test("a CA that nobody knows: the hint names Vault's variable", () => {
    const error = Object.assign(new Error("x"), { code: "SELF_SIGNED_CERT_IN_CHAIN" });
    const { hint = "" } = classifyVault("GET x", error).error;
    assert.match(hint, /VAULT_CACERT/);
    assert.doesNotMatch(hint, /AWS/);
  });
});

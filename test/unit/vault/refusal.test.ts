/** Answers of Vault and failures below it: kind, whether another attempt helps, and that no text of theirs is shown. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AnswerTooLarge, InvalidAnswer } from "../../../src/http/answer.ts";
import { AttemptTimeout } from "../../../src/http/failure.ts";
import type { Transient } from "../../../src/http/failure.ts";
import type { ErrorKind } from "../../../src/base/errors.ts";
import { UnreadableVaultAnswer, VaultRefusal, classifyVault } from "../../../src/vault/refusal.ts";

const CANARY = "hvs.canary";

function coded(code: string): Error {
  return Object.assign(new Error(CANARY), { code });
}

function refusal(status: number, ...errors: unknown[]): VaultRefusal {
  const body = Buffer.from(JSON.stringify({ errors: [...errors, CANARY] }));
  return new VaultRefusal({ status, headers: {}, body, reusable: true });
}

type Expected = readonly [ErrorKind, string, Transient | undefined, RegExp, RegExp];

const NOT_TAKEN: Expected = ["config", "not-taken", undefined, /does not take/, /audit log/];
const REFUSED: Expected = ["denied", "token-refused", undefined, /refused the token/, /get a new one/];
const FORBIDDEN: Expected = ["denied", "access-denied", undefined, /permission denied/, /a policy .* read/];
const FAILING: Expected = ["unavailable", "service-failing", "failing", /kept failing/, /Vault's own log/];
const MISSING: Expected = ["missing", "not-there", undefined, /^not there/, /check the path/];
const NO_MOUNT: Expected = ["missing", "no-such-mount", undefined, /nothing is mounted/, /secrets list/];
const STANDBY: Expected = ["unavailable", "vault-standby", "failing", /standby/, /load balancer/];
const SEALED: Expected = ["unavailable", "vault-sealed", "failing", /is sealed/, /operator unseal/];
const DOWN: Expected = ["unavailable", "vault-down", "failing", /maintenance, or sealed/, /vault status/];
const THROTTLED: Expected = ["timeout", "throttled", "throttled", /throttled/, /--timeout .*rate limit/];

const REFUSALS: readonly (readonly [number, readonly unknown[], Expected])[] = [
  [400, [], NOT_TAKEN],
  [400, ["Missing client token"], REFUSED],
  [400, ["invalid token"], NOT_TAKEN],
  [400, ["Upgrading from non-versioned to versioned data."], FAILING],
  [401, [], FORBIDDEN],
  [401, ["invalid token"], FORBIDDEN],
  [403, ["1 error occurred:\n\t* permission denied\n\n"], FORBIDDEN],
  [403, ["permission denied", "invalid token"], REFUSED],
  [403, ["Bad token"], REFUSED],
  [403, ["missing client token"], FORBIDDEN],
  [403, [{ a: 1 }, 7, null], FORBIDDEN],
  [404, [], MISSING],
  [404, ["invalid token", "sealed"], MISSING],
  [404, ['No handler for route "x"'], NO_MOUNT],
  [404, ["route entry not found"], NO_MOUNT],
  [404, ["unsupported path"], NO_MOUNT],
  [405, [], NOT_TAKEN],
  [301, [], NOT_TAKEN],
  [412, ["required index state not present"], FAILING],
  [429, [], THROTTLED],
  [471, [], NOT_TAKEN],
  [472, [], STANDBY],
  [473, [], STANDBY],
  [474, [], NOT_TAKEN],
  [499, [], NOT_TAKEN],
  [500, ["internal error"], FAILING],
  [500, ["sealed"], FAILING],
  [502, [], FAILING],
  [503, ["Vault is Sealed"], SEALED],
  [503, [], DOWN],
];

describe("what Vault's answers mean", () => {
  for (const [status, errors, [kind, code, transient, message, hint]] of REFUSALS) {
    test(`${status} ${JSON.stringify(errors)}: ${code}`, () => {
      const { error, ...others } = classifyVault("GET secret/data/app", refusal(status, ...errors));
      assert.deepEqual([error.kind, error.code], [kind, code]);
      assert.deepEqual(others, transient === undefined ? {} : { transient });
      assert.deepEqual(error.facts, { operation: "GET secret/data/app", httpStatus: status });
      assert.match(error.message, message);
      assert.match(error.message, new RegExp(`\\(GET secret/data/app: ${status}\\)$`));
      assert.match(error.hint ?? "", hint);
      assert.ok(error.cause instanceof VaultRefusal);
      assert.ok(!`${error.message} ${error.hint}`.includes(CANARY));
    });
  }

  test("a body that is no JSON, or no object", () => {
    for (const text of ["", "<html>", "[]", "null", '"x"', '{"errors": "sealed"}']) {
      const answer = { status: 503, headers: {}, body: Buffer.from(text), reusable: true };
      const { error } = classifyVault("GET x", new VaultRefusal(answer));
      assert.match(error.message, /^Vault is down for maintenance, or sealed \(GET x: 503\)$/);
    }
  });

  for (const [name, failure, kind, transient, says] of [
    ["silence", new AttemptTimeout(), "timeout", "hung", /^GET x: no answer in time$/],
    [
      "no JSON",
      new UnreadableVaultAnswer(),
      "unavailable",
      "failing",
      /^the answer is not Vault's \(GET x\)$/,
    ],
    ["no HTTP", new InvalidAnswer("x"), "unavailable", "failing", /GET x/],
    ["too large", new AnswerTooLarge("x"), "data", undefined, /^the answer is too large \(GET x\)$/],
    ["refused", coded("ECONNREFUSED"), "unavailable", "unreachable", /^GET x: cannot be reached/],
    ["no name", coded("ENOTFOUND"), "unavailable", "unreachable", /does not resolve/],
    ["TLS", coded("CERT_HAS_EXPIRED"), "unavailable", undefined, /certificate is not trusted/],
  ] as const) {
    test(`${name}: ${kind}`, () => {
      const { error, ...others } = classifyVault("GET x", failure);
      assert.equal(error.kind, kind);
      assert.deepEqual(others, transient === undefined ? {} : { transient });
      assert.match(error.message, says);
      assert.match(error.hint ?? "", /./);
      assert.ok(!error.message.includes(CANARY));
    });
  }

  test("no JSON: what stands between is named to people and to machines", () => {
    const { error } = classifyVault("GET x", new UnreadableVaultAnswer());
    assert.deepEqual([error.code, error.facts], ["answer-unreadable", { operation: "GET x" }]);
    assert.match(error.hint ?? "", /VAULT_ADDR.*a proxy/);
  });

  test("a CA that nobody knows: the hint names Vault's variable", () => {
    const error = Object.assign(new Error("x"), { code: "SELF_SIGNED_CERT_IN_CHAIN" });
    const { hint = "" } = classifyVault("GET x", error).error;
    assert.match(hint, /VAULT_CACERT/);
    assert.doesNotMatch(hint, /AWS/);
  });
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { checkGiven } from "../../../src/cli/given.ts";
import { refuses } from "../refuses.ts";

describe("what is given", () => {
  test("empty is refused, by the name of its option", () => {
    for (const [flags, option] of [
      [{ key: "" }, "--key"],
      [{ minRevision: " \t" }, "--min-revision"],
      [{ onChange: "," }, "--on-change"],
      [{ from: ["s3://b/k", ""] }, "--from"],
      [{ verbose: true, require: [" , ,"] }, "--require"],
    ] as const) {
      const { hint } = refuses(
        () => checkGiven(flags, {}),
        "usage",
        new RegExp(`^${option} is given empty$`),
      );
      assert.equal(hint, "give it a value, or leave it out");
    }
  });
  test("is not empty if there is anything in it, or if it has no value", () => {
    const flags = { verbose: true, watch: false, key: "k", from: ["a", "b, "], context: [], pass: undefined };
    assert.deepEqual(checkGiven(flags, {}), []);
  });
  test("as a variable: empty is refused with the way out, unless it is none of ours", () => {
    for (const text of ["", " ", ",", "\n,"]) {
      const env = { SEALEXEC_KEY: text };
      const { hint } = refuses(() => checkGiven({}, env), "usage", /^SEALEXEC_KEY is set, but empty$/);
      assert.match(hint ?? "", /^unset it, or give it a value: "ENV SEALEXEC_KEY=" in a Dockerfile/);
    }
    assert.deepEqual(checkGiven({}, { SEALEXEC_KEY: "k", AWS_REGION: "", PATH: "" }), []);
    assert.deepEqual(checkGiven({}, { SEALEXEC_NONE: "", sealexec_key: "x" }), [
      "SEALEXEC_NONE",
      "sealexec_key",
    ]);
  });
  test("as a switch is 1 or 0", () => {
    for (const name of ["SEALEXEC_ALLOW_HTTP", "SEALEXEC_TRACE"]) {
      for (const value of ["0", "1"]) assert.deepEqual(checkGiven({}, { [name]: value }), []);
      for (const value of ["2", "true", "01", "1 "])
        refuses(() => checkGiven({}, { [name]: value }), "usage", new RegExp(`^${name} is neither 1 nor 0$`));
    }
  });
  test("what Kubernetes sets for services is not ours; what only looks like it is", () => {
    const ofServices = ["SEALEXEC", "SEALEXEC_MY_API"].flatMap((name) => [
      `${name}_SERVICE_HOST`,
      `${name}_SERVICE_PORT`,
      `${name}_SERVICE_PORT_HTTPS`,
      `${name}_PORT`,
      ...["TCP", "UDP", "SCTP"].map((protocol) => `${name}_PORT_53_${protocol}`),
      ...["PROTO", "PORT", "ADDR"].map((part) => `${name}_PORT_443_TCP_${part}`),
    ]);
    assert.deepEqual(checkGiven({}, Object.fromEntries(ofServices.map((name) => [name, ""]))), []);
    const others = [
      "SEALEXEC_SERVICE_HOSTS",
      "SEALEXEC_SERVICE",
      "SEALEXEC_PORTS",
      "SEALEXEC_PORT_TCP",
      "SEALEXEC_PORT_443_HTTP",
      "SEALEXEC_PORT_443_TCP_NAME",
      "SEALEXEC_",
    ];
    assert.deepEqual(checkGiven({}, Object.fromEntries(others.map((name) => [name, "x"]))), others);
    assert.deepEqual(checkGiven({}, { SEALEXE: "", MY_SEALEXEC_KEY: "", SEALEXECKEY: "" }), []);
  });
});

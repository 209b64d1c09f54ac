import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { givenCredentials } from "../../../src/commands/open-options.ts";
import { formatCredentialsRef, parseCredentialsRef } from "../../../src/vault/credentials-ref.ts";
import { refuses } from "../refuses.ts";

describe("--credentials", () => {
  for (const [text, ref] of [
    ["vault:aws/creds/app", { mount: "aws", kind: "creds", role: "app" }],
    ["vault:aws/sts/my-app_1.x@y", { mount: "aws", kind: "sts", role: "my-app_1.x@y" }],
    ["vault:team/aws-eu/sts/app", { mount: "team/aws-eu", kind: "sts", role: "app" }],
    [
      `vault:${"m".repeat(256)}/sts/${"r".repeat(128)}`,
      { mount: "m".repeat(256), kind: "sts", role: "r".repeat(128) },
    ],
    ["vault:creds/creds/sts", { mount: "creds", kind: "creds", role: "sts" }],
  ] as const) {
    test(`takes ${text}`, () => {
      assert.deepEqual(parseCredentialsRef(text), ref);
      assert.equal(formatCredentialsRef(ref), text);
    });
  }

  for (const text of [
    "",
    "vault:",
    "vault:aws",
    "vault:aws/app",
    "vault:aws/roles/app",
    "vault:aws/creds",
    "vault:aws/creds/",
    "vault:/creds/app",
    "vault://aws/creds/app",
    "vault:aws//creds/app",
    "vault:../creds/app",
    "vault:./creds/app",
    "vault:a/./b/creds/app",
    "vault:aws/creds/.",
    `vault:${"m".repeat(257)}/creds/app`,
    `vault:aws/creds/${"r".repeat(129)}`,
    "vault:a/../b/creds/app",
    "vault:aws/creds/..",
    "vault:aws/creds/a/b",
    "vault:aws/creds/a b",
    "vault:aws/creds/app?ttl=1h",
    "vault:aws/creds/app\n",
    "vault:a\u0000b/creds/app",
    "VAULT:aws/creds/app",
    " vault:aws/creds/app",
    "AKIAIOSFODNN7EXAMPLE",
  ]) {
    test(`refuses ${JSON.stringify(text)}, and repeats nothing of it`, () => {
      const { message, hint } = refuses(() => parseCredentialsRef(text), "usage", /--credentials/);
      assert.equal(hint, "the form is vault:MOUNT/creds/ROLE or vault:MOUNT/sts/ROLE");
      assert.ok(text === "" || !message.includes(text));
    });
  }

  test("the option wins over its variable; neither may be empty", () => {
    const env = { SEALEXEC_CREDENTIALS: "vault:aws/creds/b" };
    assert.equal(givenCredentials({ credentials: "vault:aws/creds/a" }, env)?.role, "a");
    assert.equal(givenCredentials({}, env)?.role, "b");
    assert.equal(givenCredentials({}, {}), undefined);
    refuses(() => givenCredentials({}, { SEALEXEC_CREDENTIALS: "" }), "usage");
    refuses(() => givenCredentials({ credentials: "" }, env), "usage");
  });
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { formatVaultUri } from "../../../../src/stores/vault/ref.ts";
import { parseVaultUri } from "../parse.ts";
import { refuses } from "../../refuses.ts";

describe("vault:// URIs", () => {
  for (const [uri, ref] of [
    ["vault://secret/app", { mount: "secret", path: "app" }],
    ["vault://kv-v2_1/a/b c/.env", { mount: "kv-v2_1", path: "a/b c/.env" }],
    ["vault://team%2Fkv/app", { mount: "team/kv", path: "app" }],
    ["vault://secret/data/app", { mount: "secret", path: "data/app" }],
    ["vault://secret/a%20b%2Fc+d", { mount: "secret", path: "a%20b%2Fc+d" }],
    ["vault://secret/zażółć/🙂", { mount: "secret", path: "zażółć/🙂" }],
    ["vault://secret/...", { mount: "secret", path: "..." }],
    ["vault://secret/a:b@c&d=e", { mount: "secret", path: "a:b@c&d=e" }],
    ["vault://secret/app?version=12", { mount: "secret", path: "app", version: 12 }],
    ["vault://secret/app?flatten=__", { mount: "secret", path: "app", flatten: "__" }],
    ["vault://secret/app#KEY", { mount: "secret", path: "app", pick: { key: "KEY", name: "KEY" } }],
    [
      "vault://secret/app?as=DB&version=3#db/pass word#1",
      { mount: "secret", path: "app", version: 3, pick: { key: "db/pass word#1", name: "DB" } },
    ],
  ] as const) {
    test(`takes ${uri}`, () => assert.deepEqual(parseVaultUri(uri), ref));
  }

  for (const uri of [
    "",
    "vault:",
    "vault://",
    "vault:/secret/app",
    "vault:secret/app",
    "VAULT://secret/app",
    " vault://secret/app",
    "vault://secret",
    "vault://secret/",
    "vault:///app",
    "vault://secret//app",
    "vault://secret/app/",
    "vault://secret/a//b",
    "vault://./app",
    "vault://../app",
    "vault://secret/../sys/seal-status",
    "vault://secret/a/./b",
    "vault://secret/a/..",
    "vault://a%2F..%2Fsys/app",
    "vault://a%2F%2Fb/app",
    "vault://%2Fa/app",
    "vault://a%2f/app",
    "vault://a%20b/app",
    "vault://a%/app",
    "vault://%252F/app",
    "vault://secret/app ",
    "vault://secret/ app",
    "vault:// secret/app",
    "vault://secret/a\nb",
    "vault://secret/a\u0000b",
    "vault://secret/a\u001b[2Jb",
    "vault://secret/a\u0085b",
    "vault://secret/a\ud800b",
    "vault://secret/app?version",
    "vault://secret/app?version=",
    "vault://secret/app?version=0",
    "vault://secret/app?version=-1",
    "vault://secret/app?version=1e3",
    "vault://secret/app?version=01",
    "vault://secret/app?version=1.5",
    "vault://secret/app?version= 1",
    "vault://secret/app?version=9999999999",
    "vault://secret/app?version=1&version=1",
    "vault://secret/app?Version=1",
    "vault://secret/app?region=eu-west-1",
    "vault://secret/app?version=1?as=A#K",
    "vault://secret/app?as=A",
    "vault://secret/app?as=#K",
    "vault://secret/app?as=1A#K",
    "vault://secret/app?as=A-B#K",
    "vault://secret/app?as=__proto__#K",
    "vault://secret/app#",
    "vault://secret/app#db-password",
    "vault://secret/app#__proto__",
    "vault://secret/app#K?as=A",
    "vault://secret/app?flatten=",
    "vault://secret/app?flatten=.",
    "vault://secret/app?flatten=-",
    "vault://secret/app?flatten=_________",
    "vault://secret/app?flatten=_#K",
    "vault://secret/app?&version=1",
    "vault://secret?version=1",
    "vault://secret#K",
    `vault://secret/${"p".repeat(1_025)}`,
  ]) {
    test(`refuses ${JSON.stringify(uri.slice(0, 60))}`, () => {
      const { message, hint = "" } = refuses(() => parseVaultUri(uri), "usage");
      assert.ok(!/\p{Cc}/u.test(message), "a control character is repeated");
      assert.match(hint, /(?:^|\? )the form is vault:\/\//);
    });
  }

  test("two URIs in one", () => {
    refuses(() => parseVaultUri("vault://secret/a vault://secret/b"), "usage", /two URIs in one/);
  });

  test("its own form is read as the same again", () => {
    for (const uri of [
      "vault://secret/app",
      "vault://team%2Fkv/a/b",
      "vault://secret/app?version=2&as=A#b",
      "vault://secret/app?flatten=_",
    ]) {
      assert.equal(formatVaultUri(parseVaultUri(uri)), uri);
    }
  });
});

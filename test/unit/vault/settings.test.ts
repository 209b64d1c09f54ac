import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { activeNode } from "../../../src/vault/redirect.ts";
import { readSettings } from "../../../src/vault/settings.ts";
import { refuses } from "../refuses.ts";

const ADDRESS = "https://vault.example.com:8200";

describe("the settings of Vault", () => {
  for (const [env, address, namespace] of [
    [{ VAULT_ADDR: ADDRESS }, `${ADDRESS}/`, undefined],
    [
      { VAULT_ADDR: "https://example.com/vault", VAULT_NAMESPACE: "a/b/" },
      "https://example.com/vault",
      "a/b/",
    ],
    [{ VAULT_ADDR: "http://127.0.0.1:8100", VAULT_NAMESPACE: "" }, "http://127.0.0.1:8100/", undefined],
    [{ VAULT_ADDR: "http://[::1]:8200", VAULT_SKIP_VERIFY: "false" }, "http://[::1]:8200/", undefined],
    [{ VAULT_ADDR: "http://vault:8200", SEALEXEC_ALLOW_HTTP: "1" }, "http://vault:8200/", undefined],
    [{ VAULT_ADDR: ADDRESS, VAULT_SKIP_VERIFY: "0" }, `${ADDRESS}/`, undefined],
  ] as const) {
    test(`takes ${JSON.stringify(env)}`, () => {
      const settings = readSettings(env);
      assert.equal(settings.address.href, address);
      assert.equal(settings.namespace, namespace);
    });
  }

  test("takes what Go takes for no", () => {
    for (const VAULT_SKIP_VERIFY of ["", "0", "f", "F", "false", "False", "FALSE"])
      assert.equal(readSettings({ VAULT_ADDR: ADDRESS, VAULT_SKIP_VERIFY }).address.href, `${ADDRESS}/`);
  });

  for (const [env, message] of [
    [{}, /VAULT_ADDR is missing/],
    [{ VAULT_ADDR: "vault:8200" }, /VAULT_ADDR is not an endpoint URL/],
    [{ VAULT_ADDR: "unix:///run/vault.sock" }, /VAULT_ADDR is not an endpoint URL/],
    [{ VAULT_ADDR: "https://user:canary@vault.example.com" }, /VAULT_ADDR is not an endpoint URL/],
    [{ VAULT_ADDR: "http://vault.example.com:8200" }, /plain HTTP is refused/],
    [{ VAULT_ADDR: ADDRESS, VAULT_SKIP_VERIFY: "1" }, /VAULT_SKIP_VERIFY/],
    [{ VAULT_ADDR: ADDRESS, VAULT_SKIP_VERIFY: "TRUE" }, /VAULT_SKIP_VERIFY/],
    [{ VAULT_ADDR: ADDRESS, VAULT_SKIP_VERIFY: "canary" }, /VAULT_SKIP_VERIFY/],
    [{ VAULT_ADDR: ADDRESS, VAULT_NAMESPACE: "a\r\nx-canary: 1" }, /VAULT_NAMESPACE/],
  ] as const) {
    test(`refuses ${JSON.stringify(env)}`, () => {
      const { message: shown } = refuses(() => readSettings(env), "config", message);
      assert.doesNotMatch(shown, /canary/);
    });
  }
});

describe("the active node that a standby names", () => {
  const PATH = "/v1/secret/data/app?version=2";
  const asked = new URL(ADDRESS + PATH);
  const answer = (location?: string) => ({
    status: 307,
    headers: location === undefined ? {} : { location },
    body: Buffer.alloc(0),
    reusable: true,
  });

  test("over TLS, wherever it is", () => {
    const location = `https://10.0.0.2:8200${PATH}`;
    assert.equal(activeNode(answer(location), asked, {}).href, location);
    assert.equal(activeNode(answer(location), asked, { VAULT_DISABLE_REDIRECTS: "false" }).href, location);
  });
  test("as Go writes the path, and asked for as we write it", () => {
    const ours = new URL(`${ADDRESS}/v1/secret/data/a%40b%3Ac%2Bd`);
    const url = activeNode(answer("https://10.0.0.2:8200/v1/secret/data/a@b:c+d"), ours, {});
    assert.equal(url.href, "https://10.0.0.2:8200/v1/secret/data/a%40b%3Ac%2Bd");
  });
  test("plain HTTP on this machine, where that was asked", () => {
    const url = activeNode(answer("http://127.0.0.1:2/v1/x"), new URL("http://localhost:1/v1/x"), {});
    assert.equal(url.port, "2");
  });

  test("not without TLS where it was asked over TLS, nor the other way round, on this machine either", () => {
    for (const [from, to] of [
      ["https", "http"],
      ["http", "https"],
    ] as const) {
      const location = `${to}://127.0.0.1:2/v1/x`;
      const asking = new URL(`${from}://127.0.0.1:1/v1/x`);
      refuses(() => activeNode(answer(location), asking, {}), "config", /another protocol/);
    }
  });

  for (const [location, message] of [
    [undefined, /to no address/],
    ["", /to no address/],
    ["/v1/secret", /to no address/],
    ["//elsewhere/v1", /to no address/],
    ["https://user:canary@10.0.0.2/v1/x", /to no address/],
    ["https://10.0.0.2/v1/x#canary", /to no address/],
    ["http://10.0.0.2:8200/v1/x", /another protocol/],
    ["http://127.0.0.1:8200/v1/x", /another protocol/],
    ["https://10.0.0.2", /another path/],
    ["https://10.0.0.2/v1/sys/tools/random?version=2", /another path/],
    ["https://10.0.0.2/v1/secret/data/app", /another path/],
    ["https://10.0.0.2/v1/secret/data/app?version=1", /another path/],
    ["https://10.0.0.2/v1/secret/data/app?version=2&wrap=1", /another path/],
    ["https://10.0.0.2/v1/secret/data%2Fapp?version=2", /another path/],
    ["https://10.0.0.2/v1/secret/data/%?version=2", /another path/],
    ["file:///etc/passwd", /another protocol/],
  ] as const) {
    test(`not ${location ?? "without a Location"}`, () => {
      const work = () => activeNode(answer(location), asked, {});
      const { message: shown, hint } = refuses(work, "config", message);
      assert.doesNotMatch(shown, /canary/);
      assert.match(hint ?? "", /^set api_addr of Vault's nodes .* or point VAULT_ADDR at the active node$/);
    });
  }
  test("not from this machine to another without TLS", () => {
    const work = () => activeNode(answer("http://10.0.0.2/v1/x"), new URL("http://localhost:1/v1/x"), {});
    refuses(work, "config", /to another machine without TLS/);
  });
  test("not without TLS, also where that is allowed for VAULT_ADDR", () => {
    const far = new URL("http://vault.example.com/v1/x");
    const env = { SEALEXEC_ALLOW_HTTP: "1" };
    for (const location of ["http://10.0.0.2/v1/x", "http://127.0.0.1/v1/x"])
      refuses(() => activeNode(answer(location), far, env), "config", /to another machine without TLS/);
  });
  for (const value of ["1", "true", "T", "yes", "canary"]) {
    test(`nowhere with VAULT_DISABLE_REDIRECTS=${value}`, () => {
      const work = () => activeNode(answer(asked.href), asked, { VAULT_DISABLE_REDIRECTS: value });
      refuses(work, "config", /VAULT_DISABLE_REDIRECTS is set/);
    });
  }
});

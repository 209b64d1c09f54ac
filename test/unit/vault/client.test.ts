/** The client of Vault: what it asks, and over several rounds, by a clock that the test sets. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { VaultClient } from "../../../src/vault/client.ts";
import { withAws } from "../../e2e/harness.ts";
import { startVault } from "../../vault/server.ts";
import { makeContext } from "../refuses.ts";

const LEASE_MS = 3_000_000;

test("a login's token is used for two thirds of its lease, and no longer", () =>
  withAws(async (aws) => {
    const vault = await startVault(aws);
    try {
      vault.kv2.put("app", { A: "1" });
      const role = vault.approle.addRole({ ttlMs: LEASE_MS });
      const env = {
        ...vault.env(),
        VAULT_AUTH: "approle",
        VAULT_ROLE_ID: role,
        VAULT_SECRET_ID: vault.approle.addSecretId(role),
      };
      let before: VaultClient | undefined;
      const loginsAfterRead = async (atMs: number): Promise<number> => {
        const { context } = makeContext(env, 30_000, () => atMs);
        const client = new VaultClient(context, () => assert.fail("no login by AWS"), before);
        try {
          await client.read({ path: "secret/data/app" });
        } finally {
          client.close();
          context.deadline.clear();
        }
        before = client;
        return vault.calls.filter(({ path }) => path.endsWith("/login")).length;
      };
      assert.equal(await loginsAfterRead(0), 1);
      assert.equal(await loginsAfterRead((LEASE_MS * 2) / 3 - 1), 1);
      assert.equal(await loginsAfterRead((LEASE_MS * 2) / 3), 2);
    } finally {
      await vault.close();
    }
  }));

test("a path in VAULT_ADDR leads every call, with a slash at its end and without", async () => {
  const asked: (string | undefined)[] = [];
  const proxy = createServer((request, response) => {
    asked.push(request.url);
    response.end("{}");
  });
  await new Promise<void>((resolve) => void proxy.listen(0, "127.0.0.1", resolve));
  const host = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  try {
    for (const path of ["", "/", "/team/vault", "/team/vault/"]) {
      const { context } = makeContext({ VAULT_ADDR: host + path, VAULT_TOKEN: "hvs.A" });
      const client = new VaultClient(context, () => assert.fail("no login by AWS"));
      try {
        await client.read({ path: "secret/data/a b", query: { version: "2" } });
      } finally {
        client.close();
        context.deadline.clear();
      }
    }
  } finally {
    proxy.close();
  }
  const call = "/v1/secret/data/a%20b?version=2";
  assert.deepEqual(asked, [call, call, `/team/vault${call}`, `/team/vault${call}`]);
});

/** KV engines of a loopback Vault, of either version, with a token. */
import { withPlace } from "../../e2e/vault-place.ts";
import type { StoreFixture } from "./fixture.ts";

const LARGE = JSON.stringify({ data: { A: "x".repeat(8 * 1024 * 1024) } });

export const VAULT: readonly StoreFixture[] = (["secret", "kv1"] as const).map((mount) => ({
  name: `vault (${mount})`,
  lacks: { pushFlags: "read-only" },
  prepare: (work) =>
    withPlace(({ vault, folder }) => {
      const engine = mount === "kv1" ? vault.kv1 : vault.kv2;
      const path = new RegExp(`^${mount}/`);
      return work({
        env: { ...vault.tokenEnv(), HOME: folder },
        flags: [],
        seed: async (variables) => {
          engine.put("contract", variables);
          return `vault://${mount}/contract`;
        },
        missing: `vault://${mount}/nothing`,
        malform: async () => void engine.put("contract", { TOKEN: { nested: "canary-6d0b41" } }),
        enlarge: async () => vault.faults.add({ action: "body", body: LARGE, path }),
        deny: async () => {
          vault.faults.add({ action: "status", status: 403, path });
          return { status: 77, error: /permission denied \(GET / };
        },
        hang: () => vault.faults.add({ action: "hang", path }),
        cutOnce: () => vault.faults.add({ action: "cut", times: 1, path }),
      });
    }),
}));

/** KV version 2 of a loopback Vault, with a token. */
import { withPlace } from "../../e2e/vault-place.ts";
import type { StoreFixture } from "./fixture.ts";

export const VAULT: StoreFixture = {
  name: "vault",
  lacks: { enlarge: "Vault takes 1 MiB at most", pushFlags: "read-only" },
  prepare: (work) =>
    withPlace(({ vault, folder }) =>
      work({
        env: { ...vault.tokenEnv(), HOME: folder },
        flags: [],
        seed: async (variables) => {
          vault.kv2.put("contract", variables);
          return "vault://secret/contract";
        },
        missing: "vault://secret/nothing",
        malform: async () => void vault.kv2.put("contract", { TOKEN: { nested: "canary-6d0b41" } }),
        deny: async () => {
          vault.faults.add({ action: "status", status: 403, path: /^secret\/data\// });
          return { status: 77, error: /403/ };
        },
        hang: () => vault.faults.add({ action: "hang" }),
        cutOnce: () => vault.faults.add({ action: "cut", times: 1 }),
      }),
    ),
};

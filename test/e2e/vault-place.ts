/** A loopback AWS and a loopback Vault beside it, for the time of one test. */
import type { Aws } from "../aws/server.ts";
import { startVault } from "../vault/server.ts";
import type { Vault, VaultOptions } from "../vault/server.ts";
import { withFolder } from "./expect.ts";
import { withAws } from "./harness.ts";

export interface Place {
  readonly aws: Aws;
  readonly vault: Vault;
  /** HOME */
  readonly folder: string;
}

export function withPlace(work: (place: Place) => Promise<void>, options: VaultOptions = {}): Promise<void> {
  return withFolder((folder) =>
    withAws(async (aws) => {
      const vault = await startVault(aws, options);
      try {
        await work({ aws, vault, folder });
      } finally {
        await vault.close();
      }
    }),
  );
}

/** The paths that Vault was asked for, in order. */
export const paths = ({ vault }: Place): string[] => vault.calls.map(({ path }) => path);

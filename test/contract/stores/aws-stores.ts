/** Secrets Manager and Parameter Store, on the loopback AWS. */
import type { Aws } from "../../aws/server.ts";
import { withAws } from "../../e2e/harness.ts";
import { seedSecretsManager, seedSsm } from "../../e2e/stores/seed.ts";
import type { Place, StoreFixture } from "./fixture.ts";

function faultsOf(aws: Aws, service: "secretsmanager" | "ssm"): Pick<Place, "hang" | "cutOnce"> {
  return {
    hang: () => void aws.faults.add({ service, action: "silent" }),
    cutOnce: () => void aws.faults.add({ service, action: "cutJson", times: 1 }),
  };
}

export const SECRETS_MANAGER: StoreFixture = {
  name: "secretsmanager",
  lacks: { enlarge: "a secret has 64 KiB at most" },
  prepare: (work) =>
    withAws((aws) =>
      work({
        env: aws.env(),
        flags: [],
        pushFlags: [],
        aws,
        seed: async (variables) => seedSecretsManager(aws, "contract", variables),
        missing: "secretsmanager://nothing",
        malform: async () => void aws.secrets.put("contract", { text: '{"TOKEN": "canary-6d0b41' }),
        deny: async () => {
          aws.secrets.deny("GetSecretValue");
          return { status: 77, error: /access denied \(GetSecretValue: AccessDeniedException, 400/ };
        },
        ...faultsOf(aws, "secretsmanager"),
      }),
    ),
};

export const SSM: StoreFixture = {
  name: "ssm",
  lacks: {
    empty: "a path without parameters is missing",
    malform: "any text is a value",
    enlarge: "a parameter has 8 KiB at most",
    pushFlags: "push replaces each parameter by itself: test/e2e/stores/ssm.test.ts",
  },
  prepare: (work) =>
    withAws((aws) =>
      work({
        env: aws.env(),
        flags: [],
        aws,
        seed: async (variables) => {
          // A parameter has one character at least.
          const { EMPTY: _, ...others } = variables;
          return seedSsm(aws, "/contract/", others);
        },
        missing: "ssm:///nothing/",
        deny: async () => {
          aws.parameters.deny("GetParametersByPath");
          return { status: 77, error: /access denied \(GetParametersByPath: AccessDeniedException, 400/ };
        },
        ...faultsOf(aws, "ssm"),
      }),
    ),
};

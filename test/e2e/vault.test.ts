/** vault:// sources, by a loopback Vault: what is read, how it logs in, and how it fails. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { startVault } from "../vault/server.ts";
import type { VaultOptions } from "../vault/server.ts";
import { RAN, SAY, assertFailed, assertPrinted } from "./expect.ts";
import { ARTEFACTS, sealexec } from "./harness.ts";
import type { Outcome } from "./harness.ts";
import { paths, withPlace } from "./vault-place.ts";
import type { Place } from "./vault-place.ts";

const SECRET = { DB_PASSWORD: "hunter2 $x 'q'", PORT: 5432, ON: true };
const SHOW = ["sh", "-c", 'printf "%s|%s|%s" "$DB_PASSWORD" "$PORT" "$ON"'] as const;
const SHOWN = "hunter2 $x 'q'|5432|true";

function withVault(work: (place: Place) => Promise<void>, options: VaultOptions = {}): Promise<void> {
  return withPlace(async (place) => {
    const { kv1, kv2 } = place.vault;
    kv1.put("app", SECRET);
    kv2.put("app", { DB_PASSWORD: "old", PORT: 1, ON: false });
    kv2.put("app", SECRET);
    await work(place);
  }, options);
}

/** Nothing of AWS is in it but an IMDS that would be seen if it were asked. */
function envOf({ aws, vault, folder }: Place): Record<string, string> {
  return {
    ...vault.tokenEnv(),
    HOME: folder,
    AWS_EC2_METADATA_SERVICE_ENDPOINT: aws.endpoints.imds,
    AWS_ENDPOINT_URL: aws.endpoints.all,
  };
}

const run = (uri: string, ...flags: string[]): string[] => ["run", "--from", uri, ...flags, "--", ...SAY];

function nothingOfAws({ aws }: Place): void {
  assert.deepEqual(aws.calls, []);
  assert.deepEqual(aws.connections, []);
}

describe("vault: what is read", { concurrency: 2 }, () => {
  for (const artefact of ARTEFACTS) {
    for (const [uri, asked] of [
      ["vault://secret/app", ["sys/internal/ui/mounts/secret", "secret/data/app"]],
      ["vault://kv1/app", ["sys/internal/ui/mounts/kv1", "kv1/app"]],
    ] as const) {
      test(`${uri} by the ${artefact.name}, over TLS, and nobody else is asked`, () =>
        withVault(
          async (place) => {
            const options = { env: envOf(place), artefact };
            assertPrinted(await sealexec(["run", "--from", uri, "--", ...SHOW], options), SHOWN);
            assert.deepEqual(paths(place), asked);
            nothingOfAws(place);
          },
          { tls: true },
        ));
    }

    test(`a pinned version, by the ${artefact.name}`, () =>
      withVault(async (place) => {
        const options = { env: envOf(place), artefact };
        const args = ["run", "--from", "vault://secret/app?version=1", "--", ...SHOW];
        assertPrinted(await sealexec(args, options), "old|1|false");
      }));

    test(`one key, under its own name and another, by the ${artefact.name}`, () =>
      withVault(async (place) => {
        const { vault } = place;
        vault.kv2.put("team/web", { "db-password": "p", OTHER: null });
        const from = ["vault://secret/team/web?as=DB#db-password", "vault://kv1/app#PORT"];
        const args = ["run", ...from.flatMap((uri) => ["--from", uri]), "--pristine", "--", "/usr/bin/env"];
        assertPrinted(await sealexec(args, { env: envOf(place), artefact }), "DB=p\nPORT=5432\n");
      }));
  }

  test("pull prints it as a .env", () =>
    withVault(async (place) => {
      const outcome = await sealexec(["pull", "vault://kv1/app"], { env: envOf(place) });
      assert.equal(outcome.status, 0, outcome.stderr);
      assert.match(outcome.stdout, /^DB_PASSWORD=.*hunter2.*\nPORT=5432\nON=true\n$/);
    }));

  test("check says which version it is, and where the token is from", () =>
    withVault(async (place) => {
      const args = ["check", "--from", "vault://secret/app", "--require", "PORT", "--format", "json"];
      const outcome = await sealexec(args, { env: envOf(place) });
      assert.equal(outcome.status, 0, outcome.stdout + outcome.stderr);
      assert.match(outcome.stdout, /"3 variables, KV v2, version 2"/);
      assert.match(outcome.stdout, /"VAULT_TOKEN"/);
      nothingOfAws(place);
    }));

  test("numbers are as they were written, whatever their size", () =>
    withVault(async (place) => {
      const data = '{"BIG": 12345678901234567890, "FRACTION": 1.10, "ON": false}';
      const body = `{"data": {"data": ${data}, "metadata": {"version": 3, "destroyed": false}}}`;
      place.vault.faults.add({ action: "body", body, path: /^secret/ });
      const args = ["run", "-f", "vault://secret/app", "--pristine", "--", "/usr/bin/env"];
      const expected = "BIG=12345678901234567890\nFRACTION=1.10\nON=false\n";
      assertPrinted(await sealexec(args, { env: envOf(place) }), expected);
    }));

  test("nested objects by flatten; a mount with a slash; a namespace", () =>
    withVault(async (place) => {
      const { vault } = place;
      vault.engines.set("team/kv", vault.kv2);
      vault.kv2.put("a b/ü", { db: { host: "h", port: 1 } });
      const { text } = vault.tokens.issue({ namespace: "admin/t/" });
      const env = { ...envOf(place), VAULT_TOKEN: text, VAULT_NAMESPACE: "admin/t/" };
      const uri = "vault://team%2Fkv/a b/ü?flatten=_";
      const args = ["run", "--from", uri, "--pristine", "--", "/usr/bin/env"];
      // White space is between URIs only in the variable.
      assertPrinted(await sealexec(args, { env }), "db_host=h\ndb_port=1\n");
    }));

  for (const [uri, path] of [
    ["vault://secret/app", "secret/data/app"],
    ["vault://kv1/app", "kv1/app"],
  ] as const) {
    // 404: of a proxy that lets only some paths through.
    for (const status of [403, 404]) {
      test(`${uri} where Vault does not say which version the engine is of: ${status}`, () =>
        withVault(async (place) => {
          place.vault.faults.add({ action: "status", status, path: /^sys\// });
          const { text } = place.vault.tokens.issue({ paths: [path] });
          const env = { ...envOf(place), VAULT_TOKEN: text };
          assertPrinted(await sealexec(["run", "--from", uri, "--", ...SHOW], { env }), SHOWN);
        }));
    }
  }

  test("a deleted version, where Vault does not say which version the engine is of: that is said, and no more is asked", () =>
    withVault(async (place) => {
      place.vault.faults.add({ action: "status", status: 403, path: /^sys\// });
      place.vault.kv2.delete("app", 2);
      const outcome = await sealexec(run("vault://secret/app"), { env: envOf(place) });
      assertFailed(outcome, 66, /this version was deleted \(GET secret\/data\/app: 404\)/, /undelete/);
      assert.deepEqual(paths(place), ["sys/internal/ui/mounts/secret", "secret/data/app"]);
    }));

  test("a mount that was made before Vault 0.8, which calls it generic", () =>
    withVault(async (place) => {
      const { kv1, engines } = place.vault;
      const handle = kv1.handle.bind(kv1);
      engines.set("old", { type: "generic", options: null, handle });
      const args = ["run", "--from", "vault://old/app", "--", ...SHOW];
      assertPrinted(await sealexec(args, { env: envOf(place) }), SHOWN);
      assert.deepEqual(paths(place), ["sys/internal/ui/mounts/old", "old/app"]);
    }));

  test("a token whose only policy is for this path may read it", () =>
    withVault(async (place) => {
      const { text } = place.vault.tokens.issue({ paths: ["secret/data/app"] });
      const env = { ...envOf(place), VAULT_TOKEN: text };
      assertPrinted(await sealexec(run("vault://secret/app"), { env }), `${RAN}\n`);
      assert.deepEqual(
        place.vault.calls.map(({ status }) => status),
        [200, 200],
      );
    }));

  test("it is tried again where Vault fails, cuts, or resets", () =>
    withVault(async (place) => {
      place.vault.faults.add({ action: "status", status: 500, times: 1 });
      // A replica that has not seen the write yet.
      place.vault.faults.add({ action: "status", status: 412, times: 1 });
      place.vault.faults.add({ action: "cut", times: 1 });
      place.vault.faults.add({ action: "reset", times: 1 });
      place.vault.faults.add({ action: "body", body: "<html>", times: 1 });
      assertPrinted(await sealexec(run("vault://secret/app"), { env: envOf(place) }), `${RAN}\n`);
    }));

  test("a sealed node that is unsealed in time", () =>
    withVault(async (place) => {
      place.vault.sealed = true;
      const outcome = sealexec(run("vault://secret/app"), { env: envOf(place) });
      while (place.vault.calls.length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
      place.vault.sealed = false;
      assertPrinted(await outcome, `${RAN}\n`);
    }));
});

describe("vault: a standby", () => {
  test("names the active node, which is asked, token and all", () =>
    withVault(async (place) => {
      const standby = await startVault(place.aws);
      standby.activeNode = place.vault.address;
      const env = { ...envOf(place), VAULT_ADDR: standby.address };
      try {
        assertPrinted(await sealexec(run("vault://secret/app?version=2"), { env }), `${RAN}\n`);
        assert.equal(standby.calls.length, 2);
        assert.equal(place.vault.calls[1]?.query, "version=2");
      } finally {
        await standby.close();
      }
    }));

  for (const [what, location, error] of [
    ["itself for ever", undefined, /Vault redirects more than once/],
    ["another protocol", "https://127.0.0.1:1", /Vault redirects to another protocol/],
    ["plain HTTP elsewhere", "http://vault.example.com", /Vault redirects to another machine without TLS/],
    ["another path", "http://127.0.0.1:1/v1/sys/tools/random", /Vault redirects to another path/],
    ["nowhere", "/v1/elsewhere", /Vault redirects to no address/],
  ] as const) {
    test(`that redirects to ${what} is refused`, () =>
      withVault(async (place) => {
        if (location === undefined) place.vault.activeNode = place.vault.address;
        else place.vault.faults.add({ action: "redirect", location });
        assertFailed(await sealexec(run("vault://secret/app"), { env: envOf(place) }), 78, error);
      }));
  }
});

interface Failing {
  readonly name: string;
  readonly uri?: string;
  readonly status: number;
  readonly error: RegExp;
  readonly hint?: RegExp;
  readonly given?: (place: Place) => Promise<Record<string, string>> | Record<string, string>;
  readonly flags?: readonly string[];
}

const SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount/token";

const FAILING: readonly Failing[] = [
  {
    name: "no such path",
    uri: "vault://secret/none",
    status: 66,
    error: /^object: vault:\/\/secret\/none: no such secret \(GET secret\/data\/none: 404\)/,
    hint: /vault kv put/,
  },
  { name: "no such path, v1", uri: "vault://kv1/none", status: 66, error: /no such secret/ },
  {
    name: "data/ in the path",
    uri: "vault://secret/data/app",
    status: 66,
    error: /no such secret/,
    hint: /leave data\/ out/,
  },
  {
    name: "a version that is not there",
    uri: "vault://secret/app?version=9",
    status: 66,
    error: /no version 9 of a secret at this path/,
    hint: /metadata get/,
  },
  {
    name: "a version of v1",
    uri: "vault://kv1/app?version=1",
    status: 66,
    error: /no version 1: kv1 is of KV version 1/,
  },
  {
    name: "a deleted version",
    status: 66,
    error: /this version was deleted/,
    hint: /vault kv undelete/,
    given: ({ vault }) => {
      vault.kv2.delete("app", 2);
      return {};
    },
  },
  {
    name: "a destroyed version",
    status: 66,
    error: /this version was destroyed/,
    hint: /cannot be had back/,
    given: ({ vault }) => {
      vault.kv2.destroy("app", 2);
      return {};
    },
  },
  {
    name: "a key that is not there",
    uri: "vault://secret/app#NONE",
    status: 66,
    error: /the secret has no key NONE/,
  },
  { name: "no such mount", uri: "vault://none/app", status: 66, error: /nothing is mounted at this path/ },
  {
    name: "an engine that is no KV",
    uri: "vault://aws/app",
    status: 78,
    error: /aws is an engine of type aws, not a KV engine/,
  },
  {
    name: "a nested value",
    status: 65,
    error: /A is a nested value/,
    hint: /flatten/,
    given: ({ vault }) => {
      vault.kv2.put("app", { A: { B: 1 } });
      return {};
    },
  },
  {
    name: "a name that is refused",
    status: 65,
    error: /LD_PRELOAD/,
    given: ({ vault }) => {
      vault.kv2.put("app", { LD_PRELOAD: "x" });
      return {};
    },
  },
  {
    name: "a token without a policy for it",
    status: 77,
    error: /permission denied \(GET secret\/data\/app: 403\)/,
    hint: /read on this path/,
    given: ({ vault }) => ({ VAULT_TOKEN: vault.tokens.issue({ paths: ["secret/data/other"] }).text }),
  },
  {
    name: "a token that has expired",
    status: 77,
    error: /Vault refused the token/,
    given: ({ vault }) => ({ VAULT_TOKEN: vault.tokens.issue({ ttlMs: -1 }).text }),
  },
  { name: "no token", status: 77, error: /no token for Vault/, given: () => ({ VAULT_TOKEN: "" }) },
  {
    name: "a token file that is not there",
    status: 78,
    error: /VAULT_TOKEN_FILE: .*\/none cannot be read/,
    given: ({ folder }) => ({ VAULT_TOKEN: "", VAULT_TOKEN_FILE: join(folder, "none") }),
  },
  {
    name: "a token of two lines",
    status: 78,
    error: /VAULT_TOKEN: it is no token/,
    given: () => ({ VAULT_TOKEN: "a\nb" }),
  },
  {
    name: "a sealed Vault",
    status: 69,
    error: /Vault is sealed \(GET sys\/internal\/ui\/mounts\/secret: 503\)/,
    hint: /unseal/,
    flags: ["--timeout", "1"],
    given: ({ vault }) => {
      vault.sealed = true;
      return {};
    },
  },
  {
    name: "a performance standby",
    status: 69,
    error: /standby/,
    flags: ["--timeout", "1"],
    given: ({ vault }) => {
      vault.faults.add({ action: "status", status: 473 });
      return {};
    },
  },
  {
    name: "too many requests",
    status: 75,
    error: /still throttled/,
    flags: ["--timeout", "1"],
    given: ({ vault }) => {
      vault.faults.add({ action: "status", status: 429 });
      return {};
    },
  },
  {
    name: "nobody listens",
    status: 69,
    error: /cannot be reached \(ECONNREFUSED\)/,
    flags: ["--timeout", "1"],
    given: async ({ vault }) => {
      await vault.shut();
      return {};
    },
  },
  {
    name: "silence",
    status: 75,
    error: /no answer in time/,
    flags: ["--timeout", "1"],
    given: ({ vault }) => {
      vault.faults.add({ action: "hang" });
      return {};
    },
  },
  { name: "no address", status: 78, error: /VAULT_ADDR is missing/, given: () => ({ VAULT_ADDR: "" }) },
  {
    name: "an address that is none",
    status: 78,
    error: /VAULT_ADDR is not an endpoint URL/,
    given: () => ({ VAULT_ADDR: "vault.example.com" }),
  },
  {
    name: "plain HTTP to another machine",
    status: 78,
    error: /plain HTTP is refused/,
    given: () => ({ VAULT_ADDR: "http://vault.example.com:8200" }),
  },
  {
    name: "certificates that are not to be verified",
    status: 78,
    error: /VAULT_SKIP_VERIFY is set/,
    hint: /VAULT_CACERT/,
    given: () => ({ VAULT_SKIP_VERIFY: "true" }),
  },
  {
    name: "a CA file that is not there",
    status: 78,
    error: /VAULT_CACERT: .*none\.pem cannot be read/,
    given: ({ folder }) => ({ VAULT_CACERT: join(folder, "none.pem") }),
  },
  {
    name: "a CA file that holds no certificate",
    status: 78,
    error: /^object: vault:\/\/secret\/app: VAULT_CACERT: .*empty\.pem holds no certificate/,
    hint: /certificates of your CAs/,
    given: async ({ folder }) => {
      await writeFile(join(folder, "empty.pem"), "not a certificate");
      return { VAULT_CACERT: join(folder, "empty.pem") };
    },
  },
  {
    name: "a login by a method that is not known",
    status: 78,
    error: /VAULT_AUTH names no method/,
    hint: /approle, kubernetes, aws/,
    given: () => ({ VAULT_TOKEN: "", VAULT_AUTH: "ldap" }),
  },
  {
    name: "AppRole without a secret id",
    status: 78,
    error: /VAULT_SECRET_ID is missing/,
    given: () => ({ VAULT_TOKEN: "", VAULT_AUTH: "approle", VAULT_ROLE_ID: "r" }),
  },
  {
    name: "AppRole that is refused",
    status: 77,
    error: /^credentials: Vault: the login was refused \(POST auth\/approle\/login: 400\)/,
    hint: /used up/,
    given: () => ({ VAULT_TOKEN: "", VAULT_AUTH: "approle", VAULT_ROLE_ID: "r", VAULT_SECRET_ID: "s" }),
  },
  {
    name: "a login that wants a second factor",
    status: 77,
    error: /^credentials: Vault: the login by approle gave no token$/,
    hint: /second factor/,
    given: ({ vault }) => {
      const auth = { client_token: "", mfa_requirement: { mfa_request_id: "1" } };
      vault.faults.add({ action: "body", body: JSON.stringify({ auth }), path: /^auth\// });
      return { VAULT_TOKEN: "", VAULT_AUTH: "approle", VAULT_ROLE_ID: "r", VAULT_SECRET_ID: "s" };
    },
  },
  {
    name: "Kubernetes without a service account",
    status: 78,
    error: /VAULT_K8S_TOKEN_FILE: .* cannot be read/,
    given: ({ folder }) => ({
      VAULT_TOKEN: "",
      VAULT_AUTH: "kubernetes",
      VAULT_ROLE: "app",
      VAULT_K8S_TOKEN_FILE: join(folder, "none"),
    }),
  },
  // In a pod the file is there, and the variable is not, or empty.
  ...(existsSync(SERVICE_ACCOUNT) ? [] : [{ VAULT_K8S_TOKEN_FILE: "" }, {}]).map((file) => ({
    name: `Kubernetes outside of it, with ${JSON.stringify(file)}`,
    status: 78,
    error: new RegExp(`VAULT_K8S_TOKEN_FILE: ${SERVICE_ACCOUNT} cannot be read`),
    given: () => ({ VAULT_TOKEN: "", VAULT_AUTH: "kubernetes", VAULT_ROLE: "app", ...file }),
  })),
];

describe("vault: what fails", { concurrency: 3 }, () => {
  for (const { name, uri = "vault://secret/app", status, error, hint, given, flags = [] } of FAILING) {
    test(`${name}: ${status}`, () =>
      withVault(async (place) => {
        const env = { ...envOf(place), ...(await given?.(place)) };
        assertFailed(await sealexec(run(uri, ...flags), { env }), status, error, hint);
        nothingOfAws(place);
      }));
  }

  for (const artefact of ARTEFACTS) {
    test(`a certificate by a CA that is not named, by the ${artefact.name}`, () =>
      withVault(
        async (place) => {
          // AWS's CAs are not Vault's.
          const { VAULT_CACERT = "", ...env } = envOf(place);
          const options = { env: { ...env, AWS_CA_BUNDLE: VAULT_CACERT }, artefact };
          const error = /its TLS certificate is not trusted/;
          assertFailed(await sealexec(run("vault://secret/app"), options), 69, error, /VAULT_CACERT/);
          assert.deepEqual(place.vault.calls, []);
        },
        { tls: true },
      ));
  }

  test("check names the stage", () =>
    withVault(async (place) => {
      const outcome: Outcome = await sealexec(["check", "--from", "vault://secret/none"], {
        env: envOf(place),
      });
      assert.equal(outcome.status, 66);
      assert.match(outcome.stdout, /no such secret/);
    }));
});

interface Login {
  readonly name: string;
  readonly given: (place: Place) => Promise<Record<string, string>> | Record<string, string>;
  readonly shown: RegExp;
}

const POLICY = { paths: ["secret/data/app"] };

const LOGINS: readonly Login[] = [
  {
    name: "a token file",
    shown: /VAULT_TOKEN_FILE/,
    given: async ({ vault, folder }) => {
      const file = join(folder, "token");
      await writeFile(file, `${vault.tokens.issue(POLICY).text}\n`);
      return { VAULT_TOKEN_FILE: file };
    },
  },
  {
    name: "the file of vault login",
    shown: /\.vault-token/,
    given: async ({ vault, folder }) => {
      await writeFile(join(folder, ".vault-token"), vault.tokens.issue(POLICY).text);
      return {};
    },
  },
  {
    name: "AppRole",
    shown: /login by approle/,
    given: ({ vault }) => {
      const role = vault.approle.addRole(POLICY);
      const secretId = vault.approle.addSecretId(role, 1);
      return { VAULT_AUTH: "approle", VAULT_ROLE_ID: role, VAULT_SECRET_ID: secretId };
    },
  },
  {
    name: "AppRole, the secret id in a file, another mount",
    shown: /login by approle/,
    given: async ({ vault, folder }) => {
      vault.auth.set("team/roles", vault.approle);
      vault.auth.delete("approle");
      const role = vault.approle.addRole(POLICY);
      const file = join(folder, "secret-id");
      await writeFile(file, `${vault.approle.addSecretId(role)}\n`);
      return {
        VAULT_AUTH: "approle",
        VAULT_AUTH_MOUNT: "team/roles",
        VAULT_ROLE_ID: role,
        // The file counts: what is in a variable cannot be renewed.
        VAULT_SECRET_ID: "used-up",
        VAULT_SECRET_ID_FILE: file,
      };
    },
  },
  {
    name: "Kubernetes",
    shown: /login by kubernetes/,
    given: async ({ vault, folder }) => {
      vault.kubernetes.addRole("app", ["header.payload.signature"], POLICY);
      const file = join(folder, "jwt");
      await writeFile(file, "header.payload.signature\n");
      return { VAULT_AUTH: "kubernetes", VAULT_ROLE: "app", VAULT_K8S_TOKEN_FILE: file };
    },
  },
];

describe("vault: logging in", { concurrency: 2 }, () => {
  for (const { name, given, shown } of LOGINS) {
    for (const artefact of ARTEFACTS) {
      test(`by ${name}, once for two sources, by the ${artefact.name}`, () =>
        withVault(async (place) => {
          const env = { ...envOf(place), VAULT_TOKEN: "", ...(await given(place)) };
          const args = ["-f", "vault://secret/app", "-f", "vault://secret/app?version=1#PORT"];
          const outcome = await sealexec(["run", ...args, "-v", "--", ...SAY], { env, artefact });
          assert.equal(outcome.stdout, `${RAN}\n`, outcome.stderr);
          assert.match(outcome.stderr, shown);
          const logins = paths(place).filter((path) => path.startsWith("auth/"));
          assert.equal(logins.length, name.includes("file of") || name === "a token file" ? 0 : 1);
          nothingOfAws(place);
        }));
    }
  }

  for (const artefact of ARTEFACTS) {
    test(`by AWS, with the instance's role and a server id, by the ${artefact.name}`, () =>
      withVault(async (place) => {
        const { aws, vault } = place;
        vault.awsAuth.serverId = "vault.example.com";
        vault.awsAuth.addRole("app", /:assumed-role\/sealexec-role\//, POLICY);
        const env = {
          ...envOf(place),
          VAULT_TOKEN: "",
          VAULT_AUTH: "aws",
          VAULT_ROLE: "app",
          VAULT_AWS_IAM_SERVER_ID: "vault.example.com",
        };
        assertPrinted(await sealexec(run("vault://secret/app"), { env, artefact }), `${RAN}\n`);
        assert.equal(aws.count("imds", "GetCredentials"), 1);
        assert.equal(aws.count("sts"), 0);
      }));
  }

  test("the token is VAULT_TOKEN, else that of VAULT_TOKEN_FILE, else of a login, else of vault login", () =>
    withVault(async (place) => {
      const { vault, folder } = place;
      const role = vault.approle.addRole(POLICY);
      const secretId = vault.approle.addSecretId(role);
      const [text, file] = [vault.tokens.issue(POLICY).text, join(folder, "token")];
      await writeFile(file, vault.tokens.issue(POLICY).text);
      // With a line end, as an editor leaves it.
      await writeFile(join(folder, ".vault-token"), `${vault.tokens.issue(POLICY).text}\n`);
      const login = { VAULT_AUTH: "approle", VAULT_ROLE_ID: role, VAULT_SECRET_ID: secretId };
      for (const [given, shown] of [
        [{ VAULT_TOKEN: text, VAULT_TOKEN_FILE: file, ...login }, /credentials: Vault: VAULT_TOKEN \(\d/],
        [{ VAULT_TOKEN: "", VAULT_TOKEN_FILE: file, ...login }, /VAULT_TOKEN_FILE \(/],
        [{ VAULT_TOKEN: "", VAULT_TOKEN_FILE: "", ...login }, /login by approle/],
        [{ VAULT_TOKEN: "", VAULT_TOKEN_FILE: "", VAULT_AUTH: "" }, /\.vault-token/],
      ] as const) {
        const outcome = await sealexec(run("vault://secret/app", "-v"), {
          env: { ...envOf(place), ...given },
        });
        assert.equal(outcome.stdout, `${RAN}\n`, outcome.stderr);
        assert.match(outcome.stderr, shown);
      }
    }));

  test("by AWS, in the global STS, which is of us-east-1 wherever this machine is", () =>
    withVault(async (place) => {
      const { aws, vault } = place;
      vault.awsAuth.addRole("app", /:user\/tester$/, POLICY);
      const { AWS_ACCESS_KEY_ID = "", AWS_SECRET_ACCESS_KEY = "" } = aws.keyEnv();
      const login = { VAULT_AUTH: "aws", VAULT_ROLE: "app", AWS_REGION: "eu-west-1" };
      const env = { ...envOf(place), VAULT_TOKEN: "", ...login, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY };
      assertPrinted(await sealexec(run("vault://secret/app"), { env }), `${RAN}\n`);
      nothingOfAws(place);
    }));

  test("by AWS, in a region's STS", () =>
    withVault(async (place) => {
      const { aws, vault } = place;
      vault.awsAuth.addRole("app", /:user\/tester$/, POLICY);
      const { AWS_ACCESS_KEY_ID = "", AWS_SECRET_ACCESS_KEY = "" } = aws.keyEnv();
      const login = { VAULT_AUTH: "aws", VAULT_ROLE: "app", VAULT_AWS_STS_REGION: "eu-west-1" };
      const env = { ...envOf(place), VAULT_TOKEN: "", ...login, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY };
      assertPrinted(await sealexec(run("vault://secret/app"), { env }), `${RAN}\n`);
      nothingOfAws(place);
    }));

  test("by AWS, as another than the role is bound to: refused", () =>
    withVault(async (place) => {
      place.vault.awsAuth.addRole("app", /:user\/somebody$/);
      const env = { ...envOf(place), VAULT_TOKEN: "", VAULT_AUTH: "aws", VAULT_ROLE: "app" };
      const outcome = await sealexec(run("vault://secret/app"), { env });
      assertFailed(
        outcome,
        77,
        /the login was refused \(POST auth\/aws\/login: 400\)/,
        /bound_iam_principal_arn/,
      );
    }));
});

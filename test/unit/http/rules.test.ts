/** What holds for every connection. */
import assert from "node:assert/strict";
import { rename, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { ConnectionRules } from "../../../src/http/rules.ts";
import { targetTo } from "../../../src/http/connection.ts";
import { withFolder } from "../../e2e/expect.ts";
import { makeContext, refuses } from "../refuses.ts";

const MIB = 1024 * 1024;
const CERTIFICATE = "-----BEGIN CERTIFICATE-----\n";

for (const variable of ["AWS_CA_BUNDLE", "VAULT_CACERT"] as const) {
  // All CAs that browsers trust take 220 KB.
  test(`${variable}: a bundle of 4 MiB is read whole, and not a byte more`, () =>
    withFolder(async (folder) => {
      const file = join(folder, "ca.pem");
      const { context } = makeContext({ [variable]: file });
      try {
        await writeFile(file, CERTIFICATE.padEnd(4 * MIB, "#"));
        assert.equal(new ConnectionRules(context, variable).ca?.length, 4 * MIB);
        await writeFile(file, CERTIFICATE.padEnd(4 * MIB + 1, "#"));
        refuses(() => new ConnectionRules(context, variable), "config", /cannot be read/);
      } finally {
        context.deadline.clear();
      }
    }));
}

function connectingBy(env: Readonly<Record<string, string>>): ConnectionRules {
  const { context } = makeContext(env);
  context.deadline.clear();
  return new ConnectionRules(context);
}

test("a bundle is read again once it is another, also one of the same size", () =>
  withFolder(async (folder) => {
    const file = join(folder, "ca.pem");
    const env = { AWS_CA_BUNDLE: file };
    await writeFile(file, `${CERTIFICATE}first!`);
    const first = connectingBy(env).ca;
    assert.equal(connectingBy(env).ca, first);
    await writeFile(file, `${CERTIFICATE}second`);
    assert.equal(connectingBy(env).ca?.toString(), `${CERTIFICATE}second`);
    // Written beside it and moved there, as old as before.
    const { atime, mtime } = await stat(file);
    await writeFile(`${file}.new`, `${CERTIFICATE}third!`);
    await utimes(`${file}.new`, atime, mtime);
    await rename(`${file}.new`, file);
    assert.equal(connectingBy(env).ca?.toString(), `${CERTIFICATE}third!`);
    await writeFile(file, "no certificate");
    const { hint } = refuses(
      () => connectingBy(env),
      "config",
      /^AWS_CA_BUNDLE: \S+ca\.pem holds no certificate$/,
    );
    assert.match(hint ?? "", /PEM/);
  }));

test("AWS's bundle is nothing to Vault, nor Vault's to AWS; one that is empty is none", () => {
  const env = { AWS_CA_BUNDLE: "", VAULT_CACERT: "/nonexistent" };
  assert.equal(connectingBy(env).ca, undefined);
  const { context } = makeContext(env);
  context.deadline.clear();
  refuses(
    () => new ConnectionRules(context, "VAULT_CACERT"),
    "config",
    /^VAULT_CACERT: \/nonexistent cannot be read \(ENOENT\)$/,
  );
});

for (const variable of ["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"]) {
  test(`${variable}: what keeps the runtime waiting is refused, and what it passes over is not`, () => {
    refuses(
      () => connectingBy({ [variable]: "/dev/zero" }),
      "config",
      /cannot be read \(not a regular file\)$/,
    );
    for (const file of ["", "/nonexistent", "/etc", "/dev/null"]) connectingBy({ [variable]: file });
  });
}

test("connecting may take three seconds, and no more than a third of what is left", () => {
  let nowMs = 0;
  const { context } = makeContext({}, 12_000, () => nowMs);
  context.deadline.clear();
  const connecting = new ConnectionRules(context);
  for (const [atMs, timeoutMs] of [
    [0, 3_000],
    [3_000, 3_000],
    [6_000, 2_000],
    [11_400, 200],
    [12_000, 0],
  ] as const) {
    nowMs = atMs;
    assert.equal(Math.round(connecting.timeoutMs), timeoutMs, `at ${atMs}`);
  }
});

test("plain HTTP goes to this machine, and TLS anywhere", () => {
  const to = (url: string): void => connectingBy({}).allow(targetTo(new URL(url)));
  for (const url of ["http://127.0.0.1", "http://[::1]:80", "https://a.test"]) to(url);
  refuses(() => to("http://a.test"), "config", /^a\.test: plain HTTP is refused/);
  connectingBy({ SEALEXEC_ALLOW_HTTP: "1" }).allow(targetTo(new URL("http://a.test")));
});

/** TLS, the name server, the control endpoint and the program. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { Resolver } from "node:dns/promises";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { request } from "node:https";
import { createInterface } from "node:readline";
import { after, before, describe, it } from "node:test";
import { connect as tlsConnect } from "node:tls";
import { startDns } from "../../aws/dns.ts";
import { startAws } from "../../aws/server.ts";
import type { Aws } from "../../aws/server.ts";
import { kms, s3, send } from "../../aws/unit/client.ts";

describe("TLS", () => {
  let aws: Aws;

  before(async () => {
    aws = await startAws({ tls: true, certificateHosts: ["extra.example"] });
    aws.s3.put("b", "k", "v");
  });
  after(async () => aws.close());

  function handshake(servername: string, ca: boolean): Promise<string> {
    const { port } = new URL(aws.endpoints.s3);
    const trust = ca && aws.caFile !== undefined ? { ca: readFileSync(aws.caFile) } : {};
    return new Promise((resolve) => {
      const socket = tlsConnect({ host: "127.0.0.1", port: Number(port), servername, ...trust });
      socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "error"));
      socket.on("secureConnect", () => {
        socket.destroy();
        resolve("trusted");
      });
    });
  }

  it("serves AWS's services over TLS, the metadata addresses without", async () => {
    const schemes = Object.entries(aws.endpoints).map(([name, url]) => [name, url.split(":")[0]]);
    assert.deepEqual(Object.fromEntries(schemes), {
      imds: "http",
      container: "http",
      s3: "https",
      kms: "https",
      sts: "https",
      secretsmanager: "https",
      ssm: "https",
      all: "https",
      control: "http",
    });
    assert.equal((await s3(aws, { path: "/b/k" })).text, "v");
    assert.equal((await kms(aws, "DescribeKey", { KeyId: "alias/sealexec" })).status, 200);
  });

  it("is trusted under the services' names by those who trust the authority, and by nobody else", async () => {
    for (const name of [
      "s3.us-east-1.amazonaws.com",
      "b.s3.us-east-1.amazonaws.com",
      "kms.us-east-1.amazonaws.com",
      "localhost",
      "extra.example",
    ])
      assert.equal(await handshake(name, true), "trusted", name);
    assert.equal(await handshake("evil.example", true), "ERR_TLS_CERT_ALTNAME_INVALID");
    assert.equal(await handshake("localhost", false), "UNABLE_TO_VERIFY_LEAF_SIGNATURE");
  });

  it("resets and cuts TLS connections too", async () => {
    const failure = async (): Promise<unknown> =>
      s3(aws, { path: "/b/k" }).then(
        () => "none",
        (error: NodeJS.ErrnoException) => error.code,
      );
    aws.faults.add({ service: "s3", action: "reset", times: 1 });
    assert.equal(await failure(), "ECONNRESET");
    aws.faults.add({ service: "s3", action: "closeMidBody", bytes: 0, times: 1 });
    assert.equal(await failure(), "ECONNRESET");
    aws.faults.add({ service: "s3", action: "resetOnConnect", times: 1 });
    assert.equal(await failure(), "ECONNRESET");
    assert.equal((await s3(aws, { path: "/b/k" })).text, "v");
  });

  it("can have a certificate whose time is over", async () => {
    const old = await startAws({ tls: ["s3"], expiredCertificate: true });
    const { port, hostname } = new URL(old.endpoints.s3);
    const ca = readFileSync(old.caFile ?? "");
    const [error] = (await once(request({ hostname, port, ca }).end(), "error")) as [NodeJS.ErrnoException];
    assert.equal(error.code, "CERT_HAS_EXPIRED");
    assert.match(old.endpoints.kms, /^http:/u);
    await old.close();
  });
});

describe("the name server", () => {
  async function ask(port: number, name: string): Promise<unknown> {
    const resolver = new Resolver({ timeout: 50, tries: 1 });
    resolver.setServers([`127.0.0.1:${port}`]);
    return resolver.resolve4(name).catch((error: NodeJS.ErrnoException) => error.code);
  }

  it("answers for its names, and for those under a star", async () => {
    const dns = await startDns({ names: { "s3.test": "127.0.0.1", "*.s3.test": "127.0.0.2" } });
    assert.deepEqual(await ask(dns.port, "s3.test"), ["127.0.0.1"]);
    assert.deepEqual(await ask(dns.port, "bucket.s3.test"), ["127.0.0.2"]);
    assert.equal(await ask(dns.port, "other.test"), "ENOTFOUND");
    assert.deepEqual(
      dns.queries.map(({ name }) => name),
      ["s3.test", "bucket.s3.test", "other.test"],
    );
    await dns.close();
  });

  it("has no AAAA, which is not a failure", async () => {
    const dns = await startDns({ names: { "s3.test": "127.0.0.1" } });
    const resolver = new Resolver({ timeout: 500, tries: 1 });
    resolver.setServers([`127.0.0.1:${dns.port}`]);
    await assert.rejects(resolver.resolve6("s3.test"), { code: "ENODATA" });
    await dns.close();
  });

  it("fails for the first queries, in the way that was chosen", async () => {
    const dns = await startDns({ names: { "*": "127.0.0.1" }, failure: "servfail", failQueries: 1 });
    assert.equal(await ask(dns.port, "a.test"), "ESERVFAIL");
    assert.deepEqual(await ask(dns.port, "a.test"), ["127.0.0.1"]);
    dns.fail("silent", 1);
    assert.equal(await ask(dns.port, "a.test"), "ETIMEOUT");
    dns.fail("nxdomain");
    assert.equal(await ask(dns.port, "a.test"), "ENOTFOUND");
    dns.fail(undefined);
    assert.deepEqual(await ask(dns.port, "a.test"), ["127.0.0.1"]);
    await dns.close();
  });
});

describe("the program", () => {
  async function post(url: string, command: object): Promise<Record<string, unknown>> {
    const answer = await fetch(`${url}/_control`, { method: "POST", body: JSON.stringify(command) });
    return (await answer.json()) as Record<string, unknown>;
  }

  it("prints its endpoints, obeys POST /_control, ends when its stdin closes", async () => {
    const main = new URL("../../aws/main.ts", import.meta.url).pathname;
    const child = spawn(process.execPath, [main, "--region", "eu-west-1"], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const [line] = (await once(createInterface(child.stdout), "line")) as [string];
    const { endpoints, env } = JSON.parse(line) as Record<string, Record<string, string>>;
    assert.equal(env?.["AWS_REGION"], "eu-west-1");
    assert.equal(env?.["AWS_ENDPOINT_URL_S3"], endpoints?.["s3"]);
    const control = endpoints?.["control"] ?? "";
    await post(control, { do: "s3.put", bucket: "b", key: "k", body: Buffer.from("v").toString("base64") });
    const stored = await post(control, { do: "s3.get", bucket: "b", key: "k" });
    assert.equal(stored["body"], Buffer.from("v").toString("base64"));
    child.stdin.end();
    const [status] = (await once(child, "exit")) as [number];
    assert.equal(status, 0);
  });

  it("the control endpoint adds, counts and ends faults", async () => {
    const aws = await startAws();
    const url = aws.endpoints.control;
    const { fault } = await post(url, {
      do: "addFault",
      rule: { service: "imds", action: "status", status: 500 },
    });
    assert.equal((await send(aws, "imds", {})).status, 500);
    assert.deepEqual(await post(url, { do: "hits", fault }), { hits: 1 });
    assert.deepEqual(await post(url, { do: "count", service: "imds" }), { count: 1 });
    await post(url, { do: "clearFaults" });
    assert.equal((await send(aws, "imds", {})).status, 401);
    const calls = (await post(url, { do: "calls" })) as unknown as { status: number }[];
    assert.deepEqual(
      calls.map(({ status }) => status),
      [500, 401],
    );
    await post(url, { do: "deny", service: "kms", operation: "DescribeKey" });
    const denied = await kms(aws, "DescribeKey", { KeyId: "alias/sealexec" });
    assert.equal(denied.json["__type"], "AccessDeniedException");
    assert.match(String((await post(url, { do: "nonsense" }))["error"]), /no such command/u);
    await aws.close();
  });
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { checkEndpoints, customEndpoint } from "../../../../src/aws/endpoint.ts";
import { parseEndpoint, refusePlainHttp } from "../../../../src/http/rules.ts";
import { makeContext, refuses } from "../../refuses.ts";

describe("custom endpoints", () => {
  test("the service's own variable, then the common one, then none", () => {
    const env = { AWS_ENDPOINT_URL: "https://all.test", AWS_ENDPOINT_URL_S3: "https://s3.test" };
    assert.equal(customEndpoint("s3", env)?.hostname, "s3.test");
    assert.equal(customEndpoint("kms", env)?.hostname, "all.test");
    assert.equal(customEndpoint("sts", { AWS_ENDPOINT_URL_S3: "https://s3.test" }), undefined);
    assert.equal(customEndpoint("s3", { ...env, AWS_ENDPOINT_URL_S3: "" })?.hostname, "all.test");
    assert.equal(customEndpoint("s3", { ...env, AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: "TRUE" }), undefined);
  });
  for (const [service, name] of [
    ["s3", "S3"],
    ["kms", "KMS"],
    ["sts", "STS"],
    ["secretsmanager", "SECRETS_MANAGER"],
    ["ssm", "SSM"],
  ] as const) {
    test(`${service} is AWS_ENDPOINT_URL_${name}`, () => {
      const env = { [`AWS_ENDPOINT_URL_${name}`]: "https://own.test/base?" };
      refuses(() => customEndpoint(service, env), "config", new RegExp(`^AWS_ENDPOINT_URL_${name} is`));
      const good = { [`AWS_ENDPOINT_URL_${name}`]: "https://own.test/base" };
      assert.equal(customEndpoint(service, good)?.href, "https://own.test/base");
      assert.equal(
        customEndpoint(service, { AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: "false", ...good })?.hostname,
        "own.test",
      );
    });
  }

  for (const value of [
    "s3.example.com",
    "//s3.example.com",
    "https://",
    "ftp://s3.example.com",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "https://user:pass@s3.example.com",
    "https://user@s3.example.com",
    "https://s3.example.com/?x=y",
    "https://s3.example.com/#x",
    "https://s3.example.com/?",
    "https://s3.example.com/#",
    "https://s3 .example.com",
    "https://[::1",
  ]) {
    test(`refuses ${value}, and does not repeat what could be a password`, () => {
      const { message } = refuses(
        () => parseEndpoint("AWS_ENDPOINT_URL", value, {}),
        "config",
        /AWS_ENDPOINT_URL/,
      );
      assert.doesNotMatch(message, /pass/);
    });
  }
});

describe("plain HTTP", () => {
  const local = [
    "localhost LOCALHOST 127.0.0.1 127.1.2.3 ::1 [::1] 169.254.169.254 169.254.170.2 169.254.170.23",
    "fd00:ec2::254 [fd00:ec2::23]",
  ].flatMap((line) => line.split(" "));
  for (const host of local) test(`is taken to ${host}`, () => refusePlainHttp(host, {}));

  const strangers = [
    "s3.example.com 10.0.0.1 192.168.1.1 169.254.1.1 169.254.169.253 127.0.0.1.evil.test localhost.evil.test",
    "127.evil.test 0.0.0.0 128.0.0.1 1127.0.0.1 ::2 fd00:ec2::255 evil.test#127.0.0.1",
  ].flatMap((line) => line.split(" "));
  for (const host of strangers) {
    test(`is refused to ${host}`, () => {
      refuses(() => refusePlainHttp(host, {}), "config", /plain HTTP is refused/);
      refuses(() => refusePlainHttp(host, { SEALEXEC_ALLOW_HTTP: "true" }), "config");
      refusePlainHttp(host, { SEALEXEC_ALLOW_HTTP: "1" });
    });
  }

  test("other ways to write an address are the same address", () => {
    const at = (url: string) => parseEndpoint("AWS_ENDPOINT_URL", url, {});
    assert.equal(at("http://0x7f.1:8080").hostname, "127.0.0.1");
    assert.equal(at("http://2130706433").hostname, "127.0.0.1");
    refuses(() => at("http://0x0a000001"), "config", /10\.0\.0\.1/);
    refuses(() => at("http://127.0.0.1@evil.test"), "config");
    refuses(() => at("http://evil.test\\@127.0.0.1"), "config");
  });

  test("every endpoint of the environment is looked at before anything is sent", () => {
    for (const name of [
      "AWS_ENDPOINT_URL",
      "AWS_ENDPOINT_URL_S3",
      "AWS_ENDPOINT_URL_KMS",
      "AWS_ENDPOINT_URL_STS",
      "AWS_ENDPOINT_URL_SECRETS_MANAGER",
      "AWS_ENDPOINT_URL_SSM",
      "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    ]) {
      const { context } = makeContext({ [name]: "http://stranger.test" });
      refuses(() => checkEndpoints(context.env), "config", /stranger\.test/);
      const bad = makeContext({ [name]: "https://user:pass@a.test" }).context;
      refuses(() => checkEndpoints(bad.env), "config", new RegExp(`^${name} is not an endpoint URL$`));
      bad.deadline.clear();
      context.deadline.clear();
    }
    const { context } = makeContext({ AWS_ENDPOINT_URL: "", AWS_EC2_METADATA_SERVICE_ENDPOINT: "" });
    checkEndpoints(context.env);
    context.deadline.clear();
  });
});

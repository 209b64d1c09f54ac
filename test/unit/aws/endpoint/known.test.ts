import assert from "node:assert/strict";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { directObject, directService, regionalService } from "../../../../src/aws/endpoint.ts";
import { parseS3Uri } from "../../stores/parse.ts";

const NONE = { HOME: "/nonexistent" };

describe("direct endpoints", () => {
  for (const [bucket, key, region, url] of [
    ["bucket", "app.env", "us-east-1", "https://bucket.s3.us-east-1.amazonaws.com/app.env"],
    ["bucket", "a/b c/.env", "eu-west-3", "https://bucket.s3.eu-west-3.amazonaws.com/a/b%20c/.env"],
    ["a.b.c", "key", "ap-southeast-2", "https://s3.ap-southeast-2.amazonaws.com/a.b.c/key"],
    ["bucket", "/a//b", "us-east-1", "https://bucket.s3.us-east-1.amazonaws.com//a//b"],
    [
      "bucket",
      "ü+'()*!&=?#%",
      "us-east-1",
      "https://bucket.s3.us-east-1.amazonaws.com/%C3%BC%2B%27%28%29%2A%21%26%3D%3F%23%25",
    ],
  ] as const) {
    test(`s3://${bucket}/${key} in ${region}`, () =>
      assert.equal(directObject(bucket, key, region, NONE)?.href, url));
  }

  test("a custom endpoint is asked by path, below its own path", () => {
    const env = { ...NONE, AWS_ENDPOINT_URL: "https://s3.example.com:8443/base/" };
    assert.equal(
      directObject("b.c", "k/l", "anywhere", env)?.href,
      "https://s3.example.com:8443/base/b.c/k/l",
    );
    assert.equal(directService("kms", "anywhere", env)?.href, "https://s3.example.com:8443/base/");
  });

  test("KMS of a commercial region", () =>
    assert.equal(directService("kms", "eu-north-1", NONE)?.href, "https://kms.eu-north-1.amazonaws.com/"));

  for (const region of "us ca mx sa eu ap me af il".split(" ").map((area) => `${area}-central-1`)) {
    test(`${region} is asked directly`, () => {
      assert.equal(directService("kms", region, NONE)?.hostname, `kms.${region}.amazonaws.com`);
      assert.equal(directObject("b", "k", region, NONE)?.hostname, `b.s3.${region}.amazonaws.com`);
      assert.equal(regionalService("ssm", region, NONE)?.hostname, `ssm.${region}.amazonaws.com`);
    });
  }
  for (const region of ["eu-west-10", "xx-west-1", "eu-west", "eu-west-1a", "eu-west-1.a", "aeu-west-1"]) {
    test(`${region} is not`, () => {
      assert.equal(directService("kms", region, NONE), undefined);
      assert.equal(directObject("b", "k", region, NONE), undefined);
      assert.equal(regionalService("ssm", region, NONE), undefined);
    });
  }

  test("a bucket of a special kind is the SDK's at a custom endpoint, too; its kind is its end", () => {
    const env = { ...NONE, AWS_ENDPOINT_URL: "https://s3.example.com" };
    for (const bucket of ["b--x-s3", "b--op-s3", "b--ol-s3", "b--table-s3", "b.mrap"])
      assert.equal(directObject(bucket, "key", "us-east-1", env), undefined, bucket);
    for (const bucket of ["b--x-s3-b", "b-mrap", "x-s3"])
      assert.notEqual(directObject(bucket, "key", "us-east-1", env), undefined, bucket);
  });

  test("what only the SDK's rules know is left to them", () => {
    for (const region of [
      "cn-north-1",
      "us-gov-west-1",
      "us-iso-east-1",
      "eusc-de-east-1",
      "local",
      "evil",
    ]) {
      assert.equal(directObject("bucket", "key", region, NONE), undefined, region);
      assert.equal(directService("kms", region, NONE), undefined, region);
    }
    for (const bucket of ["b--use1-az4--x-s3", "b--op-s3", "b--ol-s3", "b.mrap"]) {
      assert.equal(directObject(bucket, "key", "us-east-1", NONE), undefined, bucket);
    }
    for (const name of ["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"]) {
      const env = { ...NONE, [name]: "true" };
      assert.equal(directObject("bucket", "key", "us-east-1", env), undefined, name);
      assert.equal(directService("kms", "us-east-1", env), undefined, name);
    }
  });

  test("a shared config file may name an endpoint: the SDK reads it", () => {
    const file = join(mkdtempSync(join(tmpdir(), "direct-")), "config");
    writeFileSync(file, "[default]\n");
    const env = { ...NONE, AWS_CONFIG_FILE: file };
    assert.equal(directObject("bucket", "key", "us-east-1", env), undefined);
    assert.equal(directService("kms", "us-east-1", env), undefined);
  });

  test("no URI that is taken leads to another host than AWS's", () => {
    let seen = 0;
    for (const bucket of [
      "bucket",
      "a.b.c",
      "localhost",
      "169.254.169.254",
      "evil.example.com",
      "127.0.0.1",
    ]) {
      for (const region of ["us-east-1", "eu-west-1", "evil", "local", "x-y-1"]) {
        const ref = parseS3Uri(`s3://${bucket}/key?region=${region}`);
        const urls = [
          directObject(ref.bucket, ref.key, region, NONE),
          directService("kms", region, NONE),
        ].filter((url) => url !== undefined);
        for (const url of urls) {
          seen += 1;
          assert.equal(url.protocol, "https:");
          assert.match(url.hostname, /\.amazonaws\.com$/);
          assert.equal(url.port, "");
        }
      }
    }
    assert.equal(seen, 24);
  });
});

describe("endpoints of Secrets Manager and Systems Manager", () => {
  const FIPS = { ...NONE, AWS_USE_FIPS_ENDPOINT: "true" };

  for (const [service, region, env, url] of [
    ["secretsmanager", "eu-west-1", NONE, "https://secretsmanager.eu-west-1.amazonaws.com/"],
    ["ssm", "me-central-1", NONE, "https://ssm.me-central-1.amazonaws.com/"],
    ["secretsmanager", "cn-north-1", NONE, "https://secretsmanager.cn-north-1.amazonaws.com.cn/"],
    ["ssm", "cn-northwest-1", NONE, "https://ssm.cn-northwest-1.amazonaws.com.cn/"],
    ["secretsmanager", "us-gov-west-1", NONE, "https://secretsmanager.us-gov-west-1.amazonaws.com/"],
    ["ssm", "us-gov-east-1", NONE, "https://ssm.us-gov-east-1.amazonaws.com/"],
    ["secretsmanager", "us-east-2", FIPS, "https://secretsmanager-fips.us-east-2.amazonaws.com/"],
    ["ssm", "ca-central-1", FIPS, "https://ssm-fips.ca-central-1.amazonaws.com/"],
    ["secretsmanager", "us-gov-east-1", FIPS, "https://secretsmanager-fips.us-gov-east-1.amazonaws.com/"],
    // The ordinary endpoint is the FIPS one there.
    ["ssm", "us-gov-west-1", FIPS, "https://ssm.us-gov-west-1.amazonaws.com/"],
    ["ssm", "us-west-1", FIPS, "https://ssm-fips.us-west-1.amazonaws.com/"],
    ["ssm", "mx-central-1", FIPS, undefined],
    ["ssm", "eu-west-1", FIPS, undefined],
    ["secretsmanager", "cn-north-1", FIPS, undefined],
    ["ssm", "us-east-1", { ...NONE, AWS_USE_DUALSTACK_ENDPOINT: "true" }, undefined],
    ["ssm", "us-iso-east-1", NONE, undefined],
    ["secretsmanager", "eusc-de-east-1", NONE, undefined],
    ["secretsmanager", "evil", NONE, undefined],
  ] as const) {
    const how = env === NONE ? "" : `, ${Object.keys(env).at(-1)}`;
    test(`${service} in ${region}${how}`, () =>
      assert.equal(regionalService(service, region, env)?.href, url));
  }

  test("a custom endpoint is each service's own, in any region", () => {
    const env = { ...FIPS, AWS_ENDPOINT_URL_SSM: "https://ssm.example.com/base" };
    assert.equal(regionalService("ssm", "anywhere", env)?.href, "https://ssm.example.com/base/");
    assert.equal(regionalService("secretsmanager", "eu-west-1", env), undefined);
    const both = { ...NONE, AWS_ENDPOINT_URL: "https://aws.example.com" };
    assert.equal(regionalService("secretsmanager", "anywhere", both)?.href, "https://aws.example.com/");
  });

  test("a shared config file is no reason against it", () => {
    const file = join(mkdtempSync(join(tmpdir(), "direct-")), "config");
    writeFileSync(file, "[default]\nregion = eu-west-1\n");
    const env = { ...NONE, AWS_CONFIG_FILE: file };
    assert.equal(regionalService("ssm", "us-east-1", env)?.href, "https://ssm.us-east-1.amazonaws.com/");
  });
});

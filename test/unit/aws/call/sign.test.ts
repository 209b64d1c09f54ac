/**
 * Our signer against what AWS published (the Signature Version 4 test suite, aws-sig-v4-test-suite; the examples of
 * "Authenticating Requests: Using the Authorization Header" of the Amazon S3 API Reference), and against the SDK's signer.
 */
import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { describe, test } from "node:test";
import { SignatureV4 } from "@smithy/signature-v4";
import fc from "fast-check";
import { authorize, canonicalQuery, signRequest } from "../../../../src/aws/call/sign.ts";

const EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const SIGNER = {
  identity: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" },
  region: "us-east-1",
};
const S3_SIGNER = {
  identity: {
    accessKeyId: "AKIAIOSFODNN7EXAMPLE",
    secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  },
  region: "us-east-1",
};
const UNRESERVED = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const STS_TOKEN =
  "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==";

interface Case {
  readonly name: string;
  readonly method?: "GET" | "POST";
  readonly path?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signature: string;
}

const SUITE: readonly Case[] = [
  {
    name: "get-header-key-duplicate",
    headers: { "my-header1": "value2,value2,value1" },
    signature: "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
  },
  {
    name: "get-header-value-order",
    headers: { "my-header1": "value4,value1,value3,value2" },
    signature: "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01",
  },
  {
    name: "get-header-value-trim",
    headers: { "my-header1": " value1", "my-header2": ' "a   b   c"' },
    signature: "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
  },
  {
    name: "get-unreserved",
    path: `/${UNRESERVED}`,
    signature: "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
  },
  { name: "get-vanilla", signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31" },
  {
    name: "get-slashes",
    path: "//",
    signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
  },
  {
    name: "get-vanilla-empty-query-key",
    query: { Param1: "value1" },
    signature: "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb",
  },
  {
    name: "get-vanilla-query-order-key-case",
    query: { Param2: "value2", Param1: "value1" },
    signature: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
  },
  {
    name: "get-vanilla-query-unreserved",
    query: { [UNRESERVED]: UNRESERVED },
    signature: "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197",
  },
  {
    name: "get-vanilla-utf8-query",
    query: { ሴ: "bar" },
    signature: "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
  },
  {
    name: "post-header-key-sort",
    method: "POST",
    headers: { "my-header1": "value1" },
    signature: "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
  },
  {
    name: "post-header-value-case",
    method: "POST",
    headers: { "my-header1": "VALUE1" },
    signature: "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d",
  },
  {
    name: "post-sts-header-before",
    method: "POST",
    headers: { "x-amz-security-token": STS_TOKEN },
    signature: "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead",
  },
  {
    name: "post-vanilla",
    method: "POST",
    signature: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
  },
  {
    name: "post-vanilla-query",
    method: "POST",
    query: { Param1: "value1" },
    signature: "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11",
  },
  {
    name: "post-vanilla-query-nonunreserved",
    method: "POST",
    query: { "@#$%^": "", "+": '/,?><`";:\\|][{}' },
    signature: "66c82657c86e26fb25238d0e69f011edc4c6df5ae71119d7cb98ed9b87393c1e",
  },
  {
    name: "post-x-www-form-urlencoded",
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: "Param1=value1",
    signature: "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
  },
];

describe("AWS's own test suite", () => {
  for (const { name, method = "GET", path = "/", query = {}, headers = {}, body = "", signature } of SUITE) {
    test(name, () => {
      const request = {
        service: "service",
        method,
        url: new URL(`https://example.amazonaws.com${path}`),
        query,
        headers: { host: "example.amazonaws.com", "x-amz-date": "20150830T123600Z", ...headers },
      };
      const payload = createHash("sha256").update(body).digest("hex");
      const names = Object.keys(request.headers).toSorted().join(";");
      assert.equal(
        authorize(request, SIGNER, payload),
        `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=${names}, Signature=${signature}`,
      );
    });
  }
});

const S3_EXAMPLES = [
  {
    name: "GET Object",
    path: "/test.txt",
    headers: { range: "bytes=0-9" },
    signature: "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
  },
  {
    name: "GET Bucket Lifecycle",
    query: { lifecycle: "" },
    signature: "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
  },
  {
    name: "Get Bucket (List Objects)",
    query: { "max-keys": "2", prefix: "J" },
    signature: "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
  },
];

describe("the examples of S3", () => {
  for (const { name, path = "/", query = {}, headers = {}, signature } of S3_EXAMPLES) {
    test(name, () => {
      const host = "examplebucket.s3.amazonaws.com";
      const signed = signRequest(
        {
          service: "s3",
          method: "GET",
          url: new URL(`https://${host}${path}`),
          query,
          headers: { host, ...headers },
        },
        S3_SIGNER,
        new Date("2013-05-24T00:00:00.999Z"),
      );
      assert.equal(signed["x-amz-date"], "20130524T000000Z");
      assert.equal(signed["x-amz-content-sha256"], EMPTY);
      assert.match(signed["authorization"] ?? "", new RegExp(`, Signature=${signature}$`));
    });
  }
});

class Sha256 {
  readonly #hash;
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash =
      secret === undefined ? createHash("sha256") : createHmac("sha256", secret as string | Uint8Array);
  }
  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(data as string | Uint8Array);
  }
  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest());
  }
}

const text = fc.string({ unit: "binary", maxLength: 20 });
const word = fc.stringMatching(/^[\x21-\x7e]{1,40}$/);
const request = fc.record({
  service: fc.constantFrom("s3", "kms", "secretsmanager", "ssm", "sts"),
  method: fc.constantFrom("GET", "POST"),
  region: fc.constantFrom("us-east-1", "eu-central-1", "us-gov-west-1"),
  segments: fc.array(text, { maxLength: 5 }),
  // The SDK's signer loses this one name.
  query: fc.dictionary(
    text.filter((name) => name !== "__proto__"),
    text,
    { maxKeys: 4 },
  ),
  headers: fc.dictionary(
    fc.stringMatching(/^(?:x-amz|if|content)-[a-z0-9-]{1,12}$/),
    // What a header may hold (RFC 9110, section 5.5), with blanks in runs and at both ends.
    fc.stringMatching(/^[\x20-\x7e\t]{0,30}$/),
    { maxKeys: 4 },
  ),
  body: fc.option(text, { nil: undefined }),
  identity: fc.record({
    accessKeyId: word,
    secretAccessKey: word,
    sessionToken: fc.option(word, { nil: undefined }),
  }),
  at: fc.date({ min: new Date("2013-01-01"), max: new Date("2099-12-31"), noInvalidDate: true }),
});

test("10,000 random requests are signed as the SDK's signer signs them", async () => {
  const property = fc.asyncProperty(request, async (made) => {
    const { service, method, region, segments, query, headers, body, at } = made;
    const { sessionToken, ...keys } = made.identity;
    const identity = sessionToken === undefined ? keys : { ...keys, sessionToken };
    const path = segments.map((segment) => encodeURIComponent(segment.toWellFormed())).join("/");
    const url = new URL(`https://example.com:8443/${path}`);
    const wellFormed = Object.fromEntries(
      Object.entries(query).map(([name, value]) => [name.toWellFormed(), value.toWellFormed()]),
    );
    const all = { host: url.host, "user-agent": "sealexec", ...headers };
    const sent = body === undefined ? {} : { body: body.toWellFormed() };
    const signer = new SignatureV4({
      service,
      region,
      credentials: identity,
      sha256: Sha256,
      uriEscapePath: service !== "s3",
    });
    const theirs = await signer.sign(
      {
        method,
        protocol: url.protocol,
        hostname: url.hostname,
        path: url.pathname,
        query: wellFormed,
        headers: { ...all },
        ...sent,
      },
      { signingDate: at },
    );
    const ours = signRequest(
      { service, method, url, query: wellFormed, headers: all, ...sent },
      { identity, region },
      at,
    );
    assert.deepEqual(ours, theirs.headers);
  });
  await fc.assert(property, { numRuns: 10_000 });
});

test("a query is sent as it is signed", () => {
  assert.equal(canonicalQuery({}), "");
  assert.equal(canonicalQuery({ b: "1 /+", "a!": "'()*" }), "a%21=%27%28%29%2A&b=1%20%2F%2B");
  assert.equal(canonicalQuery({ "a-b": "1", a: "2", a1: "3" }), "a=2&a-b=1&a1=3");
});

/**
 * Known answers that AWS published: the Signature Version 4 test suite (aws-sig-v4-test-suite), the worked example of
 * the IAM documentation, and the examples of "Authenticating Requests: Using the Authorization Header" (S3).
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  canonicalQuery,
  canonicalRequest,
  canonicalUri,
  parseAuthorization,
  sha256,
  signature,
  signingKey,
  stringToSign,
} from "../sigv4.ts";
import type { CredentialScope } from "../sigv4.ts";

const EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

interface Example {
  readonly name: string;
  readonly secret: string;
  readonly timestamp: string;
  readonly scope: CredentialScope;
  readonly method?: string;
  readonly path?: string;
  readonly query?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly payload?: string;
  readonly signature: string;
}

const SUITE = {
  secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
  timestamp: "20150830T123600Z",
  scope: { date: "20150830", region: "us-east-1", service: "service" },
  headers: { host: "example.amazonaws.com", "x-amz-date": "20150830T123600Z" },
};

const S3 = {
  secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  timestamp: "20130524T000000Z",
  scope: { date: "20130524", region: "us-east-1", service: "s3" },
};

const S3_HEADERS = {
  host: "examplebucket.s3.amazonaws.com",
  "x-amz-content-sha256": EMPTY,
  "x-amz-date": "20130524T000000Z",
};

const PUT_PAYLOAD = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072";

const EXAMPLES: readonly Example[] = [
  {
    ...SUITE,
    name: "test suite: get-vanilla",
    signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
  },
  {
    ...SUITE,
    name: "test suite: post-vanilla",
    method: "POST",
    signature: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
  },
  {
    ...SUITE,
    name: "IAM ListUsers",
    scope: { ...SUITE.scope, service: "iam" },
    query: "Action=ListUsers&Version=2010-05-08",
    headers: {
      "content-type": "application/x-www-form-urlencoded; charset=utf-8",
      host: "iam.amazonaws.com",
      "x-amz-date": "20150830T123600Z",
    },
    signature: "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
  },
  {
    ...S3,
    name: "S3 GET Object",
    path: "/test.txt",
    headers: { ...S3_HEADERS, range: "bytes=0-9" },
    signature: "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
  },
  {
    ...S3,
    name: "S3 PUT Object",
    method: "PUT",
    path: "/test$file.text",
    headers: {
      ...S3_HEADERS,
      date: "Fri, 24 May 2013 00:00:00 GMT",
      "x-amz-content-sha256": PUT_PAYLOAD,
      "x-amz-storage-class": "REDUCED_REDUNDANCY",
    },
    payload: PUT_PAYLOAD,
    signature: "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
  },
  {
    ...S3,
    name: "S3 GET Bucket Lifecycle",
    query: "lifecycle",
    headers: S3_HEADERS,
    signature: "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
  },
  {
    ...S3,
    name: "S3 Get Bucket (List Objects)",
    query: "max-keys=2&prefix=J",
    headers: S3_HEADERS,
    signature: "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
  },
];

describe("SigV4 known answers", () => {
  for (const example of EXAMPLES) {
    it(example.name, () => {
      const request = {
        method: example.method ?? "GET",
        path: example.path ?? "/",
        query: example.query ?? "",
        headers: new Map(Object.entries(example.headers)),
      };
      const names = Object.keys(example.headers);
      const isS3 = example.scope.service === "s3";
      const canonical = canonicalRequest(request, names, example.payload ?? EMPTY, isS3);
      const text = stringToSign(example.timestamp, example.scope, canonical);
      assert.equal(signature(example.secret, example.scope, text), example.signature);
    });
  }

  it("derives the signing key of the IAM documentation", () => {
    const key = signingKey(SUITE.secret, { ...SUITE.scope, service: "iam" });
    assert.equal(key.toString("hex"), "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9");
  });

  it("hashes the canonical request of get-vanilla to the suite's digest", () => {
    const request = { method: "GET", path: "/", query: "", headers: new Map(Object.entries(SUITE.headers)) };
    const canonical = canonicalRequest(request, ["host", "x-amz-date"], EMPTY, false);
    assert.equal(sha256(canonical), "bb579772317eb040ac9ed261061d46c1f17a8133879d6129b6e1c25292927e63");
  });
});

describe("canonical form", () => {
  it("encodes what was sent once more for services other than S3", () => {
    assert.equal(canonicalUri("/a%20b", false), "/a%2520b");
    assert.equal(canonicalUri("/a%20b", true), "/a%20b");
  });

  it("normalizes the path for services other than S3", () => {
    assert.equal(canonicalUri("/a/../b//./c/", false), "/b/c/");
    assert.equal(canonicalUri("/a/../b//./c/", true), "/a/../b//./c/");
  });

  it("sorts the query by encoded name, then by value", () => {
    assert.equal(canonicalQuery("b=2&a=2&a=1&acl"), "a=1&a=2&acl=&b=2");
    assert.equal(canonicalQuery("x=a%2fb"), "x=a%2Fb");
  });

  it("trims header values and makes runs of spaces one", () => {
    const headers = new Map([["my-header1", " value1   value2  "]]);
    const canonical = canonicalRequest(
      { method: "GET", path: "/", query: "", headers },
      ["my-header1"],
      EMPTY,
      false,
    );
    assert.match(canonical, /^my-header1:value1 value2$/mu);
  });
});

describe("parseAuthorization", () => {
  it("takes a header apart, with and without spaces after commas", () => {
    const parts = [
      "Credential=AK/20130524/us-east-1/s3/aws4_request",
      "SignedHeaders=host;range",
      "Signature=fe5f80",
    ];
    for (const separator of [",", ", "]) {
      assert.deepEqual(parseAuthorization(`AWS4-HMAC-SHA256 ${parts.join(separator)}`), {
        accessKeyId: "AK",
        scope: { date: "20130524", region: "us-east-1", service: "s3" },
        signedHeaders: ["host", "range"],
        signature: "fe5f80",
      });
    }
  });

  it("refuses what is not whole", () => {
    const rest = "SignedHeaders=host, Signature=fe";
    for (const header of [
      `AWS4-HMAC-SHA256 Credential=AK/20130524/us-east-1/s3/aws4, ${rest}`,
      `AWS4-HMAC-SHA256 Credential=AK/us-east-1/s3/aws4_request, ${rest}`,
      "AWS4-HMAC-SHA256 Credential=AK/20130524/us-east-1/s3/aws4_request, SignedHeaders=host",
      `AWS4-ECDSA-P256-SHA256 Credential=AK/20130524/us-east-1/s3/aws4_request, ${rest}`,
      "Basic Zm9v",
    ])
      assert.equal(parseAuthorization(header), undefined, header);
  });
});

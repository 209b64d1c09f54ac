import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { nearest } from "../../../src/base/nearest.ts";

const KNOWN = ["region", "versionId", "format", "owner", "as"];

describe("what a slip may have meant", () => {
  for (const [word, meant] of [
    ["region", "region"],
    ["regio", "region"],
    ["regioon", "region"],
    ["regoin", "region"],
    ["rgeoin", "region"],
    ["xxxion", undefined],
    ["REGION", "region"],
    ["vresionid", "versionId"],
    ["versioni", "versionId"],
    ["verxyxnId", "versionId"],
    ["vxrxyxnId", undefined],
    ["wner", "owner"],
    ["wnre", undefined],
    ["asx", undefined],
    ["sa", undefined],
    ["", undefined],
    ["something", undefined],
  ] as const) {
    test(`${word} → ${meant}`, () => assert.equal(nearest(word, KNOWN), meant));
  }

  test("is the nearest, and of two the first", () => {
    assert.equal(nearest("abcdeX", ["abcdXX", "abcdef"]), "abcdXX");
    assert.equal(nearest("abcdeX", ["abXdXX", "abcdef"]), "abcdef");
    assert.equal(nearest("abcdeX", ["abcdeY", "abcdeZ"]), "abcdeY");
  });

  test("a long name has three slips at most, and a text of more than 60 letters is none", () => {
    const name = "a".repeat(60);
    assert.equal(nearest(`${"a".repeat(57)}xyz`, [name]), name);
    assert.equal(nearest(`${"a".repeat(56)}wxyz`, [name]), undefined);
    assert.equal(nearest(`${name}a`, [name]), undefined);
  });
});

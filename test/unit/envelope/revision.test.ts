/** The revision, which is ours, in the context of s3-encryption/materials/s3-kms-keyring.md, Kms+Context. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkRevision, claimedRevision, parseRevision, writerContext } from "../../../src/envelope/index.ts";
import { assertRefused } from "./expect.ts";

test("a revision is a whole number from 1, written in one way only", () => {
  for (const text of ["", "0", "01", "1 ", "+1", "1e3", "1.0", "-1", "0x1", "1".repeat(16), "１"]) {
    assert.equal(parseRevision(text), undefined, text);
  }
  for (const revision of [1, 9, 10, 1_789_000_000_000, 999_999_999_999_999]) {
    assert.equal(parseRevision(String(revision)), revision);
  }
});

test("what is as new is opened, what is older is not", () => {
  for (const [revision, least] of [
    [5, 0],
    [5, 4],
    [5, 5],
    [1, 1],
    [10, 9],
  ] as const) {
    assert.equal(checkRevision(writerContext("v3", {}, "s3://b/k", revision), least), revision);
  }
  for (const [revision, least] of [
    [5, 6],
    [1, 2],
    [9, 10],
  ] as const) {
    const context = writerContext("v3", {}, "s3://b/k", revision);
    assertRefused(
      () => checkRevision(context, least),
      new RegExp(`it is revision ${revision}, and ${least} is the oldest`),
    );
  }
});

test("without a revision, only where none is wanted", () => {
  const context = writerContext("v3", {}, "s3://b/k");
  assert.equal(checkRevision(context, 0), undefined);
  assertRefused(() => checkRevision(context, 1), /^it has no revision, and 1 is the oldest/);
});

test("the way out is a command that gets past what was seen, and no push where no push can", () => {
  const now = 1_795_279_217_000;
  const of = (revision: number | undefined, least: number): string | undefined =>
    assertRefused(
      () => checkRevision(writerContext("v3", {}, "s3://b/k", revision), least, now),
      /is the oldest that may be opened$/,
    ).hint;
  assert.match(of(now - 2, now - 1) ?? "", /put back: .* --replace --force$/);
  assert.match(of(now - 2, now) ?? "", /put back: .* --replace --force$/);
  assert.match(of(now - 2, now + 1) ?? "", /--replace --force --revision 1795279217001$/);
  assert.match(of(now - 2, now + 600_000) ?? "", /--replace --force --revision 1795279817000$/);
  assert.match(of(now - 2, now + 300_000) ?? "", /--replace --force --revision 1795279517000$/);
  assert.match(of(now, now + 600_001) ?? "", /lower --min-revision/);
  assert.match(of(undefined, 5) ?? "", /what another client wrote has none: .* --replace --force$/);
});

test("what metadata claims: of v3, of v2, and of what is no sealed object", () => {
  const text = JSON.stringify({ "sealexec:revision": "12" });
  assert.equal(claimedRevision({ "x-amz-t": text }), 12);
  assert.equal(claimedRevision({ "x-amz-m": text }), 12);
  assert.equal(claimedRevision({ "x-amz-matdesc": text }), 12);
  // As S3 returns what was not ASCII.
  const encoded = `=?UTF-8?B?${Buffer.from(text).toString("base64")}?=`;
  assert.equal(claimedRevision({ "x-amz-t": encoded }), 12);
  assert.equal(claimedRevision({}), undefined);
  assert.equal(claimedRevision({ "x-amz-t": "{}" }), undefined);
  assertRefused(() => claimedRevision({ "x-amz-t": "{" }), /x-amz-t is not JSON/);
  assertRefused(() => claimedRevision({ "x-amz-t": '{"sealexec:revision":"x"}' }), /is not a number from 1$/);
});

test("the form of the text stands in the context, if the writer says it", () => {
  const context = writerContext("v3", {}, "s3://b/k", 5, "yaml");
  assert.equal(context["sealexec:format"], "yaml");
  assert.ok(!("sealexec:format" in writerContext("v3", {}, "s3://b/k", 5)));
});

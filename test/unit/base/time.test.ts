import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseTime } from "../../../src/base/time.ts";

describe("a time with its zone", () => {
  // RFC 3339, section 5.8: the examples, and what they mean there.
  for (const [text, same] of [
    ["1985-04-12T23:20:50.52Z", "1985-04-12T23:20:50.520Z"],
    ["1996-12-19T16:39:57-08:00", "1996-12-20T00:39:57Z"],
    ["1937-01-01T12:00:27.87+00:20", "1937-01-01T11:40:27.870Z"],
    ["2026-11-20T10:00Z", "2026-11-20T10:00:00Z"],
    ["2026-11-20T10:00+05:30", "2026-11-20T04:30:00Z"],
    ["2028-02-29T00:00Z", "2028-02-29T00:00:00Z"],
  ] as const) {
    test(`${text} is ${same}`, () => assert.equal(parseTime(text), new Date(same).getTime()));
  }

  for (const text of [
    "",
    "2026-11-20",
    "2026-11-20T10:00",
    "2026-11-20T10:00:00",
    "2026-11-20 10:00Z",
    "2026-11-20T10Z",
    "2026-11-20t10:00z",
    "2026-11-20T10:00:00.1234Z",
    "2026-11-20T10:00:00,5Z",
    "2026-11-20T24:00Z",
    "2026-11-20T10:60Z",
    "2026-11-20T10:00:60Z",
    "2026-02-29T10:00Z",
    "2026-02-30T10:00Z",
    "2026-13-01T10:00Z",
    "2026-00-01T10:00Z",
    "2026-11-20T10:00+24:00",
    "2026-11-20T10:00+01:60",
    "2026-11-20T10:00+0100",
    "2026-11-20T10:00+01",
    " 2026-11-20T10:00Z",
    "2026-11-20T10:00Z\n",
    "26-11-20T10:00Z",
    "٢026-11-20T10:00Z",
  ]) {
    test(`${JSON.stringify(text)} is none`, () => assert.equal(parseTime(text), undefined));
  }
});

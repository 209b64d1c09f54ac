import assert from "node:assert/strict";
import { test } from "node:test";
import { findCutValues } from "../../../../src/text/dotenv/scan.ts";
import { utf8 } from "./reveal.ts";

test("values that end at a # without quotes are named, with their lines, and no others", () => {
  const text = `# note\nA=half#other\nB=1\nC='in # quotes'\nD=x # note\n\nE="two\n# lines"\nF="x" # note\nG=#\n`;
  assert.deepEqual(findCutValues(utf8(text)), ["A (line 2)", "D (line 5)", "G (line 10)"]);
  assert.deepEqual(findCutValues(utf8("A=1\n")), []);
});

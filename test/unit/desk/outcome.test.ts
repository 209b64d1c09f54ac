import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SealexecError } from "../../../src/base/errors.ts";
import { printJson, printText } from "../../../src/desk/outcome.ts";
import type { PushOutcome } from "../../../src/desk/outcome.ts";

const about = { target: "s3://b/k", variables: ["B", "A"] };
const state = { version: "v1", etag: '"e"', revision: 7, format: "v3", key: "arn" };
const changes = { added: ["N"], changed: ["A"], removed: ["X", "Y"] };
const there = { kind: "there", etag: '"old"', same: false, changes, state: { revision: 6 } } as const;
const written = { state, facts: [["sealed", "s3://b/k"]] } as const;
const hidden = { kind: "hidden", error: new SealexecError("denied", "no") } as const;
const pushed = (present: PushOutcome["present"], more = {}): PushOutcome => ({
  ...about,
  status: "pushed",
  present,
  written: { ...written, ...more },
});

describe("what a push prints", () => {
  test("the facts of what was written, what was replaced by name, and the revision", () => {
    assert.equal(
      printText(pushed(there)),
      ["sealed    s3://b/k", "added     N", "changed   A", "removed   X, Y", "pushed    revision 7\n"].join(
        "\n",
      ),
    );
  });
  test("nothing of what was replaced if nothing was, or nobody can tell", () => {
    const one = { ...there, changes: { added: [], changed: ["A"], removed: [] } };
    assert.equal(printText(pushed(one)), "sealed    s3://b/k\nchanged   A\npushed    revision 7\n");
    const parts = { kind: "parts", changes } as const;
    for (const present of [{ kind: "absent" } as const, hidden, parts, { ...there, changes: undefined }])
      assert.equal(printText(pushed(present)), "sealed    s3://b/k\npushed    revision 7\n");
  });
  test("without a revision its version; without that, that it is the file's", () => {
    const last = (more: object) =>
      printText(pushed(there, { state: more }))
        .trimEnd()
        .split("\n")
        .at(-1);
    assert.equal(last({ version: "v1" }), "pushed    version v1");
    assert.equal(last({}), "pushed    what the file holds");
  });
  test("of what is the same: what is there", () => {
    const present = { ...there, state };
    assert.equal(
      printText({ ...about, status: "unchanged", present }),
      ["target    s3://b/k", 'etag      "e"', "revision  7", "variables 2", "unchanged revision 7\n"].join(
        "\n",
      ),
    );
    const bare = { ...there, state: { version: "v1" } };
    assert.equal(
      printText({ ...about, status: "unchanged", present: bare }),
      "target    s3://b/k\nvariables 2\nunchanged version v1\n",
    );
  });
});

describe("what a push prints as JSON", () => {
  const common = { target: "s3://b/k", ...state, variables: 2 };
  const parsed = (outcome: PushOutcome): unknown => JSON.parse(printJson(outcome));

  test("one line of all fields, whatever is known", () => {
    assert.match(printJson(pushed(there)), /^\{.*\}\n$/);
    assert.deepEqual(parsed(pushed(there, { kept: ["K"] })), {
      ...common,
      status: "pushed",
      ...changes,
      kept: ["K"],
    });
    assert.deepEqual(parsed(pushed(hidden, { state: {} })), {
      status: "pushed",
      target: "s3://b/k",
      version: null,
      etag: null,
      revision: null,
      format: null,
      key: null,
      variables: 2,
      added: null,
      changed: null,
      removed: null,
      kept: [],
    });
  });
  test("over nothing all names are new, in order", () => {
    const expected = { ...common, status: "pushed", added: ["A", "B"], changed: [], removed: [], kept: [] };
    assert.deepEqual(parsed(pushed({ kind: "absent" })), expected);
  });
  test("of parts what changes, if it could be read", () => {
    const expected = { ...common, status: "pushed", kept: [] };
    assert.deepEqual(parsed(pushed({ kind: "parts", changes })), { ...expected, ...changes });
    const unknown = { added: null, changed: null, removed: null };
    assert.deepEqual(parsed(pushed({ kind: "parts", changes: undefined })), { ...expected, ...unknown });
  });
  test("of what is the same: what is there", () => {
    const same = { added: [], changed: [], removed: [] };
    const present = { ...there, changes: same, state };
    const expected = { ...common, status: "unchanged", ...same, kept: [] };
    assert.deepEqual(parsed({ ...about, status: "unchanged", present }), expected);
  });
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Secret } from "../../../src/base/secret.ts";
import { changesBetween, describeChanges, isNoChange, list } from "../../../src/desk/changes.ts";

const variables = (values: Readonly<Record<string, string>>) =>
  new Map(Object.entries(values).map(([name, value]) => [name, new Secret(value)]));
const nothing = { added: [], changed: [], removed: [] };

describe("what a push would change", () => {
  test("by name, each list in order", () => {
    const before = variables({ Z: "1", SAME: "s", B: "1", C: "", A: "1", Y: "1" });
    const after = variables({ SAME: "s", B: "2", D: "1", C: "x", A: "", "0": "" });
    const changes = changesBetween(before, after);
    assert.deepEqual(changes, { added: ["0", "D"], changed: ["A", "B", "C"], removed: ["Y", "Z"] });
    assert.equal(isNoChange(changes), false);
  });
  test("nothing, whatever the order", () => {
    const changes = changesBetween(variables({ A: "1", B: "" }), variables({ B: "", A: "1" }));
    assert.deepEqual(changes, nothing);
    assert.equal(isNoChange(changes), true);
    for (const parts of [["added"], ["changed"], ["removed"], ["added", "changed"], ["added", "removed"]])
      assert.equal(
        isNoChange({ ...nothing, ...Object.fromEntries(parts.map((part) => [part, ["A"]])) }),
        false,
      );
  });
  test("in a message: only what there is", () => {
    for (const [comparison, said] of [
      [
        { changes: { added: ["A"], changed: ["B", "C"], removed: ["D"] } },
        "this push would add A; change B, C; remove D",
      ],
      [{ changes: { ...nothing, removed: ["D"] } }, "this push would remove D"],
      [{ changes: nothing }, "this push would change no variable"],
      [{ changes: { ...nothing, added: ["A"] }, otherwise: ["x", "y"] }, "this push would add A; x; y"],
      [
        { changes: nothing, otherwise: ["x"], isPutBack: true },
        "an old version that was put back; this push would change no variable; x",
      ],
      [{ changes: undefined }, "what is there cannot be compared with the file"],
      [
        { changes: undefined, why: "it is damaged" },
        "what is there cannot be compared with the file: it is damaged",
      ],
    ] as const)
      assert.equal(describeChanges(comparison), said);
  });
  test("fifty names of a list, and how many more there are", () => {
    const names = Array.from({ length: 52 }, (_, at) => `N${at}`);
    assert.equal(list(names.slice(0, 50)), names.slice(0, 50).join(", "));
    assert.equal(list(names), `${names.slice(0, 50).join(", ")} and 2 more`);
  });
});

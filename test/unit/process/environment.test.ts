import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { buildEnvironment, handsOn, nameOf, underneath } from "../../../src/process/environment.ts";
import { Secret } from "../../../src/base/secret.ts";

const bytes = (...entries: string[]) => entries.map((entry) => Buffer.from(entry, "latin1"));
const secrets = (values: Record<string, string>) =>
  new Map(Object.entries(values).map(([name, value]) => [name, new Secret(value)]));
const policy = { keepExisting: false, pristine: false, pass: new Set<string>() };

function built(
  inherited: Buffer[],
  values: Record<string, string>,
  change: Partial<Parameters<typeof buildEnvironment>[2]> = {},
): string[] {
  return buildEnvironment(inherited, secrets(values), { ...policy, ...change }).map((entry) =>
    entry.toString("latin1"),
  );
}

describe("the environment of CMD", () => {
  test("is what was there, byte for byte and in its order, with the secrets behind it", () => {
    const inherited = bytes("B=1", "A=\xff\xfe", "EMPTY=", "B2=x=y", "no equals", "=hidden=1");
    assert.deepEqual(built(inherited, { NEW: "n", ŻÓŁW: "ż" }), [
      ...inherited.map((entry) => entry.toString("latin1")),
      "NEW=n",
      Buffer.from("ŻÓŁW=ż").toString("latin1"),
    ]);
  });
  test("has a secret in the place of what had its name", () => {
    assert.deepEqual(built(bytes("A=1", "B=2", "C=3"), { B: "new", A: "" }), ["A=", "B=new", "C=3"]);
  });
  test("or leaves it, with keepExisting; an empty variable is one", () => {
    const kept = built(bytes("A=1", "B="), { A: "x", B: "y", C: "z" }, { keepExisting: true });
    assert.deepEqual(kept, ["A=1", "B=", "C=z"]);
  });
  test("has no name twice that a secret has", () => {
    assert.deepEqual(built(bytes("A=1", "X=x", "A=2"), { A: "new" }), ["A=new", "X=x"]);
  });
  test("pristine: only the secrets and what is passed", () => {
    const inherited = bytes("A=1", "PATH=/bin", "B=2");
    assert.deepEqual(built(inherited, { S: "s" }, { pristine: true }), ["S=s"]);
    const pass = new Set(["PATH", "A", "NONE"]);
    assert.deepEqual(built(inherited, { S: "s", A: "new" }, { pristine: true, pass }), [
      "A=new",
      "PATH=/bin",
      "S=s",
    ]);
    const kept = built(inherited, { A: "new" }, { pristine: true, pass, keepExisting: true });
    assert.deepEqual(kept, ["A=1", "PATH=/bin"]);
    // What is not passed is not there, so nothing keeps the secret out.
    assert.deepEqual(built(inherited, { B: "new" }, { pristine: true, keepExisting: true }), ["B=new"]);
  });
  test("what is dropped is not there, also if it is passed; a secret of its name is no inherited variable", () => {
    const inherited = bytes("A=1", "VAULT_TOKEN=t", "B=2");
    const drop = { names: new Set(["A"]), prefixes: ["VAULT_"] };
    assert.deepEqual(built(inherited, { S: "s" }, { drop }), ["B=2", "S=s"]);
    const pass = new Set(["A", "B", "VAULT_TOKEN"]);
    assert.deepEqual(built(inherited, { S: "s" }, { drop, pristine: true, pass }), ["B=2", "S=s"]);
    assert.deepEqual(built(inherited, { A: "new" }, { drop, keepExisting: true }), ["B=2", "A=new"]);
  });
  test("a name ends at the first equals sign behind its first byte", () => {
    assert.deepEqual(
      bytes("A=b=c", "A", "=C:=x", "").map((entry) => nameOf(entry)),
      ["A", "A", "=C:", ""],
    );
  });
  test("what is handed on, by name", () => {
    const drop = { names: new Set(["A"]), prefixes: ["B_"] };
    for (const [change, handed] of [
      [{}, ["A", "B_1", "C"]],
      [{ drop }, ["C"]],
      [{ pristine: true }, []],
      [{ pristine: true, pass: new Set(["A", "C"]) }, ["A", "C"]],
      [{ pristine: true, pass: new Set(["A", "C"]), drop }, ["C"]],
      [{ pass: new Set(["A"]) }, ["A", "B_1", "C"]],
    ] as const)
      assert.deepEqual(
        ["A", "B_1", "C"].filter((name) => handsOn({ ...policy, ...change }, name)),
        handed,
      );
  });
  test("what the sources are put over: names alone", () => {
    const kept = { ...policy, keepExisting: true };
    assert.deepEqual(underneath({ environment: bytes("A=1", "B=x=y", "C") }, kept), {
      inherited: new Set(["A", "B", "C"]),
      policy: kept,
    });
  });
});

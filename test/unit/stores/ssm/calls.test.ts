/** What Systems Manager is asked, to the letter, and what is taken of its answers. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Secret } from "../../../../src/base/secret.ts";
import type { Content } from "../../../../src/stores/source.ts";
import { spellingsOf } from "../../../../src/stores/ssm/names.ts";
import { listParameters, ssmNeed } from "../../../../src/stores/ssm/read.ts";
import { parseSource } from "../../../../src/stores/registry.ts";
import { checkParameters, removeParameters, writeParameters } from "../../../../src/stores/ssm/write.ts";
import { refuses } from "../../refuses.ts";
import type { Reply } from "../../service.ts";
import { callsOf, refusal, withAwsTools } from "../aws-tools.ts";
import type { Place } from "../aws-tools.ts";

const REF = { kind: "path", path: "/prod/app/", recursive: false } as const;
const [PATH, ONE] = ["ssm:///prod/app/", "ssm:///prod/app/db-host"];

const withPlace = (work: (place: Place) => Promise<void>): Promise<void> =>
  withAwsTools([ssmNeed(REF)], work);

const item = (name: string, version: unknown = 1, made = 1.5): object => ({
  Name: `/prod/app/${name}`,
  Value: `${name}-value`,
  Version: version,
  LastModifiedDate: made,
});
const one = (parameter: unknown): Reply => ({ body: { Parameter: parameter } });
const page = (parameters: unknown, NextToken?: unknown): Reply => ({
  body: { Parameters: parameters, NextToken },
});
const asksPath = (more: object = {}): unknown => [
  "GetParametersByPath",
  { Path: "/prod/app", Recursive: false, WithDecryption: true, MaxResults: 10, ...more },
];

function shown(content: Content): unknown {
  assert.ok(content.kind === "variables");
  const { variables, versionId } = content;
  return [Object.fromEntries([...variables].map(([name, value]) => [name, value.reveal()])), versionId];
}

describe("a read of parameters", () => {
  test("one: in one call, with its version", () =>
    withPlace(async ({ service, tools }) => {
      for (const [version, expected] of [
        [7, "7"],
        ["7", undefined],
        [null, undefined],
      ] as const) {
        service.answers(one(item("db-host", version)));
        assert.deepEqual(shown(await (await parseSource(ONE)).read(tools)), [
          { DB_HOST: "db-host-value" },
          expected,
        ]);
        assert.deepEqual(callsOf(service), [
          ["GetParameter", { Name: "/prod/app/db-host", WithDecryption: true }],
        ]);
      }
    }));

  test("all of a path, page by page, in their order", () =>
    withPlace(async ({ service, tools }) => {
      for (const [last, recursive] of [
        [undefined, false],
        [null, true],
        ["", false],
      ] as const) {
        service.answers(page([item("z")], "second"), page([], "third"), page([item("a"), item("b")], last));
        const uri = recursive ? `${PATH}?recursive` : PATH;
        const values = { Z: "z-value", A: "a-value", B: "b-value" };
        assert.deepEqual(shown(await (await parseSource(uri)).read(tools)), [values, undefined]);
        const more = { Recursive: recursive };
        assert.deepEqual(callsOf(service), [
          asksPath(more),
          asksPath({ ...more, NextToken: "second" }),
          asksPath({ ...more, NextToken: "third" }),
        ]);
      }
    }));

  for (const [what, uri, reply, failure] of [
    [
      "nothing below",
      PATH,
      page([]),
      { kind: "missing", message: "no parameters below this path", hint: /\?recursive/ },
    ],
    [
      "no list",
      PATH,
      page({}),
      { kind: "unavailable", message: /^GetParametersByPath: the answer holds no param/ },
    ],
    [
      "no next page",
      PATH,
      page([item("a")], 7),
      { kind: "unavailable", message: /: the answer holds no next page$/ },
    ],
    [
      "one without a name",
      PATH,
      page([{ Value: "x" }]),
      { kind: "unavailable", message: /^GetParametersByPath/ },
    ],
    ["one without a value", PATH, page([{ Name: "/a" }]), { kind: "unavailable" }],
    ["null in the list", PATH, page([null]), { kind: "unavailable" }],
    [
      "no parameter",
      ONE,
      one(undefined),
      { kind: "unavailable", message: /^GetParameter: .* no parameters$/, hint: /endp/ },
    ],
    ["two of one name", PATH, page([item("a"), item("A")]), { kind: "data", message: /both give A$/ }],
    ["none of that name", ONE, refusal("ParameterNotFound"), { kind: "missing", code: "no-such-parameter" }],
    ["denied", PATH, refusal("AccessDeniedException"), { kind: "denied", hint: /ssm:GetParametersByPath/ }],
    ["denied", ONE, refusal("AccessDeniedException"), { kind: "denied", hint: /ssm:GetParameter / }],
  ] as const) {
    test(`${what}: ${uri}`, () =>
      withPlace(async ({ service, tools }) => {
        service.answers(reply);
        await assert.rejects((await parseSource(uri)).read(tools), failure);
        assert.equal(service.asked.length, 1);
      }));
  }

  test("that fails is made again, each page for itself", () =>
    withPlace(async ({ service, tools }) => {
      service.answers({ status: 500 }, page([], "next"), { status: 500 }, page([item("a")]));
      await (await parseSource(PATH)).read(tools);
      const next = asksPath({ NextToken: "next" });
      assert.deepEqual(callsOf(service), [asksPath(), asksPath(), next, next]);
    }));
});

describe("a look at parameters", () => {
  test("decrypts nothing, is the same in any order, and sees each change", () =>
    withPlace(async ({ service, tools }) => {
      const source = await parseSource(`${PATH}?recursive`);
      const look = source.look ?? assert.fail("no look");
      service.answers(page([item("a"), item("b", 2)]));
      const { validator = "" } = await source.read(tools);
      service.answers(page([item("b", 2)], "next"), page([item("a")]));
      assert.equal(await look(validator, tools), undefined);
      const more = { Recursive: true, WithDecryption: false };
      assert.deepEqual(callsOf(service), [asksPath(more), asksPath({ ...more, NextToken: "next" })]);
      for (const parameters of [
        [item("a"), item("b", 3)],
        [item("a"), item("b", 2, 2.5)],
        [item("a"), item("c", 2)],
        [item("a")],
        [],
      ]) {
        service.answers(page(parameters));
        const now = (await look(validator, tools)) ?? assert.fail("no change");
        assert.notEqual(now, validator);
        service.answers(page(parameters));
        assert.equal(await look(now, tools), undefined);
      }
    }));

  test("of one is one call", () =>
    withPlace(async ({ service, tools }) => {
      const source = await parseSource(ONE);
      const look = source.look ?? assert.fail("no look");
      service.answers(one(item("db-host")));
      const { validator = "" } = await source.read(tools);
      service.answers(one(item("db-host")), one(item("db-host", 2)));
      assert.equal(await look(validator, tools), undefined);
      assert.notEqual(await look(validator, tools), undefined);
      const call = ["GetParameter", { Name: "/prod/app/db-host", WithDecryption: false }];
      assert.deepEqual(callsOf(service), [call, call]);
    }));

  test("is not made again", () =>
    withPlace(async ({ service, tools }) => {
      for (const uri of [PATH, ONE]) {
        for (const reply of [{ status: 500 }, refusal("ThrottlingException")]) {
          service.answers(reply);
          await assert.rejects(async () => (await parseSource(uri)).look?.("", tools));
          assert.equal(service.asked.length, 1);
        }
      }
    }));
});

test("a source of Systems Manager says what it is, where it is asked, and what it gives", async () => {
  const { uri, gives, aws } = await parseSource(`${PATH}?region=eu-west-1&recursive`);
  assert.deepEqual([uri, gives], [`${PATH}?recursive`, "variables"]);
  assert.deepEqual([aws?.home, aws?.region], ["ssm in eu-west-1", "eu-west-1"]);
  assert.equal((await parseSource(ONE)).aws?.home, "ssm");
});

describe("what is below a path before a push", () => {
  const names = (parameters: readonly { readonly name: string }[]): unknown =>
    parameters.map(({ name }) => name);

  test("with values if they may be had", () =>
    withPlace(async ({ service, tools }) => {
      service.answers(page([item("a")], "next"), page([item("b")]));
      const { parameters, areDecrypted } = await listParameters(REF, tools);
      assert.deepEqual([names(parameters), areDecrypted], [["/prod/app/a", "/prod/app/b"], true]);
      assert.equal(parameters[0]?.value, "a-value");
      service.answers(page([]));
      assert.deepEqual(await listParameters(REF, tools), { parameters: [], areDecrypted: true });
    }));

  for (const [code, message] of [
    ["AccessDeniedException", "not authorized to perform: kms:Decrypt"],
    ["InvalidKeyId", ""],
  ] as const) {
    test(`without, if their key is in the way: ${code}`, () =>
      withPlace(async ({ service, tools }) => {
        service.answers(refusal(code, message), { status: 500 }, page([item("a")]));
        const { parameters, areDecrypted } = await listParameters(REF, tools);
        assert.deepEqual([names(parameters), areDecrypted], [["/prod/app/a"], false]);
        const sealed = asksPath({ WithDecryption: false });
        assert.deepEqual(callsOf(service), [asksPath(), sealed, sealed]);
      }));
  }

  test("not, if it may not be listed: it is asked once", () =>
    withPlace(async ({ service, tools }) => {
      service.answers(refusal("AccessDeniedException"));
      await assert.rejects(listParameters(REF, tools), { kind: "denied", code: "access-denied" });
      assert.equal(service.asked.length, 1);
    }));
});

describe("a write of parameters", () => {
  const variables = (...entries: readonly (readonly [string, string])[]) =>
    new Map(entries.map(([name, value]) => [name, new Secret(value)]));
  const TWO = variables(["A", "1"], ["DB_HOST", "2"]);
  const put = (name: string, value: string, more: object = {}): unknown => [
    "PutParameter",
    { Name: `/prod/app/${name}`, Value: value, Type: "SecureString", Overwrite: true, ...more },
  ];

  test("is one call for each, under its own spelling and the key that is named", () =>
    withPlace(async ({ service, tools }) => {
      for (const key of [undefined, "alias/app"]) {
        service.answers({}, {});
        await writeParameters(
          REF,
          { variables: TWO, spellings: new Map([["DB_HOST", "db-host"]]), key },
          tools,
        );
        const more = key === undefined ? {} : { KeyId: key };
        assert.deepEqual(callsOf(service), [put("A", "1", more), put("db-host", "2", more)]);
      }
    }));

  test("asks for the larger tier above 4,096 bytes", () =>
    withPlace(async ({ service, tools }) => {
      const [fits, large] = ["é".repeat(2_048), "x".repeat(4_097)];
      service.answers({}, {});
      const both = { variables: variables(["A", fits], ["B", large]), spellings: new Map(), key: undefined };
      await writeParameters(REF, both, tools);
      const tier = { Tier: "Intelligent-Tiering" };
      assert.deepEqual(callsOf(service), [put("A", fits), put("B", large, tier)]);
    }));

  test("that fails says which, and what was written before it", () =>
    withPlace(async ({ service, tools }) => {
      const write = { variables: TWO, spellings: new Map(), key: undefined };
      for (const [replies, message] of [
        [[refusal("AccessDeniedException")], /^A: access denied .*; nothing was written \(0 of 2\)$/],
        [
          [{}, refusal("AccessDeniedException")],
          /^DB_HOST: access denied .*; written before it: A \(1 of 2\)$/,
        ],
      ] as const) {
        service.answers(...(replies as readonly Reply[]));
        const failure = {
          kind: "denied",
          code: "access-denied",
          message,
          hint: /ssm:PutParameter.*kms:Encrypt/,
        };
        await assert.rejects(writeParameters(REF, write, tools), failure);
        assert.equal(service.asked.length, replies.length);
      }
    }));

  test("that is throttled, or meets another writer, is made again", () =>
    withPlace(async ({ service, tools }) => {
      service.answers(refusal("ThrottlingException"), refusal("TooManyUpdates"), { status: 500 }, {});
      await writeParameters(
        REF,
        { variables: variables(["A", "1"]), spellings: new Map(), key: undefined },
        tools,
      );
      assert.equal(service.asked.length, 4);
    }));

  test("is of what parameters can hold", () => {
    checkParameters(variables(["A", "x"], ["B_2", "é".repeat(4_096)]));
    for (const [name, value, message] of [
      ["a", "x", "a: it would be read back as A"],
      ["A.B", "x", "A.B: it would be read back as A_B"],
      ["A", "", "A is empty, and a parameter cannot be"],
      ["A", "x".repeat(8_193), "A has more than the 8192 bytes of a parameter"],
      ["A", `${"é".repeat(4_096)}x`, "A has more than the 8192 bytes of a parameter"],
    ] as const) {
      const failure = refuses(() => checkParameters(variables(["OK", "x"], [name, value])), "data");
      assert.equal(failure.message, message);
      assert.match(failure.hint ?? "", /another store|sealexec push/);
    }
  });
});

describe("a removal of parameters", () => {
  const NAMES = Array.from({ length: 21 }, (_, index) => `N${index}`);
  const removal = (from: number, to: number): unknown => [
    "DeleteParameters",
    { Names: NAMES.slice(from, to).map((name) => `/prod/app/${name}`) },
  ];

  test("is ten at a time, and none at all for none", () =>
    withPlace(async ({ service, tools }) => {
      service.answers({}, {}, {});
      await removeParameters(REF, NAMES, tools);
      assert.deepEqual(callsOf(service), [removal(0, 10), removal(10, 20), removal(20, 21)]);
      service.answers({});
      await removeParameters(REF, NAMES.slice(0, 10), tools);
      assert.deepEqual(callsOf(service), [removal(0, 10)]);
      service.answers();
      await removeParameters(REF, [], tools);
      assert.deepEqual(service.asked, []);
    }));

  test("that fails says how far it came", () =>
    withPlace(async ({ service, tools }) => {
      service.answers(refusal("ThrottlingException"), {}, refusal("AccessDeniedException"));
      await assert.rejects(removeParameters(REF, NAMES, tools), {
        kind: "denied",
        code: "access-denied",
        message: /^access denied .*; all of the file is written, 10 of 21 others are removed$/,
        hint: /ssm:DeleteParameters .* or push without --replace$/,
      });
      assert.equal(service.asked.length, 3);
    }));
});

describe("the spelling of a variable that is there", () => {
  const spellings = (pickOne: boolean, ...parts: readonly string[]): unknown =>
    Object.fromEntries(
      spellingsOf(
        parts.map((part) => ({ name: `/prod/app/${part}` })),
        pickOne,
      ),
    );

  test("is the last part of its parameter", () => {
    const all = { DB_HOST: "db-host", A_B: "a.b", C: "C" };
    for (const pickOne of [true, false]) assert.deepEqual(spellings(pickOne, "db-host", "a.b", "C"), all);
  });

  test("is one of several only if one may be picked: that of the variable itself, or the first", () => {
    for (const order of [
      ["a-b", "A_B", "a.b"],
      ["A_B", "a.b", "a-b"],
      ["a.b", "a-b", "A_B"],
    ])
      assert.deepEqual(spellings(true, ...order), { A_B: "A_B" });
    assert.deepEqual(spellings(true, "a.b", "a-b"), { A_B: "a.b" });
    const { message } = refuses(
      () => spellings(false, "a.b", "a-b"),
      "data",
      /^a\.b and a-b both give A_B: /,
    );
    assert.match(message, /nothing can read this path$/);
  });
});

describe("a refusal has a name for machines, and facts", () => {
  for (const [refused, message, kind, code] of [
    ["AccessDeniedException", "not authorized", "denied", "access-denied"],
    ["AccessDeniedException", "perform: kms:Decrypt", "denied", "key-denied"],
    ["AccessDeniedException", "(Service: AWSKMS)", "denied", "key-denied"],
    ["AccessDeniedException", "a customer master key that does not exist", "denied", "key-denied"],
    ["ParameterNotFound", "", "missing", "no-such-parameter"],
    ["InvalidKeyId", "", "config", "key-unusable"],
    ["HierarchyTypeMismatch", "", "data", "conflict"],
    ["ParameterLimitExceeded", "", "config", "quota-used-up"],
    ["ParameterMaxVersionLimitExceeded", "", "config", "quota-used-up"],
    ["ValidationException", "", "config", "not-taken"],
    ["toString", "", "config", "config"],
  ] as const) {
    test(`${refused}: ${message}`, () =>
      withPlace(async ({ service, tools }) => {
        service.answers(refusal(refused, message));
        const facts = { operation: "GetParameter", awsCode: refused, httpStatus: 400 };
        await assert.rejects((await parseSource(ONE)).read(tools), { kind, code, facts });
        assert.equal(service.asked.length, 1);
      }));
  }

  for (const [refused, kind, code, says, hint] of [
    ["TooManyUpdates", "unavailable", "conflict", /being changed by somebody else/, /push again/],
    ["ThrottlingException", "timeout", "throttled", /still throttled when/, /three parameters a second/],
  ] as const) {
    test(`${refused}, when the time of a push or of a removal is over`, () =>
      withPlace(async ({ service, tools, at }) => {
        const write = { variables: new Map([["A", new Secret("x")]]), spellings: new Map(), key: undefined };
        for (const [operation, work] of [
          ["PutParameter", () => writeParameters(REF, write, tools)],
          ["DeleteParameters", () => removeParameters(REF, ["A"], tools)],
        ] as const) {
          at(0);
          service.answers(refusal(refused));
          const asked = service.nextAsked();
          const working = work();
          await asked;
          at(30_000);
          const facts = { operation, awsCode: refused, httpStatus: 400 };
          await assert.rejects(working, { kind, code, message: says, hint, facts });
        }
      }));
  }
});

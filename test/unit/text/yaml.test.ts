import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseYaml } from "../../../src/text/yaml/parse.ts";
import { refuses } from "../refuses.ts";

function parse(text: string | Uint8Array): [string, string][] {
  return [...parseYaml(Buffer.from(text))].map(([name, secret]) => [name, secret.reveal()]);
}

const value = (text: string): string | undefined => parse(text)[0]?.[1];

describe("a flat mapping in YAML", () => {
  for (const [text, expected] of [
    ["", []],
    ["---\n", []],
    ["# c\n\n--- # c\nA: 1\n  # c\n", [["A", "1"]]],
    [
      "\uFEFFA: 1\r\nB: 2\r\n",
      [
        ["A", "1"],
        ["B", "2"],
      ],
    ],
    [
      "A: plain text\nB:   it's # c\nC : x#y  \n",
      [
        ["A", "plain text"],
        ["B", "it's"],
        ["C", "x#y"],
      ],
    ],
    [
      "A: 010\nB: 1.0\nC: 1_000\nD: 0x1F\nE: .inf\nF: 2026-01-01\nG: 12:30:45\nH: 1e400\n",
      [
        ["A", "010"],
        ["B", "1.0"],
        ["C", "1_000"],
        ["D", "0x1F"],
        ["E", ".inf"],
        ["F", "2026-01-01"],
        ["G", "12:30:45"],
        ["H", "1e400"],
      ],
    ],
    [
      "A: true\nB: false\n",
      [
        ["A", "true"],
        ["B", "false"],
      ],
    ],
    [
      "A: -1\nB: ?x\nC: :x\nD: -----BEGIN\n",
      [
        ["A", "-1"],
        ["B", "?x"],
        ["C", ":x"],
        ["D", "-----BEGIN"],
      ],
    ],
    ["A: http://h:80/p?q=[1]&r=*\n", [["A", "http://h:80/p?q=[1]&r=*"]]],
    [
      "A: ''\nB: \"\"\nC: 'it''s' # c\nD: \"q\\\"q\" # c\n",
      [
        ["A", ""],
        ["B", ""],
        ["C", "it's"],
        ["D", 'q"q'],
      ],
    ],
    [
      "A: 'yes'\nB: \"null\"\nC: '~'\n",
      [
        ["A", "yes"],
        ["B", "null"],
        ["C", "~"],
      ],
    ],
    ["A: 'a: b # c \\n'\n", [["A", "a: b # c \\n"]]],
    // Words of which only the beginning is one of YAML 1.1, and marks that mean something only where a value begins.
    [
      "A: node\nB: yes sir\nC: nullable\nD: once\nE: ~/x\nF: a!b&c*d[e]{f},g%h@i`j`\n",
      [
        ["A", "node"],
        ["B", "yes sir"],
        ["C", "nullable"],
        ["D", "once"],
        ["E", "~/x"],
        ["F", "a!b&c*d[e]{f},g%h@i`j`"],
      ],
    ],
    // 7.3.2: in single quotes a quote is two.
    [
      "A: ''''\nB: 'a'''\nC: '''a'\nD: 'a''''b'\n",
      [
        ["A", "'"],
        ["B", "a'"],
        ["C", "'a"],
        ["D", "a''b"],
      ],
    ],
    [
      "A: ab \nB: cd   \nC: ef  # c\n",
      [
        ["A", "ab"],
        ["B", "cd"],
        ["C", "ef"],
      ],
    ],
    [
      "A: x|y>z'q'\"r\" # a\tb\nB: 'x' # a\tb\n",
      [
        ["A", "x|y>z'q'\"r\""],
        ["B", "x"],
      ],
    ],
    ["A: |", [["A", ""]]],
    ["A: >+", [["A", ""]]],
  ] as const) {
    test(`reads ${JSON.stringify(text)}`, () => assert.deepEqual(parse(text), expected));
  }

  test("every escape of section 5.7", () => {
    // Example 5.13, without what folds lines, and \0, which no variable can hold.
    const text = String.raw`A: "\" \a \b \e \f \n \r \t \v \  \_ \N \L \P \x41 \u0041 \U00000041 \\ \/"`;
    assert.equal(value(text), '" \u0007 \b \u001b \f \n \r \t \v   \u00a0 \u0085 \u2028 \u2029 A A A \\ /');
  });

  test("a backslash before a tab is a tab (5.7), and the first and the last character of a range have escapes", () => {
    assert.equal(value('A: "a\\\tb"'), "a\tb");
    assert.equal(value('A: "\\ud7ff\\ue000\\U0010ffff"'), "\ud7ff\ue000\u{10ffff}");
  });

  for (const [text, expected] of [
    // YAML 1.2.2: examples 8.1, 8.2, 8.4, 8.5, 8.6, 8.7, 8.8, 8.10 to 8.12, as values of a mapping.
    [
      "A: | # Empty header\n literal\nB: >1 # Indentation indicator\n  folded\nC: |+ # Chomping indicator\n keep\n\nD: >1- # Both indicators\n  strip\n",
      ["literal\n", " folded\n", "keep\n\n", " strip"],
    ],
    [
      "A: |\n detected\nB: >\n \n  \n  # detected\nC: |1\n  explicit\nD: >\n \t\n detected\n",
      ["detected\n", "\n\n# detected\n", " explicit\n", "\t\ndetected\n"],
    ],
    ["strip: |-\n  text\nclip: |\n  text\nkeep: |+\n  text\n", ["text", "text\n", "text\n"]],
    [
      " # Strip\n  # Comments:\nstrip: |-\n  # text\n  \n # Clip\n  # comments:\n\nclip: |\n  # text\n \n # Keep\n  # comments:\n\nkeep: |+\n  # text\n\n # Trail\n  # comments.\n",
      ["# text", "# text\n", "# text\n\n"],
    ],
    ["strip: >-\n\nclip: >\n\nkeep: |+\n\n", ["", "", "\n"]],
    ["A: |\n literal\n \ttext\n\n\n", ["literal\n\ttext\n"]],
    ["A: |\n \n  \n  literal\n   \n  \n  text\n\n # Comment\n", ["\n\nliteral\n \n\ntext\n"]],
    [
      "A: >\n\n folded\n line\n\n next\n line\n   * bullet\n\n   * list\n   * lines\n\n last\n line\n\n# Comment\n",
      ["\nfolded line\nnext line\n  * bullet\n\n  * list\n  * lines\n\nlast line\n"],
    ],
    ["A: >+\n\n folded\n text\n\n\n", ["\nfolded text\n\n\n"]],
    // 8.1.3: only white space at the beginning of a line keeps it from being folded.
    ["A: >\n two words\n and\ttwo more\n", ["two words and\ttwo more\n"]],
    [
      "A: |\n  -----BEGIN KEY-----\n  a+b/c=\n  -----END KEY-----\nB: x\n",
      ["-----BEGIN KEY-----\na+b/c=\n-----END KEY-----\n", "x"],
    ],
    ["A: |-\n  no line end", ["no line end"]],
    ["A: |\nB: >\n", ["", ""]],
    ["A: |2+\n   x\n\nB: |2-\n  y\nC: |+2\n   z\n\n", [" x\n\n", "y", " z\n\n"]],
    // 8.1.1.2: a line of more blanks than the indentation is text, before, among and after other lines.
    ["A: |1\n   \n   x\n  \n\nB: >-1\n   \n x\n   \nC: 1\n", ["  \n  x\n \n", "  \nx\n  ", "1"]],
    ["A: |\n\n x\nB: |\n x\n", ["\nx\n", "x\n"]],
    ["A: |\n  \nB: |+\n \n", ["", "\n"]],
    ["A: |2\n\n \n  \n# c\nB: >2+\n\n  \n", ["", "\n\n"]],
  ] as const) {
    test(`reads the blocks of ${JSON.stringify(text.slice(0, 50))}`, () => {
      assert.deepEqual(
        parse(text).map(([, found]) => found),
        expected,
      );
    });
  }

  const ambiguous = ["y", "N", "yes", "No", "ON", "off", "null", "Null", "~", "True", "FALSE", ""];
  for (const [text, message, hint] of [
    ...ambiguous.map((word) => [`A: ${word}\n`, /^line 1: A: /, /quotes|""/] as const),
    ["A: yes\n", /^line 1: A: a plain value that YAML 1.1 and 1.2 read differently/, /quotes/],
    ["A: # canary\n", /^line 1: A: no value, which is null/, /""/],
    ["A: canary\nA: canary\n", /^line 2: A is there twice/, /one of the two/],
    ["A:\n  B: canary\n", /^line 1: A: a nested map or list/, /flat/],
    ["A:\n- canary\n", /^line 1: A: a nested map or list/, /flat/],
    ["A:\n\n# c\n    - canary\n", /^line 1: A: a nested map or list/, /flat/],
    ["A: canary\n  canary\n", /^line 1: A: a plain value that spans lines/, /block: A: \|/],
    ["- canary\n", /^line 1: list/, /NAME: value/],
    ["A: - canary\n", /^line 1: A: a list or map/, /quotes/],
    ["A: canary: canary\n", /^line 1: A: ":" in a plain value/, /quotes/],
    ["A: canary:\n", /^line 1: A: ":" in a plain value/, /quotes/],
    ["A: &canary x\n", /^line 1: A: anchor or alias/, /quotes/],
    ["A: *canary\n", /^line 1: A: anchor or alias/, /quotes/],
    ["A: !!str canary\n", /^line 1: A: tag/, /quotes/],
    ["A: {canary: 1}\n", /^line 1: A: flow collection/, /quotes/],
    ["A: [canary]\n", /^line 1: A: flow collection/, /quotes/],
    ["A: @canary\n", /^line 1: A: a character that no plain value begins with/, /quotes/],
    ["A: %canary\n", /^line 1: A: a character/, /quotes/],
    ["A: `canary`\n", /^line 1: A: a character/, /quotes/],
    ["{A: canary}\n", /^line 1: flow collection/, /NAME: value/],
    ["<<: *canary\n", /^line 1: merge key/, /write out/],
    ["&x A: canary\n", /^line 1: anchor or alias/, /write the value out/],
    ["!x A: canary\n", /^line 1: tag/, /./],
    ["? A\n: canary\n", /^line 1: complex key/, /./],
    ['"A": canary\n', /^line 1: quoted name/, /without quotes/],
    ["<< : *canary\n", /^line 1: merge key/, /write out/],
    // Marks that mean something only where a line begins.
    ['a-b: canary ... % - ? "x" & * ! [ { ---\n', /^line 1: invalid variable name/, /letters/],
    ["<<x: canary\n", /^line 1: invalid variable name/, /letters/],
    ["a-b:\tcanary\n", /^line 1: invalid variable name/, /letters/],
    ["a-__proto__: canary\n", /^line 1: invalid variable name/, /letters/],
    ["a<<: canary\n", /^line 1: invalid variable name/, /letters/],
    ["1:b: canary\n", /^line 1: invalid variable name/, /letters/],
    ["a-b:canary\n", /^line 1: no ":" behind a name/, /NAME: value/],
    ["a-b=canary\n", /^line 1: no ":" behind a name/, /NAME: value/],
    ["export A=canary\n", /^line 1: no ":" behind the name/, /\?format=yaml/],
    ["1A: canary\n", /^line 1: invalid variable name/, /letters/],
    ["a-b: canary\n", /^line 1: invalid variable name/, /letters/],
    ["__proto__: canary\n", /^line 1: __proto__ cannot be set/, /another name/],
    ["__proto__ : canary\n", /^line 1: __proto__ cannot be set/, /another name/],
    ["A:canary\n", /^line 1: no blank behind ":"/, /NAME: value/],
    ["A=canary\n", /^line 1: no ":" behind the name/, /\?format=yaml/],
    ["canary\n", /^line 1: no ":" behind a name/, /./],
    [" A: canary\n", /^line 1: indented line/, /NAME: \|/],
    ["\tA: canary\n", /^line 1: tab in the indentation/, /./],
    ["A:\tcanary\n", /^line 1: tab behind ":"/, /./],
    ["A:  \tcanary\n", /^line 1: tab behind ":"/, /./],
    ["A: can\tary\n", /^line 1: A: tab in a plain value/, /quotes/],
    ["%YAML 1.2\n---\nA: canary\n", /^line 1: directive/, /leave it out/],
    ["A: canary\n---\nB: 1\n", /^line 2: second document/, /one document/],
    ["--- canary\n", /^line 1: second document, or a value/, /one document/],
    ["---#canary\n", /^line 1: second document, or a value/, /one document/],
    ["A: canary\n...\n", /^line 2: end of a document/, /one document/],
    ["... canary\n", /^line 1: end of a document/, /one document/],
    ["...\tcanary\n", /^line 1: end of a document/, /one document/],
    ["A: 'canary\n  canary'\n", /^line 1: A: the quote is not closed on its line/, /block/],
    ['A: "canary\\\n  canary"\n', /^line 1: A: the quote is not closed on its line/, /\\n/],
    // No later line closes it.
    ["A: 'canary''\nB: 'canary'\n", /^line 1: A: the quote is not closed on its line/, /block/],
    ['A: "canary\\"\nB: "canary"\n', /^line 1: A: the quote is not closed on its line/, /block/],
    ['A: "canary\\"', /^line 1: A: the quote is not closed on its line/, /block/],
    ["A: '", /^line 1: A: the quote is not closed on its line/, /block/],
    ["A: 'canary'\t# c\n", /^line 1: A: text behind the closing quote/, /./],
    ["A: |\t# c\n canary\n", /^line 1: A: text behind the sign of a block/, /./],
    ["A: canary\t# c\n", /^line 1: A: tab in a plain value/, /quotes/],
    ["A: canary \t\n", /^line 1: A: tab in a plain value/, /quotes/],
    ["A: ]canary\n", /^line 1: A: a character that no plain value begins with/, /quotes/],
    ["A: ? canary\n", /^line 1: A: a list or map/, /quotes/],
    ["A: 'canary' canary\n", /^line 1: A: text behind the closing quote/, /twice/],
    ["A: 'canary'#c\n", /^line 1: A: text behind the closing quote/, /./],
    ['A: "canary" canary\n', /^line 1: A: text behind the closing quote/, /\\"/],
    ['A: "canary\\z"\n', /^line 1: A: an escape that YAML does not have/, /\\\\/],
    ['A: "canary\\x4"\n', /^line 1: A: an escape/, /\\\\/],
    ['A: "canary\\xg4"\n', /^line 1: A: an escape/, /\\\\/],
    ['A: "canary\\x4g"\n', /^line 1: A: an escape/, /\\\\/],
    ['A: "canary\\ud800"\n', /^line 1: A: an escape/, /\\\\/],
    ['A: "canary\\udfff"\n', /^line 1: A: an escape/, /\\\\/],
    ['A: "canary\\ud83d\\ude42"\n', /^line 1: A: an escape/, /\\\\/],
    ['A: "canary\\U00110000"\n', /^line 1: A: an escape/, /\\\\/],
    ['A: "canary\\0"\n', /^line 1: A: NUL/, /base64/],
    ["A: | canary\n", /^line 1: A: text behind the sign of a block/, /next lines/],
    ["A: | canary |\n", /^line 1: A: text behind the sign of a block/, /next lines/],
    ["A: |0\n canary\n", /^line 1: A: text behind the sign of a block/, /./],
    ["A: |++\n canary\n", /^line 1: A: text behind the sign of a block/, /./],
    ["A: |2\n\n   \nB: canary\n", /^line 1: A: a block of nothing but blanks/, /double quotes/],
    ["A: |\n  canary", /^line 1: A: the file ends inside a block/, /line end/],
    ["A: |\n  canary\n canary\n", /^line 3: indented less than the block/, /alike/],
    ["A: |\n  x\n \tcanary\nB: 1\n", /^line 3: indented less than the block/, /alike/],
    ["A: |\n  x\n \t\nB: canary\n", /^line 3: indented less than the block/, /alike/],
    ["A: |3\n  canary\n", /^line 2: indented less than the block/, /alike/],
    ["A: |\n   \n  canary\n", /^line 3: an empty line above has more blanks/, /blanks/],
    ["A: |\n\tcanary\n", /^line 2: indented less than the block/, /alike/],
    ["A: can\u2028ary\n", /^line 1: control character, unicode line separator/, /double quotes/],
    ["A: 'can\u0085ary'\n", /^line 1: control character/, /double quotes/],
    ["A: can\u001bary\n", /^line 1: control character/, /double quotes/],
    ["A: 1\nB: \uFEFFcanary\n", /^line 2: control character/, /double quotes/],
    ["A: can\0ary\n", /^line 1: NUL/, /./],
    [Buffer.from("A: 1\nB: canary\xff\n", "latin1"), /^line 2: invalid UTF-8/, /UTF-8/],
  ] as const) {
    test(`refuses ${JSON.stringify(text.slice(0, 40))}`, () => {
      const { message: said, hint: way } = refuses(() => parse(text), "data", message);
      assert.match(way ?? "", hint);
      assert.doesNotMatch(said + (way ?? ""), /canary/);
    });
  }

  test("an escaped backslash before what would be half of a pair", () => {
    assert.equal(value('A: "\\\\ud800 \\\\\\\\U0000dfff"'), "\\ud800 \\\\U0000dfff");
    refuses(() => parse('A: "\\\\\\ud800"'), "data", /^line 1: A: an escape/);
    refuses(() => parse('A: "\\U0000DFFF"'), "data", /^line 1: A: an escape/);
  });
});

describe("a flat mapping in YAML, on large input", () => {
  const SIZE = 1024 * 1024;
  const long = (text: string): string => text.repeat(SIZE / text.length);
  for (const [what, text, line, message] of [
    ["flow collections in each other", `A: ${long("[")}`, 1, "flow collection"],
    ["flow collections in each other, on lines", `A: [\n${long("[\n")}`, 1, "flow collection"],
    ["a long flow sequence", `A: [${long("a, ")}]\n`, 1, "flow collection"],
    ["lists in each other", `A: ${long("- ")}x\n`, 1, "a list or map"],
    ["maps in each other", `A: ${long("a: ")}x\n`, 1, '":" in a plain value'],
    ["maps in each other, on lines", deep(), 1, "a nested map"],
    ["flow collections after a text", `A: 'x' ${long("[")}\n`, 1, "text behind the closing quote"],
    ["flow collections below a block", `A: |3\n  ${long("[")}\n`, 2, "indented less"],
    ["many aliases", `A: ${long("*a ")}\n`, 1, "anchor or alias"],
    ["many aliases, on lines", `A: 1\n${long("*a : x\n")}`, 2, "anchor or alias"],
    ["an anchor", `A: &${long("a")}\n`, 1, "anchor or alias"],
    ["one key twice", `${long("a")}: x\n`.repeat(2), 2, "is there twice"],
    ["a key without an end", long("a"), 1, 'no ":" behind a name'],
    ["a quote that is open", `A: "${long('\\"')}`, 1, "the quote is not closed"],
    ["quotes that are open", long("A: '\n"), 1, "the quote is not closed"],
    ["documents", long("---\n"), 2, "second document"],
  ] as const) {
    test(`refuses ${what} as if they were few`, () => {
      const { message: said } = refuses(() => parse(text), "data", new RegExp(`^line ${line}: `));
      assert.ok(said.includes(message), said.slice(0, 100));
    });
  }

  // The package makes a list of the lines of a block, and adds a quoted text up character by character.
  for (const [what, text] of Object.entries({
    "a block of nothing but lines": `A: |-\n${"\n".repeat(1_400_000)}`,
    "a quoted text of nothing but escapes": `A: "${"\\x41".repeat(400_000)}"\n`,
    "a plain one": `A: ${"x".repeat(1_400_000)}\n`,
  })) {
    test(`refuses ${what}, before the package reads it`, () => {
      refuses(() => parseYaml(Buffer.from(text)), "data", /^line 1: A: longer than a variable can be$/);
    });
  }

  test("reads a text of a MiB", () => {
    assert.equal(value(`A: ${long("x ")}x\n`), `${long("x ")}x`);
    assert.equal(value(`A: '${long("''")}'\n`), long("'").slice(SIZE / 2));
    assert.equal(value(`A: "${long("\\n")}"\n`), long("\n").slice(SIZE / 2));
    assert.equal(value(`A: |\n${long(" x\n")}`), long("x\n").slice(0, 2 * Math.floor(SIZE / 3)));
    assert.equal(value(`A: |+\n${long("\n")}`), long("\n"));
    assert.equal(value(`A: >-\n${long(" x\n")}`), long("x ").slice(0, 2 * Math.floor(SIZE / 3) - 1));
  });
});

/** A map in a map, 1,000 times. */
function deep(): string {
  return Array.from({ length: 1000 }, (_, depth) => `${" ".repeat(depth)}A:\n`).join("");
}

/** What comes out of sops: as JSON each value arrives as it is; as dotenv it has no quotes, and push says what was cut. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Aws } from "../aws/server.ts";
import { BUCKET, KEY, sealexec, withAws } from "./harness.ts";

const PEM = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg+/==\n-----END PRIVATE KEY-----\n";

const VALUES: Readonly<Record<string, string>> = {
  PLAIN: "value",
  PASSWORD: "p#ss w0rd",
  SPACED: "two # words",
  KEY_FILE: PEM,
  QUOTES: `it's "both" \`kinds\``,
  BACKSLASH: "C:\\new\\table",
  BLANKS: "  around  ",
  MARKUP: "<a href='?x=1&y=2'>",
  UNICODE: "zażółć 🔒",
  EMPTY: "",
};

/** Of `sops -d --output-type json`: indented by tabs; Go writes <, > and & as escapes in some versions. */
function asJson(escaped: boolean): string {
  const text = `${JSON.stringify(VALUES, undefined, "\t")}\n`;
  return escaped ? text.replaceAll(/[<>&]/g, (sign) => `\\u00${sign.charCodeAt(0).toString(16)}`) : text;
}

/** Of `sops -d --output-type dotenv`: no quotes, and line ends as two characters. */
const DOTENV = [
  "PLAIN=value",
  "PASSWORD=p#ss w0rd",
  "SPACED=two # words",
  `KEY_FILE=${PEM.replaceAll("\n", "\\n")}`,
];

const PRINT = [process.execPath, "-p", "JSON.stringify(process.env)"];

for (const escaped of [false, true]) {
  test(`as JSON every value arrives as it is${escaped ? ", escapes and all" : ""}`, () =>
    withAws(async (aws) => {
      const uri = `s3://${BUCKET}/app.env?format=json`;
      const pushed = await sealexec(["push", "-", uri, "--key", KEY], {
        env: aws.env(),
        input: asJson(escaped),
      });
      assert.equal(pushed.status, 0, pushed.stderr);
      assert.equal(pushed.stderr, "");
      const run = ["run", "--from", uri, "--key", KEY, "--pristine", "--", ...PRINT];
      const { status, stdout, stderr } = await sealexec(run, { env: aws.env() });
      assert.equal(status, 0, stderr);
      assert.deepEqual(JSON.parse(stdout), VALUES);
    }));
}

test("an unquoted value that ends at a # is named with its line, and never shown", () =>
  withAws(async (aws) => {
    const { status, stderr } = await pushText(
      aws,
      [...DOTENV, "EMPTIED=#start", "TAIL='a#b' # a comment"].join("\n"),
    );
    assert.equal(status, 0);
    assert.equal(
      stderr,
      'sealexec: warning: standard input: cut at a "#" that is not in quotes: PASSWORD (line 2), SPACED (line 3), EMPTIED (line 5)\n' +
        "sealexec: hint: put the value in quotes if the # belongs to it; what is meant as a comment is left out\n",
    );
    assert.doesNotMatch(stderr, /p#|ss w0rd|two|words|start/);
  }));

test("a # in quotes, in a comment or in another format is nothing to warn of", () =>
  withAws(async (aws) => {
    for (const [text, format] of [
      ["# A=b#c\nA='b#c'\nB=\"b # c\" # d\nC=`#`\nD='first\nsecond # third'\n", ""],
      ['{"A":"b#c"}', "?format=json"],
      ["A=b#c\nB=b # c\n", "?format=docker"],
    ] as const) {
      const { status, stderr } = await pushText(aws, text, format);
      assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
    }
  }));

function pushText(aws: Aws, input: string, format = ""): ReturnType<typeof sealexec> {
  const uri = `s3://${BUCKET}/${format.replace(/\W/g, "")}.env${format}`;
  return sealexec(["push", "-", uri, "--key", KEY], { env: aws.env(), input });
}

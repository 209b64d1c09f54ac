/** Systems Manager's Parameter Store from outside: run, check, pull and push, and what each refusal says. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Aws } from "../../aws/server.ts";
import { RAN, SAY, assertFailed, assertPrinted } from "../expect.ts";
import { ARTEFACTS, KEY, push, sealexec, withAws } from "../harness.ts";
import type { Outcome } from "../harness.ts";
import { document } from "../pushing.ts";
import { seedSecretsManager, seedSsm } from "./seed.ts";

const PATH = "/prod/app/";
const URI = `ssm://${PATH}`;
const VALUE = "value-that-nobody-may-see";

for (const artefact of ARTEFACTS) {
  const as = { artefact };

  describe(`parameters, by the ${artefact.name}`, { concurrency: 2 }, () => {
    test("run gives CMD the parameters of a path, named as chamber names them", () =>
      withAws(async (aws) => {
        seedSsm(aws, PATH, { DB_HOST: "x y" });
        aws.parameters.put(`${PATH}api.key-1`, "$HOME `id`", { type: "String" });
        aws.parameters.put(`${PATH}list`, "a,b", { type: "StringList" });
        aws.parameters.put(`${PATH}deep/other`, "not read");
        aws.parameters.put("/prod/apple/other", "not read");
        const print = ["printenv", "DB_HOST", "API_KEY_1", "LIST"];
        const args = ["run", "-f", URI, "--require", "DB_HOST,API_KEY_1", "--"];
        const options = { ...as, env: aws.env() };
        assertPrinted(await sealexec([...args, ...print], options), "x y\n$HOME `id`\na,b\n");
        const made = aws.calls.filter(({ service }) => service !== "imds");
        assert.deepEqual(
          made.map(({ operation, detail }) => [operation, detail.name]),
          [["GetParametersByPath", "/prod/app"]],
        );
        const none = await sealexec([...args, "printenv", "OTHER"], options);
        assert.deepEqual([none.status, none.stdout], [1, ""]);
      }));

    test("many pages, deeper paths, one parameter", () =>
      withAws(async (aws) => {
        const names = Array.from({ length: 25 }, (_, index) => `N${String(index).padStart(2, "0")}`);
        seedSsm(aws, PATH, Object.fromEntries(names.map((name) => [name, name])));
        aws.parameters.put(`${PATH}deep/er/other`, "deep");
        const options = { ...as, env: aws.env() };
        const text = names.map((name) => `${name}=${name}\n`).join("");
        assertPrinted(await sealexec(["pull", URI], options), text);
        assert.equal(aws.count("ssm", "GetParametersByPath"), 3);
        assertPrinted(await sealexec(["pull", `${URI}?recursive`], options), `OTHER=deep\n${text}`);
        assertPrinted(await sealexec(["pull", `${URI}deep/er/other`], options), "OTHER=deep\n");
        assert.equal(aws.count("ssm", "GetParameter"), 1);
      }));

    test("merges with a sealed object and a secret, and the later one wins", () =>
      withAws(async (aws) => {
        const sealed = await push(aws, "app.env", "A=sealed\nB=sealed\nC=sealed\n");
        const secret = seedSecretsManager(aws, "app", { B: "secret", C: "secret" });
        const parameters = seedSsm(aws, PATH, { C: "parameter" });
        const print = ["--", "printenv", "A", "B", "C"];
        const env = { ...aws.env(), SEALEXEC_FROM: `${sealed} ${secret} ${parameters}` };
        assertPrinted(await sealexec(["run", ...print], { ...as, env }), "sealed\nsecret\nparameter\n");
        const turned = { ...aws.env(), SEALEXEC_FROM: `${parameters} ${secret} ${sealed}` };
        assertPrinted(await sealexec(["run", ...print], { ...as, env: turned }), "sealed\nsealed\nsealed\n");
      }));

    test("check counts and names, and shows no value", () =>
      withAws(async (aws) => {
        const uri = seedSsm(aws, PATH, { A: VALUE, B: VALUE });
        const options = { ...as, env: aws.env() };
        const outcome = await sealexec(["check", "--from", uri, "--require", "A,B"], options);
        assert.equal(outcome.status, 0, outcome.stdout);
        assert.match(outcome.stdout, /✓ object .*ssm:\/\/\/prod\/app\/: 2 variables/);
        assert.ok(!outcome.stdout.includes(VALUE));
        const one = await sealexec(["check", "--from", `${uri}a`, "--require", "A"], options);
        assert.match(one.stdout, /✓ object .*: 1 variable, version 1/);
      }));

    test("push writes SecureStrings that come back as they were", () =>
      withAws(async (aws) => {
        const options = { ...as, env: aws.env() };
        const large = "x".repeat(5_000);
        const input = `# c\nDB_HOST='x "y"'\nLARGE=${large}\n_X1=1\n`;
        const outcome = await sealexec(["push", "-", URI, "--key", KEY], { ...options, input });
        assertPrinted(
          outcome,
          [
            `path      ${PATH}`,
            "type      SecureString",
            `key       ${KEY}`,
            "written   3 of 3, one by one: a reader meanwhile finds some of each",
            "kept      none",
            "variables 3",
            "pushed    what the file holds\n",
          ].join("\n"),
        );
        const stored = aws.parameters.get(`${PATH}LARGE`);
        assert.deepEqual(
          [stored?.type, stored?.keyId, stored?.tier],
          ["SecureString", KEY, "Intelligent-Tiering"],
        );
        assert.equal(aws.parameters.get(`${PATH}DB_HOST`)?.tier, "Standard");
        assertPrinted(await sealexec(["pull", URI], options), `DB_HOST='x "y"'\nLARGE=${large}\n_X1=1\n`);
        const again = await sealexec(["push", "-", URI], { ...options, input: "_X1=2\n" });
        assert.match(again.stdout, /^key {7}alias\/aws\/ssm$/m);
        assertPrinted(await sealexec(["pull", `${URI}_X1`], options), "_X1=2\n");
        assertPrinted(await sealexec(["pull", `${URI}DB_HOST`], options), `DB_HOST='x "y"'\n`);
      }));

    test("each refusal has a message, a hint and a status of its own, and CMD does not run", () =>
      withAws(async (aws) => {
        seedSsm(aws, PATH, { A: VALUE });
        seedSsm(aws, "/twice/", { DB_HOST: VALUE });
        aws.parameters.put("/twice/deep/db-host", VALUE);
        aws.parameters.put("/named/1st", VALUE);
        aws.parameters.put("/loader/ld_preload", VALUE);
        const failed = async (uri: string, status: number, error: RegExp, hint: RegExp): Promise<void> => {
          const args = ["run", "-f", `ssm://${uri}`, "--", ...SAY];
          const outcome = await sealexec(args, { ...as, env: aws.env() });
          assertFailed(outcome, status, error, hint);
          assert.ok(!outcome.stderr.includes(VALUE), outcome.stderr);
        };
        await failed("/none/", 66, /^object: ssm:\/\/\/none\/: no parameters below this path$/, /recursive/);
        await failed("/none/a", 66, /no such parameter .*\(GetParameter: ParameterNotFound, 400/, /slash/);
        await failed("/twice/?recursive", 65, /\/twice\/d.* and \/twice\/d.* both give DB_HOST/, /rename/);
        await failed("/named/", 65, /\/named\/1st: "1ST" is not the name/, /rename/);
        await failed("/loader/", 65, /sets LD_PRELOAD/, /--allow/);
        aws.parameters.keyTrouble = "invalid";
        await failed(PATH, 78, /KMS key of the parameter .*InvalidKeyId/, /enabled/);
        aws.parameters.keyTrouble = "denied";
        await failed(`${PATH}a`, 77, /KMS key is denied/, /kms:Decrypt/);
        aws.parameters.keyTrouble = undefined;
        for (const [operation, uri] of [
          ["GetParametersByPath", PATH],
          ["GetParameter", `${PATH}a`],
        ] as const) {
          aws.parameters.deny(operation);
          await failed(
            uri,
            77,
            /access denied \(Get.*: AccessDeniedException, 400/,
            new RegExp(`ssm:${operation} `),
          );
        }
      }));

    test("a page that is refused is asked for again, and only that one", () =>
      withAws(async (aws) => {
        const names = Array.from({ length: 15 }, (_, index) => [`N${index}`, "1"]);
        seedSsm(aws, PATH, Object.fromEntries(names) as Record<string, string>);
        aws.faults.add({ service: "ssm", action: "status", status: 500, after: 1, times: 1 });
        const args = ["run", "-f", URI, "--", ...SAY];
        assertPrinted(await sealexec(args, { ...as, env: aws.env() }), `${RAN}\n`);
        assert.equal(aws.count("ssm"), 3);
        aws.faults.add({ service: "ssm", action: "status", status: 400 });
        const throttled = await sealexec(["run", "-f", URI, "--timeout", "3", "--", ...SAY], {
          ...as,
          env: aws.env(),
        });
        assertFailed(throttled, 75, /still throttled .*ThrottlingException/, /--timeout/);
      }));

    test("no value is on stderr, however much is said there", () =>
      withAws(async (aws) => {
        const options = { ...as, env: aws.env() };
        const pushed = await sealexec(["push", "-v", "-", URI], { ...options, input: `A=${VALUE}\n` });
        aws.faults.add({ service: "ssm", action: "cutJson", times: 1 });
        const ran = await sealexec(["run", "-v", "-f", URI, "--", ...SAY], options);
        for (const { status, stdout, stderr } of [pushed, ran]) {
          assert.equal(status, 0, stderr);
          assert.match(stderr, /sealexec: info: object: /);
          assert.ok(!(stdout + stderr).includes(VALUE));
        }
      }));
  });
}

describe("push to Systems Manager", { concurrency: 2 }, () => {
  const pushed = (aws: Aws, uri: string, input: string, ...flags: string[]): Promise<Outcome> =>
    sealexec(["push", "-", uri, ...flags], { env: aws.env(), input });

  test("flags of sealed objects, and URIs that are not one path, are usage; nothing is sent", () =>
    withAws(async (aws) => {
      for (const flags of [
        ["--format", "v2"],
        ["--no-bind"],
        ["--if-match", "x"],
        ["--context", "a=b"],
        ["--create"],
      ])
        assertFailed(
          await pushed(aws, URI, "A=1\n", ...flags),
          64,
          new RegExp(`^${flags.join(" ").slice(0, 8)}`),
        );
      for (const uri of [`${URI}?recursive`, `${URI}a`])
        assertFailed(await pushed(aws, uri, "A=1\n"), 64, /the parameters of one path/);
      assertFailed(
        await pushed(aws, URI, "A=1\n", "--key", "local:/none"),
        64,
        /a local key cannot encrypt in Systems Manager/,
        /KMS/,
      );
      assert.equal(aws.calls.length, 0);
    }));

  test("what a parameter cannot hold is refused before anything is written", () =>
    withAws(async (aws) => {
      for (const [input, error] of [
        ["A=1\nB=\n", /B is empty, and a parameter cannot be/],
        ["A=1\nlower=1\n", /lower: it would be read back as LOWER/],
        [`A=1\nB=${"x".repeat(8_193)}\n`, /B has more than the 8192 bytes/],
      ] as const)
        assertFailed(await pushed(aws, URI, input), 65, error);
      assert.equal(aws.count("ssm"), 0);
    }));

  test("the tier is the standard one up to 4,096 bytes, which are not characters", () =>
    withAws(async (aws) => {
      const values = {
        A: "x".repeat(4_096),
        B: "x".repeat(4_097),
        C: "é".repeat(2_048),
        D: "é".repeat(2_049),
        E: "x".repeat(8_192),
        F: "é".repeat(4_096),
      };
      const lines = Object.entries(values).map(([name, value]) => `${name}=${value}\n`);
      const outcome = await pushed(aws, URI, lines.join(""));
      assert.equal(outcome.status, 0, outcome.stderr);
      assert.deepEqual(
        aws.parameters.below(PATH, false).map(({ name, tier }) => [name.slice(PATH.length), tier]),
        ["A", "B", "C", "D", "E", "F"].map((name) => [
          name,
          name === "A" || name === "C" ? "Standard" : "Intelligent-Tiering",
        ]),
      );
      const large = `A=${"é".repeat(4_097)}\n`;
      assertFailed(await pushed(aws, URI, large), 65, /A has more than the 8192 bytes/);
    }));

  test("more than AWS takes in a second are written all the same", () =>
    withAws(async (aws) => {
      aws.limit("ssm", 3);
      const names = Array.from({ length: 8 }, (_, index) => `N${index}`);
      const outcome = await pushed(aws, URI, names.map((name) => `${name}=1\n`).join(""));
      assert.match(outcome.stdout, /^written {3}8 of 8, /m, outcome.stderr);
      assert.equal(aws.parameters.below(PATH, false).length, 8);
      assert.ok(aws.calls.some(({ service, status }) => service === "ssm" && status === 400));
    }));

  test("a failure in the middle says what was written, by name", () =>
    withAws(async (aws) => {
      const fault = { service: "ssm", action: "status", status: 400, code: "AccessDeniedException" } as const;
      const middle = aws.faults.add({ ...fault, operation: "PutParameter", after: 2 });
      const text = `A=${VALUE}\nB=${VALUE}\nC=${VALUE}\nD=${VALUE}\n`;
      const outcome = await pushed(aws, URI, text);
      assertFailed(
        outcome,
        77,
        /^object: ssm:\/\/\/prod\/app\/: C: access denied \(PutParameter: .*\); written before it: A, B \(2 of 4\)$/,
        /ssm:PutParameter/,
      );
      assert.ok(!outcome.stderr.includes(VALUE));
      assert.deepEqual(
        aws.parameters.below(PATH, true).map(({ name }) => name),
        [`${PATH}A`, `${PATH}B`],
      );
      await middle.remove();
      aws.parameters.deny("PutParameter");
      assertFailed(
        await pushed(aws, URI, text),
        77,
        /^object: .*A: access denied .*; nothing was written \(0 of 4\)$/,
      );
    }));
});

describe("an answer that is not all there is", { concurrency: 2 }, () => {
  const read = (env: Readonly<Record<string, string>>): Promise<Outcome> =>
    sealexec(["run", "--from", URI, "--", ...SAY], { env });

  for (const token of [7, true, ["next"], {}]) {
    test(`NextToken is ${JSON.stringify(token)}`, () =>
      withAws(async (aws) => {
        const body = JSON.stringify({ Parameters: [], NextToken: token });
        aws.faults.add({ service: "ssm", action: "body", body, contentType: "application/x-amz-json-1.1" });
        assertFailed(await read(aws.env()), 69, /GetParametersByPath: the answer holds no next page/);
        assert.equal(aws.count("ssm"), 1);
      }));
  }

  test("pages without an end", () =>
    withAws(async (aws) => {
      const body = JSON.stringify({ Parameters: [], NextToken: "again" });
      aws.faults.add({ service: "ssm", action: "body", body, contentType: "application/x-amz-json-1.1" });
      assertFailed(await read(aws.env()), 69, /GetParametersByPath: 300 pages, and more are said to follow/);
      assert.equal(aws.count("ssm"), 300);
    }));

  test("1,000 parameters are taken, and one more is not", () =>
    withAws(async (aws) => {
      for (let index = 0; index < 1_000; index += 1) aws.parameters.put(`${PATH}N${index}`, "x");
      assertPrinted(await read(aws.env()), `${RAN}\n`);
      aws.parameters.put(`${PATH}ONE_MORE`, "x");
      assertFailed(await read(aws.env()), 65, /more than 1000 parameters below this path/);
    }));
});

describe("push to Systems Manager: what the file has not", { concurrency: 2 }, () => {
  const push = (aws: Aws, ...flags: string[]): Promise<Outcome> =>
    sealexec(["push", "-", URI, ...flags], { env: aws.env(), input: "A=new\nB=1\n" });
  const names = (aws: Aws): string[] => aws.parameters.below(PATH, true).map(({ name }) => name);
  const seed = (aws: Aws): void => {
    for (const name of ["A", "OLD", "db-host", "deep/C"]) aws.parameters.put(PATH + name, VALUE);
  };

  test("stays, and is named; with --replace it is removed, and named", () =>
    withAws(async (aws) => {
      seed(aws);
      const kept = await push(aws);
      assert.deepEqual([kept.status, kept.stderr], [0, ""]);
      assert.match(kept.stdout, /^kept {6}OLD, db-host \(--replace removes them\)$/m);
      assert.match(kept.stdout, /^written {3}2 of 2, one by one: /m);
      assert.equal(names(aws).length, 5);
      const again = document(await push(aws, "--json"));
      assert.deepEqual([again["removed"], again["kept"]], [[], ["OLD", "db-host"]]);
      aws.resetCalls();
      const json = document(await push(aws, "--replace", "--json"));
      assert.deepEqual(
        [json["status"], json["added"], json["changed"], json["removed"], json["kept"]],
        ["pushed", [], [], ["OLD", "db-host"], []],
      );
      assert.deepEqual(names(aws), [`${PATH}A`, `${PATH}B`, `${PATH}deep/C`]);
      assert.equal(aws.count("ssm", "DeleteParameters"), 1);
      assert.match((await push(aws, "--replace")).stdout, /^removed {3}none$/m);
      assert.equal(aws.count("ssm", "DeleteParameters"), 1);
    }));

  test("is removed ten at a time, after all of the file is written", () =>
    withAws(async (aws) => {
      for (let index = 0; index < 23; index += 1) aws.parameters.put(`${PATH}OLD_${index}`, VALUE);
      const { status, stderr } = await push(aws, "--replace");
      assert.equal(status, 0, stderr);
      assert.deepEqual(names(aws), [`${PATH}A`, `${PATH}B`]);
      const made = aws.calls.filter(({ service }) => service === "ssm").map(({ operation }) => operation);
      const writes = made.filter((operation) => operation !== "GetParametersByPath");
      const removals = ["DeleteParameters", "DeleteParameters", "DeleteParameters"];
      assert.deepEqual(writes, ["PutParameter", "PutParameter", ...removals]);
    }));

  test("is not removed by who may not list or delete it, and that is said", () =>
    withAws(async (aws) => {
      seed(aws);
      aws.parameters.deny("DeleteParameters");
      assertFailed(
        await push(aws, "--replace"),
        77,
        /\(DeleteParameters: .*\); all of the file is written, 0 of 2 others are removed$/,
        /ssm:DeleteParameters/,
      );
      aws.parameters.deny("GetParametersByPath");
      assertFailed(await push(aws, "--replace"), 77, /GetParametersByPath/, /ssm:GetParametersByPath/);
      const { status, stderr } = await push(aws);
      assert.equal(status, 0);
      assert.match(stderr, /^sealexec: warning: ssm:\S+ what is there cannot be listed: .* stay\n/);
      assert.equal(names(aws).length, 5);
    }));

  for (const [who, code, message] of [
    [
      "who may not decrypt it",
      "AccessDeniedException",
      "a customer master key that you may not use (kms:Decrypt)",
    ],
    ["everybody while its key is disabled", "InvalidKeyId", "The key is disabled. (Service: AWSKMS)"],
  ] as const) {
    test(`is named also to ${who}`, () =>
      withAws(async (aws) => {
        for (const name of ["A", "OLD"]) aws.parameters.put(PATH + name, VALUE);
        aws.faults.add({
          service: "ssm",
          operation: "GetParametersByPath",
          action: "status",
          status: 400,
          code,
          message,
          times: 1,
        });
        const json = document(await push(aws, "--json"));
        assert.deepEqual([json["added"], json["changed"], json["kept"]], [null, null, ["OLD"]]);
      }));
  }
});

describe("a parameter that is spelled in another way", { concurrency: 2 }, () => {
  const put = (aws: Aws, text: string, ...flags: readonly string[]): Promise<Outcome> =>
    sealexec(["push", "-", URI, ...flags], { env: aws.env(), input: text });
  const pull = (aws: Aws): Promise<Outcome> => sealexec(["pull", URI], { env: aws.env() });
  const names = (aws: Aws): readonly string[] =>
    aws.parameters
      .below(PATH, true)
      .map(({ name }) => name)
      .toSorted();

  for (const flags of [[], ["--replace"]]) {
    test(`is written where it is, and the path can be read: push ${flags.join(" ")}`, () =>
      withAws(async (aws) => {
        for (const name of ["db-host", "api.key"]) aws.parameters.put(PATH + name, "old");
        const pushed = await put(aws, "DB_HOST=new\nAPI_KEY=old\nC=new\n", ...flags, "--json");
        const json = document(pushed);
        assert.deepEqual(
          [json["added"], json["changed"], json["removed"], json["kept"]],
          [["C"], ["DB_HOST"], [], []],
        );
        assert.deepEqual(names(aws), [`${PATH}C`, `${PATH}api.key`, `${PATH}db-host`]);
        assertPrinted(await pull(aws), "C=new\nAPI_KEY=old\nDB_HOST=new\n");
      }));
  }

  test("beside another that gives the same variable stops a push; with --replace one of them is left", () =>
    withAws(async (aws) => {
      for (const name of ["db-host", "DB_HOST", "x.y", "X_Y"]) aws.parameters.put(PATH + name, "old");
      assertFailed(await pull(aws), 65, /both give/);
      aws.resetCalls();
      assertFailed(await put(aws, "C=new\n"), 65, /DB_HOST and db-host both give DB_HOST/, /--replace/);
      assert.equal(aws.count("ssm", "PutParameter"), 0);
      const { status, stderr } = await put(aws, "DB_HOST=new\n", "--replace");
      assert.equal(status, 0, stderr);
      assert.deepEqual(names(aws), [`${PATH}DB_HOST`]);
      assertPrinted(await pull(aws), "DB_HOST=new\n");
    }));
});

test("push --replace leaves the one that is spelled as the variable, whichever is listed first", () =>
  withAws(async (aws) => {
    for (const name of ["DB-HOST", "DB_HOST", "api_key", "API_KEY"]) aws.parameters.put(PATH + name, "old");
    const options = { env: aws.env(), input: "DB_HOST=new\nAPI_KEY=new\n" };
    const pushed = await sealexec(["push", "-", URI, "--replace"], options);
    assert.equal(pushed.status, 0, pushed.stderr);
    const left = aws.parameters.below(PATH, true).map(({ name }) => name);
    assert.deepEqual(left.toSorted(), [`${PATH}API_KEY`, `${PATH}DB_HOST`]);
  }));

describe("where Systems Manager is asked", { concurrency: 2 }, () => {
  test("in the URI's region", () =>
    withAws(
      async (aws) => {
        aws.parameters.put(`${PATH}a`, "ireland", { region: "eu-west-1" });
        assertPrinted(await sealexec(["pull", `${URI}?region=eu-west-1`], { env: aws.env() }), "A=ireland\n");
        assertFailed(await sealexec(["pull", URI], { env: aws.env() }), 66, /no parameters below/);
      },
      { regions: ["eu-west-1"] },
    ));

  test("nowhere where there is no endpoint", () =>
    withAws(async (aws) => {
      const { AWS_ENDPOINT_URL_SSM: _, ...services } = aws.keyEnv();
      const env = { ...services, AWS_USE_DUALSTACK_ENDPOINT: "true" };
      const outcome = await sealexec(["pull", URI], { env });
      assertFailed(outcome, 78, /ssm in us-east-1 is not supported yet/, /AWS_ENDPOINT_URL_SSM/);
    }));
});

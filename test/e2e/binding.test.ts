/** What was sealed for another place, or for none, starts nothing where it is put (docs/envelope.md, "The binding"). */
import assert from "node:assert/strict";
import { copyFile, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { parseSealedText, printSealedText } from "../../src/stores/sealed-file/text.ts";
import type { Aws } from "../aws/server.ts";
import { assertFailed, assertPrinted, RAN, SAY, withFolder } from "./expect.ts";
import { ARTEFACTS, BUCKET, KEY, push, sealexec, withAws } from "./harness.ts";
import type { Outcome } from "./harness.ts";
import { sealedWithoutContext, stranger } from "./strangers.ts";
import type { StrangersFormat } from "./strangers.ts";

const PROD = `s3://${BUCKET}/prod.env`;
const TEXT = "TOKEN=canary-5fe2\n";
const NOT_BOUND = /^context: \S+: not bound to its place/;
const WAY_OUT = /push.*--accept unbound/;
const ENV = { AWS_EC2_METADATA_DISABLED: "true" };

/** Puts at prod.env what is whole and genuine, but was never sealed for that place. */
function putAtProd(
  aws: Aws,
  { metadata, body }: { metadata: Readonly<Record<string, string>>; body: Uint8Array },
): void {
  aws.s3.put(BUCKET, "prod.env", Buffer.from(body), metadata);
}

function start(aws: Aws, flags: readonly string[] = [], uri = PROD, cwd?: string): Promise<Outcome> {
  const args = ["run", "--from", uri, ...flags, "--", ...SAY];
  return sealexec(args, { env: aws.env(), ...(cwd === undefined ? {} : { cwd }) });
}

/** A sealed file, made by push in `cwd`. */
async function sealFile(
  cwd: string,
  key: string,
  env: Readonly<Record<string, string>>,
  uri = "file:a.sealed",
) {
  const pushed = await sealexec(["push", "-", uri, "--key", key, "--replace"], { env, cwd, input: TEXT });
  assert.equal(pushed.status, 0, pushed.stderr);
  return parseSealedText(await readFile(join(cwd, "a.sealed"), "latin1"));
}

test("a sealed file under the same key, put into S3, starts nothing, whatever is accepted", () =>
  withFolder((cwd) =>
    withAws(async (aws) => {
      putAtProd(aws, await sealFile(cwd, KEY, aws.env()));
      for (const flags of [[], ["--accept", "unbound"]]) {
        assertFailed(
          await start(aws, flags),
          65,
          /^context: \S+: sealed for "file:a\.sealed", not for this object/,
        );
      }
    }),
  ));

test("a sealed file under a local key, put into S3, starts nothing with that key", () =>
  withFolder((cwd) =>
    withAws(async (aws) => {
      await sealexec(["keygen", "key"], { env: ENV, cwd });
      putAtProd(aws, await sealFile(cwd, "local:key", ENV));
      for (const flags of [[], ["--accept", "unbound"]]) {
        const outcome = await start(aws, [...flags, "--key", "local:key"], PROD, cwd);
        assertFailed(outcome, 65, /^context: \S+: sealed for "file:a\.sealed", not for this object/);
      }
    }),
  ));

test("an object of push --no-bind starts nothing, until it is accepted", () =>
  withAws(async (aws) => {
    for (const format of ["v3", "v2"]) {
      await push(aws, "staging.env", TEXT, ["--no-bind", "--format", format]);
      const object = aws.s3.get(BUCKET, "staging.env");
      assert.ok(object !== undefined);
      putAtProd(aws, object);
      const accept = format === "v2" ? "v2" : "instruction-file";
      assertFailed(await start(aws, ["--accept", accept]), 65, NOT_BOUND, WAY_OUT);
      assertPrinted(await start(aws, ["--accept", `${accept},unbound`]), `${RAN}\n`);
    }
  }));

test("another client's object starts nothing, until it is accepted: by flag, variable, or in the URI", () =>
  withAws(async (aws) => {
    putAtProd(aws, stranger(aws, "v3", TEXT, { stage: "prod" }));
    assertFailed(await start(aws), 65, NOT_BOUND, WAY_OUT);
    assertFailed(await start(aws, ["--context", "stage=prod"]), 65, NOT_BOUND, WAY_OUT);
    assertPrinted(await start(aws, ["--accept", "unbound"]), `${RAN}\n`);
    assertPrinted(await start(aws, [], `${PROD}?accept=unbound`), `${RAN}\n`);
    const env = { ...aws.env(), SEALEXEC_ACCEPT: "unbound" };
    assertPrinted(await sealexec(["run", "--from", PROD, "--", ...SAY], { env }), `${RAN}\n`);
    putAtProd(aws, stranger(aws, "v2", TEXT));
    assertFailed(await start(aws, ["--accept", "v2"]), 65, NOT_BOUND, WAY_OUT);
    assertPrinted(await start(aws, [], `${PROD}?accept=v2,unbound`), `${RAN}\n`);
    // What a URI accepts comes to what is accepted of all.
    assertPrinted(await start(aws, ["--accept", "v2"], `${PROD}?accept=unbound`), `${RAN}\n`);
    assertPrinted(await start(aws, ["--accept", "unbound"], `${PROD}?accept=v2`), `${RAN}\n`);
  }));

test("an instruction file is read in its own newest version, whichever of the object is named", () =>
  withAws(async (aws) => {
    const { metadata, body } = stranger(aws, "v3", TEXT);
    const parts = Object.entries(metadata);
    const isInFile = ([part]: readonly [string, string]): boolean =>
      ["x-amz-3", "x-amz-w", "x-amz-t"].includes(part);
    aws.s3.put(BUCKET, "prod.env", body, Object.fromEntries(parts.filter((part) => !isInFile(part))));
    const file = JSON.stringify(Object.fromEntries(parts.filter(isInFile)));
    aws.s3.put(BUCKET, "prod.env.instruction", Buffer.from(file), {});
    const pinned = `${PROD}?versionId=${aws.s3.get(BUCKET, "prod.env")?.versionId}`;
    aws.s3.put(BUCKET, "prod.env", "another");
    assertPrinted(await start(aws, ["--accept", "instruction-file,unbound"], pinned), `${RAN}\n`);
  }));

test("an instruction file binds no more than metadata does", () =>
  withAws(async (aws) => {
    const { metadata, body } = stranger(aws, "v3", TEXT);
    const inFile = ["x-amz-3", "x-amz-w", "x-amz-t"];
    const parts = Object.entries(metadata);
    putAtProd(aws, { metadata: Object.fromEntries(parts.filter(([name]) => !inFile.includes(name))), body });
    const file = JSON.stringify(Object.fromEntries(parts.filter(([name]) => inFile.includes(name))));
    aws.s3.put(BUCKET, "prod.env.instruction", Buffer.from(file), {});
    assertFailed(await start(aws, ["--accept", "instruction-file"]), 65, NOT_BOUND, WAY_OUT);
    assertPrinted(await start(aws, ["--accept", "instruction-file,unbound"]), `${RAN}\n`);
  }));

test("the oldest formats have no binding: accepting one of them accepts that, for this format and no other", () =>
  withAws(async (aws) => {
    const formats: readonly StrangersFormat[] = ["kms-gcm", "kms-cbc", "kms-direct"];
    for (const format of formats) {
      putAtProd(aws, stranger(aws, format, TEXT));
      assertPrinted(await start(aws, ["--accept", format]), `${RAN}\n`);
      putAtProd(aws, stranger(aws, "v3", TEXT));
      assertFailed(await start(aws, ["--accept", format]), 65, NOT_BOUND, WAY_OUT);
    }
  }));

test("--accept unbound is for one sealed source; with more, each says it in its own URI", () =>
  withAws(async (aws) => {
    const base = await push(aws, "base.env", "BASE=1\n");
    putAtProd(aws, stranger(aws, "v3", TEXT));
    const two = (prod: string, flags: readonly string[] = []): Promise<Outcome> =>
      start(aws, ["--from", base, ...flags], prod);
    assertFailed(
      await two(PROD, ["--accept", "unbound"]),
      64,
      /more than one sealed source/,
      /\?accept=unbound/,
    );
    assertPrinted(await two(`${PROD}?accept=unbound`), `${RAN}\n`);
    putAtProd(aws, stranger(aws, "v3", TEXT));
    aws.s3.put(
      BUCKET,
      "base.env",
      Buffer.from(stranger(aws, "v3", TEXT).body),
      stranger(aws, "v3", TEXT).metadata,
    );
    assertFailed(await two(`${PROD}?accept=unbound`), 65, /base\.env: not bound/, WAY_OUT);
    // What is not sealed does not count.
    await withFolder(async (cwd) => {
      await writeFile(join(cwd, "plain.env"), "PLAIN=1\n");
      const flags = ["--from", `env-file:${join(cwd, "plain.env")}`, "--accept", "unbound"];
      assertPrinted(await start(aws, flags), `${RAN}\n`);
    });
  }));

test("check says that an object is not bound, and the way out; accepted, it says so and passes", () =>
  withAws(async (aws) => {
    putAtProd(aws, stranger(aws, "v3", TEXT));
    const env = aws.env();
    const refused = await sealexec(["check", "--from", PROD], { env });
    assert.equal(refused.status, 65);
    assert.match(refused.stdout, /✗ context .*not bound to its place.*\n.*hint: .*--accept unbound/);
    const accepted = await sealexec(["check", "--from", PROD, "--accept", "unbound"], { env });
    assert.equal(accepted.status, 0, accepted.stdout);
    assert.match(accepted.stdout, /context .*not bound/);
    assert.match(accepted.stderr, /warning: .*not bound[^\n]*\n[^\n]*hint: [^\n]*push/);
    const strict = ["check", "--from", PROD, "--accept", "unbound", "--strict"];
    assert.equal((await sealexec(strict, { env })).status, 65);
    const bound = await push(aws, "bound.env", TEXT);
    const clean = await sealexec(["check", "--from", bound], { env });
    assert.equal(clean.status, 0, clean.stdout);
    assert.doesNotMatch(clean.stdout + clean.stderr, /not bound/);
  }));

for (const artefact of ARTEFACTS) {
  test(`${artefact.name}: a sealed file is bound to its name, which goes where the file goes or into its URI`, () =>
    withFolder(async (cwd) => {
      const options = { env: ENV, cwd, artefact };
      await sealexec(["keygen", "key"], options);
      await sealFile(cwd, "local:key", ENV);
      const from = (uri: string, flags: readonly string[] = []): Promise<Outcome> =>
        sealexec(["run", "--from", uri, "--key", "local:key", ...flags, "--", ...SAY], options);
      assertPrinted(await from("file:a.sealed"), `${RAN}\n`);
      await copyFile(join(cwd, "a.sealed"), join(cwd, "prod.sealed"));
      assertFailed(await from("file:prod.sealed"), 65, /sealed for "file:a\.sealed"/, /\?name=/);
      assertFailed(
        await from("file:prod.sealed", ["--accept", "unbound"]),
        65,
        /sealed for "file:a\.sealed"/,
      );
      assertPrinted(await from("file:prod.sealed?name=a.sealed"), `${RAN}\n`);
      assertFailed(await from("file:a.sealed?name=prod"), 65, /sealed for "file:a\.sealed"/);
      await sealFile(cwd, "local:key", ENV, "file:a.sealed?name=prod");
      assertFailed(await from("file:a.sealed"), 65, /sealed for "file:prod"/);
      assertPrinted(await from("file:a.sealed?name=prod"), `${RAN}\n`);
    }));
}

test("the context of a sealed file under a local key is authenticated, and can be asked for", () =>
  withFolder(async (cwd) => {
    const options = { env: ENV, cwd };
    await sealexec(["keygen", "key"], options);
    const flags = ["--key", "local:key", "--context", "stage=prod"];
    const pushed = await sealexec(["push", "-", "file:a.sealed", ...flags], { ...options, input: TEXT });
    assert.equal(pushed.status, 0, pushed.stderr);
    const from = (words: readonly string[]): Promise<Outcome> =>
      sealexec(["run", "--from", "file:a.sealed", ...words, "--", ...SAY], options);
    assertPrinted(await from(flags), `${RAN}\n`);
    assertPrinted(await from(["--key", "local:key"]), `${RAN}\n`);
    const dev = await from(["--key", "local:key", "--context", "stage=dev"]);
    assertFailed(dev, 65, /encryption context does not match: "stage" differs/);
    const file = join(cwd, "a.sealed");
    const sealed = parseSealedText(await readFile(file, "latin1"));
    const written = sealed.metadata["x-amz-m"] ?? "";
    assert.match(written, /"sealexec:object":"file:a\.sealed"/);
    for (const forged of [
      written.replace("prod", "dev"),
      written.replace('"stage":"prod"', '"stage":"prod","more":"x"'),
      written.replace(/,?"stage":"prod"/, ""),
    ]) {
      await writeFile(
        file,
        printSealedText({ ...sealed, metadata: { ...sealed.metadata, "x-amz-m": forged } }),
      );
      assertFailed(await from(["--key", "local:key"]), 65, /the data key does not open/);
    }
    const { "x-amz-m": _, ...stripped } = sealed.metadata;
    await writeFile(file, printSealedText({ ...sealed, metadata: stripped }));
    assertFailed(await from(["--key", "local:key", "--accept", "unbound"]), 65, /the data key does not open/);
  }));

test("a wrap that authenticates no context, as raw AES keys have it elsewhere, is not bound", () =>
  withFolder(async (cwd) => {
    const options = { env: ENV, cwd };
    await sealexec(["keygen", "key"], options);
    const localKey = Buffer.from(await readFile(join(cwd, "key"), "latin1"), "base64");
    await writeFile(join(cwd, "a.sealed"), printSealedText(sealedWithoutContext(localKey, TEXT)));
    const from = (uri: string, flags: readonly string[] = []): Promise<Outcome> =>
      sealexec(["run", "--from", uri, "--key", "local:key", ...flags, "--", ...SAY], options);
    assertFailed(await from("file:a.sealed"), 65, NOT_BOUND, WAY_OUT);
    assertPrinted(await from("file:a.sealed", ["--accept", "unbound"]), `${RAN}\n`);
    await rename(join(cwd, "a.sealed"), join(cwd, "b.sealed"));
    assertPrinted(await from("file:b.sealed?accept=unbound"), `${RAN}\n`);
  }));

test("a context for one source, in its URI, takes the place of --context for that one", () =>
  withAws(async (aws) => {
    const one = await push(aws, "one.env", "ONE=1\n", ["--context", "team=web,stage=prod".replace(",", "-")]);
    const two = await push(aws, "two.env", "TWO=2\n", ["--context", "team=api"]);
    const run = (first: string, second: string, flags: readonly string[] = []): Promise<Outcome> =>
      start(aws, ["--from", second, ...flags], first);
    assertPrinted(await run(`${one}?context=team=web-stage=prod`, `${two}?context=team=api`), `${RAN}\n`);
    assertPrinted(
      await run(`${one}?context=team=web-stage=prod`, two, ["--context", "team=api"]),
      `${RAN}\n`,
    );
    assertFailed(
      await run(one, `${two}?context=team=web`),
      65,
      /two\.env: encryption context does not match/,
    );
    assertFailed(await run(one, `${two}?context=team`), 64, /context/);
    assertFailed(await run(one, `${two}?accept=v9`), 64, /accept.*v9/);
  }));

test("what push sealed as one format is not read as another, and the hint has the right URI", () =>
  withAws(async (aws) => {
    const json = `${PROD}?format=json`;
    const env = aws.env();
    const sealed = await sealexec(["push", "-", json, "--key", KEY], { env, input: '{"TOKEN":"canary"}' });
    assert.equal(sealed.status, 0, sealed.stderr);
    assertPrinted(await start(aws, [], json), `${RAN}\n`);
    const right = /^its URI is s3:\/\/app-secrets\/prod\.env\?format=json$/;
    for (const uri of [PROD, `${PROD}?format=yaml`]) {
      assertFailed(
        await start(aws, [], uri),
        65,
        /^context: \S+: sealed as json, and not to be read as/,
        right,
      );
      assertFailed(await sealexec(["pull", uri], { env }), 65, /sealed as json/, right);
    }
    const { versionId } = aws.s3.get(BUCKET, "prod.env") ?? {};
    const version = `${PROD}?versionId=${versionId}`;
    assertFailed(
      await start(aws, [], version),
      65,
      /sealed as json/,
      /its URI is \S+\?versionId=[^&]+&format=json$/,
    );
    await push(aws, "prod.env", TEXT);
    assert.doesNotMatch(JSON.stringify(aws.s3.get(BUCKET, "prod.env")?.metadata), /sealexec:format/);
    assertFailed(
      await start(aws, [], json),
      65,
      /sealed as dotenv/,
      /^its URI is s3:\/\/app-secrets\/prod\.env$/,
    );
    // Other clients do not say what theirs is.
    putAtProd(aws, stranger(aws, "v3", '{"TOKEN":"canary"}'));
    assertPrinted(await start(aws, [], `${json}&accept=unbound`), `${RAN}\n`);
    await withFolder(async (cwd) => {
      const options = { env: ENV, cwd, input: '{"TOKEN":"canary"}' };
      await sealexec(["keygen", "key"], { env: ENV, cwd });
      const pushed = await sealexec(["push", "-", "file:a?format=json", "--key", "local:key"], options);
      assert.equal(pushed.status, 0, pushed.stderr);
      const run = ["run", "--from", "file:a", "--key", "local:key", "--", ...SAY];
      assertFailed(
        await sealexec(run, { env: ENV, cwd }),
        65,
        /sealed as json/,
        /^its URI is file:a\?format=json$/,
      );
    });
  }));

/** One suite that every store passes, through the built binary and the npm package. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { assertFailed, assertPrinted } from "../e2e/expect.ts";
import { ARTEFACTS, sealexec } from "../e2e/harness.ts";
import type { Artefact } from "../e2e/harness.ts";
import { SECRETS_MANAGER, SSM } from "./stores/aws-stores.ts";
import type { Place, StoreFixture } from "./stores/fixture.ts";
import { DIR, ENV_FILE, JSON_FILE } from "./stores/mounted.ts";
import { S3 } from "./stores/s3.ts";
import { SEALED_FILE } from "./stores/sealed-file.ts";
import { VAULT } from "./stores/vault.ts";

const STORES: readonly StoreFixture[] = [
  S3,
  SEALED_FILE,
  SECRETS_MANAGER,
  SSM,
  ...VAULT,
  ENV_FILE,
  DIR,
  JSON_FILE,
];

const CANARY = "canary-6d0b41";
const VARIABLES: Readonly<Record<string, string>> = {
  TOKEN: CANARY,
  UNICODE: "pässwörd ✓ 𝒳",
  ODD: ` $HOME \`id\` "quoted" #not a comment `,
  LINES: "first\nsecond\n\nfourth",
  EMPTY: "",
};

const print = (...names: string[]): string[] => [
  "sh",
  "-c",
  names.map((name) => `printf '%s|' "$${name}"`).join(";"),
];

async function run(
  place: Place,
  uri: string,
  artefact: Artefact,
  { command = print(...Object.keys(VARIABLES)), flags = [] as readonly string[] } = {},
) {
  const args = ["run", "-v", "--from", uri, ...place.flags, ...flags, "--", ...command];
  const outcome = await sealexec(args, { env: place.env, artefact });
  assert.ok(!outcome.stderr.includes(CANARY), "a value on standard error");
  return outcome;
}

for (const store of STORES) {
  for (const artefact of ARTEFACTS) {
    describe(`${store.name}, ${artefact.name}`, { concurrency: 3 }, () => {
      test("CMD gets the variables, byte for byte", () =>
        store.prepare(async (place) => {
          const { stderr, ...outcome } = await run(place, await place.seed(VARIABLES), artefact);
          const stdout = Object.values(VARIABLES)
            .map((value) => `${value}|`)
            .join("");
          assert.deepEqual(outcome, { status: 0, signal: null, stdout }, stderr);
        }));

      test("pull prints them, and check finds them", () =>
        store.prepare(async (place) => {
          const uri = await place.seed({ TOKEN: CANARY });
          const options = { env: place.env, artefact };
          assert.match((await sealexec(["pull", uri, ...place.flags], options)).stdout, new RegExp(CANARY));
          const report = await sealexec(
            ["check", "--from", uri, ...place.flags, "--require", "TOKEN"],
            options,
          );
          assert.equal(report.status, 0, report.stdout + report.stderr);
          assert.ok(!(report.stdout + report.stderr).includes(CANARY));
        }));

      test("what is not there is missing, and named", () =>
        store.prepare(async (place) => {
          await place.seed({ TOKEN: CANARY });
          const outcome = await run(place, place.missing, artefact);
          assert.equal(outcome.status, 66, outcome.stderr);
          assert.ok(outcome.stderr.includes(`error: object: ${place.missing}: no `), outcome.stderr);
          assert.match(outcome.stderr, /\nsealexec: hint: \S/);
        }));

      test("without variables CMD runs, and a warning says so", { skip: store.lacks?.empty ?? false }, () =>
        store.prepare(async (place) => {
          const uri = await place.seed({});
          const { status, stdout, stderr } = await run(place, uri, artefact, { command: ["echo", "ran"] });
          assert.deepEqual([status, stdout], [0, "ran\n"], stderr);
          assert.ok(stderr.includes(`sealexec: warning: ${uri}: no variables in it\n`), stderr);
          const required = await run(place, uri, artefact, { flags: ["--require", "TOKEN"] });
          assert.equal(required.status, 65, required.stderr);
        }),
      );

      test("what is damaged is refused, and CMD is not run", { skip: store.lacks?.malform ?? false }, () =>
        store.prepare(async (place) => {
          assert.ok(place.malform !== undefined);
          const uri = await place.seed({ TOKEN: CANARY });
          await place.malform();
          const outcome = await run(place, uri, artefact, { command: ["echo", "ran"] });
          assert.deepEqual([outcome.status, outcome.stdout], [65, ""], outcome.stderr);
          assert.ok(outcome.stderr.includes(uri), outcome.stderr);
        }),
      );

      test("what is far too large is refused", { skip: store.lacks?.enlarge ?? false }, () =>
        store.prepare(async (place) => {
          assert.ok(place.enlarge !== undefined);
          const uri = await place.seed({ TOKEN: CANARY });
          await place.enlarge();
          const outcome = await run(place, uri, artefact, { command: ["echo", "ran"] });
          assert.deepEqual([outcome.status, outcome.stdout], [65, ""], outcome.stderr);
        }),
      );

      test("who may not read it is told so", { skip: store.lacks?.deny ?? false }, () =>
        store.prepare(async (place) => {
          assert.ok(place.deny !== undefined);
          const uri = await place.seed({ TOKEN: CANARY });
          const { status, error } = await place.deny();
          const outcome = await run(place, uri, artefact);
          assert.equal(outcome.status, status, outcome.stderr);
          assert.match(outcome.stderr, error);
          assert.match(outcome.stderr, /\nsealexec: hint: \S/);
        }),
      );

      test("silence ends with the deadline", { skip: store.lacks?.hang ?? false }, () =>
        store.prepare(async (place) => {
          assert.ok(place.hang !== undefined);
          const uri = await place.seed({ TOKEN: CANARY });
          place.hang();
          const outcome = await run(place, uri, artefact, { flags: ["--timeout", "3"] });
          assert.equal(outcome.status, 75, outcome.stderr);
        }),
      );

      test("an answer that was cut is asked for again", { skip: store.lacks?.cutOnce ?? false }, () =>
        store.prepare(async (place) => {
          assert.ok(place.cutOnce !== undefined);
          const uri = await place.seed({ TOKEN: CANARY });
          place.cutOnce();
          const { status, stdout, stderr } = await run(place, uri, artefact, { command: print("TOKEN") });
          assert.deepEqual([status, stdout], [0, `${CANARY}|`], stderr);
        }),
      );

      test("a required name that is not there is missed", () =>
        store.prepare(async (place) => {
          const uri = await place.seed({ TOKEN: CANARY });
          const outcome = await run(place, uri, artefact, { flags: ["--require", "ABSENT"] });
          assert.equal(outcome.status, 65, outcome.stderr);
          assert.match(outcome.stderr, /missing or empty: ABSENT/);
        }));

      test("--explain names the source, and no value", () =>
        store.prepare(async (place) => {
          const uri = await place.seed({ TOKEN: CANARY });
          const outcome = await run(place, uri, artefact, { flags: ["--explain"], command: ["true"] });
          assert.equal(outcome.status, 0, outcome.stderr);
          assert.ok(outcome.stderr.includes(`explain: TOKEN: from ${uri}`), outcome.stderr);
        }));
    });
  }

  test(
    `${store.name}: push --create where there is something is a conflict, and loses nothing`,
    { skip: store.lacks?.pushFlags ?? false },
    () =>
      store.prepare(async (place) => {
        assert.ok(place.pushFlags !== undefined);
        const uri = await place.seed({ TOKEN: CANARY });
        const options = { env: place.env, input: "TOKEN=other\n" };
        const outcome = await sealexec(["push", "-", uri, ...place.pushFlags, "--create"], options);
        assertFailed(outcome, 80, /there is an? \w+ already .*: this push would change TOKEN$/, /pull/);
        const pulled = await sealexec(["pull", uri, ...place.flags], { env: place.env });
        assert.match(pulled.stdout, new RegExp(CANARY));
      }),
  );

  test(`${store.name}: what push writes, pull reads`, { skip: store.lacks?.pushFlags ?? false }, () =>
    store.prepare(async (place) => {
      assert.ok(place.pushFlags !== undefined);
      const uri = await place.seed({ TOKEN: CANARY });
      const pushed = await sealexec(["push", "-", uri, ...place.pushFlags, "--replace"], {
        env: place.env,
        input: "TOKEN=other\n",
      });
      assert.equal(pushed.status, 0, pushed.stderr);
      assertPrinted(
        await sealexec(["run", "--from", uri, ...place.flags, "--", "printenv", "TOKEN"], { env: place.env }),
        "other\n",
      );
    }),
  );
}

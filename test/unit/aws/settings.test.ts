/** Settings of AWS that are on or off, and where its shared files are. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { isTrue, parseFlag } from "../../../src/aws/settings.ts";
import { LARGEST_SHARED_BYTES, hasSharedFiles, sharedFile } from "../../../src/aws/settings.ts";
import { withFolder } from "../../e2e/expect.ts";
import { refuses } from "../refuses.ts";

describe("a setting that is on or off", () => {
  for (const [value, wanted] of [
    [undefined, undefined],
    ["", undefined],
    ["true", true],
    ["TRUE", true],
    ["True", true],
    ["false", false],
    ["FALSE", false],
  ] as const) {
    test(`${JSON.stringify(value)} is ${wanted}`, () => {
      assert.equal(parseFlag("NAME", value), wanted);
      assert.equal(isTrue({ NAME: value, OTHER: "true" }, "NAME"), wanted === true);
    });
  }
  for (const value of ["1", "0", "yes", "no", "on", " true", "true\n", "truefalse"]) {
    test(`${JSON.stringify(value)} is neither`, () => {
      const { hint } = refuses(() => parseFlag("NAME", value), "config", /^NAME is neither true nor false$/);
      assert.equal(hint, "set it to one of them");
      refuses(() => isTrue({ NAME: value }, "NAME"), "config");
    });
  }
});

describe("shared files", () => {
  test("are where their variables say, else below the home", () => {
    const env = { HOME: "/home/a", AWS_CONFIG_FILE: "/c", AWS_SHARED_CREDENTIALS_FILE: "/s" };
    assert.deepEqual([sharedFile(env, "config"), sharedFile(env, "credentials")], ["/c", "/s"]);
    const empty = { HOME: "/home/a", AWS_CONFIG_FILE: "", AWS_SHARED_CREDENTIALS_FILE: "" };
    for (const home of [empty, { HOME: "/home/a" }])
      assert.deepEqual(
        [sharedFile(home, "config"), sharedFile(home, "credentials")],
        ["/home/a/.aws/config", "/home/a/.aws/credentials"],
      );
    assert.equal(sharedFile({}, "config"), join(homedir(), ".aws/config"));
  });

  test("are there where one of them is, and none is opened that would keep anybody waiting", () =>
    withFolder(async (folder) => {
      const home = { HOME: folder };
      assert.equal(hasSharedFiles(home), false);
      mkdirSync(join(folder, ".aws"));
      assert.equal(hasSharedFiles(home), false);
      for (const kind of ["config", "credentials"]) {
        const file = join(folder, ".aws", kind);
        writeFileSync(file, "");
        assert.equal(hasSharedFiles(home), true, kind);
        execFileSync("rm", [file]);
      }
      const pipe = join(folder, "pipe");
      execFileSync("mkfifo", [pipe]);
      for (const variable of ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"]) {
        assert.equal(hasSharedFiles({ ...home, [variable]: join(folder, "none") }), false);
        assert.equal(hasSharedFiles({ ...home, [variable]: "/dev/null" }), true);
        for (const [file, why] of [
          [pipe, "not a regular file"],
          [folder, "EISDIR"],
        ] as const) {
          const { message } = refuses(() => hasSharedFiles({ ...home, [variable]: file }), "config");
          assert.equal(message, `the shared file ${file} cannot be read (${why})`);
        }
      }
      // It is not said that there is none because the other one is there.
      const other = join(folder, "other");
      writeFileSync(other, "");
      for (const [first, second] of [
        [other, pipe],
        [pipe, other],
      ] as const)
        refuses(
          () => hasSharedFiles({ AWS_CONFIG_FILE: first, AWS_SHARED_CREDENTIALS_FILE: second }),
          "config",
        );
      const nobodys = join(folder, ".aws", "config");
      execFileSync("mkfifo", [nobodys]);
      refuses(() => hasSharedFiles(home), "config", /cannot be read/);
    }));

  test("are of 4 MiB at most", () =>
    withFolder(async (folder) => {
      const file = join(folder, "config");
      writeFileSync(file, "");
      truncateSync(file, LARGEST_SHARED_BYTES);
      assert.equal(LARGEST_SHARED_BYTES, 4 * 1024 * 1024);
      const env = { HOME: folder, AWS_CONFIG_FILE: file };
      assert.equal(hasSharedFiles(env), true);
      truncateSync(file, LARGEST_SHARED_BYTES + 1);
      refuses(() => hasSharedFiles(env), "config", /\(too large\)$/);
    }));
});

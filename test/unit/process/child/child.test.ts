import assert from "node:assert/strict";
import { describe, mock, test } from "node:test";
import { Child, startChild } from "../../../../src/process/child/child.ts";

/** In the place of sealexec's child: ends with 0 if it was told the value. */
const READER = `
  const plan = require("node:fs").readFileSync(Number(process.argv.at(-1)));
  process.exit(plan.includes("SECRET=canary\\0") ? 0 : 1);
`;

describe("what a child is to become", () => {
  test("is wiped when the child has been told", async () => {
    const concat = mock.method(Buffer, "concat");
    const program = { file: "/bin/true", args: [Buffer.from("true")], env: [Buffer.from("SECRET=canary")] };
    const child = startChild(
      { ...program, fileLimit: undefined },
      {
        self: [process.execPath, "-e", READER],
        env: {},
        fds: [],
        folder: undefined,
        streamFlags: [],
        ignored: [],
        ownGroup: false,
        libc: undefined,
      },
    );
    const [plan] = concat.mock.calls.flatMap(({ result }) => (result?.includes("canary") ? [result] : []));
    concat.mock.restore();
    assert.ok(plan !== undefined);
    assert.ok(child instanceof Child);
    assert.equal(await child.ended, 0);
    assert.deepEqual(plan, Buffer.alloc(plan.length));
  });
});

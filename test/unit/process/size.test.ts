import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { checkArgumentSize } from "../../../src/process/size.ts";
import { refuses } from "../refuses.ts";

const never = (): number => assert.fail("the limit is not needed");

describe("what execve takes", () => {
  test("a variable and an argument of 131,071 bytes, and none longer", () => {
    const longest = Buffer.alloc(131_071, "x");
    checkArgumentSize([longest], [], () => 6e6);
    checkArgumentSize([], [longest], () => 6e6);
    const more = Buffer.alloc(131_072, "x");
    refuses(
      () => checkArgumentSize([Buffer.from("sh"), more], [], () => 6e6),
      "cannot-execute",
      /argument 1 is 131072 /,
    );
    refuses(() => checkArgumentSize([], [more], () => 6e6), "cannot-execute", / is 131072 bytes/);
    const entry = Buffer.from(`BIG=${"canary".repeat(30_000)}`);
    const { message } = refuses(
      () => checkArgumentSize([], [entry], () => 6e6),
      "cannot-execute",
      /BIG is 180004 bytes/,
    );
    assert.doesNotMatch(message, /canary/);
  });
  test("all together up to the limit, which is asked for only where it could matter", () => {
    checkArgumentSize([Buffer.from("sh")], [Buffer.from("A=1")], never);
    const many = Array.from({ length: 20 }, (_, index) => Buffer.from(`N${index}=${"x".repeat(50_000)}`));
    checkArgumentSize([], many, () => 2_000_000);
    const largest = [...many, Buffer.from(`LARGEST=${"x".repeat(60_000)}`)];
    refuses(
      () => checkArgumentSize([], largest, () => 1_000_000),
      "cannot-execute",
      /LARGEST with 60008 bytes/,
    );
  });
  test("128 KiB are always taken, and no limit is asked for; one byte more is a question of it", () => {
    // 4,096 bytes are the kernel's; each string takes its NUL and a pointer.
    const filling = (bytes: number): Buffer[] => [
      Buffer.alloc(60_000, "a"),
      Buffer.alloc(bytes - 4_096 - 60_000 - 2 * 9, "b"),
    ];
    checkArgumentSize(filling(131_072), [], never);
    checkArgumentSize(filling(131_073), [], () => 131_073);
    const { message } = refuses(
      () => checkArgumentSize(filling(131_073), [], () => 131_072),
      "cannot-execute",
    );
    assert.equal(
      message,
      "command: arguments and environment are 131073 bytes together, and the system takes 131072",
    );
  });
  test("arguments and variables that fit alone and not together", () => {
    const half = Array.from({ length: 12 }, (_, index) => Buffer.from(`N${index}=${"x".repeat(50_000)}`));
    checkArgumentSize(half, [], () => 1_000_000);
    checkArgumentSize([], half, () => 1_000_000);
    const sum = 4_096 + 24 * (50_000 + 1 + 8) + 2 * (10 * "N0=".length + 2 * "N10=".length);
    checkArgumentSize(half, half, () => sum);
    refuses(() => checkArgumentSize(half, half, () => sum - 1), "cannot-execute", new RegExp(`${sum} bytes`));
  });
  test("a pointer is counted for each string", () => {
    const empty = Array.from({ length: 100_000 }, () => Buffer.alloc(0));
    refuses(() => checkArgumentSize([], empty, () => 500_000), "cannot-execute", /together/);
    checkArgumentSize([], empty, () => 1_000_000);
  });
});

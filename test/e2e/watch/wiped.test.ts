/** What the parent of `run --watch` keeps of the environment that it made for CMD: looked through as root can. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isRoot } from "../exec/programs.ts";
import { push, withAws } from "../harness.ts";
import { countInMemory } from "../memory.ts";
import { SELDOM, watching } from "./watching.ts";

/** As a .env it is written otherwise than CMD is given it: its entry is in no text, neither the file's nor a value. */
function variable(mark: string): { readonly text: string; readonly entry: Buffer } {
  const line = mark.repeat(80);
  return { text: `WIPED="${line}\\nend"\n`, entry: Buffer.from(`WIPED=${line}\nend`) };
}

test(
  "CMD's environment is wiped where it was made, of the start and of a change",
  { skip: isRoot ? false : "needs root" },
  () =>
    withAws(async (aws) => {
      const first = variable(`first-${process.pid}`);
      const second = variable(`second-${process.pid}`);
      const uri = await push(aws, "app.env", first.text);
      const options = {
        env: { ...aws.env(), MARK: `mark-${process.pid}` },
        flags: [...SELDOM, "--from", uri],
      };
      await watching(options, async ({ pid, lines, lookUntil, kill }) => {
        const copies = (): number[] => {
          kill("SIGSTOP");
          try {
            return countInMemory(pid, [Buffer.from(`MARK=mark-${process.pid}`), first.entry, second.entry]);
          } finally {
            kill("SIGCONT");
          }
        };
        const looked = async (): Promise<void> => {
          const before = aws.count("s3");
          await lookUntil(() => aws.count("s3") > before);
        };
        await looked();
        const [marks = 0, ...atStart] = copies();
        assert.ok(marks > 0, "its memory can be read");
        assert.deepEqual(atStart, [0, 0]);
        await push(aws, "app.env", second.text);
        await lookUntil(() => lines().length === 3);
        // The next look begins when all of this change is over.
        await looked();
        assert.deepEqual(copies().slice(1), [0, 0]);
      });
    }),
);

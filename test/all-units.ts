/**
 * All unit tests in one process, for `npm test`: a hundred processes would each load the same modules again, which takes half
 * of the time. `npm run test:unit` gives each file a process of its own.
 */
import { globSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./e2e/harness.ts";

for (const file of globSync("test/{unit,aws/unit}/**/*.test.ts", { cwd: ROOT }).toSorted()) {
  await import(join(ROOT, file));
}

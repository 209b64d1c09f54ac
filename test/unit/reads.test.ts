/** Which code may read a file by itself. A plain read of a FIFO or a device is deaf to the deadline and to signals. */
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Whatever opens a file for reading, on either runtime. */
const READ =
  /\b(?:readFile|readFileSync|readSync|readvSync|createReadStream|openSync|openAsBlob|ReadStream|copyFileSync|cpSync)\b|\bBun\.(?:file|mmap)\b|node:fs\/promises/;

const ALLOWED: Readonly<Record<string, string>> = {
  "src/base/files/read.ts": "the reader of files",
  "src/stores/mounted/read.ts":
    "the reader of what may be a pipe: it polls, so that deadline and signals are heard",
  "src/base/files/write.ts": "it makes the file that it opens (O_EXCL)",
  "src/process/limits.ts": "/proc/PID/limits",
  "src/process/image.ts": "/proc/self/environ and cmdline",
  "src/process/dumps.ts": "/proc/self/coredump_filter",
  "src/base/signals.ts": "/proc/self/status",
  "src/base/trace.ts": "/proc/self/stat and /proc/uptime",
  "src/process/code.ts": "/proc/self/maps",
  "src/process/here.ts":
    "/proc/self/stat and fdinfo; the working directory, held by O_PATH: nothing is read of it",
  "src/process/child/leftovers.ts": "/proc/thread-self/children",
  "src/process/child/become.ts": "the plan, from a socket that its parent writes to and closes",
};

test("no other code reads a file, and what is allowed is there", () => {
  const readers = new Set<string>();
  for (const folder of ["bin", "src"]) {
    for (const name of readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })) {
      if (!name.endsWith(".ts")) continue;
      const code = readFileSync(join(ROOT, folder, name), "utf8")
        .replace(/\/\*[^]*?\*\//g, "")
        .replace(/(^|\s)\/\/.*$/gm, "$1");
      if (code.search(READ) !== -1) readers.add(join(folder, name));
    }
  }
  assert.deepEqual([...readers].toSorted(), Object.keys(ALLOWED).toSorted());
});

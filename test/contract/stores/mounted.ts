/** What is mounted: a plain file, a folder, a JSON file. Whoever runs the tests as root can be denied nothing. */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { printDotenv } from "../../../src/text/dotenv/print.ts";
import { withFolder } from "../../e2e/expect.ts";
import type { Place, StoreFixture } from "./fixture.ts";
import { secretsOf } from "./secrets.ts";

const ENV = { AWS_EC2_METADATA_DISABLED: "true" };
const mode = 0o600;

function fixture(name: string, place: (folder: string) => Omit<Place, "env" | "flags">): StoreFixture {
  return {
    name,
    lacks: {
      deny: "whoever runs tests as root can be denied nothing",
      hang: "a file: a pipe that never ends is in test/e2e",
      cutOnce: "a file",
      pushFlags: "read-only",
    },
    prepare: (work) => withFolder((folder) => work({ env: ENV, flags: [], ...place(folder) })),
  };
}

export const ENV_FILE = fixture("env-file", (folder) => {
  const file = join(folder, "app.env");
  return {
    seed: async (variables) => {
      await writeFile(file, printDotenv(secretsOf(variables)), { mode });
      return `env-file:${file}`;
    },
    missing: `env-file:${join(folder, "nothing")}`,
    malform: () => writeFile(file, "TOKEN canary-6d0b41\n", { mode }),
    enlarge: () => writeFile(file, `A='${"a".repeat(5 * 1024 * 1024)}'\n`, { mode }),
  };
});

export const DIR = fixture("dir", (folder) => {
  const mounted = join(folder, "secrets");
  return {
    seed: async (variables) => {
      await rm(mounted, { recursive: true, force: true });
      await mkdir(mounted);
      for (const [name, value] of Object.entries(variables)) {
        await writeFile(join(mounted, name), `${value}\n`, { mode });
      }
      return `dir:${mounted}`;
    },
    missing: `dir:${join(folder, "nothing")}`,
    malform: () => writeFile(join(mounted, "TOKEN"), Buffer.from([0xff, 0xfe, 0x00]), { mode }),
    enlarge: () => writeFile(join(mounted, "TOKEN"), "a".repeat(200_000), { mode }),
  };
});

export const JSON_FILE = fixture("json-file", (folder) => {
  const file = join(folder, "app.json");
  return {
    seed: async (variables) => {
      await writeFile(file, JSON.stringify(variables), { mode });
      return `json-file:${file}`;
    },
    missing: `json-file:${join(folder, "nothing")}`,
    malform: () => writeFile(file, '{"TOKEN": "canary-6d0b41', { mode }),
    enlarge: () => writeFile(file, JSON.stringify({ A: "a".repeat(5 * 1024 * 1024) }), { mode }),
  };
});

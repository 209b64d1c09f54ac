import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { generateLocalDataKey, seal, writerContext } from "../../../src/envelope/index.ts";
import { printDotenv } from "../../../src/text/dotenv/print.ts";
import { printSealedText } from "../../../src/stores/sealed-file/text.ts";
import { withFolder } from "../../e2e/expect.ts";
import type { StoreFixture } from "./fixture.ts";
import { secretsOf } from "./secrets.ts";

/** Sealed files under a local key; those under KMS are in test/e2e/sealed-file.test.ts. */
export const SEALED_FILE: StoreFixture = {
  name: "file",
  lacks: { deny: "whoever runs tests as root can be denied nothing", hang: "a file", cutOnce: "a file" },
  prepare: (work) =>
    withFolder(async (folder) => {
      const key = join(folder, "key");
      const localKey = Buffer.alloc(32, 9);
      await writeFile(key, `${localKey.toString("base64")}\n`, { mode: 0o600 });
      const file = join(folder, "app.env.sealed");
      await work({
        env: { AWS_EC2_METADATA_DISABLED: "true" },
        flags: ["--key", `local:${key}`],
        pushFlags: ["--key", `local:${key}`],
        seed: async (variables) => {
          const plaintext = Buffer.from(printDotenv(secretsOf(variables)));
          const encryptionContext = writerContext("v3", {}, "file:app.env.sealed");
          const keys = generateLocalDataKey(localKey, encryptionContext);
          const sealed = seal("v3", { plaintext, ...keys, wrap: "local", encryptionContext });
          await writeFile(file, printSealedText(sealed));
          return `file:${file}`;
        },
        missing: `file:${join(folder, "nothing")}`,
        malform: async () => {
          const text = await readFile(file, "utf8");
          const at = text.indexOf("\n\n") + 5;
          await writeFile(file, text.slice(0, at) + (text[at] === "A" ? "B" : "A") + text.slice(at + 1));
        },
        enlarge: () => writeFile(file, "A".repeat(8 * 1024 * 1024)),
      });
    }),
};

/** Loaded before the tests: one source has another text than its file. */
import { readFileSync } from "node:fs";
import { registerHooks, stripTypeScriptTypes } from "node:module";

const { MUTANT_URL, MUTANT_FILE } = process.env;

if (MUTANT_URL !== undefined && MUTANT_FILE !== undefined) {
  registerHooks({
    load: (url, context, next) =>
      url === MUTANT_URL
        ? {
            format: "module",
            shortCircuit: true,
            source: stripTypeScriptTypes(readFileSync(MUTANT_FILE, "utf8")),
          }
        : next(url, context),
  });
}

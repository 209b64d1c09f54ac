/**
 * Builds the artefacts into dist/, under Bun (`npm run build`):
 *   sealexec        one compiled binary for this platform, or for --target TARGET (bun-linux-arm64, bun-linux-x64-musl, …)
 *   sealexec*.cjs   CommonJS for Node ≥ 22.15 (the npm package): sealexec.cjs, and beside it what a start does not need
 */
import { chmodSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { parseArgs } from "node:util";

interface BuildPlugin {
  onResolve(
    filter: { filter: RegExp },
    resolve: (found: { path: string; importer: string }) => { path: string; namespace: string } | undefined,
  ): void;
  onLoad(
    filter: { filter: RegExp; namespace?: string },
    load: (file: { path: string }) => { contents: string; loader: string } | undefined,
  ): void;
}

interface BuildApi {
  build(options: Record<string, unknown>): Promise<{
    success: boolean;
    logs: unknown[];
    outputs: { path: string; text(): Promise<string> }[];
  }>;
}

const { values } = parseArgs({
  options: { target: { type: "string" }, outfile: { type: "string" }, only: { type: "string" } },
});

const bun = (globalThis as unknown as { Bun: BuildApi }).Bun;

// The SDK's packages offer CommonJS to Node before ES modules; only the latter can be cut down to what is used.
const CONDITIONS = ["module"];

// A bundled dynamic import of a builtin costs about 10 ms at start: make it a static one.
const staticBuiltins = {
  name: "static builtins",
  setup(build: BuildPlugin): void {
    build.onLoad({ filter: /node_modules\/@(aws-sdk|smithy)\/.*\.js$/ }, ({ path }) => {
      const source = readFileSync(path, "utf8");
      const names = [
        ...new Set([...source.matchAll(/await import\("(node:[a-z/]+)"\)/g)].map((match) => match[1] ?? "")),
      ];
      if (names.length === 0) return undefined;
      const local = (name: string): string => `__static_${name.replace(/\W/g, "_")}`;
      const imports = names.map((name) => `import * as ${local(name)} from "${name}";\n`).join("");
      const contents = names.reduce(
        (text, name) => text.replaceAll(`await import("${name}")`, local(name)),
        source,
      );
      return { contents: imports + contents, loader: "js" };
    });
  },
};

// What lies in the first file is read whole at each start (bench/README.md). In the binary every dynamic import is a chunk
// of its own. The npm package is CommonJS, which Bun does not split: there, the large libraries that a start does not
// need are files of their own beside the first. Nothing of ours may be in them, as it would be there twice.
const APART: Readonly<Record<string, string>> = {
  "src/aws/sdk.ts": "sealexec-sdk.cjs",
  "src/cli/commander.ts": "sealexec-commander.cjs",
  "src/exec/execa.ts": "sealexec-execa.cjs",
};

const filesApart = {
  name: "files apart",
  setup(build: BuildPlugin): void {
    build.onResolve({ filter: /\/(sdk|commander|execa)\.ts$/ }, ({ path, importer }) => {
      // An entry point has no importer.
      const file = Object.keys(APART).find(
        (name) => importer !== "" && resolve(dirname(importer), path) === realpathSync(name),
      );
      return file === undefined ? undefined : { path: `./${APART[file] ?? ""}`, namespace: "apart" };
    });
    build.onLoad({ filter: /./, namespace: "apart" }, ({ path }) => ({
      // Not a literal: the bundler would look for it.
      contents: `module.exports = require([${JSON.stringify(path)}].join());`,
      loader: "js",
    }));
  },
};

function check(result: { success: boolean; logs: unknown[] }): void {
  if (result.success) return;
  for (const log of result.logs) process.stderr.write(`${String(log)}\n`);
  process.exit(1);
}

async function buildBinary(): Promise<void> {
  const outfile = values.outfile ?? "dist/sealexec";
  check(
    await bun.build({
      entrypoints: ["bin/sealexec.ts"],
      target: "bun",
      conditions: CONDITIONS,
      format: "esm",
      splitting: true,
      bytecode: true,
      minify: { whitespace: true, syntax: true, identifiers: false },
      plugins: [staticBuiltins],
      compile: {
        outfile,
        autoloadDotenv: false,
        autoloadBunfig: false,
        jitPolicy: 1000,
        ...(values.target === undefined ? {} : { target: values.target }),
      },
    }),
  );
  chmodSync(outfile, 0o755);
}

async function buildBundle(): Promise<void> {
  for (const [entry, name] of Object.entries({ "bin/sealexec.ts": "sealexec.cjs", ...APART })) {
    const result = await bun.build({
      entrypoints: [entry],
      target: "node",
      conditions: CONDITIONS,
      format: "cjs",
      minify: { whitespace: true, syntax: true, identifiers: false },
      plugins: [staticBuiltins, filesApart],
      external: ["bun:ffi"],
    });
    check(result);
    const code = (await result.outputs[0]?.text()) ?? "";
    const first = entry.startsWith("bin/") && !code.startsWith("#!") ? "#!/usr/bin/env node\n" : "";
    writeFileSync(`dist/${name}`, first + code, { mode: entry.startsWith("bin/") ? 0o755 : 0o644 });
  }
}

mkdirSync("dist", { recursive: true });
if (values.only !== "bundle") await buildBinary();
if (values.only !== "binary") await buildBundle();

/**
 * Builds the artefacts into dist/, under Bun (`npm run build`):
 *   sealexec        one compiled binary for this platform, or for --target TARGET (bun-linux-arm64, bun-linux-x64-musl, …)
 *   sealexec*.cjs   CommonJS for Node ≥ 22.15 (the npm package): sealexec.cjs, and beside it what a plain `run` does not need
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

// dotenv's parser uses nothing of these, which its other functions want; they would cost each start 0.6 ms.
const dotenvAlone = {
  name: "dotenv without files",
  setup(build: BuildPlugin): void {
    build.onLoad({ filter: /node_modules\/dotenv\/dist\/index\.cjs$/ }, ({ path }) => {
      const source = readFileSync(path, "utf8");
      const contents = source.replace(/require\("(?:fs|path|os|url)"\)/g, "{}");
      if (contents.includes('require("')) throw new Error("dotenv wants another module");
      return { contents, loader: "js" };
    });
  },
};

// What lies in the first file is read whole at each start (bench/README.md). In the binary every dynamic import is a chunk
// of its own. The npm package is CommonJS, which Bun does not split. There, the large libraries that a start does not need
// are files of their own beside the first: nothing of ours may be in them, as it would be there twice. The first file
// itself has only what a plain `run` needs; for everything else one is loaded in its place that has it all.
const APART: Readonly<Record<string, string>> = {
  "src/aws/sdk.ts": "sealexec-sdk.cjs",
  "src/cli/commander.ts": "sealexec-commander.cjs",
  "src/process/execa.ts": "sealexec-execa.cjs",
  "src/text/yaml/yaml.ts": "sealexec-yaml.cjs",
  "bin/every-command.ts": "sealexec-commands.cjs",
};

/** What bin/package.ts leaves to the file that has it all. */
const NEVER_FIRST = [
  "src/cli/program.ts",
  "src/watch/watch.ts",
  "src/commands/watch-options.ts",
  "src/process/child/become.ts",
];

function namesFile(
  files: readonly string[],
  { path, importer }: { path: string; importer: string },
): string | undefined {
  // An entry point has no importer.
  return files.find((name) => importer !== "" && resolve(dirname(importer), path) === realpathSync(name));
}

const filesApart = {
  name: "files apart",
  setup(build: BuildPlugin): void {
    build.onResolve({ filter: /\/(sdk|commander|execa|yaml|every-command)\.ts$/ }, (found) => {
      const file = namesFile(Object.keys(APART), found);
      return file === undefined ? undefined : { path: `./${APART[file] ?? ""}`, namespace: "apart" };
    });
    build.onLoad({ filter: /./, namespace: "apart" }, ({ path }) => ({
      // Not a literal: the bundler would look for it.
      contents: `module.exports = require([${JSON.stringify(path)}].join());`,
      loader: "js",
    }));
  },
};

const plainRun = {
  name: "plain run",
  setup(build: BuildPlugin): void {
    build.onResolve({ filter: /\/(program|watch|watch-options|become)\.ts$/ }, (found) => {
      const file = namesFile(NEVER_FIRST, found);
      return file === undefined ? undefined : { path: file, namespace: "later" };
    });
    build.onLoad({ filter: /./, namespace: "later" }, ({ path }) => ({
      contents: `throw new Error(${JSON.stringify(`${path} is not in this file`)});`,
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
      plugins: [staticBuiltins, dotenvAlone],
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

const FIRST = "bin/package.ts";

async function buildBundle(): Promise<void> {
  for (const [entry, name] of Object.entries({ [FIRST]: "sealexec.cjs", ...APART })) {
    const result = await bun.build({
      entrypoints: [entry],
      target: "node",
      conditions: CONDITIONS,
      format: "cjs",
      // Node reads the whole of a file to start it: short names are a quarter less. The libraries keep theirs, which some of them look at.
      minify: { whitespace: true, syntax: true, identifiers: entry.startsWith("bin/") },
      plugins: [staticBuiltins, dotenvAlone, filesApart, ...(entry === FIRST ? [plainRun] : [])],
      external: ["bun:ffi"],
    });
    check(result);
    const code = (await result.outputs[0]?.text()) ?? "";
    const [shebang, mode] = entry === FIRST ? ["#!/usr/bin/env node\n", 0o755] : ["", 0o644];
    writeFileSync(`dist/${name}`, shebang + code.replace(/^#!.*\n/, ""), { mode });
  }
}

mkdirSync("dist", { recursive: true });
if (values.only !== "bundle") await buildBinary();
if (values.only !== "binary") await buildBundle();

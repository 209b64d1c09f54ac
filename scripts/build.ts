/**
 * Builds the artefacts into dist/, under Bun (`npm run build`):
 *   sealexec        one compiled binary for this platform, or for --target TARGET (bun-linux-arm64, bun-linux-x64-musl, …)
 *   sealexec.cjs    one CommonJS file for Node ≥ 22.15 (the npm package)
 */
import { mkdirSync, writeFileSync, readFileSync, chmodSync } from "node:fs";
import { parseArgs } from "node:util";

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
  setup(build: {
    onLoad(
      filter: { filter: RegExp },
      load: (file: { path: string }) => { contents: string; loader: string } | undefined,
    ): void;
  }): void {
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
      format: "cjs",
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
  const result = await bun.build({
    entrypoints: ["bin/sealexec.ts"],
    target: "node",
    conditions: CONDITIONS,
    format: "cjs",
    minify: { whitespace: true, syntax: true, identifiers: false },
    plugins: [staticBuiltins],
    external: ["bun:ffi"],
  });
  check(result);
  const code = (await result.outputs[0]?.text()) ?? "";
  writeFileSync("dist/sealexec.cjs", code.startsWith("#!") ? code : `#!/usr/bin/env node\n${code}`, {
    mode: 0o755,
  });
}

mkdirSync("dist", { recursive: true });
if (values.only !== "bundle") await buildBinary();
if (values.only !== "binary") await buildBundle();

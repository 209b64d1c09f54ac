/**
 * npm run bench:size [-- --targets linux-arm64,…]
 *
 * How large each artefact is: builds the binary of every target of package.json, and the npm package, in a temporary
 * folder, and prints their bytes as they are and compressed (a registry and a node keep and fetch layers compressed). A
 * target whose runtime cannot be had, and a compressor that is not there, is skipped with its reason. zstd -19 takes
 * about a minute for each.
 *
 * npm run bench:size -- --cold [--runs 10]
 *
 * The first start on a machine, after npm run build (bench/size/cold.ts): nothing of dist/sealexec in the page cache,
 * against warm starts.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { measureCold } from "./size/cold.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const BUN = `${ROOT}node_modules/.bin/bun`;
const COMPRESSORS = [
  ["zstd", "-19"],
  ["gzip", "-9"],
] as const;

const { values } = parseArgs({
  options: {
    targets: { type: "string" },
    cold: { type: "boolean", default: false },
    runs: { type: "string", default: "10" },
  },
});

if (values.cold) await measureCold(Number(values.runs));
else measureSizes(values.targets?.split(",") ?? targets());

/** This machine's first; the others are those of the scripts build:* */
function targets(): string[] {
  const { scripts } = JSON.parse(readFileSync(`${ROOT}package.json`, "utf8")) as {
    scripts: Record<string, string>;
  };
  const others = Object.values(scripts).flatMap((words) => /--target bun-(\S+)/u.exec(words)?.[1] ?? []);
  return [...new Set([`${process.platform}-${process.arch}`, ...others])];
}

function measureSizes(names: readonly string[]): void {
  const folder = mkdtempSync(join(tmpdir(), "sealexec-size-"));
  try {
    // The build writes to dist/ of where it runs: here it is one of its own.
    for (const name of readdirSync(ROOT).filter((name) => name !== "dist" && !name.startsWith(".")))
      symlinkSync(ROOT + name, join(folder, name));
    mkdirSync(join(folder, "dist"));
    const titles = COMPRESSORS.map((words) => words.join(" ").padStart(14));
    print(`${"what".padEnd(18)}${"bytes".padStart(14)}${titles.join("")}`);
    for (const name of names) tell(name, folder, buildBinary(name, folder));
    const packed = build(["--only", "bundle"], "dist/npm.tar", folder);
    spawnSync("sh", ["-c", "tar cf dist/npm.tar dist/*.cjs"], { cwd: folder });
    tell("npm package", folder, packed);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

type Built = { readonly file: string } | { readonly skipped: string };

function buildBinary(target: string, folder: string): Built {
  const outfile = `dist/sealexec-${target}`;
  return build(["--only", "binary", "--target", `bun-${target}`, "--outfile", outfile], outfile, folder);
}

function build(flags: readonly string[], outfile: string, folder: string): Built {
  const built = spawnSync(BUN, ["scripts/build.ts", ...flags], { cwd: folder, encoding: "utf8" });
  if (built.status === 0) return { file: outfile };
  const lines = (built.stderr || String(built.error)).trim().split("\n");
  return { skipped: lines.find((line) => /error/iu.test(line)) ?? lines.at(-1) ?? "" };
}

function tell(name: string, folder: string, built: Built): void {
  if ("skipped" in built) return void print(`${name.padEnd(18)} skipped: ${built.skipped}`);
  const { size } = statSync(join(folder, built.file));
  const compressed = COMPRESSORS.map((words) => compressedBytes(words, built.file, folder));
  print(`${name.padEnd(18)}${[format(size), ...compressed].map((cell) => cell.padStart(14)).join("")}`);
}

function compressedBytes([program, level]: readonly [string, string], file: string, folder: string): string {
  const made = spawnSync("sh", ["-c", '"$0" "$1" -c "$2" | wc -c', program, level, file], {
    cwd: folder,
    encoding: "utf8",
  });
  const bytes = Number(made.stdout);
  return bytes > 0 ? format(bytes) : `no ${program}`;
}

function format(bytes: number): string {
  return bytes.toLocaleString("en");
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

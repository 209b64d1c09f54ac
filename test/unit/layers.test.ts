/** The plan of the house (design.md, section 2): imports point down, and only some rooms see the outside. */
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, test } from "node:test";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** From the top. A room imports from rooms further down and from itself; rooms beside each other see nothing of each other. */
const LAYERS: readonly (readonly string[])[] = [
  ["bin"],
  ["src/cli"],
  ["src/commands"],
  ["src/watch", "src/desk", "src/inspect"],
  ["src/sources"],
  ["src/stores"],
  ["src/keys"],
  // It proves itself by AWS credentials, and makes some.
  ["src/vault"],
  ["src/aws"],
  ["src/http"],
  // These see base alone, and everybody may see them.
  ["src/process", "src/envelope", "src/text"],
  ["src/base"],
  // Its version.
  ["package.json"],
];

interface Import {
  readonly from: string;
  /** a file of ours from ROOT, or the name of a package */
  readonly to: string;
  readonly typeOnly: boolean;
  readonly lazy: boolean;
}

const FILES = ["bin", "src"].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => join(folder, name)),
);

/** Without comments, so that what they speak of does not count. */
function codeOf(file: string): string {
  return readFileSync(join(ROOT, file), "utf8")
    .replace(/\/\*[^]*?\*\//g, "")
    .replace(/(^|\s)\/\/.*$/gm, "$1");
}

function importsOf(file: string): Import[] {
  const code = codeOf(file);
  const found: [string, boolean, boolean][] = [
    ...[...code.matchAll(/^(?:import|export)\s(type\s)?[^;"]*?\sfrom\s"([^"]+)"/gm)].map(
      ([, type, name = ""]): [string, boolean, boolean] => [name, type !== undefined, false],
    ),
    ...[...code.matchAll(/^import\s"([^"]+)"/gm)].map(([, name = ""]): [string, boolean, boolean] => [
      name,
      false,
      false,
    ]),
    ...[...code.matchAll(/(await\s)?\bimport\("([^"]+)"\)/g)].map(
      ([, call, name = ""]): [string, boolean, boolean] => [name, call === undefined, true],
    ),
  ];
  return found.map(([name, typeOnly, lazy]) => ({
    from: file,
    to: name.startsWith(".") ? normalize(join(dirname(file), name)) : name,
    typeOnly,
    lazy,
  }));
}

const IMPORTS = FILES.flatMap(importsOf);

function placeOf(file: string): { layer: number; room: string } {
  for (const [layer, rooms] of LAYERS.entries()) {
    const room = rooms.find((name) => file === name || file.startsWith(`${name}/`));
    if (room !== undefined) return { layer, room };
  }
  return assert.fail(`${file} is in no layer: give it one`);
}

describe("layers", () => {
  test("the reader of imports sees them all", () => {
    assert.ok(FILES.length > 50);
    const cli = IMPORTS.filter(({ from }) => from.startsWith("src/cli/"));
    assert.ok(cli.some(({ to, lazy }) => to === "src/commands/run.ts" && lazy));
    assert.ok(cli.some(({ to, typeOnly }) => to === "src/commands/world.ts" && typeOnly));
    assert.ok(cli.some(({ to, typeOnly }) => to === "src/cli/commander.ts" && !typeOnly));
    const statements = FILES.flatMap((file) => [
      ...codeOf(file).matchAll(/\bfrom\s"|^import\s"|\bimport\("/gm),
    ]);
    assert.equal(IMPORTS.length, statements.length);
  });

  for (const file of FILES) {
    test(`${file} imports only from below`, () => {
      const own = placeOf(file);
      for (const { to } of IMPORTS.filter(({ from, to }) => from === file && isOurs(to))) {
        const other = placeOf(to);
        assert.ok(other.layer > own.layer || other.room === own.room, `${file} imports ${to}`);
      }
    });
  }

  test("nothing of ours stands at the root of src", () => {
    assert.deepEqual(
      FILES.filter((file) => /^src\/[^/]+$/.test(file)),
      [],
    );
  });

  test("no file imports, by however many others, itself", () => {
    const below = new Map(FILES.map((file) => [file, new Set<string>()]));
    for (const { from, to } of IMPORTS) if (below.has(to)) below.get(from)?.add(to);
    // What imports nothing that is left is in no circle: taken away, until only circles are left.
    for (let before = -1; before !== below.size;) {
      before = below.size;
      for (const [file, others] of below)
        if (![...others].some((other) => below.has(other))) below.delete(file);
    }
    assert.deepEqual([...below.keys()], []);
  });

  test("a store sees no other store", () => {
    for (const { from, to } of IMPORTS) {
      const [store, other] = [from, to].map((file) => /^src\/stores\/([^/]+)\//.exec(file)?.[1]);
      if (store !== undefined && other !== undefined) assert.equal(store, other, `${from} imports ${to}`);
    }
  });

  test("http knows no cloud and reads nothing of the formats", () => {
    for (const { from, to } of IMPORTS.filter(({ from }) => from.startsWith("src/http/")))
      assert.match(to, /^(src\/(http|base)\/|node:)/, `${from} imports ${to}`);
  });

  test("envelope and text do no I/O: what they import cannot", () => {
    const allowed = /^(node:crypto|dotenv|yaml|src\/base\/(errors|secret|start-size|name-patterns)\.ts)$/;
    for (const room of ["src/envelope/", "src/text/"]) {
      for (const { from, to } of IMPORTS.filter(
        ({ from, to }) => from.startsWith(room) && !to.startsWith(room),
      ))
        assert.match(to, allowed, `${from} imports ${to}`);
    }
    for (const file of FILES.filter((name) => /^src\/(envelope|text)\//.test(name))) {
      assert.doesNotMatch(codeOf(file), /\b(process|globalThis|fetch|console)\b|\brequire\(/, file);
    }
  });

  test("a command's code is loaded only when it is called", () => {
    for (const { to, typeOnly, lazy } of IMPORTS.filter(({ from }) => from.startsWith("src/cli/"))) {
      if (/^src\/(commands|watch|desk|inspect|sources|stores|keys|aws|vault)\//.test(to))
        assert.ok(typeOnly || lazy, to);
    }
  });

  test("only bin, process, signals, streams and the owner of files read process.*", () => {
    const seeing = FILES.filter(
      // To load a builtin later than an import would is no look at the process.
      (file) =>
        /\bprocess\s*\.(?!\s*getBuiltinModule\b)/.test(codeOf(file)) ||
        /from "node:process"/.test(codeOf(file)),
    );
    const allowed = /^(bin\/|src\/process\/|src\/base\/(signals|streams|files\/user)\.ts$)/;
    assert.deepEqual(
      seeing.filter((file) => !allowed.test(file)),
      [],
    );
  });

  test("flags and variables of ours are read in cli and commands; below, values are passed", () => {
    const reading = FILES.filter((file) => /\benv(ironment)?(\.|\[")SEALEXEC_/.test(codeOf(file)));
    assert.deepEqual(
      reading.filter((file) => !/^(bin|src\/(cli|commands))\//.test(file)),
      // It belongs to the endpoints that AWS_ENDPOINT_URL and VAULT_ADDR name, which are read below, too.
      ["src/http/rules.ts"],
    );
    assert.ok(reading.length > 4);
  });

  test("only Secret's users reveal a value: CMD's environment, what is printed, what a store is given", () => {
    const revealing = FILES.filter((file) => /\.reveal\(\)/.test(codeOf(file)));
    assert.deepEqual(revealing.toSorted(), [
      "src/process/environment.ts",
      "src/stores/ssm/write.ts",
      "src/text/dotenv/print.ts",
      "src/text/json.ts",
    ]);
  });

  test("nothing is imported that package.json does not name, nor named that is not used", () => {
    const { dependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
      dependencies: Record<string, string>;
    };
    const packages = new Set(
      IMPORTS.map(({ to }) => to)
        .filter((to) => !isOurs(to) && !to.startsWith("node:"))
        .map((to) => (to.startsWith("@") ? to.split("/").slice(0, 2) : to.split("/").slice(0, 1)).join("/")),
    );
    assert.deepEqual([...packages].sort(), Object.keys(dependencies).sort());
  });
});

function isOurs(to: string): boolean {
  return to.startsWith("src/") || to.startsWith("bin/") || to === "package.json";
}

/**
 * Mutates the unit tests' .env texts and asks of each result that every promise of src/dotenv holds.
 *
 *     node test/soak/dotenv-fuzz.ts --count 1000000 --seed 1
 *
 * The same seed and count give the same inputs. Exit status 1 with the first inputs that break a promise.
 */
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { brokenPromise } from "../unit/text/dotenv/promises.ts";
import { REFUSED_CASES } from "../unit/text/dotenv/refused-cases.ts";
import { parseDotenv } from "../../src/text/dotenv/parse.ts";
import { VALID_CASES } from "../unit/text/dotenv/valid-cases.ts";

export interface FuzzReport {
  readonly count: number;
  /** how many inputs were taken, the others having been refused */
  readonly accepted: number;
  readonly violations: readonly { readonly input: string; readonly broken: string }[];
}

const CORPUS: readonly Buffer[] = [...VALID_CASES, ...REFUSED_CASES].map(([text]) =>
  typeof text === "string" ? Buffer.from(text) : Buffer.from(text),
);
const PIECES: readonly Buffer[] = [
  "'",
  '"',
  "`",
  "\\'",
  '\\"',
  "\\`",
  "\\",
  "\\n",
  "\\r",
  "\n",
  "\r\n",
  "\r",
  "\0",
  " ",
  "\t",
  "#",
  " # ",
  "=",
  "\nA=",
  "\nB='",
  '\nC="',
  "\nD=`",
  "export ",
  ": ",
  "__proto__",
  "x",
  "\u2028",
  "\uFEFF",
  "\u00a0",
  "é",
].map((text) => Buffer.from(text));
const MAX_VIOLATIONS = 10;

export function fuzz(seed: number, count: number): FuzzReport {
  const below = randomBelow(seed);
  const pick = (from: readonly Buffer[]): Buffer => from[below(from.length)] ?? Buffer.alloc(0);
  const violations: { input: string; broken: string }[] = [];
  let accepted = 0;
  for (let i = 0; i < count && violations.length < MAX_VIOLATIONS; i += 1) {
    let input = pick(CORPUS);
    for (let rounds = 1 + below(4); rounds > 0; rounds -= 1) {
      input = mutate(input, pick, below);
    }
    const broken = brokenPromise(input);
    if (broken !== undefined) {
      violations.push({ input: JSON.stringify(input.toString("latin1")), broken });
    }
    accepted += isAccepted(input) ? 1 : 0;
  }
  return { count, accepted, violations };
}

function mutate(
  input: Buffer,
  pick: (from: readonly Buffer[]) => Buffer,
  below: (n: number) => number,
): Buffer {
  const at = below(input.length + 1);
  const to = Math.min(input.length, at + below(8));
  const head = input.subarray(0, at);
  switch (below(7)) {
    case 0:
      return Buffer.concat([head, input.subarray(to)]);
    case 1:
      return Buffer.concat([head, Buffer.of(below(256)), input.subarray(at)]);
    case 2:
      return Buffer.concat([input, Buffer.from("\n"), pick(CORPUS)]);
    case 3:
      return Buffer.concat([head, pick(CORPUS).subarray(below(8))]);
    case 4:
      return Buffer.concat([input.subarray(0, to), input.subarray(at)]);
    default:
      return Buffer.concat([head, pick(PIECES), input.subarray(at)]);
  }
}

function isAccepted(input: Uint8Array): boolean {
  try {
    parseDotenv(input);
    return true;
  } catch {
    return false;
  }
}

/** mulberry32 (public domain, Tommy Ettinger): 32 bits of state, good enough to choose mutations. */
function randomBelow(seed: number): (n: number) => number {
  let state = seed >>> 0;
  return (n) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };
}

function main(): number {
  const { values } = parseArgs({
    options: { count: { type: "string", default: "100000" }, seed: { type: "string", default: "1" } },
  });
  const seed = Number(values.seed);
  const count = Number(values.count);
  if (!Number.isSafeInteger(seed) || !Number.isSafeInteger(count) || seed < 0 || count < 1) {
    process.stderr.write("usage: dotenv-fuzz.ts [--count N] [--seed N]\n");
    return 64;
  }
  process.stdout.write(`dotenv-fuzz: seed ${seed}, count ${count}, corpus ${CORPUS.length}\n`);
  const { accepted, violations } = fuzz(seed, count);
  for (const { input, broken } of violations) {
    process.stdout.write(`violation: ${broken}: ${input}\n`);
  }
  process.stdout.write(`accepted ${accepted}, violations ${violations.length}\n`);
  // A fuzz run that takes nothing, or everything, has tested nothing.
  return violations.length === 0 && accepted > count / 20 && accepted < count ? 0 : 1;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  process.exitCode = main();
}

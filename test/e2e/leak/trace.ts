/** A log of `strace -f -v -xx -y` as calls with bytes. */
import { readFileSync } from "node:fs";

export interface TracedCall {
  readonly name: string;
  /** what the first file descriptor leads to: a path, `socket:[1]`, or "" */
  readonly target: string;
  /** every string of the arguments, one behind the other; of execve without the environment */
  readonly data: Buffer;
  /** of execve: the strings of its third argument */
  readonly environment: Buffer;
  /** it made something new on a file system, or in memory */
  readonly creates: boolean;
}

const MAKES = /^(creat|rename|renameat|renameat2|link|linkat|symlink|symlinkat|mkdir|mkdirat|memfd_create)$/;
const NOTHING = Buffer.alloc(0);

export function decodeTrace(file: string): TracedCall[] {
  return wholeLines(readFileSync(file, "latin1")).flatMap((line) => {
    const call = /^(\w+)\((.*)$/s.exec(line);
    if (call === null) return [];
    const [, name = "", args = ""] = call;
    const failed = / = -1 E/.test(args);
    const descriptor = /^-?\d+<((?:\\x[0-9a-f]{2}|[^>])*)>/.exec(args)?.[1] ?? "";
    // execve("file", [arguments], [environment]) = 0: with -xx no string holds a bracket.
    const environmentAt = name === "execve" ? args.indexOf("], [") : -1;
    const [own, environment] =
      environmentAt === -1 ? [args, ""] : [args.slice(0, environmentAt), args.slice(environmentAt)];
    return [
      {
        name,
        target: decodeText(descriptor),
        data: stringsOf(own),
        environment: stringsOf(environment),
        creates: !failed && (MAKES.test(name) || (name.startsWith("open") && args.includes("O_CREAT"))),
      },
    ];
  });
}

/** Calls that another thread interrupted are put together again. */
function wholeLines(log: string): string[] {
  const waiting = new Map<string, string>();
  const whole: string[] = [];
  for (const line of log.split("\n")) {
    const [, pid = "", rest = ""] = /^(\d+) +(.*)$/.exec(line) ?? [];
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest);
    if (rest.endsWith(" <unfinished ...>")) waiting.set(pid, rest.slice(0, -" <unfinished ...>".length));
    else if (resumed !== null) whole.push((waiting.get(pid) ?? "") + (resumed[1] ?? ""));
    else if (rest !== "") whole.push(rest);
  }
  return whole;
}

function stringsOf(text: string): Buffer {
  const strings = [...text.matchAll(/"((?:\\x[0-9a-f]{2})*)"/g)].map(([, hex = ""]) =>
    Buffer.from(hex.replaceAll("\\x", ""), "hex"),
  );
  return strings.length === 0 ? NOTHING : Buffer.concat(strings.flatMap((bytes) => [bytes, Buffer.of(0)]));
}

function decodeText(text: string): string {
  return text.replace(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

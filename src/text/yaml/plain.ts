import { refusal } from "../dotenv/refusal.ts";
import type { SealexecError } from "../../base/errors.ts";

/** Where a value stands. */
export interface Place {
  /** from 1 */
  readonly line: number;
  readonly name: string;
}

/** The error for a value: `line 3: NAME: …`. */
export function valueRefusal({ line, name }: Place, what: string, hint: string): SealexecError {
  return refusal(line, `${name}: ${what}`, hint);
}

// Not a text in one of YAML 1.1 and 1.2, or other than it looks (10.3.2; yaml.org/type/bool, /null).
const AMBIGUOUS = /^(?:y|n|yes|no|on|off|null|true|false|~)$/i;
const TEXT_ANYWAY: ReadonlySet<string> = new Set(["true", "false"]);

const QUOTE = "write it in quotes";

const INDICATORS: readonly (readonly [RegExp, string])[] = [
  [/^[&*]/, "anchor or alias"],
  [/^!/, "tag"],
  [/^[[{]/, "flow collection"],
  [/^[\]},#%@`]/, "a character that no plain value begins with"],
  [/\t/, "tab in a plain value"],
  [/^[-?:](?: |$)/, "a list or map, where a text is expected"],
  [/:(?: |$)/, '":" in a plain value'],
];

/**
 * A plain scalar on one line (7.3.3), to its end or to a comment.
 *
 * @param rest what stands behind the colon and its blanks
 * @param isContinued the next line that says anything is indented, or an item of a list
 */
export function readPlain(rest: string, isContinued: boolean, place: Place): string {
  const value = withoutLastBlanks(rest.replace(/(?:^| )#.*$/, ""));
  if (isContinued) {
    throw value === ""
      ? valueRefusal(
          place,
          "a nested map or list",
          "the mapping is to be flat: write NAME: value, one a line",
        )
      : valueRefusal(
          place,
          "a plain value that spans lines",
          `${QUOTE} on one line, or as a block: ${place.name}: |`,
        );
  }
  if (value === "")
    throw valueRefusal(place, "no value, which is null in YAML", `write ${place.name}: "" for an empty one`);
  for (const [form, what] of INDICATORS) if (form.test(value)) throw valueRefusal(place, what, QUOTE);
  if (AMBIGUOUS.test(value) && !TEXT_ANYWAY.has(value)) {
    throw valueRefusal(place, "a plain value that YAML 1.1 and 1.2 read differently, or as null", QUOTE);
  }
  return value;
}

// By hand: a regular expression for this takes quadratic time.
function withoutLastBlanks(text: string): string {
  let end = text.length;
  while (text[end - 1] === " ") end -= 1;
  return text.slice(0, end);
}

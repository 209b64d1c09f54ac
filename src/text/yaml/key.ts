import { refusal } from "../dotenv/refusal.ts";

const FORM = "write NAME: value, one a line";

/** What a line that is no entry is instead, the first that fits. */
const MISTAKES: readonly (readonly [RegExp, string, string])[] = [
  [/^[ ]*\t/, "tab in the indentation", FORM],
  [
    /^ /,
    "indented line",
    "nested maps, lists and plain values that span lines are not taken: write NAME: | before a text of several lines",
  ],
  [/^---/, "second document, or a value behind ---", "one document a file"],
  [/^\.\.\.(?:[ \t]|$)/, "end of a document", "leave the ... out: one document a file"],
  [/^%/, "directive", "leave it out"],
  [/^-(?:[ \t]|$)/, "list", FORM],
  [/^\?(?:[ \t]|$)/, "complex key", FORM],
  [/^<<[ ]*:/, "merge key", "write out what it would merge"],
  [/^["']/, "quoted name", "write the name without quotes"],
  [/^[&*]/, "anchor or alias", "write the value out"],
  [/^!/, "tag", FORM],
  [/^[[{]/, "flow collection", FORM],
  [/^[A-Za-z_][A-Za-z0-9_]*[ ]*: *\t/, 'tab behind ":"', FORM],
  [/^[A-Za-z_][A-Za-z0-9_]*:\S/, 'no blank behind ":"', FORM],
  [
    /^(?:export[ \t]+)?[A-Za-z_][A-Za-z0-9_]*=/,
    'no ":" behind the name',
    "that is the form of a .env: leave ?format=yaml out",
  ],
  [/^__proto__[ ]*:/, "__proto__ cannot be set", "choose another name"],
  [/:(?:[ \t]|$)/, "invalid variable name", "letters, digits and _ only, not beginning with a digit"],
];

/** @throws SealexecError "data", always, with nothing of the line */
export function refuseKey(line: string, number: number): never {
  for (const [form, what, hint] of MISTAKES) if (form.test(line)) throw refusal(number, what, hint);
  throw refusal(number, 'no ":" behind a name', FORM);
}

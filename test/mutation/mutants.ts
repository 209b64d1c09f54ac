/** Small faults for a source, one at a time: what a slip of the hand or of the mind would have written there. */
import { parsers } from "prettier/plugins/typescript";
import type { Parser } from "prettier";

export interface Mutant {
  /** from 1 */
  readonly line: number;
  readonly from: string;
  readonly to: string;
  /** the whole text with the fault in */
  readonly text: string;
}

interface Node {
  readonly type: string;
  readonly range: readonly [number, number];
  readonly [key: string]: unknown;
}

type Change = readonly [start: number, end: number, to: string];

const OPPOSITES: Readonly<Record<string, string>> = {
  "===": "!==",
  "!==": "===",
  "<": "<=",
  "<=": "<",
  ">": ">=",
  ">=": ">",
  "+": "-",
  "-": "+",
  "*": "/",
  "/": "*",
  "%": "*",
  "&": "|",
  "|": "&",
  "^": "&",
  "<<": ">>",
  ">>": "<<",
  "&&": "||",
  "||": "&&",
  "??": "&&",
  "+=": "-=",
  "-=": "+=",
};
const TWINS: Readonly<Record<string, string>> = {
  some: "every",
  every: "some",
  startsWith: "endsWith",
  endsWith: "startsWith",
  min: "max",
  max: "min",
  indexOf: "lastIndexOf",
  lastIndexOf: "indexOf",
};

/** Their arguments are what a person reads; which failure it is, is a mutant of its own. */
const ERRORS: ReadonlySet<string> = new Set(["SealexecError", "invalid", "refusal", "valueRefusal", "Error"]);
/** Nothing in them runs. */
const NOT_RUN = /^(?:TS|ImportDeclaration|ExportAllDeclaration)/;

export function mutantsOf(text: string): Mutant[] {
  const parser: Parser<Node> = parsers.typescript;
  const ast = parser.parse(text, {} as Parameters<Parser["parse"]>[1]) as Node;
  const changes: Change[] = [];
  walk(ast, (node) => changes.push(...changesOf(node, text)));
  const seen = new Set<string>();
  return changes.flatMap(([start, end, to]) => {
    const mutated = text.slice(0, start) + to + text.slice(end);
    if (mutated === text || seen.has(mutated)) return [];
    seen.add(mutated);
    const line = text.slice(0, start).split("\n").length;
    return [{ line, from: text.slice(start, end), to, text: mutated }];
  });
}

function walk(node: Node, visit: (node: Node) => void): void {
  if (NOT_RUN.test(node.type) && !/^TS(?:As|NonNull|Satisfies)Expression$/.test(node.type)) return;
  visit(node);
  for (const [name, child] of Object.entries(node)) {
    if (name === "parent" || name === "loc" || name === "range" || name === "source" || isMessage(node, name))
      continue;
    for (const one of Array.isArray(child) ? (child as unknown[]) : [child])
      if (isNode(one)) walk(one, visit);
  }
}

function isMessage(node: Node, name: string): boolean {
  const { callee } = node;
  if (name !== "arguments" || !isNode(callee)) return false;
  const called = isNode(callee["property"]) ? callee["property"] : callee;
  return ERRORS.has(String(called["name"]));
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value && "range" in value;
}

function changesOf(node: Node, text: string): Change[] {
  const [start, end] = node.range;
  const parts = (name: string): Node => node[name] as Node;
  switch (node.type) {
    case "BinaryExpression":
    case "LogicalExpression":
    case "AssignmentExpression": {
      const [, from] = parts("left").range;
      const operator = String(node["operator"]);
      const to = OPPOSITES[operator];
      const at = text.indexOf(operator, from);
      return to === undefined ? [] : [[at, at + operator.length, to]];
    }
    case "IfStatement":
    case "ConditionalExpression":
      return ["true", "false"].map((to) => [...parts("test").range, to] as const);
    case "WhileStatement":
      return [[...parts("test").range, "false"]];
    case "UnaryExpression":
      return node["operator"] === "!" ? [[start, start + 1, ""]] : [];
    case "UpdateExpression":
      return [
        [start, end, text.slice(start, end).replace(/\+\+|--/, (sign) => (sign === "++" ? "--" : "++"))],
      ];
    case "ExpressionStatement":
    case "ThrowStatement":
    case "BreakStatement":
    case "ContinueStatement":
      return [[start, end, ";"]];
    case "MemberExpression": {
      const property = parts("property");
      const twin = node["computed"] === true ? undefined : TWINS[String(property["name"])];
      return twin === undefined ? [] : [[...property.range, twin]];
    }
    case "Literal":
      return literals(node, text.slice(start, end));
    default:
      return [];
  }
}

function literals({ value, regex, range: [start, end] }: Node, source: string): Change[] {
  if (typeof value === "boolean") return [[start, end, String(!value)]];
  if (typeof value === "number") return [[start, end, String(value + 1)]];
  if (typeof value === "bigint") return [[start, end, `${value + 1n}n`]];
  if (regex !== undefined) return regexes(source).map((to) => [start, end, to]);
  return typeof value === "string" ? [[start, end, value === "" ? '"mutant"' : '""']] : [];
}

function regexes(source: string): string[] {
  return [
    source.replace(/^\/\^/, "/"),
    source.replace(/\$(?=\/[a-z]*$)/, ""),
    source.replace(/(?<!\\)\+/, "*"),
    source.replace(/\[\^|\[/, (open) => (open === "[" ? "[^" : "[")),
  ].filter((to) => to !== source && !to.startsWith("//"));
}

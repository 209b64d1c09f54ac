/** What the tests of a room get in the place of node:test: they are collected here, and run as often as there are faults. */
export { mock } from "node:test";

interface Options {
  readonly skip?: string;
}
interface Test {
  readonly name: string;
  readonly run: () => unknown;
}

const groups: string[] = [];
let collected: Test[] = [];

/** Those that were collected since the last call. */
export function takeTests(): readonly Test[] {
  const taken = collected;
  collected = [];
  return taken;
}

export function describe(name: string, collect: () => void): void {
  groups.push(name);
  try {
    collect();
  } finally {
    groups.pop();
  }
}

type Run = () => unknown;

export function test(name: string, ...rest: readonly [Run] | readonly [Options, Run]): void {
  const [options, run] = rest.length === 1 ? [{}, rest[0]] : rest;
  if (options.skip === undefined) collected.push({ name: [...groups, name].join(" > "), run });
}

export { test as it };

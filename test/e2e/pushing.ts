/** What the suites about push do alike. */
import assert from "node:assert/strict";
import type { Aws } from "../aws/server.ts";
import { BUCKET, KEY, sealexec } from "./harness.ts";
import type { Artefact, Outcome } from "./harness.ts";

export const URI = `s3://${BUCKET}/app.env`;

export function pushText(aws: Aws, text: string | Uint8Array, ...flags: string[]): Promise<Outcome> {
  return sealexec(["push", "-", URI, "--key", KEY, ...flags], { env: aws.env(), input: text });
}

export function pulled(aws: Aws, ...flags: string[]): Promise<Outcome> {
  return sealexec(["pull", URI, ...flags], { env: aws.env() });
}

/** The lines that push prints, as a map; on standard error there is nothing, or what is expected. */
export function report({ status, stdout, stderr }: Outcome, said = /^$/): Map<string, string> {
  assert.match(stderr, said);
  assert.equal(status, 0, stdout);
  return linesOf(stdout);
}

export function linesOf(stdout: string): Map<string, string> {
  const lines = stdout.trimEnd().split("\n");
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(" ")), line.replace(/^\S+ +/, "")]));
}

/** The revision that a push says it wrote. */
export function revisionOf({ status, stdout, stderr }: Outcome): number {
  assert.equal(status, 0, stderr);
  const revision = Number(linesOf(stdout).get("revision"));
  assert.ok(Number.isSafeInteger(revision), stdout);
  return revision;
}

/** What `push --json` prints. */
export function document(outcome: Outcome): Record<string, unknown> {
  assert.equal(outcome.status, 0, outcome.stderr);
  assert.match(outcome.stdout, /^\{.*\}\n$/);
  return JSON.parse(outcome.stdout) as Record<string, unknown>;
}

/** Starts a program with what is there; prints one variable. */
export function printed(
  aws: Aws,
  name: string,
  flags: readonly string[] = [],
  artefact?: Artefact,
): Promise<Outcome> {
  const args = ["run", "--from", URI, "--key", KEY, ...flags, "--", "printenv", name];
  return sealexec(args, { env: aws.env(), ...(artefact === undefined ? {} : { artefact }) });
}

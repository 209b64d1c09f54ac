/**
 * Requests are a part of what a command does: they cost time and money, they are seen in CloudTrail, and each needs a
 * permission. A row is a command in a situation, with all that the services are asked for, in order, and nothing else.
 */
import assert from "node:assert/strict";
import type { Call } from "../aws/calls.ts";
import type { Rule } from "../aws/faults.ts";
import type { Aws } from "../aws/server.ts";
import { withFolder } from "./expect.ts";
import { ARTEFACTS, BUCKET, push, sealexec, withAws } from "./harness.ts";

export interface Row {
  readonly name: string;
  /** a function, where they name what is there */
  readonly words: readonly string[] | ((aws: Aws) => readonly string[]);
  readonly input?: string;
  readonly status?: number;
  /** what is otherwise, before the command; returns what its environment is to have, undefined: not to have */
  readonly given?: (
    aws: Aws,
    folder: string,
  ) => Promise<void> | Readonly<Record<string, string | undefined>> | void;
  /** service, operation, what it is about, and its status where it is not 200 */
  readonly asks: readonly string[];
  /** what is asked at the same time comes in any order: both are sorted */
  readonly concurrent?: boolean;
}

export const ROLE = ["imds GetToken", "imds ListRoles", "imds GetCredentials"];
export const OBJECT = `s3 GetObject ${BUCKET}/app.env`;
export const DECRYPT = "kms Decrypt";

export const fail = (rule: Rule) => (aws: Aws) => void aws.faults.add(rule);

/** There are two sealed objects, `A=b` each, a secret and two parameters. */
export async function assertAsked(row: Row, artefact = ARTEFACTS[0]): Promise<void> {
  const { words, input, status = 0, given, asks, concurrent = false } = row;
  await withFolder((cwd) =>
    withAws(async (aws) => {
      for (const name of ["app.env", "second.env"]) await push(aws, name, "A=b\n");
      aws.secrets.put("app", { text: '{"A":"b"}' });
      for (const name of ["/app/a", "/app/b"]) aws.parameters.put(name, "value");
      const env = defined({ ...aws.env(), ...(await given?.(aws, cwd)) });
      aws.resetCalls();
      const ended = await sealexec(typeof words === "function" ? words(aws) : words, {
        env,
        cwd,
        ...(input === undefined ? {} : { input }),
        ...(artefact === undefined ? {} : { artefact }),
      });
      assert.equal(ended.status, status, ended.stderr);
      const asked = aws.calls.map(describeCall);
      assert.deepEqual(concurrent ? asked.toSorted() : asked, concurrent ? asks.toSorted() : asks);
    }),
  );
}

function defined(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

export function describeCall({ service, operation, detail, status }: Call): string {
  const about = service === "s3" ? `${detail.bucket}/${detail.key}` : (detail.name ?? "");
  return [service, operation, about, status === 200 ? "" : String(status)].filter(Boolean).join(" ");
}

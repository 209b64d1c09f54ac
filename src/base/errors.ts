/** The one error class. A message has no value and no response body: it may be printed as it is. */

import { defined } from "./defined.ts";

/** kind → exit status, after sysexits(3). The only place where a status is chosen. */
const EXIT_STATUS = {
  usage: 64,
  data: 65, // the sealed object, or the .env inside it, is not valid
  missing: 66, // no such object, version or file
  unavailable: 69, // a service cannot be reached, or kept failing
  internal: 70, // a bug in sealexec
  timeout: 75, // the deadline passed
  denied: 77, // no credentials, or they were refused
  config: 78, // region, endpoint, profile, token file, disabled key
  changed: 79, // no failure: the sources have changed, and sealexec is to be started again (`--on-change exit`)
  conflict: 80, // somebody else's change stands in the way: nothing was written
  "cannot-execute": 126, // CMD is there but cannot be executed
  "not-found": 127, // CMD is not there
} as const;

const USAGE_HINT = "sealexec help COMMAND shows the options of a command, with examples";

export type ErrorKind = keyof typeof EXIT_STATUS;

/** What a machine reads of an event beside its message: names, codes and numbers, never a value. */
export type Facts = Readonly<Record<string, string | number | boolean>>;

export interface ErrorDetails {
  /** which failure it is, for machines: it stays the same if the message is bettered. By default its kind */
  readonly code?: string | undefined;
  readonly facts?: Facts | undefined;
  readonly stage?: string | undefined;
  readonly target?: string | undefined;
  /** what tells this occurrence from others: a request id. Shown after the message, in parentheses */
  readonly detail?: string | undefined;
  /** the way out: one line, lower case, no full stop */
  readonly hint?: string | undefined;
  /** what was caught, for tests; never printed */
  readonly cause?: unknown;
  /** the message already says at which stage and target it happened */
  readonly located?: boolean;
}

export class SealexecError extends Error {
  readonly kind: ErrorKind;
  readonly code: string;
  /** the message without its detail */
  readonly says: string;
  readonly facts: Facts;
  readonly stage: string | undefined;
  readonly target: string | undefined;
  readonly hint: string | undefined;
  readonly located: boolean;
  readonly #detail: string | undefined;

  constructor(kind: ErrorKind, says: string, details: ErrorDetails = {}) {
    const { detail } = details;
    super(
      detail === undefined ? says : `${says} (${detail})`,
      details.cause === undefined ? undefined : { cause: details.cause },
    );
    this.name = "SealexecError";
    this.kind = kind;
    this.code = details.code ?? kind;
    this.says = says;
    this.#detail = detail;
    this.facts = details.facts ?? {};
    this.stage = details.stage;
    this.target = details.target;
    this.hint = details.hint ?? (kind === "usage" ? USAGE_HINT : undefined);
    this.located = details.located ?? false;
  }

  /** The same error, its message led by where it happened. */
  at(stage: string, target?: string): SealexecError {
    const place = target === undefined ? stage : `${stage}: ${target}`;
    const details = { ...this.#details(), stage, target, located: true, detail: this.#detail };
    return new SealexecError(this.kind, `${place}: ${this.says}`, details);
  }

  /** The same failure in other words, if somebody knows more of what it means. */
  reworded(message: string, hint: string | undefined = this.hint): SealexecError {
    return new SealexecError(this.kind, message, { ...this.#details(), hint });
  }

  /** The same with a better way out, and perhaps other words before its detail. */
  hinting(hint: string | undefined, says: string = this.says): SealexecError {
    return new SealexecError(this.kind, says, { ...this.#details(), hint, detail: this.#detail });
  }

  /** What tells a machine which failure it is, and where. */
  get particulars(): Facts {
    const { code, stage, target, facts } = this;
    return { code, ...defined({ stage, target }), ...facts };
  }

  #details(): ErrorDetails {
    const { code, facts, stage, target, hint, located } = this;
    return { code, facts, stage, target, hint, located, cause: this.cause ?? this };
  }
}

export function exitStatus(kind: ErrorKind): number {
  return EXIT_STATUS[kind];
}

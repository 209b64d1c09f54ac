/**
 * The one error class of sealexec. A message names things (a stage, a URI, a line number, a variable's
 * name), never a value and never a response body: it may be printed as it is.
 */

/** kind → exit status, after sysexits(3). The only place where a status is chosen. */
const EXIT_STATUS = {
  /** wrong usage */
  usage: 64,
  /** the sealed object, or the .env inside it, is not valid */
  data: 65,
  /** no such object, version or file */
  missing: 66,
  /** a service cannot be reached, or kept failing */
  unavailable: 69,
  /** a bug in sealexec */
  internal: 70,
  /** the deadline passed */
  timeout: 75,
  /** no credentials, or they were refused */
  denied: 77,
  /** region, endpoint, profile, token file, disabled key */
  config: 78,
  /** no failure: the sources have changed, and whoever starts sealexec is to start it again (`--on-change exit`) */
  changed: 79,
  /** CMD is there but cannot be executed */
  "cannot-execute": 126,
  /** CMD is not there */
  "not-found": 127,
} as const;

const USAGE_HINT = "sealexec help COMMAND shows the options of a command, with examples";

export type ErrorKind = keyof typeof EXIT_STATUS;

export interface ErrorDetails {
  /** the way out: one line, lower case, no full stop */
  readonly hint?: string | undefined;
  /** what was caught, for tests; never printed */
  readonly cause?: unknown;
  /** the message already says at which stage and target it happened */
  readonly located?: boolean;
}

export class SealexecError extends Error {
  readonly kind: ErrorKind;
  readonly hint: string | undefined;
  readonly located: boolean;

  constructor(kind: ErrorKind, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "SealexecError";
    this.kind = kind;
    this.hint = details.hint ?? (kind === "usage" ? USAGE_HINT : undefined);
    this.located = details.located ?? false;
  }

  /** The same error, its message led by where it happened. */
  at(place: string): SealexecError {
    return new SealexecError(this.kind, `${place}: ${this.message}`, {
      hint: this.hint,
      cause: this.cause ?? this,
      located: true,
    });
  }
}

/** The exit status of a kind of failure. */
export function exitStatus(kind: ErrorKind): number {
  return EXIT_STATUS[kind];
}

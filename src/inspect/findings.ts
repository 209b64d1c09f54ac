/** What a check has found, before it is shown in any form. */
import type { Stage, StepReport } from "../base/context.ts";
import type { OpenedSource } from "../sources/sources.ts";
import type { Warning } from "./warnings.ts";

/** All that a check has found. */
export interface Findings {
  readonly steps: readonly StepReport[];
  /** decides which stages are shown although they were not reached */
  readonly expected: Expectation;
  /** `opened`: undefined where it could not be */
  readonly sources: readonly { readonly uri: string; readonly opened: OpenedSource | undefined }[];
  readonly warnings: readonly Warning[];
  /** a warning is a failure */
  readonly strict: boolean;
  /** how many things failed */
  readonly failures: number;
  readonly status: number;
}

/** What the sources of a check are, as far as it decides which stages there are. */
export interface Expectation {
  readonly asksAws: boolean;
  readonly gives: readonly ("sealed" | "text" | "variables")[];
}

/** One step as it is shown: nothing in it drives a terminal. */
export interface Line {
  readonly stage: Stage;
  readonly mark: "ok" | "failed" | "skipped";
  readonly target?: string;
  readonly ms?: number;
  readonly detail?: string;
  readonly hint?: string;
  readonly status?: number;
}

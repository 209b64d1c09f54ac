/** One row of the fault table: what goes wrong, and how sealexec is to end. */
import type { Rule } from "../../aws/faults.ts";
import type { Aws } from "../../aws/server.ts";
import type { Ending } from "./run-case.ts";

export interface FaultCase {
  /** the row of the table, and a letter where it has several */
  readonly id: string;
  readonly fault: string;
  readonly rules?: readonly Rule[];
  /** what AWS's clock says beside this machine's, from before the object was sealed, milliseconds */
  readonly clockOffsetMs?: number;
  /** what rules cannot say; runs after the object was sealed */
  readonly prepare?: (scene: Scene) => Setup | Promise<Setup>;
  /** --timeout; the default of 30 s where it is absent */
  readonly timeoutS?: number;
  /** how soon it is to have ended */
  readonly boundMs: number;
  readonly expected: Expected;
  /** sent as soon as `when` holds, or a moment after the start */
  readonly signal?: { readonly name: NodeJS.Signals; readonly when?: (aws: Aws) => boolean };
  /** what else must hold */
  readonly verify?: (aws: Aws, ending: Ending) => void;
  /** why it cannot run here */
  readonly skip?: string | false;
}

/** CMD has run with its variables, or sealexec failed and says why. A signal leaves nothing to say. */
export type Expected =
  | "CMD runs"
  | { readonly status: number; readonly error: RegExp; readonly hint: RegExp }
  | { readonly status: number; readonly silent: true };

export interface Scene {
  readonly aws: Aws;
  /** a folder that goes with the case */
  readonly folder: string;
}

/** What of the usual invocation is other in this case. */
export interface Setup {
  /** the whole environment but PATH; aws.env() by default */
  readonly env?: Readonly<Record<string, string>>;
  /** alias/app by default */
  readonly key?: string;
  readonly uri?: string;
  readonly command?: readonly string[];
  /** words before sealexec */
  readonly prefix?: readonly string[];
  readonly cleanUp?: () => Promise<void>;
}

export const seconds = (count: number): number => count * 1_000;

/** The bound of what ends with its deadline: a process starts before its clock does, and ends after it. */
export const deadline = (timeoutS: number): number => seconds(timeoutS) + 500;

import type { Environment } from "../base/env.ts";
import type { Trace } from "../base/trace.ts";
import type { Host } from "../process/replace.ts";

/** Handed in by bin/. Streams are opened only when used: CMD is to find them as they were. */
export interface World extends Host {
  readonly args: readonly string[];
  readonly env: Environment;
  readonly runtime: "bun" | "node";
  /** whether the runtime has a debugger open that anybody could reach */
  readonly hasDebugger: () => boolean;
  /** where SEALEXEC_TRACE asks for it */
  readonly trace: Trace | undefined;
  /** milliseconds of a monotonic clock */
  readonly now: () => number;
  /** standard input, whole, up to `limit` bytes. Who sits at a terminal is told what is waited for */
  readonly readInput: (limit: number, tellUser?: () => void) => Promise<Uint8Array>;
  /** standard output; settles when it is written */
  readonly writeOutput: (bytes: string | Uint8Array) => Promise<void>;
  /** standard error; written before it returns */
  readonly writeError: (text: string) => void;
  /** from now on nobody opens standard output or error, by looks or by writing; `writeError` still can */
  readonly leaveStreams: () => void;
  /** standard output is a terminal that wants colours */
  readonly wantsColour: () => boolean;
}

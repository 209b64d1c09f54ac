import type { Environment } from "./context.ts";
import type { ProcessImage } from "./exec/image.ts";

/** The outside world, handed in by bin/. Streams are opened only when used: CMD is to find them as they were. */
export interface World {
  readonly args: readonly string[];
  readonly env: Environment;
  readonly image: ProcessImage;
  /** milliseconds of a monotonic clock */
  readonly now: () => number;
  /** standard input, whole; stops with an error behind `limit` bytes */
  readonly readInput: (limit: number) => Promise<Uint8Array>;
  /** standard output; settles when it is written */
  readonly writeOutput: (bytes: string | Uint8Array) => Promise<void>;
  /** standard error; written before it returns */
  readonly writeError: (text: string) => void;
  /** standard output is a terminal that wants colours */
  readonly wantsColour: () => boolean;
}

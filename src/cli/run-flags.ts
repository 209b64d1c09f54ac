/** The flags of `run`, as commander and run-line.ts give them. */
import type { RunFlags } from "../commands/run-options.ts";
import type { WatchFlags } from "../commands/watch-options.ts";
import type { CommonFlags } from "./context.ts";

export type RunCliFlags = CommonFlags & RunFlags & WatchFlags;

/** Every command, in the npm package a file of its own (scripts/build.ts). */
import "./sealexec.ts";

/** What an empty file would not say. */
export const isWhole = true;

/** A file of its own in the compiled binary (scripts/build.ts): only Windows needs it. */
export { execa } from "execa";

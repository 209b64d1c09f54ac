/** A file of its own in the npm package (scripts/build.ts): only Windows needs it. */
export { execa } from "execa";

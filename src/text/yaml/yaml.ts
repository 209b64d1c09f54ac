/** A file of its own in the npm package (scripts/build.ts): only `?format=yaml` needs it. */
export { CST, Lexer } from "yaml";

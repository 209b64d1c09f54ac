/** A file of its own in the npm package (scripts/build.ts): the plain form of `run` does not need it. */
export { Argument, Command, CommanderError, Option } from "commander";

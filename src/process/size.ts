/** What would be E2BIG: execve(2), "Limits on size of arguments and environment"; linux/binfmts.h. */
import { SealexecError } from "../base/errors.ts";
import { ALWAYS_BYTES, POINTER_BYTES, tooLarge, type SizeLimit } from "../base/start-size.ts";
import { nameOf } from "./environment.ts";

/** MAX_ARG_STRLEN: 32 pages, the ending NUL among them */
const LONGEST_STRING_BYTES = 131_072;
/** What the kernel itself puts on the new stack */
const RESERVE_BYTES = 4_096;

/** @param totalBytes the limit of all together; asked for only if it could matter */
export function checkArgumentSize(
  args: readonly Buffer[],
  env: readonly Buffer[],
  totalBytes: SizeLimit,
): void {
  for (const entry of env) {
    if (entry.length + 1 > LONGEST_STRING_BYTES)
      throw tooLong(`${nameOf(entry)} is ${entry.length} bytes long with its name`);
  }
  for (const [index, arg] of args.entries()) {
    if (arg.length + 1 > LONGEST_STRING_BYTES) throw tooLong(`argument ${index} is ${arg.length} bytes long`);
  }
  const sum = [...args, ...env].reduce((all, { length }) => all + length + 1 + POINTER_BYTES, RESERVE_BYTES);
  if (sum <= ALWAYS_BYTES) return;
  const limit = totalBytes();
  if (sum > limit) {
    const largest = env.toSorted((a, b) => b.length - a.length)[0];
    const named = largest === undefined ? undefined : { name: nameOf(largest), bytes: largest.length };
    throw tooLarge(sum, limit, named).at("command");
  }
}

function tooLong(what: string): SealexecError {
  const message = `command: ${what}, and the system takes ${LONGEST_STRING_BYTES - 1}`;
  const hint = "put large values into files";
  return new SealexecError("cannot-execute", message, { hint, stage: "command", located: true });
}

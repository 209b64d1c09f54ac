/** The completion of a shell, made of the table: it starts no process. Files it leaves to the shell. */
import { VERSION } from "../../base/version.ts";
import { bashScript } from "./bash.ts";
import { fishScript } from "./fish.ts";
import { zshScript } from "./zsh.ts";

const SCRIPTS: Record<string, () => string> = { bash: bashScript, zsh: zshScript, fish: fishScript };

/** @param shell one of the choices in the table */
export function completionScript(shell: string): string {
  const script = SCRIPTS[shell]?.() ?? "";
  // zsh looks at the first line of a file for what it completes.
  const [first = "", ...rest] = script.split("\n");
  const note = `# The completion of sealexec ${VERSION} for ${shell}, by "sealexec completion ${shell}".`;
  return first.startsWith("#compdef") ? [first, note, ...rest].join("\n") : `${note}\n${script}`;
}

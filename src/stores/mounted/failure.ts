import { SealexecError } from "../../base/errors.ts";

const CODES: Readonly<Record<string, readonly [what: string, hint: string]>> = {
  EACCES: [
    "permission denied",
    "let the user that sealexec runs as read it: look at its owner and mode, and at those of the folders above it",
  ],
  EPERM: ["permission denied", "a security policy of the system or the container forbids it"],
  ELOOP: ["its links lead in a circle", "name the file itself"],
  ENAMETOOLONG: ["its path is too long", "check the path"],
};

function accessFailure(error: NodeJS.ErrnoException, name: string | undefined): SealexecError {
  const lead = name === undefined ? "" : `${name}: `;
  const code = error.code ?? "error";
  if (code === "ENOENT" || code === "ENOTDIR") {
    const hint = "check the path, and that it is mounted where sealexec runs";
    return new SealexecError("missing", `${lead}no such file or folder`, { hint, cause: error });
  }
  const [what, hint] = CODES[code] ?? [`cannot be read (${code})`, "look at what is mounted there"];
  return new SealexecError("config", `${lead}${what}`, { hint, cause: error });
}

/** Runs what asks the system for a path: its failure becomes ours, "missing" if nothing is there, else "config". */
export function accessing<T>(work: () => T, name?: string): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Error) || error instanceof SealexecError || !("code" in error)) throw error;
    throw accessFailure(error as NodeJS.ErrnoException, name);
  }
}

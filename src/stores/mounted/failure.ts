import { SealexecError } from "../../base/errors.ts";

const CODES: Readonly<Record<string, { readonly what: string; readonly hint: string }>> = {
  EACCES: {
    what: "permission denied",
    hint: "let the user that sealexec runs as read it: look at its owner and mode, and at those of the folders above it",
  },
  EPERM: { what: "permission denied", hint: "a security policy of the system or the container forbids it" },
  ELOOP: { what: "its links lead in a circle", hint: "name the file itself" },
  ENAMETOOLONG: { what: "its path is too long", hint: "check the path" },
};

function accessFailure(error: NodeJS.ErrnoException, name: string | undefined): SealexecError {
  const lead = name === undefined ? "" : `${name}: `;
  const code = error.code ?? "error";
  if (code === "ENOENT" || code === "ENOTDIR") {
    return new SealexecError("missing", `${lead}no such file or folder`, {
      hint: "check the path, and that it is mounted where sealexec runs",
      cause: error,
    });
  }
  const { what, hint } = CODES[code] ?? {
    what: `cannot be read (${code})`,
    hint: "look at what is mounted there",
  };
  return new SealexecError("config", `${lead}${what}`, { hint, cause: error });
}

/** Runs what asks the system for a path: its failure becomes ours, "missing" if nothing is there, else "config". */
export function accessing<T>(work: () => T, name?: string): T {
  try {
    return work();
  } catch (error) {
    throw hasCode(error) ? accessFailure(error, name) : error;
  }
}

function hasCode(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && !(error instanceof SealexecError) && "code" in error;
}

/** Plain secrets that are mounted. No AWS is asked for them. */
import { dirname } from "node:path";
import type { Context } from "../../base/context.ts";
import { fileState, stateOfPath } from "../../base/files/read.ts";
import type { Store, StoreSource } from "../source.ts";
import { warnOfReaders } from "./exposure.ts";
import { accessing } from "./failure.ts";
import { folderState, readFolder } from "./folder.ts";
import { readMounted } from "./read.ts";
import { DIR_GRAMMAR, ENV_FILE_GRAMMAR, JSON_FILE_GRAMMAR, dirRef, envFileRef, jsonFileRef } from "./ref.ts";

/** Files of variables. */
export const envFile: Store = {
  grammar: ENV_FILE_GRAMMAR,
  source: (parsed) => {
    const { path, dialect } = envFileRef(parsed);
    return {
      uri: parsed.uri,
      gives: "text",
      dialect,
      read: async ({ context }) => ({ kind: "text", ...(await readAndWarn(parsed.uri, path, context)) }),
      ...lookingAtFile(path),
    };
  },
};

/** Files with one JSON object. */
export const jsonFile: Store = {
  grammar: JSON_FILE_GRAMMAR,
  source: (parsed) => {
    const ref = jsonFileRef(parsed);
    return {
      uri: parsed.uri,
      gives: "variables",
      read: async ({ context }) => {
        const { bytes, validator } = await readAndWarn(parsed.uri, ref.path, context);
        const { parseJson } = await import("../../text/json.ts");
        try {
          return { kind: "variables", variables: parseJson(bytes, ref), validator };
        } finally {
          bytes.fill(0);
        }
      },
      ...lookingAtFile(ref.path),
    };
  },
};

/** Folders with one file a variable. */
export const dir: Store = {
  grammar: DIR_GRAMMAR,
  source: (parsed) => {
    const ref = dirRef(parsed);
    return {
      uri: parsed.uri,
      gives: "variables",
      read: async ({ context }) => {
        const { variables, files, state } = readFolder(ref, context);
        warnOfReaders(parsed.uri, ref.path, files, context);
        return { kind: "variables", variables, validator: state };
      },
      look: async (validator) => other(folderState(ref.path), validator),
      folders: [ref.path],
    };
  },
};

// What came through a pipe is gone: nobody can look at it again.
async function readAndWarn(uri: string, path: string, context: Context) {
  const { bytes, stats } = await readMounted(path, context);
  if (!stats.isFile()) return { bytes, validator: undefined };
  warnOfReaders(uri, path, [{ mode: stats.mode }], context);
  return { bytes, validator: fileState(stats) };
}

// The folder is watched, as a file is replaced by another of its name.
function lookingAtFile(path: string): Required<Pick<StoreSource, "look" | "folders">> {
  const state = (): string => accessing(() => stateOfPath(path));
  return { look: async (validator) => other(state(), validator), folders: [dirname(path)] };
}

function other(now: string, before: string): string | undefined {
  return now === before ? undefined : now;
}

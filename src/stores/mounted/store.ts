import type { Stats } from "node:fs";
import { dirname } from "node:path";
import { fileState, stateOfPath } from "../../base/files/state.ts";
import type { Content, Store, StoreSource, Tools } from "../source.ts";
import { warnOfReaders } from "./exposure.ts";
import { accessing } from "./failure.ts";
import { folderState, readFolder } from "./folder.ts";
import { readMounted } from "./read.ts";
import { DIR_GRAMMAR, ENV_FILE_GRAMMAR, JSON_FILE_GRAMMAR, dirRef, envFileRef, jsonFileRef } from "./ref.ts";
import type { DirRef, EnvFileRef, JsonFileRef } from "./ref.ts";

// Plain secrets that are mounted. No AWS is asked for them.

/** Files of variables. */
export const envFile: Store = {
  grammar: ENV_FILE_GRAMMAR,
  source: (parsed) => {
    const { uri } = parsed;
    const ref = envFileRef(parsed);
    return {
      uri,
      gives: "text",
      dialect: ref.dialect,
      read: (tools) => readEnvFile(uri, ref, tools),
      ...lookingAtFile(ref.path),
    };
  },
};

/** Folders with one file a variable. */
export const dir: Store = {
  grammar: DIR_GRAMMAR,
  source: (parsed) => {
    const { uri } = parsed;
    const ref = dirRef(parsed);
    return {
      uri,
      gives: "variables",
      read: async (tools) => readDir(uri, ref, tools),
      look: async (validator) => other(folderState(ref.path), validator),
      folders: [ref.path],
    };
  },
};

/** Files with one JSON object. */
export const jsonFile: Store = {
  grammar: JSON_FILE_GRAMMAR,
  source: (parsed) => {
    const { uri } = parsed;
    const ref = jsonFileRef(parsed);
    return {
      uri,
      gives: "variables",
      read: (tools) => readJsonFile(uri, ref, tools),
      ...lookingAtFile(ref.path),
    };
  },
};

// Of the folder, as a file is replaced by another of its name.
function lookingAtFile(path: string): Required<Pick<StoreSource, "look" | "folders">> {
  return {
    look: async (validator) =>
      other(
        accessing(() => stateOfPath(path)),
        validator,
      ),
    folders: [dirname(path)],
  };
}

function other(now: string, before: string): string | undefined {
  return now === before ? undefined : now;
}

async function readEnvFile(uri: string, { path }: EnvFileRef, { context }: Tools): Promise<Content> {
  const { bytes, stats } = await readMounted(path, context);
  if (stats.isFile()) warnOfReaders(uri, path, [{ mode: stats.mode }], context);
  return { kind: "text", bytes, ...validatorOf(stats) };
}

function readDir(uri: string, ref: DirRef, { context }: Tools): Content {
  const { variables, files, state } = readFolder(ref, context);
  warnOfReaders(uri, ref.path, files, context);
  return { kind: "variables", variables, validator: state };
}

async function readJsonFile(uri: string, ref: JsonFileRef, { context }: Tools): Promise<Content> {
  const { bytes, stats } = await readMounted(ref.path, context);
  if (stats.isFile()) warnOfReaders(uri, ref.path, [{ mode: stats.mode }], context);
  const { parseJson } = await import("../../text/json.ts");
  try {
    return { kind: "variables", variables: parseJson(bytes, ref), ...validatorOf(stats) };
  } finally {
    bytes.fill(0);
  }
}

// What came through a pipe is gone: nobody can look at it again.
function validatorOf(stats: Stats): Pick<Content, "validator"> {
  return stats.isFile() ? { validator: fileState(stats) } : {};
}

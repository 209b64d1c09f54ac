import type { Content, Source, Store, Tools } from "../source.ts";
import { warnOfReaders } from "./exposure.ts";
import { readFolder } from "./folder.ts";
import { readMounted } from "./read.ts";
import { parseMountedUri } from "./ref.ts";
import type { DirRef, EnvFileRef, JsonFileRef } from "./ref.ts";

/** Plain secrets that are mounted: `env-file:PATH`, `dir:PATH`, `json-file:PATH`. No AWS is asked for them. */
export const store: Store = { parse: mountedSource };

function mountedSource(uri: string): Source {
  const ref = parseMountedUri(uri);
  switch (ref.scheme) {
    case "env-file":
      return { uri, gives: "text", dialect: ref.dialect, read: (tools) => readEnvFile(uri, ref, tools) };
    case "dir":
      return { uri, gives: "variables", read: async (tools) => readDir(uri, ref, tools) };
    case "json-file":
      return { uri, gives: "variables", read: (tools) => readJsonFile(uri, ref, tools) };
  }
}

async function readEnvFile(uri: string, { path }: EnvFileRef, { context }: Tools): Promise<Content> {
  const { bytes, stats } = await readMounted(path, context);
  if (stats.isFile()) warnOfReaders(uri, path, [{ mode: stats.mode }], context);
  return { kind: "text", bytes };
}

function readDir(uri: string, ref: DirRef, { context }: Tools): Content {
  const { variables, files } = readFolder(ref, context);
  warnOfReaders(uri, ref.path, files, context);
  return { kind: "variables", variables };
}

async function readJsonFile(uri: string, ref: JsonFileRef, { context }: Tools): Promise<Content> {
  const { bytes, stats } = await readMounted(ref.path, context);
  if (stats.isFile()) warnOfReaders(uri, ref.path, [{ mode: stats.mode }], context);
  const { parseJson } = await import("../../dialects/json.ts");
  try {
    return { kind: "variables", variables: parseJson(bytes, ref) };
  } finally {
    bytes.fill(0);
  }
}

/** `sealexec push`: check a .env and put it there, sealed if the store does not encrypt by itself. */
import { existsSync } from "node:fs";
import type { Context } from "../base/context.ts";
import { parseText } from "../text/parse.ts";
import type { Dialect } from "../text/dialect.ts";
import { findCutValues } from "../text/dotenv/scan.ts";
import { SealexecError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import { parseNames } from "../text/names.ts";
import { refuseNames } from "../text/refused.ts";
import type { Variables } from "../base/secret.ts";
import { readMounted } from "../stores/mounted/read.ts";
import { namesSource } from "../stores/registry.ts";
import type { World } from "./world.ts";
import { printJson, printText, type PushOutcome } from "../desk/outcome.ts";
import { checkPermission } from "../desk/permission.ts";
import { parseTarget } from "../desk/targets/registry.ts";
import type { CheckedFile, PresentThere, PushOptions, Target } from "../desk/target.ts";
import { parsePushOptions, type PushFlags } from "./push-options.ts";

const FROM_TERMINAL = "type or paste the .env; end it with ^D at the beginning of a line";

export async function pushFile(
  file: string,
  uri: string,
  flags: PushFlags,
  world: World,
  context: Context,
): Promise<void> {
  refuseSwapped(file, uri);
  const options = parsePushOptions(flags, context.env);
  const target = await parseTarget(uri, options, context);
  const plaintext = await readSource(file, target.largestBytes, world, context);
  const allow = parseNames("--allow", flags.allow ?? [context.env["SEALEXEC_ALLOW"] ?? ""]);
  const variables = await validate(file, plaintext, target, [...allow, ...(target.options.allow ?? [])]);
  if ((target.dialect ?? "dotenv") === "dotenv") warnOfCuts(file, plaintext, context);
  const outcome = await put(target, { plaintext, variables }, options, flags.force ?? false, context);
  await world.writeOutput(flags.json === true ? printJson(outcome) : printText(outcome));
}

/** Looks, and writes if there is something to write and nothing stands in the way. */
async function put(
  target: Target,
  file: CheckedFile,
  options: PushOptions,
  force: boolean,
  { log }: Context,
): Promise<PushOutcome> {
  const { present, write } = await target.look(file);
  const about = { target: target.name, variables: [...file.variables.keys()], present };
  const isSame = present.kind === "there" && present.same && !options.create;
  if (isSame && !force) return { status: "unchanged", ...about };
  // The same once more: nothing that is there can be lost by it.
  if (!isSame) checkPermission(target, present, options);
  if (present.kind === "there") warnOf(present, target, log);
  return { status: "pushed", ...about, written: await write() };
}

/** What the names of variables do not tell of the change. */
function warnOf({ why, otherwise = [] }: PresentThere, { name }: Target, log: Logger): void {
  if (why !== undefined) log.warn(`${name}: what is there was not compared with the file: ${why}`);
  if (otherwise.length > 0) log.warn(`${name}: this push will ${otherwise.join("; ")}`);
}

/** `push s3://BUCKET/KEY .env`, or two URIs. */
function refuseSwapped(file: string, uri: string): void {
  if (!namesSource(file) || existsSync(file)) return;
  throw new SealexecError("usage", `${file} is not the .env to push: its file comes first, then the URI`, {
    hint: namesSource(uri)
      ? "to copy from one place to another, pull it first: sealexec pull URI -o FILE"
      : `sealexec push FILE ${file}`,
  });
}

async function readSource(
  file: string,
  largestBytes: number,
  world: World,
  context: Context,
): Promise<Uint8Array> {
  if (file === "-") return readStandardInput(largestBytes, world, context);
  try {
    // It may be a pipe: `<(sops -d FILE)` of a shell.
    return (await readMounted(file, context, largestBytes)).bytes;
  } catch (error) {
    if (!(error instanceof SealexecError)) throw error;
    const unread = error.kind === "missing" || error.kind === "config";
    const hint = unread ? "name the .env to push, or - for standard input" : error.hint;
    throw error.reworded(`${file}: ${error.message}`, hint);
  }
}

/** The deadline is for services: a person may think as long as they like, and so may a pipe. */
async function readStandardInput(largestBytes: number, world: World, context: Context): Promise<Uint8Array> {
  const { deadline, log, waiting } = context;
  const arrived = waiting?.begin("input", "standard input");
  const onTerminal = (): void => {
    arrived?.();
    log.notice(FROM_TERMINAL);
  };
  try {
    return await deadline.notDuring(() => world.readInput(largestBytes, onTerminal));
  } finally {
    arrived?.();
  }
}

async function validate(
  file: string,
  plaintext: Uint8Array,
  { dialect = "dotenv" }: { readonly dialect?: Dialect },
  allow: readonly string[],
): Promise<Variables> {
  const name = nameOf(file);
  try {
    // What is set on this machine is nothing to the machine that reads it.
    const variables = await parseText(plaintext, dialect, () => undefined);
    if (variables.size === 0) throw nothingInIt();
    refuseNames(variables, new Set(allow));
    return variables;
  } catch (error) {
    if (!(error instanceof SealexecError)) throw error;
    throw (error.kind === "cannot-execute" ? neverRun(error) : error).at(dialect, name);
  }
}

function warnOfCuts(file: string, plaintext: Uint8Array, { log }: Context): void {
  const cut = findCutValues(plaintext);
  if (cut.length === 0) return;
  log.warn(
    `${nameOf(file)}: cut at a "#" that is not in quotes: ${cut.join(", ")}`,
    "put the value in quotes if the # belongs to it; what is meant as a comment is left out",
    { code: "cut-value", target: nameOf(file) },
  );
}

function nameOf(file: string): string {
  return file === "-" ? "standard input" : file;
}

/** No CMD is in question here: the file is. */
function neverRun({ message, hint }: SealexecError): SealexecError {
  return new SealexecError("data", message, { hint });
}

// `sops -d FILE | sealexec push - URI`: if the left side fails, nothing arrives, and would be sealed.
function nothingInIt(): SealexecError {
  return new SealexecError("data", "no variables in it", {
    hint: "if it comes from a pipe, the program before the pipe may have failed",
  });
}

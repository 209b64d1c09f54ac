/** `sealexec push`: check a .env, seal it on this machine, upload it; never over somebody else's change. */
import { readFileSync } from "node:fs";
import { AwsSession } from "../aws/session.ts";
import { step } from "../context.ts";
import type { Context } from "../context.ts";
import { parseDotenv } from "../dotenv/parse.ts";
import { seal, writerContext } from "../envelope/index.ts";
import { SealexecError } from "../errors.ts";
import { generateDataKey } from "../kms/generate.ts";
import { refuseNames } from "../names.ts";
import { parseContext, parseKey, parseNames, words } from "../options.ts";
import type { Variables } from "../secret.ts";
import { LARGEST_OBJECT_BYTES } from "../stores/s3/read.ts";
import { parseS3Uri, placeOf } from "../stores/s3/ref.ts";
import type { S3Ref } from "../stores/s3/ref.ts";
import { s3Need } from "../stores/s3/store.ts";
import { readRevision, writeObject } from "../stores/s3/write.ts";
import type { Expected } from "../stores/s3/write.ts";
import type { World } from "../world.ts";

export interface PushFlags {
  readonly key?: string;
  readonly context?: readonly string[];
  readonly format: "v3" | "v2";
  readonly bind: boolean;
  readonly ifMatch?: string;
  readonly create?: boolean;
  readonly allow?: readonly string[];
}

/** The tag of AES-GCM, bytes. */
const TAG_BYTES = 16;

export async function pushFile(
  file: string,
  uri: string,
  flags: PushFlags,
  world: World,
  context: Context,
): Promise<void> {
  const ref = parseTarget(uri);
  const key = chosenKey(flags, context);
  const userContext = parseContext(flags.context ?? words(context.env["SEALEXEC_CONTEXT"], /,/));
  const encryptionContext = writerContext(flags.format, userContext, flags.bind ? placeOf(ref) : undefined);
  const plaintext = await readSource(file, world);
  const variables = validate(
    file,
    plaintext,
    parseNames("--allow", flags.allow ?? [context.env["SEALEXEC_ALLOW"] ?? ""]),
  );

  const session = new AwsSession(context, key);
  await session.begin([s3Need(ref)], "writing");
  const place = placeOf(ref);
  // Read before sealing: a change that comes in between is somebody else's.
  const expected = await step(context, "object", place, () => expectedRevision(ref, flags, session, context));
  const dataKey = await step(context, "key", key, () =>
    generateDataKey(key, encryptionContext, s3Need(ref), session, context),
  );
  const sealed = seal(flags.format, {
    plaintext,
    dataKey: dataKey.plaintext,
    wrappedKey: dataKey.wrapped,
    encryptionContext,
  });
  dataKey.plaintext.fill(0);
  plaintext.fill(0);
  const revision = await step(context, "object", place, () =>
    writeObject(ref, sealed, expected, session, context),
  );

  const facts = [
    ["sealed", place],
    ["version", revision.versionId ?? "none: the bucket is not versioned"],
    ["etag", revision.etag ?? "none"],
    ["format", flags.format],
    ["key", dataKey.keyArn],
    ["variables", String(variables.size)],
  ];
  await world.writeOutput(facts.map(([name = "", value]) => `${name.padEnd(10)}${value}\n`).join(""));
}

function parseTarget(uri: string): S3Ref {
  const ref = parseS3Uri(uri);
  if (ref.versionId === undefined) return ref;
  throw new SealexecError("usage", "a push makes a new version: the URI may not name one");
}

function chosenKey(flags: PushFlags, context: Context): string {
  const key = flags.key ?? context.env["SEALEXEC_KEY"] ?? "";
  if (key !== "") return parseKey(key);
  throw new SealexecError("usage", "no key: give --key KEY or set SEALEXEC_KEY", {
    hint: "a KMS key id, ARN or alias, such as alias/my-app",
  });
}

async function readSource(file: string, world: World): Promise<Uint8Array> {
  if (file === "-") return world.readInput(LARGEST_OBJECT_BYTES - TAG_BYTES);
  try {
    return readFileSync(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new SealexecError(
      code === "ENOENT" ? "missing" : "config",
      `${file}: cannot be read (${code ?? "error"})`,
      {
        hint: "name the .env to seal, or - for standard input",
        cause: error,
      },
    );
  }
}

function validate(file: string, plaintext: Uint8Array, allow: readonly string[]): Variables {
  const name = file === "-" ? "standard input" : file;
  if (plaintext.length > LARGEST_OBJECT_BYTES - TAG_BYTES) {
    throw new SealexecError("data", `${name}: larger than ${LARGEST_OBJECT_BYTES - TAG_BYTES} bytes`, {
      hint: "it is not a .env",
    });
  }
  try {
    const variables = parseDotenv(plaintext);
    if (variables.size === 0) throw nothingInIt();
    refuseNames(variables, new Set(allow));
    return variables;
  } catch (error) {
    throw error instanceof SealexecError ? error.at(`dotenv: ${name}`) : error;
  }
}

// `sops -d FILE | sealexec push - URI`: where the left side fails, nothing arrives, and nothing is what would be sealed.
function nothingInIt(): SealexecError {
  return new SealexecError("data", "no variables in it", {
    hint: "if it comes from a pipe, the program before the pipe may have failed",
  });
}

function expectedRevision(
  ref: S3Ref,
  flags: PushFlags,
  session: AwsSession,
  context: Context,
): Expected | Promise<Expected> {
  if (flags.create === true) return { kind: "absent" };
  if (flags.ifMatch !== undefined) return { kind: "etag", etag: quoted(flags.ifMatch) };
  return readRevision(ref, session, context);
}

// RFC 9110, section 8.8.3: an entity tag has quotes around it; people copy it without.
function quoted(etag: string): string {
  const bare = etag.replace(/^"|"$/g, "");
  if (/^[\x21\x23-\x7e]+$/.test(bare)) return `"${bare}"`;
  throw new SealexecError("usage", "--if-match is not an ETag", {
    hint: "push prints the ETag of each version",
  });
}

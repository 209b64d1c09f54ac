/** A sealed object with canaries in it, folders to look through afterwards, and the ways to make each stage fail. */
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Aws } from "../../aws/server.ts";
import { openBlob } from "../../aws/kms-blob.ts";
import { BUCKET, KEY, push } from "../harness.ts";
import { flipBodyBit, putDirect } from "../expect.ts";
import type { Canary } from "./canaries.ts";

/** With every kind of character that some form or other writes differently. */
export const VALUE = "cAnArY/+ vAlUe=%&?7f3Kx9QpLm2ZtVw8~żół";

/** What would make a runtime, the SDK or a library talk. */
export const TALKATIVE = {
  NODE_DEBUG: "*",
  DEBUG: "*",
  BUN_DEBUG_ALL: "1",
  BUN_DEBUG_QUIET_LOGS: "0",
  BUN_CONFIG_VERBOSE_FETCH: "curl",
  AWS_SDK_LOAD_CONFIG: "1",
  AWS_LOG_LEVEL: "trace",
};

export interface Scene {
  readonly aws: Aws;
  /** cwd, HOME and TMPDIR, all in one */
  readonly folder: string;
  readonly uri: string;
}

export const plaintext = `FIRST='${VALUE}'\nSECOND=2\n`;

export async function makeScene(aws: Aws, folder: string): Promise<Scene> {
  return { aws, folder, uri: await push(aws, "app.env", plaintext) };
}

/** The value, the data key of the object there is, and what IMDS hands out. */
export function canariesOf({ aws }: Scene): Canary[] {
  const { sessionToken = "", secretAccessKey } = aws.imds.credentials;
  return [
    { name: "value", bytes: Buffer.from(VALUE) },
    { name: "data key", bytes: dataKeyOf(aws) },
    { name: "session token", bytes: Buffer.from(sessionToken) },
    { name: "secret access key", bytes: Buffer.from(secretAccessKey) },
  ];
}

function dataKeyOf(aws: Aws): Buffer {
  const metadata = aws.s3.versions(BUCKET, "app.env").at(-1)?.metadata ?? {};
  const context = JSON.parse(metadata["x-amz-t"] ?? "{}") as Record<string, string>;
  const blob = Buffer.from(metadata["x-amz-3"] ?? "", "base64");
  const opened = openBlob(aws.kms.find(KEY, aws.region), blob, context);
  if (opened === undefined) throw new Error("the data key of the scene does not open");
  return opened;
}

/** Every file below a folder, by its path from there, with what is in it. */
export function filesIn(folder: string): Map<string, Buffer> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => !entry.isDirectory());
  return new Map(
    files.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [path.slice(folder.length + 1), readFileSync(path)];
    }),
  );
}

export interface Stage {
  readonly name: string;
  readonly status: number;
  readonly given?: (scene: Scene) => unknown;
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** For what is tried again until the time is over. */
export const SHORT = ["--timeout", "2"];

/** The ways in which opening can fail, for run, pull and check alike. */
export const OPENING: readonly Stage[] = [
  {
    name: "credentials: none",
    status: 77,
    given: ({ aws }) => {
      aws.imds.role = undefined;
    },
  },
  {
    name: "credentials: cut in the middle",
    status: 69,
    given: ({ aws }) => aws.faults.add({ service: "imds", operation: "GetCredentials", action: "cutJson" }),
    flags: SHORT,
  },
  {
    name: "credentials: not JSON, the canaries in it",
    status: 69,
    given: (scene) =>
      scene.aws.faults.add({
        service: "imds",
        operation: "GetCredentials",
        action: "body",
        body: `{"Token": "${scene.aws.imds.credentials.sessionToken}", ${VALUE}`,
      }),
    flags: SHORT,
  },
  {
    name: "credentials: revoked",
    status: 77,
    given: ({ aws }) => aws.identities.revoke(aws.imds.credentials.accessKeyId),
  },
  { name: "region: not one", status: 78, env: { AWS_REGION: "no region" } },
  {
    name: "object: gone",
    status: 66,
    given: ({ aws }) => aws.s3.remove(aws.s3.buckets.get(BUCKET) ?? aws.s3.createBucket(BUCKET), "app.env"),
  },
  { name: "object: denied", status: 77, given: ({ aws }) => aws.s3.deny("GetObject") },
  {
    name: "object: an error whose message and code hold canaries",
    status: 69,
    given: (scene) =>
      scene.aws.faults.add({
        service: "s3",
        action: "status",
        status: 500,
        code: `Internal ${VALUE}`,
        message: `${VALUE} ${scene.aws.imds.credentials.sessionToken}`,
      }),
    flags: SHORT,
  },
  {
    name: "object: cut in the middle",
    status: 69,
    given: ({ aws }) => aws.faults.add({ service: "s3", action: "closeMidBody" }),
    flags: SHORT,
  },
  {
    name: "object: nobody listens",
    status: 69,
    given: ({ aws }) => aws.faults.add({ service: "s3", action: "refuse" }).ready,
    flags: SHORT,
  },
  {
    name: "object: silence",
    status: 75,
    given: ({ aws }) => aws.faults.add({ service: "s3", action: "silent" }),
    flags: SHORT,
  },
  {
    name: "format: the .env itself, unsealed",
    status: 65,
    given: ({ aws }) => aws.s3.put(BUCKET, "app.env", plaintext),
  },
  {
    name: "format: metadata that hold canaries",
    status: 65,
    given: ({ aws }) => {
      const { body = "", metadata = {} } = aws.s3.get(BUCKET, "app.env") ?? {};
      aws.s3.put(BUCKET, "app.env", body, { ...metadata, "x-amz-c": Buffer.from(VALUE).toString("hex") });
    },
  },
  { name: "context: another", status: 65, flags: ["--context", "stage=prod"] },
  { name: "key: denied", status: 77, given: ({ aws }) => aws.kms.deny("Decrypt") },
  { name: "key: disabled", status: 78, given: ({ aws }) => aws.kms.setState(KEY, "Disabled") },
  {
    name: "key: an answer cut behind the data key",
    status: 69,
    given: ({ aws }) =>
      aws.faults.add({ service: "kms", operation: "Decrypt", action: "cutJson", bytes: 160 }),
    flags: SHORT,
  },
  {
    name: "key: an answer that is not JSON, the data key in it",
    status: 69,
    given: (scene) => {
      const key =
        canariesOf(scene)
          .find(({ name }) => name === "data key")
          ?.bytes.toString("base64") ?? "";
      scene.aws.faults.add({
        service: "kms",
        action: "body",
        body: `{"Plaintext":"${key}", ${key}`,
        contentType: "application/x-amz-json-1.1",
      });
    },
    flags: SHORT,
  },
  {
    name: "key: a data key that is too long",
    status: 65,
    given: (scene) => {
      const key = canariesOf(scene).find(({ name }) => name === "data key")?.bytes ?? Buffer.alloc(0);
      const { metadata = {} } = scene.aws.s3.get(BUCKET, "app.env") ?? {};
      scene.aws.kms.importDataKey(metadata["x-amz-3"] ?? "", Buffer.concat([key, Buffer.of(0)]), {
        key: scene.aws.kms.find(KEY, scene.aws.region),
      });
    },
  },
  { name: "decrypt: a flipped bit", status: 65, given: ({ aws }) => flipBodyBit(aws, "app.env") },
];

/** The ways in which an opened .env can be refused, for run and check. */
export const REFUSING: readonly Stage[] = [
  ...Object.entries({
    "no assignment": `SECOND=2\n${VALUE}\n`,
    "a name that is none": `SECOND=2\n${VALUE}: 'x'\n`,
    "quotes without an end": `FIRST='${VALUE}\n`,
    "text behind the quotes": `FIRST='x' ${VALUE}\n`,
    "a name twice": `FIRST='${VALUE}'\nFIRST='${VALUE}'\n`,
    "NUL in it": `FIRST='${VALUE}\0'\n`,
    "not UTF-8": Buffer.concat([Buffer.from(`FIRST='${VALUE}`), Buffer.of(0xff), Buffer.from("'\n")]),
  }).map(([name, text]): Stage => ({
    name: `dotenv: ${name}`,
    status: 65,
    given: ({ aws }) => putDirect(aws, "app.env", text),
    flags: ["--accept", "kms-direct"],
  })),
  {
    name: "refused names",
    status: 65,
    given: ({ aws }) => putDirect(aws, "app.env", `LD_PRELOAD='${VALUE}'\n`),
    flags: ["--accept", "kms-direct"],
  },
  { name: "required names", status: 65, flags: ["--require", "FIRST,THIRD"] },
];

export interface PushStage extends Stage {
  readonly text?: string | Buffer;
}

/** The ways in which a push can fail. Its data key is the scene's, so that it can be looked for. */
export const PUSHING: readonly PushStage[] = [
  { name: "dotenv: no assignment", status: 65, text: `SECOND=2\n${VALUE}\n` },
  { name: "dotenv: quotes without an end", status: 65, text: `FIRST="${VALUE}\n` },
  { name: "dotenv: a refused name", status: 65, text: `LD_PRELOAD='${VALUE}'\n` },
  { name: "dotenv: not UTF-8", status: 65, text: Buffer.concat([Buffer.from(VALUE), Buffer.of(0xff)]) },
  {
    name: "credentials: none",
    status: 77,
    given: ({ aws }) => {
      aws.imds.role = undefined;
    },
  },
  { name: "object: GetObject denied", status: 77, given: ({ aws }) => aws.s3.deny("GetObject") },
  { name: "object: there already", status: 80, flags: ["--create"] },
  {
    name: "object: there already, with other values",
    status: 80,
    text: `FIRST='${VALUE}'\nNEW=1\n`,
    flags: [],
  },
  { name: "key: denied", status: 77, given: ({ aws }) => aws.kms.deny("GenerateDataKey") },
  { name: "key: disabled", status: 78, given: ({ aws }) => aws.kms.setState(KEY, "Disabled") },
  {
    name: "key: an answer cut in the middle",
    status: 69,
    given: ({ aws }) => aws.faults.add({ service: "kms", action: "cutJson", bytes: 320 }),
    flags: ["--replace", "--force", "--timeout", "5"],
  },
  {
    name: "object: PutObject denied",
    status: 77,
    given: withKnownKey(({ aws }) => aws.s3.deny("PutObject")),
  },
  {
    name: "object: PutObject fails",
    status: 69,
    given: withKnownKey(({ aws }) =>
      aws.faults.add({ service: "s3", operation: "PutObject", action: "status", status: 500 }),
    ),
    flags: ["--replace", "--force", "--timeout", "5"],
  },
  {
    name: "object: the connection is lost",
    status: 69,
    given: withKnownKey(({ aws }) =>
      aws.faults.add({ service: "s3", operation: "PutObject", action: "reset" }),
    ),
    flags: ["--replace", "--force", "--timeout", "5"],
  },
  {
    name: "object: somebody else was quicker",
    status: 80,
    given: withKnownKey(({ aws }) =>
      aws.faults.add({ service: "s3", operation: "GetObject", action: "replaceObject", body: "theirs" }),
    ),
  },
  {
    name: "object: metadata too large",
    status: 65,
    flags: ["--replace", "--context", `large=${"x".repeat(1_800)}`],
  },
];

/** KMS hands out the data key of the scene once more, so that it is known which one to look for. */
function withKnownKey(then: (scene: Scene) => unknown): (scene: Scene) => unknown {
  return (scene) => {
    const { aws } = scene;
    const { metadata = {} } = aws.s3.get(BUCKET, "app.env") ?? {};
    const answer = {
      CiphertextBlob: metadata["x-amz-3"],
      Plaintext: dataKeyOf(aws).toString("base64"),
      KeyId: aws.kms.find(KEY, aws.region).arn,
    };
    aws.faults.add({
      service: "kms",
      operation: "GenerateDataKey",
      action: "body",
      body: JSON.stringify(answer),
      contentType: "application/x-amz-json-1.1",
    });
    return then(scene);
  };
}

export function writeSource({ folder }: Scene, text: string | Buffer): string {
  const file = join(folder, "source.env");
  writeFileSync(file, text);
  return file;
}

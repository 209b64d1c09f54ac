/**
 * What push asks for, target by target and situation by situation: one look, what opens it, and one write. Nothing is sealed,
 * and no data key made, before it is known that it may be written.
 */
import { describe, test } from "node:test";
import type { Rule } from "../aws/faults.ts";
import type { Aws } from "../aws/server.ts";
import { DECRYPT, OBJECT, ROLE, assertAsked, fail } from "./asked.ts";
import type { Row } from "./asked.ts";
import { BUCKET, KEY, sealexec } from "./harness.ts";
import { URI } from "./pushing.ts";

const PUT = `s3 PutObject ${BUCKET}/app.env`;
const HEAD = `s3 HeadObject ${BUCKET}/app.env`;
const GENERATE = "kms GenerateDataKey";

/** What is there holds A=b. */
const SAME = "A=b\n";
const OTHER = "A=c\n";

const push = (uri: string, ...flags: string[]): string[] => ["push", "-", uri, ...flags];
const toS3 = (...flags: string[]): string[] => push(URI, "--key", KEY, ...flags);

const objectFault = (operation: string, action: string, more: object = {}): NonNullable<Row["given"]> =>
  fail({ service: "s3", operation, action, ...more } as Rule);

const S3: readonly Row[] = [
  {
    name: "a new object",
    words: push(`s3://${BUCKET}/new.env`, "--key", KEY),
    asks: [...ROLE, `s3 GetObject ${BUCKET}/new.env 404`, GENERATE, `s3 PutObject ${BUCKET}/new.env`],
  },
  {
    name: "a new object, --create",
    words: push(`s3://${BUCKET}/new.env`, "--key", KEY, "--create"),
    asks: [...ROLE, `s3 GetObject ${BUCKET}/new.env 404`, GENERATE, `s3 PutObject ${BUCKET}/new.env`],
  },
  {
    name: "over nothing, --if-match",
    words: push(`s3://${BUCKET}/new.env`, "--key", KEY, "--if-match", "abc"),
    status: 80,
    asks: [...ROLE, `s3 GetObject ${BUCKET}/new.env 404`],
  },
  {
    name: "into a bucket that is not there",
    words: push("s3://no-such-bucket/app.env", "--key", KEY),
    status: 66,
    asks: [...ROLE, "s3 GetObject no-such-bucket/app.env 404"],
  },
  {
    name: "over an object, --replace",
    words: toS3("--replace"),
    asks: [...ROLE, OBJECT, DECRYPT, GENERATE, PUT],
  },
  {
    name: "over an object, and no flag speaks of it",
    words: toS3(),
    status: 80,
    asks: [...ROLE, OBJECT, DECRYPT],
  },
  { name: "over an object, --create", words: toS3("--create"), status: 80, asks: [...ROLE, OBJECT, DECRYPT] },
  {
    name: "over an object, --if-match another",
    words: toS3("--if-match", "abc"),
    status: 80,
    asks: [...ROLE, OBJECT, DECRYPT],
  },
  {
    name: "over an object, --if-match the one that is there",
    words: (aws) => toS3("--if-match", aws.s3.get(BUCKET, "app.env")?.etag ?? ""),
    asks: [...ROLE, OBJECT, DECRYPT, GENERATE, PUT],
  },
  {
    name: "over an object, --if-match the one that is there, which another then replaces",
    words: (aws) => toS3("--if-match", aws.s3.get(BUCKET, "app.env")?.etag ?? ""),
    status: 80,
    given: objectFault("GetObject", "replaceObject", { body: "theirs", times: 1 }),
    asks: [...ROLE, OBJECT, DECRYPT, GENERATE, `${PUT} 412`],
  },
  { name: "the same, without a flag", words: toS3(), input: SAME, asks: [...ROLE, OBJECT, DECRYPT] },
  { name: "the same, --replace", words: toS3("--replace"), input: SAME, asks: [...ROLE, OBJECT, DECRYPT] },
  {
    name: "the same, --replace --force",
    words: toS3("--replace", "--force"),
    input: SAME,
    asks: [...ROLE, OBJECT, DECRYPT, GENERATE, PUT],
  },
  {
    name: "no right to decrypt, --replace",
    words: toS3("--replace"),
    given: (aws) => aws.kms.deny("Decrypt"),
    asks: [...ROLE, OBJECT, `${DECRYPT} 400`, GENERATE, PUT],
  },
  {
    name: "no right to decrypt, and no flag",
    words: toS3(),
    status: 80,
    given: (aws) => aws.kms.deny("Decrypt"),
    asks: [...ROLE, OBJECT, `${DECRYPT} 400`],
  },
  {
    name: "no right to make a data key",
    words: toS3("--replace"),
    status: 77,
    given: (aws) => aws.kms.deny("GenerateDataKey"),
    asks: [...ROLE, OBJECT, DECRYPT, `${GENERATE} 400`],
  },
  {
    name: "no right to look, --replace",
    words: toS3("--replace"),
    status: 77,
    given: (aws) => aws.s3.deny("GetObject"),
    asks: [...ROLE, `${OBJECT} 403`],
  },
  {
    name: "no right to look, --create: S3 says that there is one",
    words: toS3("--create"),
    status: 80,
    given: (aws) => aws.s3.deny("GetObject"),
    asks: [...ROLE, `${OBJECT} 403`, GENERATE, `${PUT} 412`],
  },
  {
    name: "no right to look, --if-match",
    words: toS3("--if-match", "abc"),
    status: 80,
    given: (aws) => aws.s3.deny("GetObject"),
    asks: [...ROLE, `${OBJECT} 403`, GENERATE, `${PUT} 412`],
  },
  {
    name: "the credentials have expired, --create: that tells nothing of the object",
    words: toS3("--create"),
    status: 77,
    given: (aws) => {
      aws.imds.credentials = aws.identities.issue("arn:aws:iam::111122223333:role/app", "i-0", -60_000);
    },
    asks: [...ROLE, `${OBJECT} 400`],
  },
  {
    name: "no right to write",
    words: toS3("--replace"),
    status: 77,
    given: (aws) => aws.s3.deny("PutObject"),
    asks: [...ROLE, OBJECT, DECRYPT, GENERATE, `${PUT} 403`],
  },
  {
    name: "what is there is damaged, --replace: KMS opens its key, and no more",
    words: toS3("--replace"),
    given: (aws) => {
      const { body = Buffer.alloc(0), metadata } = aws.s3.get(BUCKET, "app.env") ?? {};
      const damaged = Buffer.from(body);
      damaged.writeUInt8(damaged.readUInt8(0) ^ 1, 0);
      aws.s3.put(BUCKET, "app.env", damaged, metadata);
    },
    asks: [...ROLE, OBJECT, DECRYPT, GENERATE, PUT],
  },
  {
    name: "what is there is bound to another place, --replace: it is not opened",
    words: toS3("--replace"),
    given: (aws) => {
      const { body, metadata } = aws.s3.get(BUCKET, "second.env") ?? {};
      aws.s3.put(BUCKET, "app.env", body ?? "", metadata ?? {});
    },
    asks: [...ROLE, OBJECT, GENERATE, PUT],
  },
  {
    name: "what is there is not sealed, --replace",
    words: toS3("--replace"),
    given: (aws) => void aws.s3.put(BUCKET, "app.env", "A=1\n"),
    asks: [...ROLE, OBJECT, GENERATE, PUT],
  },
  {
    name: "what is there is far too large, --replace: its ETag is asked for",
    words: toS3("--replace"),
    given: (aws) => void aws.s3.put(BUCKET, "app.env", Buffer.alloc(5_000_000)),
    asks: [...ROLE, OBJECT, HEAD, GENERATE, PUT],
  },
  {
    name: "somebody writes between the look and the write",
    words: toS3("--replace"),
    status: 80,
    given: objectFault("GetObject", "replaceObject", { body: "theirs", times: 1 }),
    asks: [...ROLE, OBJECT, DECRYPT, GENERATE, `${PUT} 412`],
  },
  {
    name: "the answer of the write is lost: the second attempt meets the first, and it is looked at whose it is",
    words: toS3("--replace"),
    given: objectFault("PutObject", "header", { name: "content-length", value: "9", times: 1 }),
    asks: [...ROLE, OBJECT, DECRYPT, GENERATE, PUT, `${PUT} 412`, HEAD],
  },
  {
    name: "the write fails once",
    words: toS3("--replace"),
    given: objectFault("PutObject", "status", { status: 503, times: 1 }),
    asks: [...ROLE, OBJECT, DECRYPT, GENERATE, `${PUT} 503`, PUT],
  },
  {
    name: "the look fails once",
    words: toS3("--replace"),
    given: objectFault("GetObject", "status", { status: 503, times: 1 }),
    asks: [...ROLE, `${OBJECT} 503`, OBJECT, DECRYPT, GENERATE, PUT],
  },
  {
    name: "a revision that is far ahead: it is known at the look",
    words: toS3("--replace", "--revision", "99999999999999"),
    status: 64,
    asks: [...ROLE, OBJECT, DECRYPT],
  },
  {
    name: "a .env that is none: nobody is asked",
    words: toS3("--replace"),
    input: "no",
    status: 65,
    asks: [],
  },
  {
    name: "flags that say two things: nobody is asked",
    words: toS3("--replace", "--create"),
    status: 64,
    asks: [],
  },
];

const VALUE = "secretsmanager GetSecretValue app";
const PUT_VALUE = "secretsmanager PutSecretValue app";
const MOVE = "secretsmanager UpdateSecretVersionStage app";
const SECRET = "secretsmanager://app";
const NEW_SECRET = "secretsmanager://new";
const NO_VALUE = "secretsmanager GetSecretValue new 400";
const CREATE = "secretsmanager CreateSecret new";

const secretFault = (operation: string, more: object): NonNullable<Row["given"]> =>
  fail({ service: "secretsmanager", operation, times: 1, ...more } as Rule);

const currentOf = (aws: Aws): string => aws.secrets.find("app")?.stages.get("AWSCURRENT") ?? "";

/** Somebody else's version becomes the current one as soon as ours is there. */
function anotherAfterPut({ secrets }: Aws): void {
  const put = secrets.putVersion.bind(secrets);
  secrets.putVersion = (secret, ...ours) => {
    const version = put(secret, ...ours);
    secrets.putVersion = put;
    secrets.put("app", { text: '{"A":"theirs"}' });
    return version;
  };
}

const SECRETS: readonly Row[] = [
  { name: "a new secret", words: push(NEW_SECRET), asks: [...ROLE, NO_VALUE, CREATE] },
  { name: "a new secret, --create", words: push(NEW_SECRET, "--create"), asks: [...ROLE, NO_VALUE, CREATE] },
  {
    name: "over nothing, --if-match",
    words: push(NEW_SECRET, "--if-match", "abc"),
    status: 80,
    asks: [...ROLE, NO_VALUE],
  },
  {
    name: "a secret that has no value yet: nothing has to be moved",
    words: push(NEW_SECRET),
    given: (aws) => void aws.secrets.create("new"),
    asks: [...ROLE, NO_VALUE, "secretsmanager PutSecretValue new"],
  },
  {
    name: "over a secret, --replace: a version, which then becomes the current one",
    words: push(SECRET, "--replace"),
    asks: [...ROLE, VALUE, PUT_VALUE, MOVE],
  },
  {
    name: "over a secret, and no flag speaks of it",
    words: push(SECRET),
    status: 80,
    asks: [...ROLE, VALUE],
  },
  { name: "over a secret, --create", words: push(SECRET, "--create"), status: 80, asks: [...ROLE, VALUE] },
  {
    name: "over a secret, --if-match another",
    words: push(SECRET, "--if-match", "abc"),
    status: 80,
    asks: [...ROLE, VALUE],
  },
  {
    name: "over a secret, --if-match the version that is there",
    words: (aws) => push(SECRET, "--if-match", currentOf(aws)),
    asks: [...ROLE, VALUE, PUT_VALUE, MOVE],
  },
  {
    name: "another version becomes the current one between the two steps: ours is found not to be it, and let go of",
    words: push(SECRET, "--replace"),
    status: 80,
    given: anotherAfterPut,
    asks: [...ROLE, VALUE, PUT_VALUE, `${MOVE} 400`, VALUE, MOVE],
  },
  {
    name: "the same with --if-match the version that is there",
    words: (aws) => push(SECRET, "--if-match", currentOf(aws)),
    status: 80,
    given: anotherAfterPut,
    asks: [...ROLE, VALUE, PUT_VALUE, `${MOVE} 400`, VALUE, MOVE],
  },
  { name: "the same", words: push(SECRET), input: SAME, asks: [...ROLE, VALUE] },
  {
    name: "the same, --replace --force",
    words: push(SECRET, "--replace", "--force"),
    input: SAME,
    asks: [...ROLE, VALUE, PUT_VALUE, MOVE],
  },
  {
    name: "no right to look, --replace",
    words: push(SECRET, "--replace"),
    status: 77,
    given: (aws) => aws.secrets.deny("GetSecretValue"),
    asks: [...ROLE, `${VALUE} 400`],
  },
  {
    name: "no right to look, --create: Secrets Manager says that there is one",
    words: push(SECRET, "--create"),
    status: 80,
    given: (aws) => aws.secrets.deny("GetSecretValue"),
    asks: [...ROLE, `${VALUE} 400`, "secretsmanager CreateSecret app 400"],
  },
  {
    name: "no right to write",
    words: push(SECRET, "--replace"),
    status: 77,
    given: (aws) => aws.secrets.deny("PutSecretValue"),
    asks: [...ROLE, VALUE, `${PUT_VALUE} 400`],
  },
  {
    name: "marked for deletion",
    words: push(SECRET, "--replace"),
    status: 66,
    given: (aws) => void Object.assign(aws.secrets.find("app") ?? {}, { deletionDate: Date.now() }),
    asks: [...ROLE, `${VALUE} 400`],
  },
  {
    name: "the answer of the write is lost: the same version once more",
    words: push(SECRET, "--replace"),
    given: secretFault("PutSecretValue", { action: "closeMidBody" }),
    asks: [...ROLE, VALUE, PUT_VALUE, PUT_VALUE, MOVE],
  },
  {
    name: "the answer of the last step is lost: the second attempt meets the first, and it is looked at whose it is",
    words: push(SECRET, "--replace"),
    given: secretFault("UpdateSecretVersionStage", { action: "closeMidBody" }),
    asks: [...ROLE, VALUE, PUT_VALUE, MOVE, `${MOVE} 400`, VALUE],
  },
];

const PATH = "ssm GetParametersByPath /app";
const PARAMETERS = "ssm:///app/";
const parameter = (name: string): string => `ssm PutParameter /app/${name}`;
const ALL = [parameter("A"), parameter("C")];
/** What is there already keeps its spelling. */
const OVER = [parameter("a"), parameter("C")];

const SSM: readonly Row[] = [
  {
    name: "a new path: each parameter once",
    words: push("ssm:///new/"),
    input: "A=1\nC=1\n",
    asks: [...ROLE, "ssm GetParametersByPath /new", "ssm PutParameter /new/A", "ssm PutParameter /new/C"],
  },
  {
    name: "over parameters: what the file has not stays",
    words: push(PARAMETERS),
    input: "A=1\nC=1\n",
    asks: [...ROLE, PATH, ...OVER],
  },
  {
    name: "over parameters, --replace: what the file has not is removed last",
    words: push(PARAMETERS, "--replace"),
    input: "A=1\nC=1\n",
    asks: [...ROLE, PATH, ...OVER, "ssm DeleteParameters"],
  },
  {
    name: "over parameters, --replace, and there are no others",
    words: push("ssm:///new/", "--replace"),
    input: "A=1\n",
    given: (aws) => void aws.parameters.put("/new/A", "0"),
    asks: [...ROLE, "ssm GetParametersByPath /new", "ssm PutParameter /new/A"],
  },
  {
    name: "no right to look: nothing is known of the others",
    words: push(PARAMETERS),
    input: "A=1\nC=1\n",
    given: (aws) => aws.parameters.deny("GetParametersByPath"),
    asks: [...ROLE, `${PATH} 400`, ...ALL],
  },
  {
    name: "no right to look, --replace",
    words: push(PARAMETERS, "--replace"),
    status: 77,
    given: (aws) => aws.parameters.deny("GetParametersByPath"),
    asks: [...ROLE, `${PATH} 400`],
  },
  {
    name: "no right to decrypt: names are asked for without values",
    words: push(PARAMETERS),
    input: "A=1\nC=1\n",
    given: fail({
      service: "ssm",
      operation: "GetParametersByPath",
      action: "status",
      status: 400,
      code: "AccessDeniedException",
      message: "The ciphertext refers to a customer master key that you may not use (kms:Decrypt)",
      times: 1,
    }),
    asks: [...ROLE, `${PATH} 400`, PATH, ...OVER],
  },
  {
    name: "a write that is refused is the last",
    words: push(PARAMETERS),
    input: "A=1\nC=1\n",
    status: 77,
    given: (aws) => aws.parameters.deny("PutParameter"),
    asks: [...ROLE, PATH, `${parameter("a")} 400`],
  },
  {
    name: "--create, which cannot be kept there: nobody is asked",
    words: push(PARAMETERS, "--create"),
    status: 64,
    asks: [],
  },
];

const FILE = "file:app.sealed";
const toFile = (...flags: string[]): string[] => push(FILE, "--key", KEY, ...flags);

async function sealFile(aws: Aws, cwd: string): Promise<void> {
  await sealexec(toFile(), { env: aws.env(), cwd, input: SAME });
}

async function makeKey(_: Aws, cwd: string): Promise<void> {
  await sealexec(["keygen", "key"], { cwd });
  await sealexec(push(FILE, "--key", "local:key"), { cwd, input: SAME });
}

const FILES: readonly Row[] = [
  { name: "a new file", words: toFile(), asks: [...ROLE, GENERATE] },
  {
    name: "over a file, --replace",
    words: toFile("--replace"),
    given: sealFile,
    asks: [...ROLE, DECRYPT, GENERATE],
  },
  {
    name: "over a file, and no flag speaks of it",
    words: toFile(),
    status: 80,
    given: sealFile,
    asks: [...ROLE, DECRYPT],
  },
  { name: "the same", words: toFile(), input: SAME, given: sealFile, asks: [...ROLE, DECRYPT] },
  {
    name: "under a local key: nobody is asked",
    words: push(FILE, "--key", "local:key", "--replace"),
    given: makeKey,
    asks: [],
  },
  {
    name: "under a local key, what is there is under KMS: nobody is asked",
    words: push(FILE, "--key", "local:key", "--replace"),
    given: async (aws, cwd) => {
      await makeKey(aws, cwd);
      await sealexec(toFile("--replace"), { env: aws.env(), cwd, input: SAME });
    },
    asks: [],
  },
];

const rowsOf = (rows: readonly Row[]): readonly Row[] => rows.map((row) => ({ input: OTHER, ...row }));

for (const [name, rows] of [
  ["S3", S3],
  ["Secrets Manager", SECRETS],
  ["Systems Manager", SSM],
  ["a sealed file", FILES],
] as const) {
  describe(`push to ${name} asks`, { concurrency: 2 }, () => {
    for (const row of rowsOf(rows)) test(row.name, () => assertAsked(row));
  });
}

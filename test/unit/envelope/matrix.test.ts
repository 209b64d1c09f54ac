/**
 * Every metadata key dropped, emptied, doubled, renamed, rewritten, taken from elsewhere or mixed: none
 * opens. s3-encryption/data-format/content-metadata.md, Content Metadata MapKeys and Content Metadata
 * Values.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Metadata } from "../../../src/envelope/index.ts";
import { assertBytes, assertRefused } from "./expect.ts";
import { ModelKms } from "./model-kms.ts";
import { open, PLAINTEXT, type SealedFormat, SEALED_FORMATS, sample, valueOf, without } from "./samples.ts";

const kms = new ModelKms();
const samples = {
  v3: sample("v3", kms),
  v2: sample("v2", kms),
  "kms-gcm": sample("kms-gcm", kms),
  "kms-cbc": sample("kms-cbc", kms),
};
const others = {
  v3: sample("v3", kms, { stage: "dev" }),
  v2: sample("v2", kms, { stage: "dev" }),
  "kms-gcm": sample("kms-gcm", kms),
  "kms-cbc": sample("kms-cbc", kms),
};

const TAG = /^authentication tag does not match/;
const COMMITMENT = /^commitment does not match/;
const KMS = /^model KMS/;
const NO_ALGORITHM = /^encryption context: aws:x-amz-cek-alg is missing$/;
const MIXED = /are both there: formats are mixed$/;

function missing(name: string): RegExp {
  return new RegExp(`^${name} is missing$`);
}

const V2_MISSING = {
  "x-amz-key-v2": missing("x-amz-key-v2"),
  "x-amz-iv": missing("x-amz-iv"),
  "x-amz-cek-alg": missing("x-amz-cek-alg"),
  "x-amz-wrap-alg": missing("x-amz-wrap-alg"),
};

/** What is said when a key is not there. */
const DROPPED: Readonly<Record<SealedFormat, Readonly<Record<string, RegExp>>>> = {
  v3: {
    "x-amz-3": missing("x-amz-3"),
    "x-amz-c": missing("x-amz-c"),
    "x-amz-d": missing("x-amz-d"),
    "x-amz-i": missing("x-amz-i"),
    "x-amz-w": missing("x-amz-w"),
    "x-amz-t": NO_ALGORITHM,
  },
  v2: { ...V2_MISSING, "x-amz-tag-len": missing("x-amz-tag-len"), "x-amz-matdesc": NO_ALGORITHM },
  // The clients before v2 may leave it out; KMS then has another context.
  "kms-gcm": { ...V2_MISSING, "x-amz-tag-len": missing("x-amz-tag-len"), "x-amz-matdesc": KMS },
  "kms-cbc": { ...V2_MISSING, "x-amz-matdesc": KMS },
};

/** What is said when a key has the value that it has in another object of the same format. */
const SWAPPED: Readonly<Record<SealedFormat, Readonly<Record<string, RegExp>>>> = {
  v3: { "x-amz-3": KMS, "x-amz-d": COMMITMENT, "x-amz-i": COMMITMENT, "x-amz-t": KMS },
  v2: { "x-amz-key-v2": KMS, "x-amz-iv": TAG, "x-amz-matdesc": KMS },
  "kms-gcm": { "x-amz-key-v2": TAG, "x-amz-iv": TAG },
  "kms-cbc": {},
};

const BASE64_FIELDS = new Set(["x-amz-3", "x-amz-d", "x-amz-i", "x-amz-key-v2", "x-amz-iv"]);
const JSON_FIELDS = new Set(["x-amz-t", "x-amz-matdesc"]);

for (const format of SEALED_FORMATS) {
  const genuine = samples[format];
  const names = Object.keys(genuine.metadata);

  test(`${format}: the object that is changed below opens, with unrelated metadata as well`, () => {
    assertBytes(open(genuine, { kms }), PLAINTEXT);
    const unrelated = {
      "x-amz-unencrypted-content-length": "1",
      "x-amz-unencrypted-content-md5": "nonsense",
      owner: "me",
      "x-amz-other": "",
    };
    const metadata = { ...unrelated, ...genuine.metadata };
    assertBytes(open({ metadata, body: genuine.body }, { kms }), PLAINTEXT);
  });

  test(`${format}: every key dropped`, () => {
    assert.deepEqual(names.toSorted(), Object.keys(DROPPED[format]).sort());
    for (const [name, expected] of Object.entries(DROPPED[format])) {
      assertRefused(() => openWith(format, without(genuine.metadata, name)), expected, name);
    }
  });

  test(`${format}: every key renamed`, () => {
    for (const [name, expected] of Object.entries(DROPPED[format])) {
      for (const renamed of [`${name}x`, name.toUpperCase(), ` ${name}`, `x-amz-meta-${name}`]) {
        const metadata = { ...without(genuine.metadata, name), [renamed]: valueOf(genuine.metadata, name) };
        assertRefused(() => openWith(format, metadata), expected, renamed);
      }
    }
  });

  test(`${format}: every two keys dropped`, () => {
    for (const one of names) {
      for (const two of names) {
        // All but one of the keys of an envelope say which it is; refused, whatever it is that is named.
        assertRefused(
          () => openWith(format, without(genuine.metadata, one, two)),
          /missing|^model KMS/,
          `${one} ${two}`,
        );
      }
    }
  });

  test(`${format}: every key emptied`, () => {
    for (const name of names) {
      const expected = emptied(name);
      assertRefused(() => openWith(format, { ...genuine.metadata, [name]: "" }), expected, name);
      assertRefused(() => openWith(format, { ...genuine.metadata, [name]: " " }), rewritten(name), name);
    }
  });

  test(`${format}: every key doubled, as HTTP joins two headers`, () => {
    for (const name of names) {
      const value = valueOf(genuine.metadata, name);
      for (const doubled of [
        `${value},${value}`,
        `${value}, ${value}`,
        `${value}${value}`,
        `${value}, `,
        `,${value}`,
      ]) {
        assertRefused(
          () => openWith(format, { ...genuine.metadata, [name]: doubled }),
          rewritten(name),
          doubled,
        );
      }
    }
  });

  test(`${format}: every value in the other case, quoted, in URL-safe or unpadded base64, with white space`, () => {
    let tried = 0;
    for (const name of names) {
      const value = valueOf(genuine.metadata, name);
      const changes = [value.toUpperCase(), value.toLowerCase(), `"${value}"`, `${value}\n`, ` ${value}`];
      if (BASE64_FIELDS.has(name)) {
        changes.push(value.replaceAll("+", "-").replaceAll("/", "_"), value.replaceAll("=", ""), `${value}=`);
        changes.push(`${value.slice(0, 4)}\n${value.slice(4)}`, Buffer.from(value, "base64").toString("hex"));
      }
      for (const changed of changes) {
        if (changed === value || (JSON_FIELDS.has(name) && changed.trim() === value)) continue;
        // Any 16 bytes are an iv to CBC: see the test below.
        if (format === "kms-cbc" && name === "x-amz-iv") continue;
        tried += 1;
        assertRefused(
          () => openWith(format, { ...genuine.metadata, [name]: changed }),
          BASE64_FIELDS.has(name)
            ? /base64$|bytes|^model KMS|^commitment|^authentication/
            : /^x-amz-|^encryption|^model KMS/,
          `${name}: ${changed}`,
        );
      }
    }
    assert.ok(tried > 15, `${tried}`);
  });

  test(`${format}: every key taken from another object`, () => {
    for (const [name, expected] of Object.entries(SWAPPED[format])) {
      const value = valueOf(others[format].metadata, name);
      assert.notEqual(value, genuine.metadata[name]);
      assertRefused(() => openWith(format, { ...genuine.metadata, [name]: value }), expected, name);
    }
  });

  if (format !== "kms-cbc") {
    test(`${format}: all of the metadata of another object, or its body`, () => {
      const other = others[format];
      assertRefused(() => open({ metadata: other.metadata, body: genuine.body }, { kms }), TAG);
      assertRefused(() => open({ metadata: genuine.metadata, body: other.body }, { kms }), TAG);
    });
  }

  test(`${format}: any key of another version beside it`, () => {
    const foreign =
      format === "v3"
        ? [...Object.keys(samples.v2.metadata), "x-amz-key"]
        : [...Object.keys(samples.v3.metadata), "x-amz-m", "x-amz-key"];
    for (const name of foreign) {
      const value = samples.v3.metadata[name] ?? samples.v2.metadata[name] ?? "AAAA";
      for (const added of [value, ""]) {
        assertRefused(() => openWith(format, { ...genuine.metadata, [name]: added }), MIXED, name);
      }
    }
  });

  test(`${format}: one key replaced by its like of another version`, () => {
    const pairs = [
      ["x-amz-3", "x-amz-key-v2"],
      ["x-amz-c", "x-amz-cek-alg"],
      ["x-amz-i", "x-amz-iv"],
      ["x-amz-w", "x-amz-wrap-alg"],
      ["x-amz-t", "x-amz-matdesc"],
    ] as const;
    for (const [short, long] of pairs) {
      const [from, to] = format === "v3" ? [short, long] : [long, short];
      const metadata = { ...without(genuine.metadata, from), [to]: valueOf(genuine.metadata, from) };
      assertRefused(() => openWith(format, metadata), MIXED, from);
    }
  });

  test(`${format}: a body of another format under its metadata`, () => {
    for (const other of SEALED_FORMATS) {
      if (other === format || format === "kms-cbc") continue;
      assertRefused(
        () => open({ metadata: genuine.metadata, body: samples[other].body }, { kms }),
        TAG,
        other,
      );
    }
  });
}

function openWith(format: SealedFormat, metadata: Metadata): Uint8Array {
  return open({ metadata, body: samples[format].body }, { kms });
}

function emptied(name: string): RegExp {
  return new RegExp(`^${name} is empty$`);
}

/** What is said of a value that is not in the form of its key. */
function rewritten(name: string): RegExp {
  if (BASE64_FIELDS.has(name))
    return new RegExp(`^${name} is not valid base64$|^${name} is \\d+ bytes|^model KMS`);
  if (JSON_FIELDS.has(name)) return new RegExp(`^${name} is not JSON$`);
  return new RegExp(`^${name} is ".*"`);
}

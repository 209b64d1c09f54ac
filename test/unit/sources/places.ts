/** Sources that a test makes up: what they give is said by the test, and all else is as it is in a start. */
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { StepReport } from "../../../src/base/context.ts";
import type { Environment } from "../../../src/base/env.ts";
import { generateLocalDataKey, seal, writerContext } from "../../../src/envelope/index.ts";
import type { SourceOptions } from "../../../src/sources/options.ts";
import { toolsFor } from "../../../src/sources/sources.ts";
import type { RunTools } from "../../../src/sources/tools.ts";
import type { OpenPolicy } from "../../../src/sources/unseal.ts";
import type { Content, SealedObject, Source } from "../../../src/stores/source.ts";
import { withFolder } from "../../e2e/expect.ts";
import { makeContext } from "../refuses.ts";

export const OPEN: OpenPolicy = { key: undefined, context: undefined, accept: new Set(), leastRevision: 0 };
export const OPTIONS: SourceOptions = { sources: [], open: OPEN, names: { require: [], allow: new Set() } };

/** A source that gives this. */
export function sourceOf(uri: string, content: Content, more: Partial<Source> = {}): Source {
  return { uri, options: {}, gives: content.kind, read: () => Promise.resolve(content), ...more };
}

/** A source of this text, which whoever reads it may wipe. */
export function textSource(uri: string, text: string, more: Partial<Source> = {}): Source {
  const read = (): Promise<Content> => Promise.resolve({ kind: "text", bytes: Buffer.from(text) });
  return { uri, options: {}, gives: "text", read, ...more };
}

export interface Scene {
  readonly tools: RunTools;
  readonly steps: readonly StepReport[];
  readonly log: readonly string[];
}

/** The tools of a run whose deadline's timer keeps nobody waiting. */
export function sceneOf(options: SourceOptions = OPTIONS, env: Environment = {}): Scene {
  const { context, steps, log } = makeContext(env);
  context.deadline.clear();
  return { tools: toolsFor(options, context), steps, log };
}

export interface Sealing {
  /** pairs of the user */
  readonly user?: Readonly<Record<string, string>>;
  /** what it is bound to; null: to nothing */
  readonly place?: string | null;
  readonly revision?: number;
  readonly dialect?: string;
  readonly found?: Partial<SealedObject>;
}

export interface LocalKey {
  readonly policy: OpenPolicy;
  /** A text sealed under the key, as it is found at s3://b/k. */
  seal(text: string, how?: Sealing): SealedObject;
}

export const PLACE = "s3://b/k";

/** A local key, for what is sealed to be opened without a service. */
export function withLocalKey(work: (key: LocalKey) => Promise<void>): Promise<void> {
  return withFolder(async (folder) => {
    const path = join(folder, "key");
    const bytes = randomBytes(32);
    writeFileSync(path, `${bytes.toString("base64")}\n`, { mode: 0o600 });
    const key = { kind: "local", text: `local:${path}`, path } as const;
    await work({
      policy: { ...OPEN, key, accept: new Set(["local-key"] as const) },
      seal: (text, { user = {}, place = PLACE, revision, dialect, found } = {}) => {
        const encryptionContext = writerContext("v3", user, place ?? undefined, revision, dialect);
        const keys = generateLocalDataKey(bytes, encryptionContext);
        const sealed = seal("v3", {
          plaintext: Buffer.from(text),
          ...keys,
          wrap: "local",
          encryptionContext,
        });
        return { ...sealed, place: PLACE, located: { home: "b" }, ...found };
      },
    });
  });
}

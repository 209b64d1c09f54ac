/** What holds for every connection: which CAs are trusted, how long connecting may take, no plain HTTP to strangers. */
import { statSync } from "node:fs";
import type { Context } from "../base/context.ts";
import type { Environment } from "../base/env.ts";
import { SealexecError } from "../base/errors.ts";
import { readSmallFile, refuseUnreadable, whyUnread } from "../base/files/read.ts";
import { refusePlainHttp } from "./rules.ts";
import type { Target } from "./target.ts";

// A SYN that nobody answers is lost for good sooner than the kernel believes (127 s). Where the deadline is near, a
// part of what is left: that there was no connection is to be known before the time is over, and tried again.
const CONNECT_TIMEOUT_MS = 3_000;
const CONNECT_SHARE = 1 / 3;
// All CAs that browsers trust take 220 KB.
const LARGEST_BUNDLE_BYTES = 4 * 1024 * 1024;

export class Connecting {
  readonly #context: Pick<Context, "env" | "deadline">;
  /** PEM of the only CAs to trust; undefined: the runtime's own */
  readonly ca: Buffer | undefined;

  /**
   * @param caVariable the variable that names the PEM file of the CAs: AWS's and Vault's do not mix
   * @throws "config" where that file, or one that the runtime reads by itself, cannot be read (`AWS_CA_BUNDLE: FILE cannot be read`)
   */
  constructor(
    context: Pick<Context, "env" | "deadline">,
    caVariable: "AWS_CA_BUNDLE" | "VAULT_CACERT" = "AWS_CA_BUNDLE",
  ) {
    this.#context = context;
    checkRuntimeFiles(context.env);
    this.ca = readCaBundle(caVariable, context.env);
  }

  /** How long connecting may take from now on, milliseconds. */
  get timeoutMs(): number {
    return Math.min(CONNECT_TIMEOUT_MS, this.#context.deadline.remainingMs * CONNECT_SHARE);
  }

  /** @throws "config" where it would be plain HTTP to another machine */
  allow(target: Target): void {
    if (!target.secure) refusePlainHttp(target.host, this.#context.env);
  }
}

/** What was read last, by file: the one that watches connects again and again. */
const bundles = new Map<string, { readonly state: string; readonly bytes: Buffer }>();

function readCaBundle(variable: string, env: Environment): Buffer | undefined {
  const file = env[variable];
  if (file === undefined || file === "") return undefined;
  try {
    const { ino, size, mtimeMs, ctimeMs } = statSync(file);
    const state = [ino, size, mtimeMs, ctimeMs].join(" ");
    const known = bundles.get(file);
    if (known?.state === state) return known.bytes;
    const bytes = readSmallFile(file, LARGEST_BUNDLE_BYTES);
    if (bytes.includes("-----BEGIN CERTIFICATE-----")) {
      bundles.set(file, { state, bytes });
      return bytes;
    }
  } catch (error) {
    throw unreadable(variable, file, error);
  }
  throw new SealexecError("config", `${variable}: ${file} holds no certificate`, {
    hint: "name a PEM file with the certificates of your CAs",
  });
}

/** Files that either runtime reads whole as TLS is first used: deaf to everything, if one never ends. */
const OF_THE_RUNTIME = ["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"];

function checkRuntimeFiles(env: Environment): void {
  for (const variable of OF_THE_RUNTIME) {
    const file = env[variable];
    if (file === undefined || file === "") continue;
    try {
      refuseUnreadable(file, LARGEST_BUNDLE_BYTES);
    } catch (error) {
      // Of one that is not there, or not to be read, the runtime makes nothing.
      if ((error as NodeJS.ErrnoException).code === "ENOTFILE") throw unreadable(variable, file, error);
    }
  }
}

function unreadable(variable: string, file: string, error: unknown): SealexecError {
  return new SealexecError("config", `${variable}: ${file} cannot be read (${whyUnread(error)})`, {
    hint: "name a PEM file that this user can read",
    cause: error,
  });
}

/** What holds for every connection: which endpoints, which CAs, no plain HTTP to strangers, how long it may take. */
import { statSync } from "node:fs";
import type { Context } from "../base/context.ts";
import type { Environment } from "../base/env.ts";
import { SealexecError } from "../base/errors.ts";
import { readSmallFile, refuseUnreadable, unreadable } from "../base/files/read.ts";
import { printable } from "../base/logger.ts";
import type { ConnectOptions, Target } from "./connection.ts";

// A SYN that nobody answers is lost for good sooner than the kernel believes (127 s). Where the deadline is near, a
// part of what is left: that there was no connection is to be known before the time is over, and tried again.
const CONNECT_TIMEOUT_MS = 3_000;
const CONNECT_SHARE = 1 / 3;
// All CAs that browsers trust take 220 KB.
const LARGEST_BUNDLE_BYTES = 4 * 1024 * 1024;
const READABLE = "name a PEM file that this user can read";

/** The variable that names the PEM file of the CAs: AWS's and Vault's do not mix. */
export type CaVariable = "AWS_CA_BUNDLE" | "VAULT_CACERT";

export class ConnectionRules implements ConnectOptions {
  readonly #context: Pick<Context, "env" | "deadline">;
  readonly ca: Buffer | undefined;

  /** @throws "config" where that file, or one that the runtime reads by itself, cannot be read */
  constructor(context: Pick<Context, "env" | "deadline">, caVariable: CaVariable = "AWS_CA_BUNDLE") {
    this.#context = context;
    checkRuntimeFiles(context.env);
    this.ca = readCaBundle(caVariable, context.env);
  }

  get timeoutMs(): number {
    return Math.min(CONNECT_TIMEOUT_MS, this.#context.deadline.remainingMs * CONNECT_SHARE);
  }

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
    throw unreadable(variable, file, error, READABLE);
  }
  throw new SealexecError("config", `${variable}: ${file} holds no certificate`, {
    hint: "name a PEM file with the certificates of your CAs",
  });
}

/** Files that either runtime reads whole as TLS is first used: deaf to everything, if one never ends. */
function checkRuntimeFiles(env: Environment): void {
  for (const variable of ["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"]) {
    const file = env[variable];
    if (file === undefined || file === "") continue;
    try {
      refuseUnreadable(file, LARGEST_BUNDLE_BYTES);
    } catch (error) {
      // Of one that is not there, or not to be read, the runtime makes nothing.
      if ((error as NodeJS.ErrnoException).code === "ENOTFILE")
        throw unreadable(variable, file, error, READABLE);
    }
  }
}

/** @throws "config" where the value of `name` is no URL of an endpoint, or is plain HTTP to another machine */
export function parseEndpoint(name: string, value: string, env: Environment): URL {
  const url = URL.parse(value);
  const valid =
    url !== null &&
    (url.protocol === "http:" || url.protocol === "https:") &&
    url.hostname !== "" &&
    url.username === "" &&
    url.password === "" &&
    // A bare "?" or "#" too, which URL does not tell.
    !/[?#]/.test(value);
  if (!valid) {
    throw new SealexecError("config", `${name} is not an endpoint URL`, {
      hint: "give scheme and host, such as https://s3.example.com",
    });
  }
  if (url.protocol === "http:") refusePlainHttp(url.hostname, env);
  return url;
}

/** @throws "config" unless plain HTTP to `host` stays on this machine or its metadata services */
export function refusePlainHttp(host: string, env: Environment): void {
  if (isLoopback(host) || METADATA_HOSTS.has(plainHost(host)) || env["SEALEXEC_ALLOW_HTTP"] === "1") return;
  throw new SealexecError("config", `${printable(host)}: plain HTTP is refused outside this machine`, {
    hint: "use an https: endpoint (or set SEALEXEC_ALLOW_HTTP=1 on a network that you trust wholly)",
  });
}

// IMDS, the ECS agent, the EKS Pod Identity agent, and the IPv6 forms of the first and the last.
const METADATA_HOSTS = new Set(
  "169.254.169.254 169.254.170.2 169.254.170.23 fd00:ec2::254 fd00:ec2::23".split(" "),
);

/** Whether a host, of a URL or of a socket, is this machine. */
export function isLoopback(host: string): boolean {
  const name = plainHost(host);
  return name === "localhost" || name === "::1" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(name);
}

function plainHost(host: string): string {
  return host.replace(/^\[|\]$/g, "").toLowerCase();
}

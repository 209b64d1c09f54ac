/**
 * The HTTP agents of all AWS clients: connections that were opened ahead of their request, one connect time-out, the
 * trusted CAs, and no plain HTTP to strangers. Proxies of the environment are not used: what goes here is signed or
 * secret.
 */
import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import net from "node:net";
import tls from "node:tls";
import type { Context, Environment } from "../context.ts";
import type { Deadline } from "../deadline.ts";
import { SealexecError } from "../errors.ts";
import { refusePlainHttp } from "./endpoints.ts";

// A SYN that nobody answers is lost for good sooner than the kernel believes (127 s). Where the deadline is near, a
// part of what is left: that there was no connection is to be known before the time is over, and tried again.
const CONNECT_TIMEOUT_MS = 3_000;
const CONNECT_SHARE = 1 / 3;

export class Connections {
  readonly httpAgent: http.Agent;
  readonly httpsAgent: https.Agent;
  readonly #env: Environment;
  readonly #deadline: Deadline;
  readonly #ca: Buffer | undefined;
  readonly #warm = new Map<string, net.Socket>();

  /** @throws "config" where AWS_CA_BUNDLE cannot be read */
  constructor({ env, deadline }: Pick<Context, "env" | "deadline">) {
    this.#env = env;
    this.#deadline = deadline;
    this.#ca = readCaBundle(env);
    this.httpAgent = new http.Agent({ keepAlive: true });
    this.httpsAgent = new https.Agent({ keepAlive: true });
    this.httpAgent.createConnection = (options) => this.#take(target(options, "http:"));
    this.httpsAgent.createConnection = (options) => this.#take(target(options, "https:"));
  }

  /** Opens a connection now for the first request to `url`. A failure is left for that request to meet. */
  warm(url: URL): void {
    const to = target({ host: url.hostname, port: url.port }, url.protocol);
    if (this.#warm.has(to.id)) return;
    const socket = this.#open(to);
    socket.on("error", () => this.#warm.delete(to.id));
    this.#warm.set(to.id, socket);
  }

  #take(to: Target): net.Socket {
    const warm = this.#warm.get(to.id);
    this.#warm.delete(to.id);
    return warm !== undefined && !warm.destroyed && warm.readyState !== "closed" ? warm : this.#open(to);
  }

  #open(to: Target): net.Socket {
    if (!to.secure) refusePlainHttp(to.host, this.#env);
    const address = { host: to.host, port: to.port };
    // A server name is for names only (RFC 6066, section 3).
    const servername = net.isIP(to.host) === 0 ? to.host : "";
    const socket = to.secure
      ? tls.connect({
          ...address,
          servername,
          rejectUnauthorized: true,
          ...(this.#ca === undefined ? {} : { ca: this.#ca }),
        })
      : net.connect(address);
    socket.setNoDelay(true);
    const timer = setTimeout(
      () =>
        socket.destroy(
          Object.assign(new Error("connect timed out"), { code: "ETIMEDOUT", hostname: to.host }),
        ),
      Math.min(CONNECT_TIMEOUT_MS, this.#deadline.remainingMs * CONNECT_SHARE),
    );
    socket.once(to.secure ? "secureConnect" : "connect", () => clearTimeout(timer));
    socket.once("close", () => clearTimeout(timer));
    return socket;
  }
}

interface Target {
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
}

function target(options: { host?: unknown; port?: unknown }, protocol: string): Target {
  const secure = protocol === "https:";
  const host = String(options.host ?? "").replace(/^\[|\]$/g, "");
  const port = Number(options.port ?? 0) || (secure ? 443 : 80);
  return { id: `${protocol}//${host}:${port}`, host, port, secure };
}

function readCaBundle(env: Environment): Buffer | undefined {
  const file = env["AWS_CA_BUNDLE"];
  if (file === undefined || file === "") return undefined;
  try {
    return readFileSync(file);
  } catch (error) {
    throw new SealexecError("config", `AWS_CA_BUNDLE: ${file} cannot be read`, {
      hint: "name a PEM file that this user can read",
      cause: error,
    });
  }
}

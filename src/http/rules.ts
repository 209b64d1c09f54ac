/** What may be asked: which URLs are endpoints, and no plain HTTP to another machine. */
import type { Environment } from "../base/env.ts";
import { SealexecError } from "../base/errors.ts";
import { printable } from "../base/logger.ts";

/** Parses an endpoint URL of the environment, named `name` there. */
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
  if (isLocal(host) || env["SEALEXEC_ALLOW_HTTP"] === "1") return;
  throw new SealexecError("config", `${printable(host)}: plain HTTP is refused outside this machine`, {
    hint: "use an https: endpoint (or set SEALEXEC_ALLOW_HTTP=1 on a network that you trust wholly)",
  });
}

// IMDS, the ECS agent, the EKS Pod Identity agent, and the IPv6 forms of the first and the last.
const METADATA_HOSTS = new Set([
  "169.254.169.254",
  "169.254.170.2",
  "169.254.170.23",
  "fd00:ec2::254",
  "fd00:ec2::23",
]);

function isLocal(host: string): boolean {
  return isLoopback(host) || METADATA_HOSTS.has(plainHost(host));
}

/** Whether a host, of a URL or of a socket, is this machine. */
export function isLoopback(host: string): boolean {
  const name = plainHost(host);
  return name === "localhost" || name === "::1" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(name);
}

function plainHost(host: string): string {
  return host.replace(/^\[|\]$/g, "").toLowerCase();
}

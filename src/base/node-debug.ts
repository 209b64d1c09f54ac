import type { Environment } from "./env.ts";
import { SealexecError } from "./errors.ts";

// The sections of Node's own debug log that print headers or bytes of requests, with session tokens.
const TELLING = /(^|,)\s*(\*|.*\*.*|https?|http2|net|tls|stream|undici|fetch)\s*(,|$)/i;

/** Node prints what its http module sends if NODE_DEBUG asks, and has read that before our code ran. */
export function refuseTellingDebug(env: Environment, onBun: boolean): void {
  if (onBun || !TELLING.test(env["NODE_DEBUG"] ?? "")) return;
  const hint = "leave http, https, net, tls and stream out of NODE_DEBUG, or use the sealexec binary";
  throw new SealexecError("config", "NODE_DEBUG makes Node print requests with their credentials", { hint });
}

// --inspect-port and --inspect-publish-uid open nothing by themselves. node(1) takes "_" for "-".
const INSPECT = /--inspect(?![-_]p)/;

/**
 * Whoever reaches an inspector's port or socket reads this process's memory and runs code in it. The runtime
 * opens it before any of our code runs: nothing that is secret is fetched while it is there.
 */
export function refuseInspector(env: Environment, onBun: boolean, isOpen: () => boolean): void {
  const name = onBun
    ? ["BUN_INSPECT", "BUN_INSPECT_CONNECT_TO"].find((variable) => (env[variable] ?? "") !== "")
    : INSPECT.test(env["NODE_OPTIONS"] ?? "")
      ? "NODE_OPTIONS"
      : undefined;
  if (name === undefined) {
    if (!isOpen()) return;
    throw new SealexecError("config", "a debugger is open in sealexec, before there are secrets in it", {
      hint: "start node without --inspect; a SIGUSR1 before sealexec's first line opens one, too",
    });
  }
  throw new SealexecError("config", `${name} opens a debugger in sealexec, before there are secrets in it`, {
    hint: `set it for CMD only: -- env ${name}=… CMD`,
  });
}

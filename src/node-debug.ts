import type { Environment } from "./context.ts";
import { SealexecError } from "./errors.ts";

// The sections of Node's own debug log that print headers or bytes of requests: session tokens are among them.
const TELLING = /(^|,)\s*(\*|.*\*.*|https?|http2|net|tls|stream|undici|fetch)\s*(,|$)/i;

/**
 * Node prints what its http module sends, credentials included, where NODE_DEBUG asks for it; the switch was read before
 * any of our code ran. The compiled binary has no such log.
 *
 * @param onBun whether the runtime is Bun
 * @throws "config" where the log would tell
 */
export function refuseTellingDebug(env: Environment, onBun: boolean): void {
  if (onBun || !TELLING.test(env["NODE_DEBUG"] ?? "")) return;
  throw new SealexecError("config", "NODE_DEBUG makes Node print requests with their credentials", {
    hint: "leave http, https, net, tls and stream out of NODE_DEBUG, or use the sealexec binary",
  });
}

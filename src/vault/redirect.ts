/**
 * The one redirect of Vault: a standby that does not forward names the active node (307).
 * Source: HashiCorp Vault documentation, "High availability: Client redirection".
 */
import type { Answer } from "../aws/direct/answer.ts";
import { refusePlainHttp } from "../aws/endpoints.ts";
import type { Environment } from "../context.ts";
import { SealexecError } from "../errors.ts";

/**
 * Where the answer to a request to `asked` sends it.
 *
 * @throws "config" where the token may not go there
 */
export function activeNode({ headers }: Answer, asked: URL, env: Environment): URL {
  const url = URL.parse(headers["location"] ?? "");
  const usable = url !== null && url.username === "" && url.password === "" && url.hash === "";
  if (!usable) throw refusal("to no address that could be asked");
  // A token that was sent over TLS is not sent again without it; nor is it asked whether the other way is meant.
  if (url.protocol !== asked.protocol) throw refusal("to another protocol than that of VAULT_ADDR");
  if (url.protocol === "http:") refusePlainHttp(url.hostname, env);
  return url;
}

/** An active node that redirects is none. */
export function redirectedTwice(): SealexecError {
  return refusal("more than once");
}

function refusal(what: string): SealexecError {
  return new SealexecError("config", `Vault redirects ${what}`, {
    hint: "set api_addr of Vault's nodes to their https: addresses, or point VAULT_ADDR at the active node",
  });
}

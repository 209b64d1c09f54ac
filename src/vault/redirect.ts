// The one redirect of Vault: a standby that does not forward names the active node (307), for the same
// request. Source: HashiCorp Vault documentation, "High availability: Client redirection".
import type { Answer } from "../http/answer.ts";
import { isLoopback } from "../http/rules.ts";
import type { Environment } from "../base/env.ts";
import { SealexecError } from "../base/errors.ts";
import { isOn } from "./settings.ts";

const WAY_OUT =
  "set api_addr of Vault's nodes to their https: addresses, or point VAULT_ADDR at the active node";

/**
 * Where a request to `asked` is to go instead: the same path and query on another host. A token, or the
 * secret id of a login, goes there: over TLS only, which verifies the host's name; without it only from this
 * machine to itself.
 */
export function activeNode({ headers }: Answer, asked: URL, env: Environment): URL {
  if (isOn(env, "VAULT_DISABLE_REDIRECTS")) {
    const says = "Vault redirects, and VAULT_DISABLE_REDIRECTS is set";
    throw new SealexecError("config", says, { hint: WAY_OUT });
  }
  const url = URL.parse(headers["location"] ?? "");
  if (url === null || url.username + url.password + url.hash !== "")
    throw redirectRefusal("to no address that could be asked");
  // A token that was sent over TLS is not sent again without it.
  if (url.protocol !== asked.protocol) throw redirectRefusal("to another protocol than that of VAULT_ADDR");
  if (url.protocol !== "https:" && !(isLoopback(asked.hostname) && isLoopback(url.hostname)))
    throw redirectRefusal("to another machine without TLS");
  // Go writes a path with fewer escapes than we do; what it names must be the same, part by part.
  if (partsOf(url) !== partsOf(asked) || url.search !== asked.search)
    throw redirectRefusal("to another path than the one that was asked for");
  return new URL(asked.pathname + asked.search, url.origin);
}

function partsOf({ pathname }: URL): string | undefined {
  try {
    return JSON.stringify(pathname.split("/").map(decodeURIComponent));
  } catch {
    return undefined;
  }
}

export function redirectRefusal(what: string): SealexecError {
  return new SealexecError("config", `Vault redirects ${what}`, { hint: WAY_OUT });
}

import type { Dialect } from "../text/dialect.ts";
import { SEAL_AGAIN, sealedFormat } from "../envelope/index.ts";
import type { Envelope } from "../envelope/index.ts";
import { SealexecError } from "../base/errors.ts";

/**
 * The text is read as what it was sealed as: one bucket's writer who lets JSON be read as a .env would choose what is in
 * it. Other clients do not say what theirs is: of what is not bound, the reader's word counts.
 *
 * @param uri where it was read, for people
 * @param isBound by push, which says what it is where it is no .env
 * @throws SealexecError "data"
 */
export function checkDialect(
  uri: string,
  envelope: Envelope,
  isBound: boolean,
  dialect: Dialect = "dotenv",
): void {
  const sealed = sealedFormat(envelope) ?? (isBound ? "dotenv" : undefined);
  if (sealed === undefined || sealed === dialect) return;
  // Only what is plainly a name is repeated.
  const shown = /^[a-z][a-z0-9-]{0,19}$/.test(sealed) ? sealed : "another format";
  const right = `${uri}${uri.includes("?") ? "&" : "?"}format=${shown}`;
  throw new SealexecError("data", `sealed as ${shown}, and not to be read as ${dialect}`, {
    hint: shown === sealed ? `its URI is ${shown === "dotenv" ? uri : right}` : SEAL_AGAIN,
  });
}

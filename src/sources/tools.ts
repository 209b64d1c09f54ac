import type { ChosenSource, Identity } from "../aws/credentials/source.ts";
import { AwsSession } from "../aws/session.ts";
import type { AwsNeed } from "../aws/session.ts";
import type { Context } from "../base/context.ts";
import { SealexecError } from "../base/errors.ts";
import { kmsKeyOf, needsAws } from "../keys/key.ts";
import type { Key } from "../keys/key.ts";
import type { VaultClient } from "../vault/client.ts";
import type { CredentialsRef } from "../vault/credentials-ref.ts";
import type { Source, Tools } from "../stores/source.ts";

interface Before {
  readonly session?: AwsSession | undefined;
  readonly vault?: Promise<VaultClient> | undefined;
}

/** The tools of one run, shared by all its sources. */
export class RunTools implements Tools {
  readonly context: Context;
  readonly #key: Key | undefined;
  readonly #chosen: CredentialsRef | undefined;
  /** of the round before this one, and no others: a chain of them would grow for ever */
  readonly #before: Before;
  #session: AwsSession | undefined;
  #vault: Promise<VaultClient> | undefined;

  /** @param key must have sealed what is sealed; `chosen` makes the AWS credentials, else the chain does */
  constructor(context: Context, key: Key | undefined, chosen?: CredentialsRef, before?: RunTools) {
    this.context = context;
    this.#before = before === undefined ? {} : before.#last();
    this.#key = key;
    this.#chosen = chosen;
  }

  get session(): AwsSession {
    const chosen = this.#chosen;
    const choose = chosen && (() => this.#choose(chosen));
    return (this.#session ??= new AwsSession(
      this.context,
      kmsKeyOf(this.#key),
      choose,
      this.#before.session,
    ));
  }

  /** What there is to go on with. Not every round asks everybody. */
  #last(): Before {
    return { session: this.#session ?? this.#before.session, vault: this.#vault ?? this.#before.vault };
  }

  /** What these sources want of AWS. With a local key, nobody wants only KMS. */
  needs(sources: readonly Source[]): AwsNeed[] {
    const local = !needsAws(this.#key);
    return sources.flatMap(({ aws }) => (aws === undefined || (local && aws.onlyKms === true) ? [] : [aws]));
  }

  vault(): Promise<VaultClient> {
    return (this.#vault ??= this.#openVault());
  }

  /** The tools of a later round: what was found out and is still good is kept, connections are new. */
  renew(context: Context): RunTools {
    return new RunTools(context, this.#key, this.#chosen, this);
  }

  /** Credentials or tokens were refused: a later round asks for others. */
  forgetCredentials(): void {
    this.#session?.forgetCredentials();
    this.#vault?.then((vault) => vault.forgetToken()).catch(() => undefined);
  }

  /** Closes every connection that nobody waits for. */
  close(): void {
    this.#session?.close();
    this.#vault?.then((vault) => vault.close()).catch(() => undefined);
  }

  async #openVault(): Promise<VaultClient> {
    const { VaultClient } = await import("../vault/client.ts");
    const before = await this.#before.vault?.catch(() => undefined);
    return new VaultClient(this.context, () => this.#identityForVault(), before);
  }

  async #identityForVault(): Promise<Identity> {
    if (this.#chosen === undefined) return (await this.session.credentials()).identity;
    const message = "VAULT_AUTH=aws takes AWS credentials, and these are to come from Vault";
    const hint =
      "log in to Vault by another method or a token, or leave --credentials (SEALEXEC_CREDENTIALS) out";
    throw new SealexecError("config", message, { hint });
  }

  async #choose(ref: CredentialsRef): Promise<ChosenSource> {
    const { vaultCredentials } = await import("../vault/credentials.ts");
    return vaultCredentials(ref, await this.vault());
  }

  /** Puts what they want on its way. Returns whether it is anything. */
  async begin(sources: readonly Source[]): Promise<boolean> {
    const needs = this.needs(sources);
    if (needs.length === 0) return false;
    await this.session.begin(needs);
    return true;
  }
}

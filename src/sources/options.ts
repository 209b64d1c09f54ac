/** What a start is told of its sources, and of the program that it is for. */
import type { CommandOptions } from "../process/command.ts";
import type { Underneath } from "../process/environment.ts";
import type { OpenPolicy } from "./unseal.ts";
import type { Source } from "../stores/source.ts";
import type { NamePolicy } from "../text/names.ts";
import type { CredentialsRef } from "../vault/credentials-ref.ts";

export interface RunOptions extends SourceOptions, CommandOptions {
  /** where sealed objects are kept for the time when S3 is away */
  readonly fallback: FallbackSettings | undefined;
}

export interface FallbackSettings {
  readonly path: string;
  /** what S3 has not confirmed for longer is not used, milliseconds */
  readonly largestAgeMs: number;
}

export interface SourceOptions {
  readonly sources: readonly Source[];
  /** what makes the AWS credentials; absent: the chain finds them */
  readonly credentials?: CredentialsRef;
  readonly open: OpenPolicy;
  /** the revisions of sealed sources that were seen before, by URI: nothing older is opened */
  readonly seen?: ReadonlyMap<string, number>;
  readonly names: NamePolicy;
  /** whether CMD is given what is set already: a name without a value may take no other; absent: all of it */
  readonly handsOn?: (name: string) => boolean;
  /** say where each variable came from, put over this; absent: say nothing */
  readonly explain?: Underneath;
}

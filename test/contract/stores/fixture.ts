/** What the contract suite needs of a store: how to fill it, and how to break it. */
import type { Aws } from "../../aws/server.ts";

export interface StoreFixture {
  readonly name: string;
  /** what of Place it has not, and why */
  readonly lacks?: Partial<
    Record<"empty" | "malform" | "enlarge" | "deny" | "hang" | "cutOnce" | "pushFlags", string>
  >;
  /** makes a place for one test, and clears it away */
  readonly prepare: (work: (place: Place) => Promise<void>) => Promise<void>;
}

export interface Place {
  /** the environment of sealexec, but for PATH */
  readonly env: Readonly<Record<string, string>>;
  /** options of run, check and pull that go with the store */
  readonly flags: readonly string[];
  /** the loopback AWS, where there is one */
  readonly aws?: Aws;
  /** puts variables there. Returns the URI */
  seed(variables: Readonly<Record<string, string>>): Promise<string>;
  /** the URI of something that is not there */
  readonly missing: string;
  /** what is there is damaged from now on; absent: it cannot be */
  malform?(): Promise<void>;
  /** what is there is far too large from now on */
  enlarge?(): Promise<void>;
  /** reading is refused from now on, and how that ends */
  deny?(): Promise<{ readonly status: number; readonly error: RegExp }>;
  /** answers do not come from now on */
  hang?(): void;
  /** the next answer ends early */
  cutOnce?(): void;
  /** options of push, where it writes here */
  readonly pushFlags?: readonly string[];
}

/** How sources are watched, and what happens then. */

export interface WatchOptions {
  /** how often the sources are looked at, milliseconds */
  readonly everyMs: number;
  readonly onChange: OnChange;
  /** how long CMD has to end by itself, milliseconds */
  readonly graceMs: number;
  /** what happens where CMD ends by itself */
  readonly onExit: "exit" | "restart";
  /** where the variables are written for CMD to read again */
  readonly envOut: string | undefined;
}

/** What happens to CMD where the sources have changed. */
export type OnChange =
  | { readonly do: "restart" }
  | { readonly do: "exit" }
  | { readonly do: "signal"; readonly name: NodeJS.Signals };

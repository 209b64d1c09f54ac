import type { Supervised } from "../process/child/supervised.ts";

/** What is used of Bun's API. */
interface Collector {
  gc(force: true): void;
}

/** Between two looks nothing is needed of what a look has used: garbage, and the code that has run. */
export function giveBackMemory(supervised: Supervised): void {
  (globalThis as { readonly Bun?: Collector }).Bun?.gc(true);
  supervised.dropCode();
}

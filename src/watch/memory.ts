import { loadCodeDropper } from "../process/code.ts";

/** What is used of Bun's API. */
interface Collector {
  gc(force: true): void;
}

/**
 * @returns what is called between two looks: nothing of what a look has used is needed then, garbage and the
 * code that has run
 */
export function memoryGiver(): () => void {
  const dropCode = loadCodeDropper();
  return () => {
    (globalThis as { readonly Bun?: Collector }).Bun?.gc(true);
    dropCode?.();
  };
}

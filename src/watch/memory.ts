import { loadCodeDropper } from "../process/code.ts";

/** @returns what is called between two looks: garbage, and the code that has run, are not needed then */
export function memoryGiver(): () => void {
  const dropCode = loadCodeDropper();
  return () => {
    (globalThis as { readonly Bun?: { gc(force: true): void } }).Bun?.gc(true);
    dropCode?.();
  };
}

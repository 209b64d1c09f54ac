// JavaScriptCore keeps up to 1000 bytes inside its heap, and moves them when a view of them is first made: a
// copy stays where they were, out of everybody's reach.
const LEAST_BYTES = 1024;

/** A buffer whose bytes stay where they are until they are wiped, whatever views are made of it. */
export function wipeable(size: number): Buffer {
  return Buffer.alloc(Math.max(size, LEAST_BYTES)).subarray(0, size);
}

/** All of them in one buffer that can be wiped; nothing is left where they were. */
export function joinAndWipe(parts: readonly Buffer[]): Buffer {
  const joined = wipeable(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
    part.fill(0);
  }
  return joined;
}

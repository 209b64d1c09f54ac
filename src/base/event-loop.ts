/** Resolves when the event loop has turned: what has come from outside meanwhile has been taken care of. */
export function eventLoopTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

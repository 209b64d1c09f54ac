/**
 * Processes that this one has started itself, while they run: the runtime waits for them. Whoever waits for all others leaves them
 * alone, as an exit status is told once only.
 */
export const ownChildren = new Set<number>();

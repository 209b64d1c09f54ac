/** Our processes that run: the runtime alone waits for them, as an exit status is told once only. */
export const ownChildren = new Set<number>();

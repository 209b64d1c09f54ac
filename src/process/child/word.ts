/** The word by which sealexec, started again as a child of itself, knows what it is to do. Not for people. */
export const BECOME = "__become";

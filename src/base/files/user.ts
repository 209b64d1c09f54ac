/** Whose files are ours. */
export function effectiveUid(): number {
  return process.geteuid?.() ?? 0;
}

import { SealexecError } from "./errors.ts";

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const DURATION = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)?$/;

/** Milliseconds of `500ms`, `60s`, `5m`, `1.5h`, `7d`; without a unit seconds. */
export function parseDuration(option: string, text: string, leastMs: number, mostMs: number): number {
  const [, number, unit = "s"] = DURATION.exec(text) ?? [];
  const ms = number === undefined ? Number.NaN : Number(number) * UNITS[unit as keyof typeof UNITS];
  if (ms >= leastMs && ms <= mostMs) return ms;
  const what = `${option} is not a duration from ${printDuration(leastMs)} to ${printDuration(mostMs)}`;
  const hint = "a number and its unit, such as 60s, 5m, 12h or 7d; a number alone is seconds";
  throw new SealexecError("usage", what, { hint });
}

/** In the largest unit in which it is a whole number, or in whole seconds. */
export function printDuration(ms: number): string {
  const unit = (["d", "h", "m", "s"] as const).find((name) => ms >= UNITS[name] && ms % UNITS[name] === 0);
  if (unit !== undefined) return `${ms / UNITS[unit]}${unit}`;
  return ms < 1_000 ? `${ms}ms` : `${Math.round(ms / 1_000)}s`;
}

/** For people: `2 h`, `45 s`. */
export function roughDuration(ms: number): string {
  const unit = (["d", "h", "m", "s"] as const).find((name) => ms >= UNITS[name]) ?? "s";
  return `${Math.floor(ms / UNITS[unit])} ${unit}`;
}

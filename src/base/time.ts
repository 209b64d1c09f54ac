// ISO 8601, extended format, and RFC 3339, but seconds may be left out. Without a zone a time means nothing.
const TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d)(?::(\d\d)(?:\.(\d{1,3}))?)?(?:Z|([+-])([01]\d|2[0-3]):([0-5]\d))$/;
const [MINUTE_MS, HOUR_MS] = [60_000, 3_600_000];

/** `2026-11-20T10:00:30.5+01:00` as milliseconds since 1970; undefined: it is no time, as on 30 February. */
export function parseTime(text: string): number | undefined {
  const [, minutes, seconds = "00", fraction = "", sign = "+", zoneHours = "0", zoneMinutes = "0"] =
    TIME.exec(text) ?? [];
  if (minutes === undefined) return undefined;
  const local = `${minutes}:${seconds}.${fraction.padEnd(3, "0")}Z`;
  const time = Date.parse(local);
  // The runtimes do not agree on 30 February, and on 24:00.
  if (Number.isNaN(time) || new Date(time).toISOString() !== local) return undefined;
  const zoneMs = Number(zoneHours) * HOUR_MS + Number(zoneMinutes) * MINUTE_MS;
  return sign === "-" ? time + zoneMs : time - zoneMs;
}

/** What is told of a fleet that got a new version. */
import type { Fleet, Rotation } from "./watchers.ts";

/** The most of the moments (milliseconds, in order) that lie within any one second. */
export function peakPerSecond(moments: readonly number[]): number {
  let peak = 0;
  let first = 0;
  for (const [index, moment] of moments.entries()) {
    while ((moments[first] ?? moment) <= moment - 1_000) first += 1;
    peak = Math.max(peak, index - first + 1);
  }
  return peak;
}

/** How long it took until this part (0 to 1) of all watchers had it, milliseconds; Infinity: they never had. */
export function delayOf(part: number, { delaysMs, lost }: Pick<Rotation, "delaysMs" | "lost">): number {
  const count = Math.ceil(part * (delaysMs.length + lost));
  return count === 0 ? 0 : (delaysMs[count - 1] ?? Infinity);
}

export interface Summary {
  readonly halfMs: number;
  readonly mostMs: number;
  readonly allMs: number;
  readonly s3Peak: number;
  readonly kmsPeak: number;
  /** answers over a quota */
  readonly s3Over: number;
  readonly kmsOver: number;
  readonly requests: number;
  readonly lost: number;
}

export function summarize(rotation: Rotation): Summary {
  const { s3, kms, lost } = rotation;
  return {
    halfMs: delayOf(0.5, rotation),
    mostMs: delayOf(0.99, rotation),
    allMs: delayOf(1, rotation),
    s3Peak: peakPerSecond(s3.arrivals),
    kmsPeak: peakPerSecond(kms.arrivals),
    s3Over: s3.throttled,
    kmsOver: kms.throttled,
    requests: s3.arrivals.length + kms.arrivals.length,
    lost,
  };
}

/** Of several seeds, the worst of each. */
export function worst(summaries: readonly Summary[]): Summary {
  const most = (pick: (summary: Summary) => number): number => Math.max(...summaries.map(pick));
  return {
    halfMs: most(({ halfMs }) => halfMs),
    mostMs: most(({ mostMs }) => mostMs),
    allMs: most(({ allMs }) => allMs),
    s3Peak: most(({ s3Peak }) => s3Peak),
    kmsPeak: most(({ kmsPeak }) => kmsPeak),
    s3Over: most(({ s3Over }) => s3Over),
    kmsOver: most(({ kmsOver }) => kmsOver),
    requests: most(({ requests }) => requests),
    lost: most(({ lost }) => lost),
  };
}

const COLUMNS = [
  "every",
  "start",
  "half",
  "99 %",
  "all",
  "S3/s",
  "KMS/s",
  "over S3",
  "over KMS",
  "requests",
  "lost",
];
const WIDTHS = [7, 18, 8, 8, 8, 8, 8, 9, 9, 10, 6];

export function headOfTable(): string {
  return line(COLUMNS);
}

export function rowOfTable(fleet: Fleet, summary: Summary): string {
  const seconds = (ms: number): string => (ms === Infinity ? "never" : (ms / 1_000).toFixed(1));
  return line([
    `${fleet.everyMs / 1_000} s`,
    fleet.jitter ? fleet.start : `${fleet.start}, exact`,
    ...[summary.halfMs, summary.mostMs, summary.allMs].map(seconds),
    ...[summary.s3Peak, summary.kmsPeak, summary.s3Over, summary.kmsOver, summary.requests, summary.lost].map(
      (count) => count.toLocaleString("en"),
    ),
  ]);
}

function line(cells: readonly string[]): string {
  const padded = cells.map((cell, index) =>
    index < 2 ? cell.padEnd(WIDTHS[index] ?? 0) : cell.padStart(WIDTHS[index] ?? 0),
  );
  return `${padded.join(" ").trimEnd()}\n`;
}

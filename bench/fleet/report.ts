/** How one start of the fleet went, and what is told of many. */
export interface Start {
  readonly ok: boolean;
  readonly seconds: number;
  /** calls it made */
  readonly s3: number;
  readonly kms: number;
}

const MOST_S3_CALLS = 4;
const MOST_KMS_CALLS = 6;

/** One line: started, slowest, calls a start, and how many starts needed more calls than the goal allows. */
export function tell(name: string, starts: readonly Start[]): void {
  const started = starts.filter(({ ok }) => ok).length;
  const of = (pick: (start: Start) => number): string => {
    const all = starts.map(pick).sort((a, b) => a - b);
    const mean = all.reduce((sum, value) => sum + value, 0) / all.length;
    return `${mean.toFixed(2)} mean, ${all.at(-1) ?? 0} max`;
  };
  const over = starts.filter(({ s3, kms }) => s3 > MOST_S3_CALLS || kms > MOST_KMS_CALLS).length;
  const times = starts.map(({ seconds }) => seconds).sort((a, b) => a - b);
  const median = times[Math.floor(times.length / 2)] ?? 0;
  process.stdout.write(
    `${name}: ${started}/${starts.length} started, median ${median.toFixed(1)} s, slowest ` +
      `${(times.at(-1) ?? 0).toFixed(1)} s; KMS calls ${of(({ kms }) => kms)}; S3 calls ${of(({ s3 }) => s3)}; ${over} over the goal\n`,
  );
}

/** mulberry32: the same seed gives the same numbers from 0 to 1. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

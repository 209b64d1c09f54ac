/** The plot of `npm run bench:peers`: one bar for each contestant, as SVG that reads on a light and on a dark page. */

export interface Bar {
  readonly name: string;
  readonly wallMs: number;
  /** MiB; NaN where it was not measured */
  readonly peakMb: number;
  readonly ours: boolean;
}

const WIDTH = 760;
const LEFT = 162;
/** room for the figures behind the longest bar */
const RIGHT = 140;
const TOP = 66;
const STEP = 30;
const BAR = 18;

/** @param note the line under the bars */
export function plot(title: string, subtitle: string, bars: readonly Bar[], note: string): string {
  const longest = Math.max(...bars.map(({ wallMs }) => wallMs));
  const height = TOP + bars.length * STEP + 34;
  const rows = bars.map((bar, index) => {
    const y = TOP + index * STEP;
    const length = Math.max(2, (bar.wallMs / longest) * (WIDTH - LEFT - RIGHT));
    const peak = Number.isNaN(bar.peakMb)
      ? ""
      : `<tspan class="small" dx="8">${bar.peakMb.toFixed(0)} MB</tspan>`;
    return `  <text x="${LEFT - 10}" y="${y + 14}" text-anchor="end"${bar.ours ? ' class="ours"' : ""}>${escape(bar.name)}</text>
  <rect x="${LEFT}" y="${y}" width="${length.toFixed(1)}" height="${BAR}" rx="2" class="${bar.ours ? "bar ours" : "bar"}"/>
  <text x="${(LEFT + length + 8).toFixed(1)}" y="${y + 14}">${figure(bar.wallMs)} ms${peak}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img">
  <title>${escape(title)}</title>
  <!-- Tones that read on either ground, for a viewer without media queries; then the better ones for each. -->
  <style>
    text { font: 13px sans-serif; fill: #6e7987; }
    .title { font-size: 16px; font-weight: bold; }
    .small { font-size: 11px; fill: #7d8795; }
    text.ours { font-weight: bold; }
    .bar { fill: #929dac; }
    .bar.ours { fill: #2f81c7; }
    @media (prefers-color-scheme: light) {
      text { fill: #3d4754; }
      .small { fill: #66707e; }
    }
    @media (prefers-color-scheme: dark) {
      text { fill: #c3cad4; }
      .small { fill: #8d97a5; }
      .bar { fill: #6b7685; }
      .bar.ours { fill: #4a9ae0; }
    }
  </style>
  <text x="12" y="26" class="title">${escape(title)}</text>
  <text x="12" y="46" class="small">${escape(subtitle)}</text>
${rows.join("\n")}
  <text x="12" y="${height - 12}" class="small">${escape(note)}</text>
</svg>
`;
}

function figure(ms: number): string {
  return ms < 100 ? ms.toFixed(1) : ms.toFixed(0);
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

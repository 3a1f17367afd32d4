// Draws the costs as a bar chart in SVG, for docs/performance.md.
import type { Cost } from './cost.ts';

const ROW = 22;
const LEFT = 330;
const WIDTH = 900;

/** One block for each fleet, one bar for each subject. The length is CPU time on a logarithmic scale from 1 ms to 10 s. */
export function draw(costs: readonly Cost[]): string {
  const fleets = [...new Set(costs.map(({ fleet }) => fleet))];
  const parts: string[] = [];
  let y = 40;
  for (const fleet of fleets) {
    parts.push(`<text x="8" y="${y}" font-weight="bold">${fleet}</text>`);
    y += 8;
    for (const { subject, cpu } of costs.filter((cost) => cost.fleet === fleet)) {
      const length = Math.max(1, (Math.log10(cpu * 1000) / 4) * (WIDTH - LEFT - 110));
      const colour = subject.startsWith('herakles') ? '#2a7' : subject.startsWith('process-exporter') ? '#c63' : '#999';
      parts.push(`<text x="${LEFT - 8}" y="${y + 14}" text-anchor="end">${subject}</text>`);
      parts.push(`<rect x="${LEFT}" y="${y + 2}" width="${length.toFixed(1)}" height="${ROW - 6}" fill="${colour}"/>`);
      parts.push(`<text x="${(LEFT + length + 6).toFixed(1)}" y="${y + 14}">${(cpu * 1000).toFixed(1)} ms</text>`);
      y += ROW;
    }
    y += 26;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" font-family="sans-serif" font-size="13">
<title>CPU of one collection with its scrape, by exporter</title>
<rect width="100%" height="100%" fill="#fff"/>
<text x="8" y="18">CPU of one collection with its scrape (logarithmic)</text>
${parts.join('\n')}
</svg>
`;
}

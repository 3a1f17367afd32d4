// The host's books in words, for `check` and the page /health: what no kind explains, and whether the processes add up to
// what the kernel says of all of them.
import { formatBytes, formatPercent } from '../text/units.ts';
import type { ProcessView } from '../view/view.ts';

export function describeBalance({ host, books }: Pick<ProcessView, 'host' | 'books'>): {
  memory: string;
  processes: string;
} {
  const { total } = host.memory;
  const unexplained = books.kinds.get('unexplained');
  const left =
    books.contradictory.length > 0
      ? `; left out, because /proc/meminfo contradicts itself: ${books.contradictory.join(' ')}`
      : '';
  const kinds =
    unexplained === undefined
      ? 'the kinds of memory are not known'
      : `${formatBytes(total)}; ${formatPercent(unexplained / total, 1)} of it is unexplained`;
  const ratio = books.attributedRatio;
  const processes = Number.isNaN(ratio)
    ? 'not compared with what the kernel says they have mapped, because PSS is not measured for 99 % of their RSS'
    : `together ${formatPercent(ratio, 1)} of what the kernel says they have mapped`;
  return { memory: `${kinds}${left}`, processes };
}

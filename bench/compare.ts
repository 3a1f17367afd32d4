// What a collection and a scrape cost now and before: this build and older bundles of this program, on the same processes in
// one run. They take turns, each round in another order, so that other work on the machine slows all of them equally.
import { basename, resolve } from 'node:path';
import { Contestant, endingAll, type Fleet, startFleet, startOurs } from './cost.ts';
import { bundle, type Memory, median, memoryOf, quantile } from './machine.ts';

/** One program, in seconds and bytes. Memory is the median of all rounds, so that no single garbage collection decides. */
export interface Comparison extends Memory {
  readonly bundle: string;
  /** CPU of one collection with its scrape: 10th percentile and median. */
  readonly cpuLow: number;
  readonly cpu: number;
  /** This build's CPU in a round divided by this program's CPU in the same round: 10th, 50th and 90th percentile. */
  readonly ratioLow: number;
  readonly ratio: number;
  readonly ratioHigh: number;
}

class Measured extends Contestant {
  readonly memory: Memory[] = [];

  override async turn(): Promise<void> {
    await super.turn();
    this.memory.push(memoryOf(this.program.pid));
  }

  override async warmUp(): Promise<void> {
    await super.warmUp();
    this.memory.length = 0;
  }
}

/**
 * Measures this build beside other bundles, all with their default settings.
 * @param others paths of bundles
 */
export function compare(
  fleet: Fleet,
  others: readonly string[],
  rounds: number,
  log: (line: string) => void,
): Promise<Comparison[]> {
  return endingAll(async (scope) => {
    const procfs = await startFleet(scope, fleet);
    const variants = ['this build', ...others.map((other) => basename(other))].map((subject, index) => ({
      ...{ subject, flags: [], bundle: index === 0 ? bundle : resolve(others[index - 1]!) },
    }));
    const started = await startOurs(scope, procfs, '0s', [], variants);
    const contestants = started.map(({ subject, program, url }) => new Measured(subject, program, url, true));
    for (const contestant of contestants) await contestant.warmUp();
    for (let round = 0; round < rounds; round++) {
      const first = round % contestants.length;
      for (const contestant of [...contestants.slice(first), ...contestants.slice(0, first)]) await contestant.turn();
      if (round % 20 === 19) log(`  round ${round + 1} of ${rounds}`);
    }
    const ours = contestants[0]!;
    return contestants.map(({ subject, cpu, memory }) => {
      const ratios = cpu.map((seconds, round) => ours.cpu[round]! / seconds);
      return {
        ...{ bundle: subject, cpuLow: quantile(cpu, 0.1), cpu: median(cpu) },
        ...{ ratioLow: quantile(ratios, 0.1), ratio: median(ratios), ratioHigh: quantile(ratios, 0.9) },
        anonymous: median(memory.map(({ anonymous }) => anonymous)),
        pss: median(memory.map(({ pss }) => pss)),
        rss: median(memory.map(({ rss }) => rss)),
        peak: median(memory.map(({ peak }) => peak)),
      };
    });
  });
}

/** The table that `npm run bench -- cost --against=BUNDLE` prints. */
export function comparisonTable(comparisons: readonly Comparison[]): string {
  const [ours] = comparisons;
  const ms = (seconds: number): string => (seconds * 1000).toFixed(1);
  const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);
  const percent = (ratio: number): string => `${ratio >= 1 ? '+' : ''}${((ratio - 1) * 100).toFixed(1)} %`;
  const more = (key: keyof Memory, than: Comparison): string => {
    const difference = (ours![key] - than[key]) / 2 ** 20;
    return `${difference >= 0 ? '+' : ''}${difference.toFixed(1)}`;
  };
  const lines = [
    '| Bundle | CPU ms, 10 % / median | this build: of 10 % / of medians / median of rounds (10–90 %) | anonymous / PSS / RSS MiB | this build, MiB more |',
    '|---|---|---|---|---|',
  ];
  for (const each of comparisons) {
    const isOurs = each === ours;
    const rounds = `${percent(each.ratio)} (${percent(each.ratioLow)} to ${percent(each.ratioHigh)})`;
    const cells = [
      each.bundle,
      `${ms(each.cpuLow)} / ${ms(each.cpu)}`,
      isOurs ? '' : `${percent(ours!.cpuLow / each.cpuLow)} / ${percent(ours!.cpu / each.cpu)} / ${rounds}`,
      `${mib(each.anonymous)} / ${mib(each.pss)} / ${mib(each.rss)}`,
      isOurs ? '' : `${more('anonymous', each)} / ${more('pss', each)} / ${more('rss', each)}`,
    ];
    lines.push(`| ${cells.join(' | ')} |`);
  }
  return lines.join('\n');
}

// The contract of a collector. A collector is one object in one file: its name, its families, how many series they can
// have, what it reads of the kernel for itself, and how its samples are written. Rendering, settings and the budget of
// series loop over the lists in index.ts, so a new collector is a file here, its line in index.ts and its switch
// `collector_NAME` in the table of settings.
import type { Encoder } from '../exposition/encode.ts';
import type { Family } from '../exposition/metric.ts';
import type { RowColumn } from '../view/process-rows.ts';
import type { KernelReader } from '../view/readings.ts';
import type { LineBytes, SeriesCounts } from '../view/series-budget.ts';
import type { ProcessView } from '../view/view.ts';

/** Keys of the settings that are true, such as "collector_group" and "enable_rss". */
export type Enabled = ReadonlySet<string>;

/**
 * @typeParam Source what the samples are made from: the view of a collection, or the exporter's state at a scrape
 * @typeParam Reading what `read` returns; `view.readings.of(this collector)` has it
 */
export interface Collector<Source = ProcessView, Reading = unknown> extends KernelReader<Reading> {
  /** It is switched by the setting `collector_NAME`, and has a section of this name in docs/metrics.md. */
  readonly name: string;
  /** One sentence that begins its section. */
  readonly help: string;
  /** Every family that it can write, in the order of its section. */
  readonly families: readonly Family[];
  /** The most series it can have, by what they are about; what is left out is 0. */
  series(enabled: Enabled): Partial<SeriesCounts>;
  /** Bytes of the lines about one process or cgroup, where their names are chosen by others. */
  bytes?(enabled: Enabled): Partial<LineBytes>;
  /**
   * Columns of processes that it uses. Those of kernel files (view/file-columns.ts) are read only for this.
   * @param shown whether processes have series of their own
   */
  columns?(enabled: Enabled, shown: boolean): readonly RowColumn[];
  /** Writes its families and their samples; yields where it may be interrupted. */
  collect(source: Source, enabled: Enabled, out: Encoder): Generator<void>;
}

/** Bytes of a line beside the name and the labels: blank, number, newline. */
export const LINE_REST_BYTES = 20;

/** The setting that switches a collector. */
export const switchOf = ({ name }: Pick<Collector, 'name'>): string => `collector_${name}`;

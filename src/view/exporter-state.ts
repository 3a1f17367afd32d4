// What the exporter knows of itself at a scrape. Unlike the processes it changes from one scrape to the next, so it is not
// a part of the view but holds the view that the scrape serves.
import type { SelfReading } from '../kernel/self.ts';
import type { ProcessView } from './view.ts';

/** Times in seconds, instants in seconds since the epoch. NaN: not known yet. */
export interface ExporterState {
  readonly version: string;
  readonly revision: string;
  /** Version of Node.js. */
  readonly nodejs: string;
  /** The collection that is served; undefined before the first one succeeded. */
  readonly view: ProcessView | undefined;
  /** Time that serving the previous scrape took. */
  readonly scrapeDuration: number;
  /** Time that the last collection took, failed or not. */
  readonly updateDuration: number;
  /** Whether the last collection succeeded. */
  readonly updateSuccess: boolean;
  /** Whether a collection is under way. */
  readonly updating: boolean;
  /** Collections that began, by what made them begin. */
  readonly collections: Readonly<Record<string, number>>;
  /** Age of the collection that is served. */
  readonly collectionAge: number;
  /** Series of the previous response. */
  readonly series: number;
  /** Series left out of the collection that is served, by what was left out. */
  readonly seriesDropped: ReadonlyMap<string, number>;
  /** Whether the last attempt to load the configuration succeeded. */
  readonly reloadSuccessful: boolean;
  /** Names of groups in the settings that exist nowhere, by setting; every setting that names groups is there. */
  readonly unknownNames: ReadonlyMap<string, number>;
  /** When the configuration was last loaded with success. */
  readonly reloadTime: number;
  readonly requests: Iterable<{ readonly path: string; readonly code: number; readonly count: number }>;
  /** User and system CPU time of this process. */
  readonly cpuSeconds: number;
  /** Bytes. */
  readonly residentMemory: number;
  readonly startTime: number;
  readonly self: SelfReading;
  /** Processes of other users are hidden from this exporter (hidepid, proc(5)). */
  readonly processesHidden: boolean;
}

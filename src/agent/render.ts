// A snapshot becomes response bodies: encoded and compressed once per snapshot and format, whoever asks. What changes
// at every scrape, the exporter's own families, is written behind it.
import { collectCgroups } from '../collectors/cgroup.ts';
import { collectExporter, type ExporterState } from '../collectors/exporter.ts';
import { collectGroups, type GroupFamilies } from '../collectors/group.ts';
import { collectProcesses, type ProcessFamilies } from '../collectors/process.ts';
import { collectSystem } from '../collectors/system.ts';
import { Encoder, type Format } from '../exposition/encode.ts';
import { finishGzip, type GzipHead, GzipWriter } from '../exposition/gzip.ts';
import type { Snapshot } from './sampler.ts';
import { inSlices } from './time-slices.ts';

/** Which collectors run, and what they export; undefined where a collector is off. */
export interface Exported {
  readonly process: ProcessFamilies | undefined;
  readonly group: GroupFamilies | undefined;
  readonly cgroup: boolean;
  readonly system: boolean;
  readonly exporter: boolean;
}

export interface Body {
  readonly pieces: readonly Buffer[];
  readonly series: number;
}

/** Chunks that are compressed at once. */
const COMPRESSED_AT_ONCE = 2;

interface Head {
  readonly body: Buffer | GzipHead;
  readonly series: number;
}

export class Renderer {
  exported: Exported;
  readonly #encoders = { text: new Encoder('text'), openmetrics: new Encoder('openmetrics') };
  readonly #tails = { text: new Encoder('text', 8 << 10), openmetrics: new Encoder('openmetrics', 8 << 10) };
  #snapshot: Snapshot | undefined;
  readonly #heads = new Map<string, Promise<Head>>();
  #gzip: GzipWriter | undefined;
  /** All of these are shared: one page is written at a time. */
  #writing: Promise<unknown> = Promise.resolve();

  constructor(exported: Exported) {
    this.exported = exported;
  }

  /** Forgets what was rendered under other settings. */
  configure(exported: Exported): void {
    this.exported = exported;
    this.#heads.clear();
  }

  /** @param state what the exporter has to say of itself; asked for when everything else is written */
  async body(snapshot: Snapshot | undefined, format: Format, gzip: boolean, state: () => ExporterState): Promise<Body> {
    const head = await this.#head(snapshot, format, gzip);
    const tail = this.#tail(snapshot, format, state);
    const pieces = Buffer.isBuffer(head.body) ? [head.body, tail.bytes] : finishGzip(head.body, tail.bytes);
    return { pieces, series: head.series + tail.series };
  }

  #head(snapshot: Snapshot | undefined, format: Format, gzip: boolean): Promise<Head> {
    if (snapshot !== this.#snapshot) this.#heads.clear();
    this.#snapshot = snapshot;
    const key = `${format} ${gzip}`;
    let head = this.#heads.get(key);
    if (!head) {
      const rows = snapshot?.view.rows;
      if (rows) rows.readers++;
      head = this.#writing
        .then(() => this.#write(snapshot, format, gzip))
        .finally(() => {
          if (rows) rows.readers--;
        });
      this.#writing = head.catch(() => {});
      this.#heads.set(key, head);
    }
    return head;
  }

  async #write(snapshot: Snapshot | undefined, format: Format, gzip: boolean): Promise<Head> {
    const encoder = this.#encoders[format];
    encoder.begin();
    const families = snapshot ? collectAll(snapshot, this.exported, encoder) : none();
    if (!gzip) {
      await inSlices(families);
      return { body: encoder.bytes(), series: encoder.series };
    }
    // A page of many megabytes is never there as a whole: what is written is compressed while the next piece is.
    this.#gzip ??= new GzipWriter();
    const writer = this.#gzip;
    let compressed = Promise.resolve();
    const compress = async () => {
      await compressed;
      const written = encoder.take();
      compressed = writer.write(written).then(() => encoder.giveBack(written));
      compressed.catch(() => {}); // told when it is waited for
    };
    writer.begin();
    try {
      await inSlices(families, compress, () => encoder.full >= COMPRESSED_AT_ONCE);
      await compress();
    } finally {
      await compressed;
    }
    return { body: await writer.finish(), series: encoder.series };
  }

  #tail(snapshot: Snapshot | undefined, format: Format, state: () => ExporterState): { bytes: Buffer; series: number } {
    const encoder = this.#tails[format];
    encoder.begin();
    if (this.exported.exporter) collectExporter(state(), snapshot?.view, encoder);
    encoder.end();
    return { bytes: encoder.bytes(), series: encoder.series };
  }
}

function* collectAll({ view }: Snapshot, exported: Exported, encoder: Encoder): Generator<void> {
  if (exported.process) yield* collectProcesses(view, exported.process, encoder);
  if (exported.group) yield* collectGroups(view, exported.group, encoder);
  if (exported.cgroup) yield* collectCgroups(view, encoder);
  if (exported.system) yield* collectSystem(view, encoder);
}

function* none(): Generator<void> {}

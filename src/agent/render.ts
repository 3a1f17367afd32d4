// A snapshot becomes response bodies. The samples of the view are encoded and compressed once for each snapshot and
// format, however many clients ask: the head of a response. The samples that change with every scrape follow it: the tail.
import type { Enabled } from '../collectors/collector.ts';
import { scrapeCollectors, viewCollectors } from '../collectors/index.ts';
import { Encoder, type Format } from '../exposition/encode.ts';
import { finishGzip, type GzipHead, GzipWriter } from '../exposition/gzip.ts';
import type { ExporterState } from '../view/exporter-state.ts';
import type { ProcessView } from '../view/view.ts';
import type { Snapshot } from './sampler.ts';
import { runningOf } from './settings.ts';
import { inSlices } from './time-slices.ts';

export interface Body {
  /** The response, in order. */
  readonly pieces: readonly Buffer[];
  readonly series: number;
  /** The part that all responses from one snapshot in one format share: always the same object for the same bytes. */
  readonly head: { readonly bytes: number };
}

/** Encoded chunks that are handed to the compressor together. */
const CHUNKS_COMPRESSED_TOGETHER = 2;

interface Head {
  readonly body: Buffer | GzipHead;
  /** Length of the body. */
  readonly bytes: number;
  readonly series: number;
}

export class Renderer {
  #enabled: Enabled;
  readonly #encoders = { text: new Encoder('text'), openmetrics: new Encoder('openmetrics') };
  readonly #tails = { text: new Encoder('text', 8 << 10), openmetrics: new Encoder('openmetrics', 8 << 10) };
  #snapshot: Snapshot | undefined;
  readonly #heads = new Map<string, Promise<Head>>();
  #gzip: GzipWriter | undefined;
  /** The writing that was begun last: encoders and compressor are shared, so one response is written after the other. */
  #writing: Promise<unknown> = Promise.resolve();

  constructor(enabled: Enabled) {
    this.#enabled = enabled;
  }

  /** Applies new settings; what was rendered with the old ones is dropped. */
  configure(enabled: Enabled): void {
    this.#enabled = enabled;
    this.#heads.clear();
  }

  /**
   * The whole response.
   * @param snapshot undefined before the first collection succeeded
   * @param state gives the state of the exporter itself; called once, when everything else is written
   */
  async body(snapshot: Snapshot | undefined, format: Format, gzip: boolean, state: () => ExporterState): Promise<Body> {
    const head = await this.#head(snapshot, format, gzip);
    const tail = this.#tail(format, state);
    const pieces = Buffer.isBuffer(head.body) ? [head.body, tail.bytes] : finishGzip(head.body, tail.bytes);
    return { pieces, series: head.series + tail.series, head };
  }

  #head(snapshot: Snapshot | undefined, format: Format, gzip: boolean): Promise<Head> {
    if (snapshot !== this.#snapshot) this.#heads.clear();
    this.#snapshot = snapshot;
    const key = `${format} ${gzip}`;
    let head = this.#heads.get(key);
    if (!head) {
      const rows = snapshot?.view.rows;
      if (rows) rows.pinCount++;
      head = this.#writing
        .then(() => this.#write(snapshot, format, gzip))
        .finally(() => {
          if (rows) rows.pinCount--;
        });
      // One that failed is written again for the next response.
      this.#writing = head.catch(() => {
        if (this.#heads.get(key) === head) this.#heads.delete(key);
      });
      this.#heads.set(key, head);
    }
    return head;
  }

  async #write(snapshot: Snapshot | undefined, format: Format, gzip: boolean): Promise<Head> {
    const encoder = this.#encoders[format];
    encoder.begin();
    const families = collectAll(snapshot?.view, this.#enabled, encoder);
    if (!gzip) {
      await inSlices(families);
      const body = encoder.bytes();
      return { body, bytes: body.length, series: encoder.series };
    }
    // A response of many megabytes is never in memory as a whole: full chunks are compressed while the next are written.
    this.#gzip ??= new GzipWriter();
    const writer = this.#gzip;
    let compressed = Promise.resolve();
    const compress = async () => {
      await compressed;
      const written = encoder.take();
      compressed = writer.write(written).then(() => encoder.recycle(written));
      compressed.catch(() => {}); // its failure is thrown where it is awaited
    };
    writer.begin();
    try {
      await inSlices(families, compress, () => encoder.fullChunks >= CHUNKS_COMPRESSED_TOGETHER);
      await compress();
    } finally {
      await compressed;
    }
    const body = await writer.finish();
    const bytes = body.compressed.reduce((sum, piece) => sum + piece.length, 0);
    return { body, bytes, series: encoder.series };
  }

  #tail(format: Format, state: () => ExporterState): { bytes: Buffer; series: number } {
    const encoder = this.#tails[format];
    encoder.begin();
    const running = runningOf(scrapeCollectors, this.#enabled);
    if (running.length > 0) {
      const source = state();
      for (const collector of running) for (const _ of collector.collect(source, this.#enabled, encoder));
    }
    encoder.end();
    return { bytes: encoder.bytes(), series: encoder.series };
  }
}

function* collectAll(view: ProcessView | undefined, enabled: Enabled, encoder: Encoder): Generator<void> {
  if (!view) return;
  for (const collector of runningOf(viewCollectors, enabled)) yield* collector.collect(view, enabled, encoder);
}

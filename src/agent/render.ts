// A snapshot becomes response bodies. The samples of each collector of the view are encoded and compressed once for each
// snapshot and format, however many clients ask: a part. A response is the parts of the collectors that a client asks for,
// and the samples that change with every scrape: the tail. So no choice of collectors makes more to keep than another.
// Where a scrape is expected, the parts that were asked for each of the last two times are made before it comes.
import type { Enabled } from '../collectors/collector.ts';
import { scrapeCollectors, viewCollectors } from '../collectors/index.ts';
import { Encoder, type Format } from '../exposition/encode.ts';
import { type GzipPart, GzipWriter, gzipBody } from '../exposition/gzip.ts';
import type { ExporterState } from '../view/exporter-state.ts';
import type { Snapshot } from './sampler.ts';
import { runningOf } from './settings.ts';
import { inSlices } from './time-slices.ts';

export interface Body {
  /** The response, in order. */
  readonly pieces: readonly Buffer[];
  readonly series: number;
  /** What it shares with other responses from one snapshot in one format: always the same objects for the same bytes. */
  readonly parts: readonly { readonly name: string; readonly bytes: number }[];
}

/** Names of the collectors that a client asks for; undefined: all that are switched on. */
export type Chosen = ReadonlySet<string> | undefined;

/** Encoded chunks that are handed to the compressor together. */
const CHUNKS_COMPRESSED_TOGETHER = 2;

/** Names a part of a snapshot. */
interface PartName {
  readonly collector: (typeof viewCollectors)[number];
  readonly format: Format;
  readonly gzip: boolean;
}

interface Part {
  /** Of the collector. */
  readonly name: string;
  readonly body: Buffer | GzipPart;
  /** Length of the body. */
  readonly bytes: number;
  readonly series: number;
}

export class Renderer {
  #enabled: Enabled;
  readonly #encoders = { text: new Encoder('text'), openmetrics: new Encoder('openmetrics') };
  readonly #tails = { text: new Encoder('text', 8 << 10), openmetrics: new Encoder('openmetrics', 8 << 10) };
  #snapshot: Snapshot | undefined;
  /** By format, encoding and collector. */
  readonly #parts = new Map<string, Promise<Part>>();
  /** The parts that responses asked for since the last `ahead`, and from the one before to the last, by the same keys. */
  #asked = new Map<string, PartName>();
  #askedBefore = new Map<string, PartName>();
  #gzip: GzipWriter | undefined;
  /** The writing that was begun last: encoders and compressor are shared, so one response is written after the other. */
  #writing: Promise<unknown> = Promise.resolve();

  constructor(enabled: Enabled) {
    this.#enabled = enabled;
  }

  /** Applies new settings; what was rendered with the old ones is dropped. */
  configure(enabled: Enabled): void {
    this.#enabled = enabled;
    this.#parts.clear();
    this.#asked.clear();
    this.#askedBefore.clear();
  }

  /**
   * A scrape, or another reader, is expected: makes the parts that were asked for each of the last two times. One time would not do:
   * where a live page or a server that wants another format reads in turn with the scrapes, each would get what the other wants.
   */
  ahead(snapshot: Snapshot): void {
    const [asked, before] = [this.#asked, this.#askedBefore];
    this.#show(snapshot);
    for (const [key, name] of asked) if (before.has(key)) void this.#part(snapshot, name).catch(() => {}); // a response tries again, and fails where it is seen
    before.clear();
    [this.#asked, this.#askedBefore] = [before, asked];
  }

  /** Drops the parts of an older snapshot. */
  #show(snapshot: Snapshot | undefined): void {
    if (snapshot !== this.#snapshot) this.#parts.clear();
    this.#snapshot = snapshot;
  }

  /**
   * The whole response.
   * @param snapshot undefined before the first collection succeeded
   * @param state gives the state of the exporter itself; called once, when everything else is written
   */
  async body(
    snapshot: Snapshot | undefined,
    format: Format,
    gzip: boolean,
    state: () => ExporterState,
    chosen?: Chosen,
  ): Promise<Body> {
    const running = snapshot ? chosenOf(viewCollectors, this.#enabled, chosen) : [];
    this.#show(snapshot);
    const parts = await Promise.all(
      running.map((collector) => {
        const name = { collector, format, gzip };
        this.#asked.set(keyOf(name), name);
        return this.#part(snapshot!, name);
      }),
    );
    const tail = this.#tail(format, state, chosen);
    const bodies = parts.map(({ body }) => body);
    const pieces = gzip ? gzipBody(bodies as GzipPart[], tail.bytes) : [...(bodies as Buffer[]), tail.bytes];
    return { pieces, series: parts.reduce((sum, { series }) => sum + series, tail.series), parts };
  }

  #part(snapshot: Snapshot, name: PartName): Promise<Part> {
    const key = keyOf(name);
    let part = this.#parts.get(key);
    if (!part) {
      part = snapshot.view.rows.pinnedFor(() => this.#writing.then(() => this.#write(snapshot, name)));
      // One that failed is written again for the next response.
      this.#writing = part.catch(() => {
        if (this.#parts.get(key) === part) this.#parts.delete(key);
      });
      this.#parts.set(key, part);
    }
    return part;
  }

  async #write({ view }: Snapshot, { collector, format, gzip }: PartName): Promise<Part> {
    const { name } = collector;
    const encoder = this.#encoders[format];
    encoder.begin();
    const families = collector.collect(view, this.#enabled, encoder);
    if (!gzip) {
      await inSlices(families);
      const body = encoder.bytes();
      return { name, body, bytes: body.length, series: encoder.series };
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
    const body = writer.finish();
    const bytes = body.compressed.reduce((sum, piece) => sum + piece.length, 0);
    return { name, body, bytes, series: encoder.series };
  }

  #tail(format: Format, state: () => ExporterState, chosen: Chosen): { bytes: Buffer; series: number } {
    const encoder = this.#tails[format];
    encoder.begin();
    const running = chosenOf(scrapeCollectors, this.#enabled, chosen);
    if (running.length > 0) {
      const source = state();
      for (const collector of running) for (const _ of collector.collect(source, this.#enabled, encoder));
    }
    encoder.end();
    return { bytes: encoder.bytes(), series: encoder.series };
  }
}

const keyOf = ({ collector, format, gzip }: PartName): string => `${format} ${gzip} ${collector.name}`;

const chosenOf = <C extends { readonly name: string }>(all: readonly C[], enabled: Enabled, chosen: Chosen): C[] =>
  runningOf(all, enabled).filter(({ name }) => !chosen || chosen.has(name));

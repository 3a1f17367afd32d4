// The composition root: files, tracker, rules and renderer become one running exporter that can be asked and reloaded.
// A reload that fails leaves everything as it was, and says so in the log, in a metric and in the state.
import type { ExporterState } from '../collectors/exporter.ts';
import { type Config, keys, optionOf } from '../config/options.ts';
import type { Format } from '../exposition/encode.ts';
import type { KernelFiles } from '../kernel/files.ts';
import { readSelf } from '../kernel/self.ts';
import { Classifier, type Subgroup } from '../rules/classifier.ts';
import type { Rule } from '../rules/rule.ts';
import { Log } from './log.ts';
import { type Body, Renderer } from './render.ts';
import { Sampler, type Snapshot, type Standing } from './sampler.ts';
import { exportedOf, samplerOptionsOf } from './settings.ts';
import { clock, within } from './time-slices.ts';

/** Everything that can change while the exporter runs: what a reload loads. */
export interface Setup {
  readonly config: Config;
  /** Where each value comes from: "default", a file with its line, a variable, a flag. */
  readonly origins: Readonly<Record<string, string>>;
  /** The user's rules, and those that ship with the product. */
  readonly rules: readonly Rule[];
  readonly catalogue: readonly Rule[];
}

export interface Program {
  readonly version: string;
  readonly revision: string;
}

export interface Reload {
  readonly ok: boolean;
  /** What is wrong, one message a fault; empty when ok. */
  readonly faults: readonly string[];
}

/** Three intervals without a success make the exporter unhealthy. */
const MISSED_INTERVALS = 3;

export class Agent {
  readonly log: Log;
  readonly program: Program;
  /** Unix time of the start, seconds. */
  readonly startTime = Date.now() / 1000 - process.uptime();
  setup: Setup;
  lastReload: Reload = { ok: true, faults: [] };

  readonly #load: () => Promise<Setup>;
  readonly #sampler: Sampler;
  readonly #renderer: Renderer;
  #classifier: Classifier;
  #loadedAt = Date.now() / 1000;
  #scrapeDuration = Number.NaN;
  #series = Number.NaN;
  /** What was last said of the series budget. */
  #dropped = '';
  #reloading: Promise<Reload> | undefined;
  readonly #requests = new Map<string, { path: string; code: number; count: number }>();

  /** @param load loads the setup anew; rejects with an error whose `faults` or message say what is wrong */
  constructor(files: KernelFiles, program: Program, setup: Setup, load: () => Promise<Setup>) {
    const { config } = setup;
    this.program = program;
    this.setup = setup;
    this.#load = load;
    this.log = new Log({ level: config.log_level, format: config.log_format });
    this.#classifier = new Classifier(setup.rules, setup.catalogue);
    this.#renderer = new Renderer(exportedOf(config));
    this.#sampler = new Sampler(files, this.#classify(), samplerOptionsOf(config), () => this.#report());
  }

  get config(): Config {
    return this.setup.config;
  }

  get snapshot(): Snapshot | undefined {
    return this.#sampler.snapshot;
  }

  /** Age of the snapshot, seconds; NaN before the first. */
  get age(): number {
    return this.snapshot ? clock() - this.snapshot.at : Number.NaN;
  }

  start(): void {
    this.#sampler.start();
  }

  stop(): void {
    this.#sampler.stop();
  }

  /** Why the exporter is unhealthy: no collection succeeded for three intervals. Undefined while all is well. */
  get unhealthy(): string | undefined {
    const silent = clock() - this.#sampler.lastSuccess;
    if (silent <= MISSED_INTERVALS * this.config.interval) return undefined;
    return `no collection succeeded for ${Math.round(silent)} seconds: ${this.#sampler.failure?.message ?? 'it is still running'}`;
  }

  /** One collection, joined or started. */
  collect(): Promise<void> {
    return this.#sampler.collect();
  }

  /**
   * The response to a scrape, in pieces: the newest snapshot if it is fresh, else that of the collection under way or
   * started now, or when that is not ready in time, what there is.
   * @param patience longest wait for a collection, seconds
   */
  async metrics(format: Format, gzip: boolean, patience: number): Promise<readonly Buffer[]> {
    const began = clock();
    if (!(this.age <= this.config.cache_ttl)) await within(patience, this.collect());
    const body: Body = await this.#renderer.body(this.snapshot, format, gzip, () => this.#state());
    this.#scrapeDuration = clock() - began;
    this.#series = body.series;
    return body.pieces;
  }

  /** How a process stands since the newest collection, that under way included; undefined where it was not seen. */
  async standing(pid: number): Promise<Standing | undefined> {
    if (this.#sampler.collecting) await within(this.config.scrape_timeout, this.collect());
    return this.#sampler.standing(pid);
  }

  /** Loads configuration and rules anew and applies them; requests join a reload under way. */
  reload(): Promise<Reload> {
    this.#reloading ??= this.#reload().finally(() => {
      this.#reloading = undefined;
    });
    return this.#reloading;
  }

  /** Subgroups the rules know, with their rules. */
  subgroups(): readonly Subgroup[] {
    return this.#classifier.subgroups();
  }

  /** Counts an answered request. @param path one of a fixed set, never what the client sent */
  countRequest(path: string, code: number): void {
    const key = `${code} ${path}`;
    const counted = this.#requests.get(key);
    if (counted) counted.count++;
    else this.#requests.set(key, { path, code, count: 1 });
  }

  async #reload(): Promise<Reload> {
    try {
      const setup = await this.#load();
      this.#classifier = new Classifier(setup.rules, setup.catalogue);
      this.#warnOfRestart(setup);
      this.setup = setup;
      this.log.options = { level: setup.config.log_level, format: setup.config.log_format };
      this.#renderer.configure(exportedOf(setup.config));
      this.#sampler.configure(samplerOptionsOf(setup.config), this.#classify());
      this.#loadedAt = Date.now() / 1000;
      this.lastReload = { ok: true, faults: [] };
      this.log.info('configuration loaded');
    } catch (error) {
      const { faults } = error as { faults?: readonly string[] };
      this.lastReload = { ok: false, faults: faults ?? [(error as Error).message] };
      for (const fault of this.lastReload.faults) {
        this.log.error('configuration not loaded; the old one stays in force', { fault });
      }
    }
    return this.lastReload;
  }

  #warnOfRestart(setup: Setup): void {
    for (const key of keys) {
      if (optionOf(key).reloadable || String(setup.config[key]) === String(this.config[key])) continue;
      this.log.warn('changed, but needs a restart to take effect', { key });
    }
  }

  #classify() {
    const classifier = this.#classifier;
    return (identity: Parameters<Classifier['classify']>[0]) => classifier.classify(identity);
  }

  #report(): void {
    const { failure, duration, snapshot } = this.#sampler;
    if (failure) {
      this.log.error('collection failed; the last snapshot stays in force', { err: failure.message });
      return;
    }
    const dropped = [...(snapshot?.dropped ?? [])].map(([reason, series]) => `${reason}=${series}`).join(' ');
    if (dropped !== this.#dropped) {
      this.#dropped = dropped;
      if (dropped)
        this.log.warn('series left out to stay within max_series; raise it, or set per_process', { dropped });
      else this.log.info('all series fit into max_series again');
    }
    this.log.debug('collected', { seconds: Math.round(duration * 1e4) / 1e4, processes: snapshot!.view.seen });
  }

  #state(): ExporterState {
    const { user, system } = process.cpuUsage();
    return {
      ...this.program,
      nodejs: process.versions.node,
      scrapeDuration: this.#scrapeDuration,
      updateDuration: this.#sampler.duration,
      updateSuccess: this.#sampler.failure === undefined && this.snapshot !== undefined,
      updating: this.#sampler.collecting,
      collectionAge: this.age,
      series: this.#series,
      seriesDropped: this.snapshot?.dropped ?? new Map(),
      reloadSuccessful: this.lastReload.ok,
      reloadTime: this.#loadedAt,
      requests: this.#requests.values(),
      cpuSeconds: (user + system) / 1e6,
      residentMemory: process.memoryUsage.rss(),
      startTime: this.startTime,
      self: readSelf(),
    };
  }
}

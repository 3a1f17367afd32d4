// The composition root: kernel files, rules, sampler and renderer become one running exporter, which answers scrapes and
// can be reloaded. A failed reload changes nothing; the log, a metric and `lastReload` say that it failed.
import { collectors } from '../collectors/index.ts';
import { type Config, keys, optionOf } from '../config/options.ts';
import type { Format } from '../exposition/encode.ts';
import type { KernelFiles } from '../kernel/files.ts';
import { type Privileges, readSelf } from '../kernel/self.ts';
import { Classifier, type Subgroup } from '../rules/classifier.ts';
import type { Rule } from '../rules/rule.ts';
import type { ExporterState } from '../view/exporter-state.ts';
import type { History } from '../view/history.ts';
import { isWanted, type SelectionOptions } from '../view/selection.ts';
import { Log } from './log.ts';
import { NotedEvents } from './noted-events.ts';
import { OwnPrivileges } from './own-privileges.ts';
import { type Body, type Chosen, Renderer } from './render.ts';
import { type ObservedProcess, Sampler, type Snapshot } from './sampler.ts';
import type { CollectionReason } from './scrape-rhythm.ts';
import { enabledOf, longestGapOf, runningOf, samplerOptionsOf } from './settings.ts';
import { clock, inSlices, unixTime, within } from './time-slices.ts';
import { countsOf, NAMES_LISTED_MAX, stillUnknown, type UnknownName, unknownNames } from './unknown-names.ts';

/** Everything that a reload can change. */
export interface Setup {
  readonly config: Config;
  /** Where each value comes from: "default", a file with its line, a variable, a flag. */
  readonly origins: Readonly<Record<string, string>>;
  /** The operator's rules. */
  readonly rules: readonly Rule[];
  /** The rules that ship with the product. */
  readonly catalogue: readonly Rule[];
}

export interface Program {
  readonly version: string;
  readonly revision: string;
}

export interface Reload {
  readonly ok: boolean;
  /** One message for each fault; empty when ok. */
  readonly faults: readonly string[];
}

const COLLECTION_FAILED = 'collection failed';
const HUNG = 'reads of processes do not return';
const SOURCE = 'the pinned BPF program is not used';
const DROPPED = 'series left out to stay within max_series';
const CONTRADICTION = "measured PSS adds up to more than the host's memory";
const MEMINFO = '/proc/meminfo contradicts itself';
/** When no collection has succeeded for this many intervals, the exporter is unhealthy; with `interval: auto`, minutes. */
const UNHEALTHY_INTERVALS = 3;

export class Agent {
  readonly log: Log;
  readonly program: Program;
  /** Unix time of the start, seconds. */
  readonly startTime = unixTime() - process.uptime();
  /** Descriptors that this process may have open (RLIMIT_NOFILE, getrlimit(2)). */
  readonly descriptorsMax = readSelf().maxFiles || 1024;
  setup: Setup;
  lastReload: Reload = { ok: true, faults: [] };
  /** Attempts to load the configuration again, failed or not. */
  reloads = 0;

  readonly #load: () => Promise<Setup>;
  readonly #guest: boolean;
  readonly #sampler: Sampler;
  readonly #renderer: Renderer;
  #classifier: Classifier;
  #selection: SelectionOptions;
  /** When the setup in force was loaded, seconds since the epoch. */
  #loadedAt = unixTime();
  /** Time that serving the previous scrape took, seconds, and the series in its response. */
  #scrapeDuration = Number.NaN;
  #series = Number.NaN;
  /** Names of groups in the settings that exist nowhere. */
  #unknownNames: readonly UnknownName[];
  /** As they were last logged, as text. */
  #unknownLogged = '';
  /** The settings that were last logged to wait for a restart, as text. */
  #restartLogged = '';
  readonly #privileges = new OwnPrivileges();
  #reloading: Promise<Reload> | undefined;
  readonly #noted = new NotedEvents();
  readonly #requests = new Map<string, { path: string; code: number; count: number }>();

  /**
   * @param load loads the setup again; rejects with an error whose `faults` or message say what is wrong
   * @param guest whether this is no exporter but a verb that looks (footprint/options.ts)
   */
  constructor(files: KernelFiles, program: Program, setup: Setup, load: () => Promise<Setup>, guest = false) {
    const { config } = setup;
    this.program = program;
    this.setup = setup;
    this.#load = load;
    this.#guest = guest;
    this.log = new Log({ level: config.log_level, format: config.log_format });
    this.#classifier = new Classifier(setup.rules, setup.catalogue);
    this.#renderer = new Renderer(enabledOf(config));
    this.#unknownNames = unknownNames(config, this.subgroups());
    const options = samplerOptionsOf(config, this.#unknownNames, guest);
    this.#selection = options.selection;
    this.#sampler = new Sampler(files, this.#classify(), options, (_, reason) => this.#report(reason));
  }

  get config(): Config {
    return this.setup.config;
  }

  /** Names of groups in the settings that exist nowhere. */
  get unknownNames(): readonly UnknownName[] {
    return this.#unknownNames;
  }

  /** Every collector, and whether it is switched on. */
  get collectors(): readonly { readonly name: string; readonly running: boolean }[] {
    const running = runningOf(collectors, enabledOf(this.config));
    return collectors.map((collector) => ({ name: collector.name, running: running.includes(collector) }));
  }

  get snapshot(): Snapshot | undefined {
    return this.#sampler.snapshot;
  }

  /** Undefined where none is kept. */
  get history(): History | undefined {
    return this.#sampler.history;
  }

  /** Age of the snapshot, seconds; NaN before the first. */
  get age(): number {
    return this.snapshot ? clock() - this.snapshot.at : Number.NaN;
  }

  /** What this process may read of the host; undefined where it serves a capture. */
  get privileges(): Privileges | undefined {
    return this.#privileges.of(this.config);
  }

  /** Whether processes of other users are hidden from this exporter. */
  get processesHidden(): boolean {
    return (this.privileges?.hidepid ?? '') !== '';
  }

  /** The rules in force, in the order in which they decide. */
  get rules(): readonly Rule[] {
    return this.#classifier.rules;
  }

  /** Whether the settings let a process be seen by its names: name, group and subgroup. */
  wants(name: string, group: string, subgroup: string): boolean {
    return isWanted(name, group, subgroup, this.#selection);
  }

  start(): void {
    this.#sampler.start();
  }

  stop(): void {
    this.#sampler.stop();
  }

  /** Why the exporter is unhealthy; undefined while it is healthy. */
  get unhealthy(): string | undefined {
    const silent = clock() - this.#sampler.lastSuccess;
    if (silent <= UNHEALTHY_INTERVALS * longestGapOf(this.config)) return undefined;
    return `no collection succeeded for ${Math.round(silent)} seconds: ${this.#sampler.failure?.message ?? 'one is still running'}`;
  }

  /** Joins the collection under way, or starts one. */
  collect(): Promise<void> {
    return this.#sampler.collect();
  }

  /**
   * The response to a scrape: from the newest snapshot where it is fresh; else from that of the collection
   * under way or started now; where that does not end in time, from the newest snapshot however old it is.
   * @param waitSeconds longest wait for a collection
   * @param chosen a response of some collectors does not count as the previous scrape: its size would tell nothing
   */
  async metrics(format: Format, gzip: boolean, waitSeconds: number, chosen?: Chosen): Promise<Body> {
    const began = clock();
    await this.#freshFor('scrape', waitSeconds);
    const body = await this.#renderer.body(this.snapshot, format, gzip, () => this.#state(), chosen);
    if (chosen) return body;
    this.#scrapeDuration = clock() - began;
    this.#series = body.series;
    return body;
  }

  /**
   * Somebody reads the snapshot, other than a scrape: a page. A reader that comes again and again finds it fresh, as a scraper does.
   * Resolves when it is fresh, or when the time is over.
   */
  reading(waitSeconds: number): Promise<void> {
    return this.#freshFor('request', waitSeconds);
  }

  /** Somebody reads the snapshot as it is: no collection begins for it, but for a reader that comes again and again it is fresh. */
  noteClient(): void {
    this.#sampler.noteClient();
  }

  async #freshFor(reader: 'scrape' | 'request', waitSeconds: number): Promise<void> {
    const collection = this.#sampler.read(reader);
    if (collection) await within(waitSeconds, collection);
  }

  /** Waits for the collection under way, if there is one: meanwhile processes are neither as before nor as after it. */
  async settled(): Promise<void> {
    if (this.#sampler.collecting) await within(this.config.scrape_timeout, this.collect());
  }

  /** A process as the newest collection left it, once it is settled; undefined where that did not see it. */
  observed(pid: number): ObservedProcess | undefined {
    return this.#sampler.observed(pid);
  }

  /**
   * Loads configuration and rules again and applies them. Calls during a reload join it.
   * @param byClient whether a client asked for it, which it may do again and again: the log does not have each time
   */
  reload(byClient = false): Promise<Reload> {
    this.#reloading ??= this.#reload(byClient).finally(() => {
      this.#reloading = undefined;
      this.reloads++;
      this.history?.events.add('reload', unixTime(), this.lastReload.faults.length);
    });
    return this.#reloading;
  }

  /** The subgroups that rules name, with their rules. */
  subgroups(): readonly Subgroup[] {
    return this.#classifier.subgroups();
  }

  /** Counts an answered request. @param path one of a fixed set, never a path that a client chose */
  countRequest(path: string, code: number): void {
    const key = `${code} ${path}`;
    const counted = this.#requests.get(key);
    if (counted) counted.count++;
    else this.#requests.set(key, { path, code, count: 1 });
  }

  async #reload(byClient: boolean): Promise<Reload> {
    try {
      const setup = await this.#load();
      this.#classifier = await inSlices(Classifier.steps(setup.rules, setup.catalogue));
      this.#warnOfRestart(setup);
      this.setup = setup;
      this.log.options = { level: setup.config.log_level, format: setup.config.log_format };
      this.#renderer.configure(enabledOf(setup.config));
      this.#unknownNames = unknownNames(setup.config, this.subgroups());
      const options = samplerOptionsOf(setup.config, this.#unknownNames, this.#guest);
      this.#selection = options.selection;
      this.#sampler.configure(options, this.#classify());
      if (this.snapshot) this.#reportUnknownNames(this.snapshot);
      this.#loadedAt = unixTime();
      const failedBefore = !this.lastReload.ok;
      this.lastReload = { ok: true, faults: [] };
      if (byClient && !failedBefore) this.log.rateLimited('info', 'configuration loaded', { by: 'request' });
      else this.log.info('configuration loaded');
    } catch (error) {
      this.#reloadFailed(error as Error & { faults?: readonly string[] });
    }
    return this.lastReload;
  }

  #reloadFailed({ faults, message }: Error & { faults?: readonly string[] }): void {
    const before = this.lastReload.faults.join('\n');
    this.lastReload = { ok: false, faults: faults ?? [message] };
    const what = 'configuration not loaded; the old one stays in force';
    if (this.lastReload.faults.join('\n') === before)
      this.log.rateLimited('error', `${what}; its faults are the same as before`, {
        faults: this.lastReload.faults.length,
      });
    else for (const fault of this.lastReload.faults) this.log.error(what, { fault });
  }

  #warnOfRestart(setup: Setup): void {
    const changed = keys.filter(
      (key) => !optionOf(key).reloadable && String(setup.config[key]) !== String(this.config[key]),
    );
    const logged = this.#restartLogged;
    this.#restartLogged = changed.join();
    if (this.#restartLogged === logged) return;
    for (const key of changed) this.log.warn('setting changed, but it takes effect only after a restart', { key });
  }

  #classify() {
    const classifier = this.#classifier;
    return (identity: Parameters<Classifier['classify']>[0]) => classifier.classify(identity);
  }

  #report(reason: CollectionReason): void {
    const { failure, duration, snapshot } = this.#sampler;
    if (failure) {
      this.log.began(COLLECTION_FAILED, 'error', `${COLLECTION_FAILED}; the last snapshot stays in force`, {
        err: failure.message,
      });
      return;
    }
    this.log.ended(COLLECTION_FAILED, 'collections succeed again');
    if (reason === 'expected') this.#renderer.ahead(snapshot!);
    this.#noted.note(this.history, snapshot!, this.startTime);
    this.#reportConditions(snapshot!);
    this.#reportUnknownNames(snapshot!);
    this.log.debug('collected', { seconds: Math.round(duration * 1e4) / 1e4, processes: snapshot!.view.seen });
  }

  /** What may last for days: written when it begins, doubles and ends. */
  #reportConditions({ view: { hung, source, measuredExcess, books }, dropped }: Snapshot): void {
    if (hung.length > 0) {
      const fields = { processes: hung.length, pids: hung.slice(0, 10).join(' ') };
      const message = `${HUNG}; the processes are left out, and tried again now and then`;
      this.log.began(HUNG, 'warn', message, fields, hung.length);
    } else this.log.ended(HUNG, 'reads of all processes return again');

    if (source.problem !== undefined)
      this.log.began(SOURCE, 'warn', `${SOURCE}; counters come from /proc`, {
        file: this.config.bpf_file,
        problem: source.problem,
      });
    else this.log.ended(SOURCE, 'the pinned BPF program is no longer a problem');

    if (dropped.size > 0) {
      const fields = { dropped: [...dropped].map(([reason, series]) => `${reason}=${series}`).join(' ') };
      const all = [...dropped.values()].reduce((sum, series) => sum + series, 0);
      this.log.began(DROPPED, 'warn', `${DROPPED}; raise it, or set per_process to top or none`, fields, all);
    } else this.log.ended(DROPPED, 'all series fit into max_series again');

    const shared = `${CONTRADICTION}; processes that share one address space each have all of it`;
    if (measuredExcess > 0) this.log.began(CONTRADICTION, 'warn', shared, { excess: measuredExcess }, measuredExcess);
    else this.log.ended(CONTRADICTION, "measured PSS fits into the host's memory again");

    const kinds = books.contradictory.length;
    const why = `${MEMINFO}; these kinds of memory are left out: lxcfs or another program may stand in for the kernel`;
    if (kinds > 0) this.log.began(MEMINFO, 'warn', why, { kinds: books.contradictory.join(' ') }, kinds);
    else this.log.ended(MEMINFO, '/proc/meminfo no longer contradicts itself');
  }

  /** A name that was missing becomes known when a service of that name runs. What is left is logged once. */
  #reportUnknownNames({ view: { groups } }: Snapshot): void {
    if (this.#unknownNames.length > 0)
      this.#unknownNames = stillUnknown(
        this.#unknownNames,
        groups.map(({ counters }) => counters),
      );
    const logged = this.#unknownLogged;
    this.#unknownLogged = JSON.stringify(this.#unknownNames);
    if (this.#unknownLogged === logged) return;
    for (const { setting, name, remedy } of this.#unknownNames.slice(0, NAMES_LISTED_MAX))
      this.log.warn('a setting names a group that no rule has', { setting, name, remedy });
    const more = this.#unknownNames.length - NAMES_LISTED_MAX;
    if (more > 0) this.log.warn('settings name more groups that no rule has; check prints them', { more });
    if (this.#unknownNames.length === 0 && logged !== '') this.log.info('every group that a setting names exists');
  }

  #state(): ExporterState {
    const { user, system } = process.cpuUsage();
    const self = readSelf();
    return {
      ...this.program,
      nodejs: process.versions.node,
      view: this.snapshot?.view,
      scrapeDuration: this.#scrapeDuration,
      updateDuration: this.#sampler.duration,
      updateSuccess: this.#sampler.failure === undefined && this.snapshot !== undefined,
      updating: this.#sampler.collecting,
      collections: this.#sampler.collections,
      collectionAge: this.age,
      series: this.#series,
      seriesDropped: this.snapshot?.dropped ?? new Map(),
      reloadSuccessful: this.lastReload.ok,
      unknownNames: countsOf(this.#unknownNames),
      reloadTime: this.#loadedAt,
      requests: this.#requests.values(),
      cpuSeconds: (user + system) / 1e6 + self.readersCpu,
      residentMemory: residentMemory() + self.readersMemory,
      startTime: this.startTime,
      self,
      processesHidden: this.processesHidden,
    };
  }
}

/** Bytes; NaN where it cannot be read: Node opens a file of /proc for it, and no descriptor may be left. */
function residentMemory(): number {
  try {
    return process.memoryUsage.rss();
  } catch {
    return Number.NaN;
  }
}

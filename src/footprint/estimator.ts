// Carries measured footprints over to the present, and fills in what was not measured. Between two measurements PSS and USS
// are taken to grow and shrink with RSS, which is read often; uss ≤ pss ≤ rss always holds. Where there is no
// measurement, status needs no privilege and says what kinds of pages a process has, and how much of it is swapped out.
// Only status says how large page tables are. It is read when the process has touched enough memory to change them.
import { FileRequests, type FileWork, type KernelFiles } from '../kernel/files.ts';
import { readStatus, StatusReading } from '../kernel/pid.ts';
import type { Footprint, Process } from '../process/process.ts';
import type { Unreadable } from '../process/unreadable.ts';
import type { FootprintOptions } from './options.ts';
import { hugePagesOf } from './read-need.ts';

/** Processes whose status is read together. */
const CHUNK = 512;

/** Page tables are read again after the process touched or gave back this many bytes, or this share of its RSS if that is more. */
const PAGE_TABLES_BYTES = 256 << 10;
const PAGE_TABLES_SHARE = 1 / 64;

/** What of the host decides which processes have to be asked. */
export interface HostUse {
  /** Whether any swap, and any huge pages, are in use. */
  readonly swap: boolean;
  readonly hugePages: boolean;
}

export class FootprintEstimator {
  readonly #files: KernelFiles;
  readonly #unreadable: Unreadable;
  readonly #status = new StatusReading();

  constructor(files: KernelFiles, unreadable: Unreadable) {
    this.#files = files;
    this.#unreadable = unreadable;
  }

  /**
   * Sets the footprints that are exported. Yields the files that it reads next.
   * @param at kernel time of this collection, seconds since boot
   */
  *carryOver(processes: readonly Process[], mode: FootprintOptions['mode'], inUse: HostUse, at: number): FileWork {
    const incomplete: Process[] = [];
    for (let index = 0; index < processes.length; index++) {
      const proc = processes[index]!;
      const footprint: Footprint = proc.footprint;
      carryOver(proc, footprint, mode);
      if (needsStatus(proc, footprint, inUse, at)) incomplete.push(proc);
      if (index % CHUNK === CHUNK - 1) yield undefined;
    }
    const requests = new FileRequests();
    for (let from = 0; from < incomplete.length; from += CHUNK) {
      const chunk = incomplete.slice(from, from + CHUNK);
      requests.clear();
      for (const { files } of chunk) requests.add(files, 'status');
      yield requests;
      for (const proc of chunk) this.#complete(proc, at);
    }
  }

  /** Takes swap, page tables, huge pages and the kinds of resident pages from status. */
  #complete(proc: Process, at: number): void {
    const footprint: Footprint = proc.footprint;
    try {
      readStatus(this.#files, proc.files, this.#status);
    } catch (error) {
      this.#unreadable.note(proc, 'status', error);
      return;
    }
    this.#unreadable.clear(proc, 'status');
    footprint.statusRss = proc.memory.rss;
    footprint.statusShared = proc.memory.shared;
    footprint.statusActivity = proc.sharing.activity;
    footprint.statusVirtualSize = proc.stat.virtualSize;
    footprint.pageTables = this.#status.pageTables;
    footprint.rssFile = this.#status.rssFile;
    footprint.rssShmem = this.#status.rssShmem;
    addToMeasurement(proc, footprint, this.#status);
    const { measurement } = proc;
    if (measurement.at !== at) footprint.swap = this.#status.swap + (measurement.at >= 0 ? footprint.swappedShared : 0);
  }
}

/** Whether nothing but smaps_rollup has said anything since the process was measured. */
const isNewlyMeasured = ({ measurement }: Process, { measuredAt }: Footprint): boolean =>
  measurement.at >= 0 && measurement.at !== measuredAt;

/**
 * Status leaves out what smaps_rollup has: huge pages behind page tables that processes share, and shared memory in swap. The
 * first status after a measurement tells how much that is; later ones tell what has changed.
 */
function addToMeasurement(proc: Process, footprint: Footprint, status: StatusReading): void {
  const { measurement } = proc;
  if (measurement.at < 0) {
    footprint.hugetlb = status.hugetlb;
  } else if (isNewlyMeasured(proc, footprint)) {
    footprint.measuredAt = measurement.at;
    footprint.statusHugetlb = status.hugetlb || 0;
    footprint.swappedShared =
      measurement.swap > measurement.swapPss ? Math.max(0, measurement.swap - status.swap) || 0 : 0;
  } else {
    const change = status.hugetlb - footprint.statusHugetlb || 0;
    footprint.hugetlb = Math.max(0, hugePagesOf(measurement) + change);
  }
}

/**
 * Sets what is known without status.
 * @returns whether status has to tell the rest. It is read again only when memory moved.
 */
function needsStatus(proc: Process, footprint: Footprint, inUse: HostUse, at: number): boolean {
  const { measurement, memory } = proc;
  if (proc.kernelThread || proc.stat.absent || !(memory.rss >= 0)) {
    footprint.swap = Number.NaN;
    footprint.pageTables = Number.NaN;
    footprint.hugetlb = Number.NaN;
    return false;
  }
  const measuredNow = measurement.at === at;
  const unmeasured = Number.isNaN(footprint.pss);
  // The process's own word counts more than the host's: in a container with lxcfs the host may have no swap, while its
  // processes have.
  const swapping = inUse.swap || footprint.swap > 0 || measurement.swap > 0;
  if (measuredNow) footprint.swap = measurement.swap;
  else if (!swapping && !unmeasured) footprint.swap = 0;
  if (isNewlyMeasured(proc, footprint)) {
    footprint.hugetlb = hugePagesOf(measurement);
    if (inUse.hugePages || measurement.swap > measurement.swapPss) return true;
    footprint.measuredAt = measurement.at;
    footprint.statusHugetlb = 0;
    footprint.swappedShared = 0;
  }
  if (pageTablesMayDiffer(proc) || (inUse.hugePages && !measuredNow && hugePagesMayDiffer(proc))) return true;
  if (!unmeasured && (!swapping || measuredNow)) return false;
  const moved = footprint.statusRss !== memory.rss || footprint.statusShared !== memory.shared;
  return moved || Number.isNaN(footprint.swap);
}

/** A page table is made by a fault, and maps much more memory than it takes. */
function pageTablesMayDiffer({ footprint, memory, sharing }: Process): boolean {
  const touched = sharing.activity - footprint.statusActivity;
  return !(touched < Math.max(PAGE_TABLES_BYTES, memory.rss * PAGE_TABLES_SHARE));
}

/** A huge page is one fault and moves no RSS, and the end of a mapping is no fault. */
const hugePagesMayDiffer = ({ footprint, sharing, stat }: Process): boolean =>
  sharing.activity !== footprint.statusActivity || stat.virtualSize !== footprint.statusVirtualSize;

/** PSS and USS scale with RSS since the measurement. */
function carryOver(
  { measurement, memory: { rss } }: Process,
  footprint: Footprint,
  mode: FootprintOptions['mode'],
): void {
  if (measurement.at < 0 || !(rss > 0) || mode === 'off') {
    footprint.pss = Number.NaN;
    footprint.uss = Number.NaN;
    return;
  }
  const ratio = measurement.rss > 0 ? rss / measurement.rss : 0;
  footprint.pss = Math.min(rss, Math.round(measurement.pss * ratio));
  footprint.uss = Math.min(footprint.pss, Math.round(measurement.uss * ratio));
}

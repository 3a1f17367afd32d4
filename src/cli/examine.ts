// Looks at single processes of a host: what each is, and when it began. For verbs that are asked about them by pid.
import { KernelFileError, type KernelFiles } from '../kernel/files.ts';
import { readStat, StatReading } from '../kernel/pid.ts';
import { readBoot, readUnits, readUptime, readUsers } from '../kernel/system.ts';
import { latin1 } from '../kernel/text.ts';
import type { Evidence, Verdict } from '../process/classify.ts';
import { Identities } from '../process/identity.ts';
import { type Identity, Process } from '../process/process.ts';
import { Unreadable } from '../process/unreadable.ts';

export class Examiner {
  readonly unreadable = new Unreadable();
  readonly #files: KernelFiles;
  readonly #identities: Identities;
  readonly #units;
  readonly #bootTime: number;

  constructor(files: KernelFiles) {
    this.#files = files;
    this.#units = readUnits(files);
    this.#bootTime = readBoot(files).bootTime;
    this.#identities = new Identities(files, this.unreadable, readUsers(files));
  }

  /** Undefined where no such process runs. @throws KernelFileError where its stat cannot be read */
  look(pid: number): Process | undefined {
    const stat = new StatReading();
    const handle = this.#files.process(pid);
    try {
      readStat(this.#files, handle, this.#units, stat);
    } catch (error) {
      handle.close();
      if (error instanceof KernelFileError && error.reason === 'gone') return undefined;
      throw error;
    }
    const process = new Process(
      handle,
      stat.startTicks,
      stat.startTicks / this.#units.ticksPerSecond,
      stat.kernelThread,
    );
    process.state = stat.state;
    process.comm = latin1(this.#files.buffer, stat.commFrom, stat.commTo);
    return process;
  }

  identity(process: Process): Identity {
    return process.kernelThread ? this.#identities.ofKernelThread(process) : this.#identities.of(process);
  }

  /** Unix time, seconds. */
  startTime(process: Process): number {
    return this.#bootTime + process.start;
  }

  /** Seconds since it began. */
  age(process: Process): number {
    return readUptime(this.#files) - process.start;
  }
}

/** A rule and what held or failed of it, for programs. What the process has is left out: it may be a command line. */
export const verdictDocument = ({ rule, failed }: Verdict) => ({
  group: rule.group,
  subgroup: rule.subgroup,
  rule: rule.name,
  ...(failed.length > 0 && { failed: failed.map(wantedOf) }),
});

export const wantedOf = ({ key, wanted }: Evidence) => ({ key, wanted });

/** What is known of a process and may be shown: nothing of its command line. */
export const identityDocument = ({ name, exe, user, unit, container, podUid }: Identity) =>
  Object.fromEntries(
    Object.entries({ name, exe, user, unit, container, pod_uid: podUid }).filter(([, value]) => value !== ''),
  );

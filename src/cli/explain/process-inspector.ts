// Finds single processes of a host by pid, and tells what each is and when it began.

import { KernelFileError, type KernelFiles } from '../../kernel/files.ts';
import { readBoot, readUnits, readUptime, readUsers } from '../../kernel/host.ts';
import { readStat, StatReading } from '../../kernel/pid.ts';
import { latin1 } from '../../kernel/text.ts';
import { Identities } from '../../process/identities.ts';
import { Process } from '../../process/process.ts';
import { Unreadable } from '../../process/unreadable.ts';
import type { Classifier, Evidence, Verdict } from '../../rules/classifier.ts';
import type { Classification, Identity } from '../../rules/identity.ts';
import { type Kin, sourceOf } from '../../rules/inheritance.ts';

export const KERNEL: Classification = { group: 'system', subgroup: 'kernel', rule: 'kernel thread' };

/** An ancestor, with the process from which its own parent is found. */
interface Ancestor extends Kin {
  readonly process: Process;
  readonly source?: Ancestor | undefined;
}

export class ProcessInspector {
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

  /** The caller closes its files. Undefined where no such process runs. @throws KernelFileError where its stat cannot be read */
  find(pid: number): Process | undefined {
    const stat = new StatReading();
    const handle = this.#files.process(pid);
    try {
      readStat(this.#files, handle, this.#units, stat);
    } catch (error) {
      handle.close();
      if (error instanceof KernelFileError && error.reason === 'gone') return undefined;
      throw error;
    }
    const proc = new Process(handle, stat.startTicks, stat.startTicks / this.#units.ticksPerSecond, stat.kernelThread);
    proc.state = stat.state;
    proc.ppid = stat.ppid;
    proc.comm = latin1(this.#files.buffer, stat.commFrom, stat.commTo);
    return proc;
  }

  identityOf(proc: Process): Identity {
    return proc.kernelThread ? this.#identities.ofKernelThread(proc) : this.#identities.of(proc);
  }

  /** The ancestor that gives its group to a process that no rule matches; undefined where there is none. */
  ancestorOf(proc: Process, identity: Identity, classifier: Classifier): Kin | undefined {
    const kinOf = (proc: Process, identity: Identity): Ancestor => ({
      pid: proc.pid,
      process: proc,
      description: { identity, ...(proc.kernelThread ? KERNEL : classifier.classify(identity)) },
    });
    return sourceOf(kinOf(proc, identity), ({ process: proc }) => {
      const parent = this.#parentOf(proc);
      return parent && kinOf(parent, this.identityOf(parent));
    });
  }

  #parentOf({ ppid, startTicks }: Process): Process | undefined {
    const parent = ppid > 0 ? this.find(ppid) : undefined;
    return parent && parent.startTicks <= startTicks ? parent : undefined;
  }

  /** Unix time, seconds. */
  startTimeOf(proc: Process): number {
    return this.#bootTime + proc.start;
  }

  /** Seconds since the process began. */
  ageOf(proc: Process): number {
    return readUptime(this.#files) - proc.start;
  }
}

/** A rule and which of its keys failed, for programs. */
export const verdictDocument = ({ rule, failed }: Verdict) => ({
  group: rule.group,
  subgroup: rule.subgroup,
  rule: rule.name,
  ...(failed.length > 0 && { failed: failed.map(evidenceDocument) }),
});

/** One key of a rule, for programs. The value of the process is left out: it may be a command line. */
export const evidenceDocument = ({ key, wanted }: Evidence) => ({ key, wanted });

/** What a process is, for programs: nothing of its command line, which may hold secrets. */
export const identityDocument = ({ name, exe, user, unit, container, podUid }: Identity) =>
  Object.fromEntries(
    Object.entries({ name, exe, user, unit, container, pod_uid: podUid }).filter(([, value]) => value !== ''),
  );

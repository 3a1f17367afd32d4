// Looks at single processes of a host: what each is, and when it began. For verbs that are asked about them by pid.

import { type KernelFiles, reasonOf } from '../../kernel/files.ts';
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

interface Relative extends Kin {
  readonly process: Process;
  readonly source?: Relative | undefined;
}

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
      if (reasonOf(error) === 'gone') return undefined;
      throw error;
    }
    const proc = new Process(handle, stat.startTicks, stat.startTicks / this.#units.ticksPerSecond, stat.kernelThread);
    proc.state = stat.state;
    proc.ppid = stat.ppid;
    proc.comm = latin1(this.#files.buffer, stat.commFrom, stat.commTo);
    return proc;
  }

  identity(proc: Process): Identity {
    return proc.kernelThread ? this.#identities.ofKernelThread(proc) : this.#identities.of(proc);
  }

  /** Whom a process that no rule matches belongs to; undefined where it has no such ancestor. */
  source(proc: Process, identity: Identity, classifier: Classifier): Kin | undefined {
    const kinOf = (proc: Process, identity: Identity): Relative => ({
      pid: proc.pid,
      process: proc,
      description: { identity, ...(proc.kernelThread ? KERNEL : classifier.classify(identity)) },
    });
    return sourceOf(kinOf(proc, identity), ({ process: proc }) => {
      const parent = this.#parentOf(proc);
      return parent && kinOf(parent, this.identity(parent));
    });
  }

  #parentOf({ ppid, startTicks }: Process): Process | undefined {
    const parent = ppid > 0 ? this.look(ppid) : undefined;
    return parent && parent.startTicks <= startTicks ? parent : undefined;
  }

  /** Unix time, seconds. */
  startTime(proc: Process): number {
    return this.#bootTime + proc.start;
  }

  /** Seconds since it began. */
  age(proc: Process): number {
    return readUptime(this.#files) - proc.start;
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

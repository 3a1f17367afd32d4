// Looks at single processes of a host: what each is, and when it began. For verbs that are asked about them by pid.

import { KernelFileError, type KernelFiles } from '../../kernel/files.ts';
import { readBoot, readUnits, readUptime, readUsers } from '../../kernel/host.ts';
import { Identities } from '../../process/identities.ts';
import type { Process } from '../../process/process.ts';
import { StatReader } from '../../process/stat.ts';
import { Unreadable } from '../../process/unreadable.ts';
import type { Classifier, Evidence, Verdict } from '../../rules/classifier.ts';
import { type Identity, KERNEL_THREAD } from '../../rules/identity.ts';
import { type Kin, sourceOf } from '../../rules/inheritance.ts';

interface Relative extends Kin {
  readonly proc: Process;
  readonly source?: Relative | undefined;
}

export class Examiner {
  readonly unreadable = new Unreadable();
  readonly #files: KernelFiles;
  readonly #identities: Identities;
  readonly #stat: StatReader;
  readonly #bootTime: number;

  constructor(files: KernelFiles) {
    this.#files = files;
    this.#stat = new StatReader(files, readUnits(files), this.unreadable);
    this.#bootTime = readBoot(files).bootTime;
    this.#identities = new Identities(files, this.unreadable, readUsers(files));
  }

  /** Undefined where no such process runs. @throws KernelFileError where its stat cannot be read */
  look(pid: number): Process | undefined {
    const handle = this.#files.process(pid);
    try {
      return this.#stat.first(handle);
    } catch (error) {
      handle.close();
      if (error instanceof KernelFileError && error.reason === 'gone') return undefined;
      throw error;
    }
  }

  identity(proc: Process): Identity {
    const identities = this.#identities;
    return proc.kernelThread ? identities.ofKernelThread(proc) : identities.of(proc, identities.cgroupsOf(proc));
  }

  /** Whom a process that no rule matches belongs to; undefined where it has no such ancestor. */
  source(proc: Process, identity: Identity, classifier: Classifier): Kin | undefined {
    const kinOf = (proc: Process, identity: Identity): Relative => ({
      pid: proc.pid,
      proc,
      description: { identity, ...(proc.kernelThread ? KERNEL_THREAD : classifier.classify(identity)) },
    });
    return sourceOf(kinOf(proc, identity), ({ proc }) => {
      const parent = this.#parentOf(proc);
      return parent && kinOf(parent, this.identity(parent));
    });
  }

  #parentOf({ stat: { ppid }, startTicks }: Process): Process | undefined {
    const parent = ppid > 0 ? this.look(ppid) : undefined;
    return parent && parent.startTicks <= startTicks ? parent : undefined;
  }

  /** Unix time, seconds. */
  startTime(proc: Process): number {
    return this.#bootTime + proc.stat.start;
  }

  /** Seconds since it began. */
  age(proc: Process): number {
    return readUptime(this.#files) - proc.stat.start;
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

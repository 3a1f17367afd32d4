// Finds single processes of a host by pid, and tells what each is and when it began.

import { FileRequests, type KernelFiles, reasonOf } from '../../kernel/files.ts';
import { readBoot, readUnits, readUptime } from '../../kernel/host.ts';
import { Identities } from '../../process/identities.ts';
import type { Process } from '../../process/process.ts';
import { StatReader } from '../../process/stat.ts';
import { Unreadable } from '../../process/unreadable.ts';
import { Users } from '../../process/users.ts';
import type { Classifier, KeyResult, RuleResult } from '../../rules/classifier.ts';
import { type Identity, KERNEL_THREAD } from '../../rules/identity.ts';
import { inheritanceSource, type TreeProcess } from '../../rules/inheritance.ts';

/** An ancestor, with the process from which its own parent is found. */
interface Ancestor extends TreeProcess {
  readonly proc: Process;
  readonly source?: Ancestor | undefined;
}

/** More ancestors of a process are not looked at, because no process inherits over more. */
const ANCESTORS_MAX = 200;

export class ProcessInspector {
  readonly unreadable = new Unreadable();
  readonly #files: KernelFiles;
  readonly #identities: Identities;
  readonly #stat: StatReader;
  readonly #bootTime: number;

  constructor(files: KernelFiles) {
    this.#files = files;
    this.#stat = new StatReader(files, readUnits(files), this.unreadable);
    this.#bootTime = readBoot(files).bootTime;
    const users = new Users(files);
    users.look(0);
    this.#identities = new Identities(files, this.unreadable, users);
  }

  /** The caller closes its files. Undefined where no such process runs. @throws KernelFileError where its stat cannot be read */
  async find(pid: number): Promise<Process | undefined> {
    const handle = this.#files.process(pid);
    const requests = new FileRequests();
    requests.add(handle, 'stat');
    await this.#files.prefetch(requests);
    try {
      return this.#stat.first(handle);
    } catch (error) {
      handle.close();
      if (reasonOf(error) === 'gone') return undefined;
      throw error;
    }
  }

  async identityOf(proc: Process): Promise<Identity> {
    const identities = this.#identities;
    const requests = new FileRequests();
    identities.request(proc, requests);
    await this.#files.prefetch(requests);
    return proc.kernelThread ? identities.ofKernelThread(proc) : identities.of(proc, identities.cgroupsOf(proc));
  }

  /** The ancestor that gives its group to a process that no rule matches; undefined where there is none. */
  async ancestorOf(proc: Process, identity: Identity, classifier: Classifier): Promise<TreeProcess | undefined> {
    const described = (proc: Process, identity: Identity): Ancestor => ({
      pid: proc.pid,
      proc,
      description: { identity, ...(proc.kernelThread ? KERNEL_THREAD : classifier.classify(identity)) },
    });
    const parents = new Map<Process, Ancestor>();
    for (let child = proc; parents.size < ANCESTORS_MAX; ) {
      const parent = await this.#parentOf(child);
      if (!parent) break;
      parents.set(child, described(parent, await this.identityOf(parent)));
      child = parent;
    }
    return inheritanceSource(described(proc, identity), ({ proc }) => parents.get(proc));
  }

  async #parentOf({ stat: { ppid }, startTicks }: Process): Promise<Process | undefined> {
    const parent = ppid > 0 ? await this.find(ppid) : undefined;
    return parent && parent.startTicks <= startTicks ? parent : undefined;
  }

  /** Unix time, seconds. */
  startTimeOf(proc: Process): number {
    return this.#bootTime + proc.stat.start;
  }

  /** Seconds since the process began. */
  ageOf(proc: Process): number {
    return readUptime(this.#files) - proc.stat.start;
  }
}

/** A rule and which of its keys failed, for programs. */
export const ruleResultDocument = ({ rule, failed }: RuleResult) => ({
  group: rule.group,
  subgroup: rule.subgroup,
  rule: rule.name,
  ...(failed.length > 0 && { failed: failed.map(keyResultDocument) }),
});

/** One key of a rule, for programs. The value of the process is left out: it may be a command line. */
export const keyResultDocument = ({ key, wanted }: KeyResult) => ({ key, wanted });

/** What a process is, for programs: nothing of its command line, which may hold secrets. */
export const identityDocument = ({ name, exe, user, unit, container, podUid }: Identity) =>
  Object.fromEntries(
    Object.entries({ name, exe, user, unit, container, pod_uid: podUid }).filter(([, value]) => value !== ''),
  );

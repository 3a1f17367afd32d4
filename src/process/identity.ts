// Finds out what a process is: comm, executable, command line, user, unit, container. Read once in its life and after
// an exec. What may not be read stays empty and is counted; it never keeps the rest from being known.
import type { KernelFiles } from '../kernel/files.ts';
import { readCgroup, readCmdline, readStatus, StatusReading } from '../kernel/pid.ts';
import { CgroupReader } from './cgroup.ts';
import { commName } from './name.ts';
import { BLOCKED, type Identity, type Process } from './process.ts';
import type { CountedFile, Unreadable } from './unreadable.ts';

const DELETED = ' (deleted)';

/** Reads identities; remembers nothing but the users of the host, and what texts about cgroups mean. */
export class Identities {
  readonly #files: KernelFiles;
  readonly #unreadable: Unreadable;
  readonly #users: ReadonlyMap<number, string>;
  readonly #status = new StatusReading();
  readonly #cgroups = new CgroupReader();

  constructor(files: KernelFiles, unreadable: Unreadable, users: ReadonlyMap<number, string>) {
    this.#files = files;
    this.#unreadable = unreadable;
    this.#users = users;
  }

  /** A kernel thread has a name and nothing else. */
  ofKernelThread(process: Process): Identity {
    return { ...NOTHING, name: commName(Buffer.from(process.comm, 'latin1')), user: this.#users.get(0) ?? '0' };
  }

  /** The command line of a process in state D is not read: it may hold its mmap lock, and the read would wait for it. */
  of(process: Process): Identity {
    const { files } = process;
    process.cgroups =
      this.#try(process, 'cgroup', () => this.#cgroups.of(readCgroup(this.#files, files))) ?? this.#cgroups.of('');
    const { place } = process.cgroups;
    const readArgv = () => readCmdline(this.#files, files);
    return {
      name: commName(Buffer.from(process.comm, 'latin1')),
      exe: this.#try(process, 'exe', () => withoutDeleted(wellFormed(files.exe()))) ?? '',
      argv: (process.state === BLOCKED ? undefined : this.#try(process, 'cmdline', readArgv)) ?? [],
      user: this.#try(process, 'status', () => this.#user(process)) ?? '',
      unit: place.unit,
      container: place.container,
      podUid: place.podUid,
    };
  }

  #user(process: Process): string {
    readStatus(this.#files, process.files, this.#status);
    return this.#users.get(this.#status.uid) ?? String(this.#status.uid);
  }

  #try<T>(process: Process, file: CountedFile, read: () => T): T | undefined {
    try {
      const value = read();
      this.#unreadable.clear(process, file);
      return value;
    } catch (error) {
      this.#unreadable.note(process, file, error);
      return undefined;
    }
  }
}

const NOTHING: Identity = { name: '', exe: '', argv: [], user: '', unit: '', container: '', podUid: '' };

const withoutDeleted = (exe: string): string => (exe.endsWith(DELETED) ? exe.slice(0, -DELETED.length) : exe);

/** A lone surrogate cannot be written as UTF-8. */
const wellFormed = (text: string): string => text.toWellFormed();

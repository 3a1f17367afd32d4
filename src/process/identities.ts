// Finds out what a process is: comm, executable, command line, user, unit, container. Read once in its life and after
// an exec. What may not be read stays empty and is counted; it never keeps the rest from being known.

import type { KernelFiles } from '../kernel/files.ts';
import { readCgroup, readCmdline, readStatus, StatusReading } from '../kernel/pid.ts';
import type { Identity } from '../rules/identity.ts';
import { commName } from './comm-name.ts';
import { PlacementReader } from './placement.ts';
import { BLOCKED, type Process } from './process.ts';
import type { CountedFile, Unreadable } from './unreadable.ts';

const DELETED = ' (deleted)';

/** Reads identities; remembers nothing but the users of the host, and what texts about cgroups mean. */
export class Identities {
  readonly #files: KernelFiles;
  readonly #unreadable: Unreadable;
  readonly #users: ReadonlyMap<number, string>;
  readonly #status = new StatusReading();
  readonly #cgroups = new PlacementReader();

  constructor(files: KernelFiles, unreadable: Unreadable, users: ReadonlyMap<number, string>) {
    this.#files = files;
    this.#unreadable = unreadable;
    this.#users = users;
  }

  /** A kernel thread has a name and nothing else. */
  ofKernelThread(proc: Process): Identity {
    return { ...NOTHING, name: commName(Buffer.from(proc.comm, 'latin1')), user: this.#users.get(0) ?? '0' };
  }

  /** The command line of a process in state D is not read: it may hold its mmap lock, and the read would wait for it. */
  of(proc: Process): Identity {
    const { files } = proc;
    proc.cgroups =
      this.#try(proc, 'cgroup', () => this.#cgroups.of(readCgroup(this.#files, files))) ?? this.#cgroups.of('');
    const { place } = proc.cgroups;
    const readArgv = () => readCmdline(this.#files, files);
    return {
      name: commName(Buffer.from(proc.comm, 'latin1')),
      exe: this.#try(proc, 'exe', () => withoutDeleted(wellFormed(files.exe()))) ?? '',
      argv: (proc.state === BLOCKED ? undefined : this.#try(proc, 'cmdline', readArgv)) ?? [],
      user: this.#try(proc, 'status', () => this.#user(proc)) ?? '',
      unit: place.unit,
      container: place.container,
      podUid: place.podUid,
    };
  }

  #user(proc: Process): string {
    readStatus(this.#files, proc.files, this.#status);
    return this.#users.get(this.#status.uid) ?? String(this.#status.uid);
  }

  #try<T>(proc: Process, file: CountedFile, read: () => T): T | undefined {
    try {
      const value = read();
      this.#unreadable.clear(proc, file);
      return value;
    } catch (error) {
      this.#unreadable.note(proc, file, error);
      return undefined;
    }
  }
}

const NOTHING: Identity = { name: '', exe: '', argv: [], user: '', unit: '', container: '', podUid: '' };

const withoutDeleted = (exe: string): string => (exe.endsWith(DELETED) ? exe.slice(0, -DELETED.length) : exe);

/** A lone surrogate cannot be written as UTF-8. */
const wellFormed = (text: string): string => text.toWellFormed();

// Finds out what a process is: comm, executable, command line, user, unit, container. Read when it is found, after an
// exec, and when something it depends on changed. What may not be read stays empty and is counted; the rest is known all the same.

import { type FileRequests, type KernelFiles, textOf, unlessUnreadable } from '../kernel/files.ts';
import { readCgroup, readCmdline, readStatus, StatusReading } from '../kernel/pid.ts';
import { type Identity, UNKNOWN_IDENTITY } from '../rules/identity.ts';
import { commName } from './comm-name.ts';
import { type Cgroups, PlacementReader } from './placement.ts';
import { BLOCKED, type Process } from './process.ts';
import { nameOfProgram } from './program-name.ts';
import type { CountedFile, Unreadable } from './unreadable.ts';
import type { Users } from './users.ts';

const DELETED = ' (deleted)';

/** Reads identities; keeps nothing but the users of the host, and the meaning of cgroup texts that it has seen. */
export class Identities {
  readonly #files: KernelFiles;
  readonly #unreadable: Unreadable;
  readonly #users: Users;
  readonly #status = new StatusReading();
  readonly #placements = new PlacementReader();

  constructor(files: KernelFiles, unreadable: Unreadable, users: Users) {
    this.#files = files;
    this.#unreadable = unreadable;
    this.#users = users;
  }

  /** A kernel thread has a name and nothing else. */
  ofKernelThread(proc: Process): Identity {
    return {
      ...UNKNOWN_IDENTITY,
      name: commName(Buffer.from(proc.stat.comm, 'latin1')),
      user: this.#users.nameOf(0),
    };
  }

  /** What `cgroupsOf` and `of` will read. */
  request(proc: Process, requests: FileRequests): void {
    if (proc.kernelThread) return;
    requests.add(proc.files, 'cgroup');
    requests.add(proc.files, 'status');
    requests.add(proc.files, 'exe');
    if (proc.stat.state !== BLOCKED) requests.add(proc.files, 'cmdline');
  }

  /** What `moved` will read. */
  requestMoved(proc: Process, requests: FileRequests): void {
    requests.add(proc.files, 'cgroup');
    requests.add(proc.files, 'status');
  }

  /** Whether a process is in another cgroup than `cgroups` says, or has another user than `user`. */
  moved({ files, zombie }: Process, { text }: Cgroups, user: string): boolean {
    if (zombie) return false;
    const moved = unlessUnreadable(() => {
      const length = files.read('cgroup');
      if (!isText(this.#files.buffer, length, text) && textOf(this.#files, length) !== text) return true;
      readStatus(this.#files, files, this.#status);
      return this.#users.nameOf(this.#status.uid) !== user;
    });
    return moved ?? false;
  }

  /** The cgroups of a process that is no kernel thread. */
  cgroupsOf(proc: Process): Cgroups {
    const text = this.#unlessUnreadable(proc, 'cgroup', () => readCgroup(this.#files, proc.files));
    return this.#placements.of(text ?? '');
  }

  /**
   * The identity of a process that is no kernel thread. The command line of a process in state D is not read: the process
   * may hold its own mmap lock, and the read would wait for it.
   */
  of(proc: Process, { place }: Cgroups): Identity {
    const { files } = proc;
    const readArgv = () => readCmdline(this.#files, files);
    const exe = this.#unlessUnreadable(proc, 'exe', () => withoutDeleted(wellFormed(files.exe()))) ?? '';
    const argv = (proc.stat.state === BLOCKED ? undefined : this.#unlessUnreadable(proc, 'cmdline', readArgv)) ?? [];
    return {
      name: nameOfProgram(commName(Buffer.from(proc.stat.comm, 'latin1')), exe, argv),
      exe,
      argv,
      user: this.#unlessUnreadable(proc, 'status', () => this.#user(proc)) ?? '',
      unit: place.unit,
      container: place.container,
      podUid: place.podUid,
    };
  }

  #user(proc: Process): string {
    readStatus(this.#files, proc.files, this.#status);
    return this.#users.nameOf(this.#status.uid);
  }

  /** What `read` gives; undefined where the file cannot be read, which is noted. */
  #unlessUnreadable<T>(proc: Process, file: CountedFile, read: () => T): T | undefined {
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

/** Whether bytes are this text, as far as ASCII tells: compared in place, since nearly every process stays where it is. */
function isText(bytes: Uint8Array, length: number, text: string): boolean {
  if (length !== text.length) return false;
  for (let at = 0; at < length; at++) if (bytes[at] !== text.charCodeAt(at)) return false;
  return true;
}

const withoutDeleted = (exe: string): string => (exe.endsWith(DELETED) ? exe.slice(0, -DELETED.length) : exe);

/** A lone surrogate cannot be written as UTF-8. */
const wellFormed = (text: string): string => text.toWellFormed();

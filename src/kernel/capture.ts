// A capture: the kernel files of a host as one readable text, one frame for each collection. It serves as a test's
// fixture, as a host to replay and as part of a bug report. Any text gives a capture or a CaptureError that names the
// line; code that reads a capture cannot tell it from a live host. A frame begins like this:
//   # herakles capture 1
//   frame
//   file proc/uptime
//    12345.67 98765.43
//   failed proc/1/io denied
import {
  FileRequests,
  KernelFileError,
  type KernelFiles,
  PROCESS_FILES,
  type ProcessFile,
  type ProcessFiles,
  reasonOf,
  type UnreadableReason,
  unlessUnreadable,
} from './files.ts';

/** What reading one path gave: its bytes, the target of a link, or the reason why it could not be read. */
export type CapturedFile = { bytes: Uint8Array } | { link: string } | { failed: UnreadableReason };

/** The kernel files of one collection, by path without the leading slash ("proc/1/stat"). */
export type Frame = ReadonlyMap<string, CapturedFile>;

export class CaptureError extends Error {
  constructor(line: number, message: string) {
    super(`line ${line}: ${message}`);
    this.name = 'CaptureError';
  }
}

const MAGIC = '# herakles capture 1';
const REASONS: readonly string[] = ['gone', 'denied', 'unsupported', 'malformed', 'hung'] satisfies UnreadableReason[];
const PRINTABLE = /^[\t\n\x20-\x5b\x5d-\x7e]*\n$/;

/**
 * Writes frames as text. Format, line by line: the magic line; `frame` begins a frame; `file PATH` is followed by the
 * file's lines, each behind one space; `bytes PATH ESCAPED` is a file that is not plain lines, with `\xHH` and `\\`;
 * `link PATH TARGET` (escaped); `failed PATH REASON`. A line that begins with # is a remark.
 */
export function formatCapture(frames: readonly Frame[], remarks: readonly string[] = []): string {
  const out = [MAGIC, ...remarks.map((remark) => `# ${remark.replace(/\s+/g, ' ')}`)];
  for (const frame of frames) {
    out.push('frame');
    for (const [path, entry] of frame) {
      if ('failed' in entry) out.push(`failed ${path} ${entry.failed}`);
      else if ('link' in entry) out.push(`link ${path} ${escaped(Buffer.from(entry.link))}`);
      else {
        const text = Buffer.from(entry.bytes).toString('latin1');
        if (PRINTABLE.test(text))
          out.push(
            `file ${path}`,
            ...text
              .slice(0, -1)
              .split('\n')
              .map((line) => ` ${line}`),
          );
        else out.push(`bytes ${path} ${escaped(entry.bytes)}`);
      }
    }
  }
  return `${out.join('\n')}\n`;
}

/** Reads what formatCapture wrote. @throws CaptureError */
export function parseCapture(text: string): Frame[] {
  const lines = text.split('\n');
  if (lines[0]?.trimEnd() !== MAGIC) throw new CaptureError(1, `a capture begins with the line "${MAGIC}"`);
  const frames: Map<string, CapturedFile>[] = [];
  for (let at = 1; at < lines.length; at++) {
    const line = lines[at]!;
    if (line === '' || line.startsWith('#')) continue;
    if (line === 'frame') {
      frames.push(new Map());
      continue;
    }
    const frame = frames.at(-1);
    const [, kind, path, rest] = /^(file|bytes|link|failed) (\S+) ?(.*)$/s.exec(line) ?? [];
    if (!frame || !kind || !path) {
      throw new CaptureError(at + 1, 'expected "frame", then "file", "bytes", "link" or "failed" with a path');
    }
    if (kind === 'file') {
      const content: string[] = [];
      while (lines[at + 1]?.startsWith(' ')) content.push(`${lines[++at]!.slice(1)}\n`);
      frame.set(path, { bytes: Buffer.from(content.join('')) });
    } else if (kind === 'failed') {
      if (!REASONS.includes(rest!)) throw new CaptureError(at + 1, `"${rest}" is none of ${REASONS.join(', ')}`);
      frame.set(path, { failed: rest as UnreadableReason });
    } else {
      const bytes = unescaped(rest!);
      frame.set(path, kind === 'bytes' ? { bytes } : { link: bytes.toString() });
    }
  }
  if (frames.length === 0) throw new CaptureError(lines.length, 'the capture holds no frame');
  return frames;
}

function escaped(bytes: Uint8Array): string {
  let out = '';
  for (const byte of bytes) {
    if (byte === 0x5c) out += '\\\\';
    else if (byte >= 0x20 && byte < 0x7f) out += String.fromCharCode(byte);
    else out += `\\x${byte.toString(16).padStart(2, '0')}`;
  }
  return out;
}

function unescaped(text: string): Buffer {
  const plain = text.replace(/\\(?:\\|x([0-9a-f]{2}))/g, (_, hex) =>
    hex ? String.fromCharCode(Number.parseInt(hex, 16)) : '\\',
  );
  return Buffer.from(plain, 'latin1');
}

/** What of a file may leave the host: all of it, or what a secret-free capture keeps of it. */
export type Scrub = (path: string, bytes: Uint8Array) => Uint8Array;

/**
 * Records one frame: every file that `use` reads, whatever it is, with what the kernel answered. So a new kernel file is
 * in the next capture as soon as a collection reads it. Of each process all PROCESS_FILES and the link `exe` are read as
 * well: under other settings a replay needs files that this one collection had no reason to read.
 * @param use begins a collection and reads; normally one collection with everything switched on
 */
export async function recordFrame(
  files: KernelFiles,
  scrub: Scrub,
  use: (files: KernelFiles) => void | Promise<void>,
): Promise<Frame> {
  const recorder = new RecordingFiles(files, scrub);
  try {
    await use(recorder);
    await recorder.complete();
  } finally {
    recorder.close();
  }
  return recorder.frame;
}

/** Passes every read on to other kernel files, and keeps what they answered. */
class RecordingFiles implements KernelFiles {
  readonly frame = new Map<string, CapturedFile>();
  readonly #files: KernelFiles;
  readonly #scrub: Scrub;
  readonly #opened: ProcessFiles[] = [];

  constructor(files: KernelFiles, scrub: Scrub) {
    this.#files = files;
    this.#scrub = scrub;
  }

  get buffer(): Uint8Array {
    return this.#files.buffer;
  }

  begin(): void {
    this.#files.begin();
  }

  pids(): Iterable<number> {
    return this.#files.pids();
  }

  get hung(): readonly number[] {
    return this.#files.hung;
  }

  read(path: string): number {
    if (/\s/.test(path))
      throw new KernelFileError(path, 'unsupported', 'a capture cannot hold a path with white space');
    return this.recordRead(path, () => this.#files.read(path));
  }

  prefetch({ procs, files, length }: FileRequests): Promise<void> {
    const requests = new FileRequests();
    for (let index = 0; index < length; index++) requests.add((procs[index] as RecordedProcess).proc, files[index]!);
    return this.#files.prefetch(requests);
  }

  process(pid: number): ProcessFiles {
    const proc = this.#files.process(pid);
    this.#opened.push(proc);
    return new RecordedProcess(this, proc);
  }

  /** Reads the files of processes that have not been read yet. */
  async complete(): Promise<void> {
    const requests = new FileRequests();
    for (const pid of [...this.#files.pids()]) {
      const proc = this.process(pid);
      const missing = [...PROCESS_FILES, 'exe' as const].filter((file) => !this.frame.has(`proc/${pid}/${file}`));
      requests.clear();
      for (const file of missing) requests.add(proc, file);
      await this.prefetch(requests);
      for (const file of missing) unlessUnreadable(() => (file === 'exe' ? proc.exe() : proc.read(file)));
      proc.close();
    }
  }

  close(): void {
    for (const proc of this.#opened) proc.close();
  }

  recordRead(path: string, read: () => number): number {
    try {
      const length = read();
      this.keep(path, this.#files.buffer.subarray(0, length));
      return length;
    } catch (error) {
      throw this.keepFailure(path, error);
    }
  }

  /** Copies the bytes: the next read may reuse their memory (and `slice` of a Buffer copies nothing). */
  keep(path: string, bytes: Uint8Array): void {
    this.frame.set(path, { bytes: this.#scrub(path, new Uint8Array(bytes)) });
  }

  keepFailure(path: string, error: unknown): unknown {
    this.frame.set(path, { failed: reasonOf(error) });
    return error;
  }
}

/** Files of a process whose answers are recorded. */
class RecordedProcess implements ProcessFiles {
  readonly pid: number;
  readonly proc: ProcessFiles;
  readonly #files: RecordingFiles;

  constructor(files: RecordingFiles, proc: ProcessFiles) {
    this.#files = files;
    this.proc = proc;
    this.pid = proc.pid;
  }

  get readSeconds(): number | undefined {
    return this.proc.readSeconds;
  }

  unchanged(file: 'stat' | 'statm' | 'io'): boolean {
    return this.proc.unchanged(file);
  }

  read(file: ProcessFile): number {
    return this.#files.recordRead(this.#path(file), () => this.proc.read(file));
  }

  async readLater(file: ProcessFile, seconds?: number): Promise<Uint8Array> {
    try {
      const bytes = await this.proc.readLater(file, seconds);
      this.#files.keep(this.#path(file), bytes);
      return bytes;
    } catch (error) {
      throw this.#files.keepFailure(this.#path(file), error);
    }
  }

  exe(): string {
    try {
      const link = this.proc.exe();
      this.#files.frame.set(this.#path('exe'), { link });
      return link;
    } catch (error) {
      throw this.#files.keepFailure(this.#path('exe'), error);
    }
  }

  leaderEnded(ended: boolean): void {
    this.proc.leaderEnded?.(ended);
  }

  close(): void {
    this.proc.close();
  }

  #path(file: ProcessFile | 'exe'): string {
    return `proc/${this.pid}/${file}`;
  }
}

/** Kernel files from memory: each collection reads the next frame; behind the last frame, all read that one. */
export function framedFiles(frames: readonly Frame[]): KernelFiles {
  let longest = 4096;
  for (const frame of frames) for (const entry of frame.values()) longest = Math.max(longest, size(entry));
  const buffer = new Uint8Array(longest);
  let current = -1;
  const entry = (path: string): CapturedFile => {
    const found = frames[Math.max(0, current)]?.get(path) ?? { failed: 'gone' };
    if ('failed' in found) throw new KernelFileError(path, found.failed);
    return found;
  };
  const bytes = (path: string): Uint8Array => {
    const found = entry(path);
    if (!('bytes' in found)) throw new KernelFileError(path, 'unsupported', 'not a file');
    return found.bytes;
  };
  const read = (path: string): number => {
    const content = bytes(path);
    buffer.set(content);
    return content.length;
  };
  const proc = (pid: number): ProcessFiles => ({
    pid,
    unchanged: () => false,
    read: (file) => read(`proc/${pid}/${file}`),
    readLater: async (file) => bytes(`proc/${pid}/${file}`),
    exe() {
      const found = entry(`proc/${pid}/exe`);
      if (!('link' in found)) throw new KernelFileError(`proc/${pid}/exe`, 'unsupported', 'not a link');
      return found.link;
    },
    close() {},
  });
  return {
    buffer,
    hung: [],
    prefetch: async () => {},
    begin() {
      current = Math.min(current + 1, frames.length - 1);
    },
    *pids() {
      for (const path of frames[Math.max(0, current)]?.keys() ?? []) {
        const pid = /^proc\/([1-9]\d*)\/stat$/.exec(path)?.[1];
        if (pid) yield Number(pid);
      }
    },
    process: proc,
    read,
  };
}

const size = (entry: CapturedFile): number => ('bytes' in entry ? entry.bytes.length : 0);

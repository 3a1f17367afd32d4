// A capture: kernel files as one readable text, in one or several frames. Fixture, replay and bug report in one.
// Any text gives a capture or a CaptureError that names the line; reading a capture behaves as a live host does.
import {
  cgroupLinesOf,
  findMemoryCgroup,
  MOUNTINFO,
  memoryPathOf,
  parseMemberships,
  readCgroupMounts,
  readMemoryCgroup,
} from './cgroup.ts';
import {
  KernelFileError,
  type KernelFiles,
  type ProcessFile,
  type ProcessFiles,
  type UnreadableReason,
} from './files.ts';
import { userNamesOf } from './host.ts';

/** What one path answered: its bytes, a link's target, or why it could not be read. */
export type CapturedFile = { bytes: Uint8Array } | { link: string } | { failed: UnreadableReason };

/** Kernel files read together, by path without the leading slash ("proc/1/stat"). */
export type Frame = ReadonlyMap<string, CapturedFile>;

export class CaptureError extends Error {
  constructor(line: number, message: string) {
    super(`line ${line}: ${message}`);
    this.name = 'CaptureError';
  }
}

const MAGIC = '# herakles capture 1';
const REASONS: readonly string[] = ['gone', 'denied', 'unsupported', 'malformed'] satisfies UnreadableReason[];
const PRINTABLE = /^[\t\n\x20-\x5b\x5d-\x7e]*\n$/;

/**
 * Writes frames as text. Format, line by line: the magic line; `frame` begins a frame; `file PATH` is followed by the
 * file's lines, each behind one space; `bytes PATH ESCAPED` is a file that is not plain lines, with `\xHH` and `\\`;
 * `link PATH TARGET` (escaped); `failed PATH REASON`. Lines that begin with # are remarks.
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

const USERS = 'etc/passwd';
/** Files every capture holds beside those of processes. */
const HOST_FILES = [
  'proc/stat',
  'proc/uptime',
  'proc/meminfo',
  'proc/pressure/memory',
  'proc/self/auxv',
  'proc/self/smaps_rollup',
  USERS,
];
const PROCESS_FILES: readonly ProcessFile[] = ['stat', 'statm', 'io', 'status', 'smaps_rollup', 'cmdline', 'cgroup'];

/**
 * Records everything this program reads of a host, once. Command lines are as the kernel has them, with their secrets: the
 * caller hides them before the frame leaves the host. Of the users it keeps names and numbers.
 */
export function recordFrame(files: KernelFiles): Frame {
  const frame = new Map<string, CapturedFile>();
  files.begin();
  const record = (path: string, read: () => CapturedFile) => {
    try {
      frame.set(path, read());
    } catch (error) {
      if (!(error instanceof KernelFileError)) throw error;
      frame.set(path, { failed: error.reason });
    }
  };
  const taken = (length: number): Uint8Array => files.buffer.slice(0, length);
  for (const path of HOST_FILES) record(path, () => ({ bytes: taken(files.read(path)) }));
  const users = frame.get(USERS);
  if (users && 'bytes' in users) frame.set(USERS, { bytes: userNamesOf(users.bytes) });
  const pids = [...files.pids()];
  for (const pid of pids) {
    const proc = files.process(pid);
    for (const file of PROCESS_FILES) {
      record(`proc/${pid}/${file}`, () => ({ bytes: taken(proc.read(file)) }));
    }
    record(`proc/${pid}/exe`, () => ({ link: proc.exe() }));
    proc.close();
  }
  recordCgroups(files, pids, frame);
  return frame;
}

/** Adds what is read of the cgroups that these processes are in: the reader reads them, and its reads are recorded. */
function recordCgroups(files: KernelFiles, pids: readonly number[], frame: Map<string, CapturedFile>): void {
  const recorder: KernelFiles = {
    buffer: files.buffer,
    begin: () => {},
    pids: () => [],
    process: (pid) => files.process(pid),
    read(path) {
      if (/\s/.test(path)) throw new KernelFileError(path, 'unsupported', 'a capture has no place for this name');
      try {
        const length = files.read(path);
        const bytes = files.buffer.slice(0, length);
        frame.set(path, { bytes: path === MOUNTINFO ? cgroupLinesOf(bytes) : bytes });
        return length;
      } catch (error) {
        if (error instanceof KernelFileError) frame.set(path, { failed: error.reason });
        throw error;
      }
    },
  };
  const mounts = readCgroupMounts(recorder);
  const paths = new Set<string>();
  for (const pid of pids) {
    const text = frame.get(`proc/${pid}/cgroup`)!;
    if ('bytes' in text) paths.add(memoryPathOf(mounts, parseMemberships(Buffer.from(text.bytes).toString())));
  }
  for (const path of paths) {
    try {
      const cgroup = findMemoryCgroup(recorder, mounts, path);
      if (cgroup) readMemoryCgroup(recorder, cgroup);
    } catch (error) {
      if (!(error instanceof KernelFileError)) throw error;
    }
  }
}

/** Kernel files from memory: one frame a collection, and the last one from then on. */
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

// The whole name of a process. The kernel keeps 15 bytes of a name (comm, proc_pid_comm(5)): clickhouse-server is
// "clickhouse-serv" there. A name that fills those bytes may have been truncated, and is completed from the command
// line:
//   fullName('clickhouse-serv', ['/usr/bin/clickhouse-server'], '')  →  'clickhouse-server'
import { argv0Of } from './identity.ts';
import { baseName, InterpretedProgram } from './interpreter.ts';
import { TITLE_LENGTH_MAX, titlePrefix } from './title.ts';

/** Bytes of a comm: TASK_COMM_LEN (16 since Linux 2.6.11) less the final zero. */
export const COMM_BYTES = 15;
const COLON = 0x3a;

/**
 * The name that a person would give: a comm of 15 bytes is completed from the first of base name of argv[0], title,
 * executable and script that begins with it; and of a title only what stands before its colon counts. Any other name
 * comes back as it is, at most 1,024 characters of it.
 */
export function fullName(name: string, argv: readonly string[], exe: string): string {
  if (isShortAndPlain(name)) return name;
  const full = fillsComm(name) ? completed(name, argv, exe) : name;
  return (full.indexOf(':') > 0 && titlePrefix(full)) || full.slice(0, TITLE_LENGTH_MAX);
}

/** Whether a name has all bytes of a comm, so that the kernel may have cut it. */
const fillsComm = (name: string): boolean => name.length >= COMM_BYTES || Buffer.byteLength(name) >= COMM_BYTES;

/** The start of a name that fits a comm: "clickhouse-serv" of "clickhouse-server". */
export function truncateComm(name: string): string {
  const bytes = Buffer.from(name);
  return bytes.length <= COMM_BYTES ? name : bytes.subarray(0, COMM_BYTES).toString();
}

function completed(name: string, argv: readonly string[], exe: string): string {
  const title = argv0Of(argv);
  for (const candidate of [baseName(title), title, baseName(exe)]) if (candidate.startsWith(name)) return candidate;
  const program = baseName(InterpretedProgram.of(argv, exe)?.script() ?? '');
  return program.startsWith(name) ? program : name;
}

/** Whether a name is whole, and no title: fewer letters than a comm's bytes, of ASCII, and no colon. As most names are. */
function isShortAndPlain(name: string): boolean {
  if (name.length >= COMM_BYTES) return false;
  for (let i = 0; i < name.length; i++) {
    const c = name.charCodeAt(i);
    if (c > 0x7f || c === COLON) return false;
  }
  return true;
}

// What else a process may be, asked when no rule of its own matches, or only one for its interpreter. Each look is the
// same process with another name, and the rules are compared with it as with any process:
//   launched   timeout 60 nginx                    →  nginx (launcher.ts)
//   script     sh -c 'exec uvicorn app:app'        →  uvicorn, as a script of some interpreter
//   release    minio-linux-amd64, redis-server-7.2 →  minio, redis-server
//   name       comm "main", exe /usr/sbin/squid    →  squid
//   folder     /opt/splunk/bin/python3             →  splunk
//   unit       grafana.service                     →  grafana
// So a rule says a program's name once, and not in the spellings that hosts give it.
import type { Identity } from './identity.ts';
import { INHERITANCE_BARRIERS } from './inheritance.ts';
import { baseName, InterpretedProgram } from './interpreter.ts';
import { launchedBy } from './launcher.ts';
import type { Rule } from './rule.ts';

export type LookKind = 'launched' | 'script' | 'release' | 'name' | 'folder' | 'unit';

/** A process under another name, and what gave it that name. */
export interface Look {
  readonly kind: LookKind;
  readonly identity: Identity;
}

/** Subgroups of tools that people call: the name of a folder or a unit means the server, not its client. */
const TOOLS = /^clients$|_clients$|_tools$/;

/**
 * Whether a rule that matches a look decides. A folder or a unit only hints at the program: it never says which runtime
 * a process is, and a unit of a program that starts other people's programs says nothing about them.
 * @param hasOwn whether a rule matches the process as it is
 */
export function lookDecides({ kind }: Look, { group, subgroup, fallback }: Rule, hasOwn: boolean): boolean {
  if (kind === 'name') return !hasOwn;
  if (kind === 'script') return !fallback;
  if (kind !== 'folder' && kind !== 'unit') return !fallback || !hasOwn;
  if (fallback || TOOLS.test(subgroup)) return false;
  const passesOn = !INHERITANCE_BARRIERS.has(group) && !INHERITANCE_BARRIERS.has(`${group}/${subgroup}`);
  return kind === 'folder' || passesOn;
}

/** Stands for whichever interpreter runs a script of which only the name is known. */
const ANY_INTERPRETER = 'perl';

/** Launchers within launchers that are seen through. */
const DEPTH_MAX = 4;
/** Looks at one process: a hostile command line may offer many. */
const LOOKS_MAX = 24;
/** A path is looked at up to this length. */
const PATH_LENGTH_MAX = 1024;

const SUFFIX =
  /[-_.@](?:linux|amd64|x86[-_]64|x64|i[36]86|arm64|aarch64|arm|armhf|armv[5-8]\w*|riscv64|ppc64le|s390x|musl|gnu|glibc|static|unknown|release|prod|bin|exe|stable|latest|debug|v?\d+(?:\.\d+)*(?:[-_.]?(?:rc|alpha|beta|ce|ee|p)\.?\d*)?)$/;

/** A name without version and platform: "minio" of "minio-linux-amd64"; '' where it has neither. */
export function withoutRelease(name: string): string {
  if (name.length > PATH_LENGTH_MAX) return '';
  let bare = name;
  for (let last = ''; bare !== last; ) {
    last = bare;
    bare = bare.replace(SUFFIX, '');
  }
  return bare !== name && bare.length >= 3 ? bare : '';
}

/** Folders in which each program has one of its own. */
const HOME =
  /^\/(?:opt|usr\/local|usr\/lib(?:exec|64|32)?|usr\/share|snap|usr\/lib\/[a-z0-9_]+-linux-gnu\w*)\/([^/]+)\/(?:([^/]+)\/)?/;

function* foldersOf(path: string): Generator<string> {
  const match = path.length <= PATH_LENGTH_MAX ? HOME.exec(path) : null;
  if (!match) return;
  for (const folder of match.slice(1)) {
    if (folder === undefined || folder.length < 3) continue;
    yield folder;
    const bare = withoutRelease(folder);
    if (bare !== '') yield bare;
    const lower = (bare || folder).toLowerCase();
    if (lower !== folder && lower !== bare) yield lower;
  }
}

/** The process under each other name, the surest first. */
export function* otherLooks(identity: Identity): Generator<Look> {
  let left = LOOKS_MAX;
  for (const look of allLooks(identity, 0)) {
    if (left-- === 0) return;
    yield look;
  }
}

function* allLooks(identity: Identity, depth: number): Generator<Look> {
  if (depth < DEPTH_MAX)
    for (const launched of launchedBy(identity)) {
      yield { kind: 'launched', identity: launched };
      // Whether a program is a script, its name does not say: rules for scripts are asked as well.
      if (!InterpretedProgram.of(launched.argv, launched.exe))
        yield { kind: 'script', identity: { ...launched, argv: [ANY_INTERPRETER, ...launched.argv] } };
      yield* allLooks(launched, depth + 1);
    }
  const { name, exe, argv, unit, container } = identity;
  const title = argv[0] ?? '';
  const names = new Set([name]);
  for (const other of [baseName(exe), exe === '' ? baseName(title) : '', processTitle(title)]) {
    if (other === '' || names.has(other)) continue;
    names.add(other);
    yield { kind: 'name', identity: { ...identity, name: other } };
  }
  for (const one of names) {
    const bare = withoutRelease(one);
    if (bare !== '' && !names.has(bare)) yield { kind: 'release', identity: { ...identity, name: bare } };
  }
  const called = (name: string): Identity => ({
    ...identity,
    ...{ name, exe: '', argv: [ANY_INTERPRETER, name], unit: '', container: '' },
  });
  const script = InterpretedProgram.of(argv, exe)?.script() ?? '';
  for (const path of new Set([exe, title, script]))
    if (path.startsWith('/')) for (const folder of foldersOf(path)) yield { kind: 'folder', identity: called(folder) };
  if (depth > 0 || container !== '' || !unit.endsWith('.service') || unit.includes('/')) return;
  const service = unit.slice(0, -'.service'.length);
  const at = service.indexOf('@');
  yield { kind: 'unit', identity: called(at > 0 ? service.slice(0, at) : service) };
}

/** The program that a title names before a slash or in brackets: "dovecot" of "dovecot/imap-login [user]". */
const processTitle = (title: string): string => /^([A-Za-z][\w-]{2,63})\/[\w-]+(?: |$)/.exec(title)?.[1] ?? '';

// What else a process may be, asked when no rule of its own matches, or only one for its interpreter. Each look is the
// same process with another name, and the rules are compared with it as with any process:
//   launched   timeout 60 nginx                    →  nginx (launcher.ts)
//   script     sh -c 'exec uvicorn app:app'        →  uvicorn, as a script of some interpreter
//   called     sh /opt/minio-run.sh                →  minio, after which the script is called
//   name       comm "main", exe /usr/sbin/squid    →  squid
//   release    minio-linux-amd64, redis-server-7.2 →  minio, redis-server
//   cut        comm "kube-controller", no argv       →  kube-controller-manager
//   installed  python3 /usr/bin/sosreport          →  sosreport
//   folder     /opt/splunk/bin/python3             →  splunk
//   unit       grafana.service                     →  grafana
// So a rule says a program's name once, and not in the spellings that hosts give it.
//
// Most processes have no such look. They are told apart by single characters and by hashes of parts of their texts
// (known-names.ts), and cost no string and no object.
import { argv0Of, type Identity } from './identity.ts';
import { INHERITANCE_BARRIERS } from './inheritance.ts';
import { baseName, baseNameStart, InterpretedProgram, isShell } from './interpreter.ts';
import type { KnownNames } from './known-names.ts';
import { calledAfter, launchedBy, mayLaunch } from './launcher.ts';
import { releaseEnd } from './release-name.ts';
import type { Rule } from './rule.ts';

export type LookKind = 'launched' | 'script' | 'called' | 'name' | 'cut' | 'release' | 'installed' | 'folder' | 'unit';

/** A process under another name, and what gave it that name. */
export interface Look {
  readonly kind: LookKind;
  readonly identity: Identity;
}

/**
 * Subgroups of tools that people call: the name of a folder or a unit means the server, not its client, and a service
 * named "ninja" or "delve" is no compiler or debugger.
 */
const TOOLS = /^clients$|_clients$|_tools$|^compilers$|^nextjs$|^debuggers$|^file_managers$|^pen_testing$|^terminals$/;

/**
 * Whether a rule that matches a look decides. A folder, a unit or the name of a start script only hints at the program: it
 * never says which runtime a process is. A unit of a program that starts other people's programs says nothing about them,
 * and a person's discord.sh or systemd_start.sh is neither Discord nor systemd.
 * @param hasOwn whether a rule matches the process as it is
 */
export function lookDecides({ kind }: Look, { group, subgroup, fallback }: Rule, hasOwn: boolean): boolean {
  if (kind === 'script') return !fallback;
  if (kind !== 'folder' && kind !== 'unit' && kind !== 'called') return !fallback || !hasOwn;
  if (fallback || TOOLS.test(subgroup)) return false;
  return kind === 'folder' || !(INHERITANCE_BARRIERS.has(group) || INHERITANCE_BARRIERS.has(`${group}/${subgroup}`));
}

/** Launchers within launchers that are seen through. */
const DEPTH_MAX = 4;
/** Looks at one process: a hostile command line may offer many. */
const LOOKS_MAX = 24;
/** A path is looked at up to this length. */
const PATH_LENGTH_MAX = 1024;
/** Stands for the interpreter of a script. Only the script's name is known, so any interpreter will do. */
const ANY_INTERPRETER = 'perl';
const NO_LOOKS: readonly Look[] = [];

/**
 * The process under each other name that a rule may know, the surest first.
 * @param script what its interpreter runs, as rules see it; ''
 * @param isNamed whether a rule that matches the process as it is knows its name: that is then no riddle
 * @param titleStart where the base name of argv[0] begins
 */
export function otherLooks(
  identity: Identity,
  script: string,
  known: KnownNames,
  isNamed: boolean,
  titleStart?: number,
): readonly Look[] {
  const { exe, argv, unit } = identity;
  const title = argv0Of(argv);
  let looks: Look[] | undefined;
  if (mayLaunch(title, titleStart ?? baseNameStart(title), script)) {
    looks = [];
    addLaunched(looks, identity, known, 0);
  }
  if (!isNamed) looks = addNames(looks, identity, known);
  looks = addInstalled(looks, identity, script);
  looks = addFolders(looks, identity, exe, known);
  if (title !== exe) looks = addFolders(looks, identity, title, known);
  looks = addFolders(looks, identity, script, known);
  if (unit !== '') looks = addUnit(looks, identity, known);
  return looks === undefined ? NO_LOOKS : looks.length > LOOKS_MAX ? looks.slice(0, LOOKS_MAX) : looks;
}

function addLaunched(looks: Look[], identity: Identity, known: KnownNames, depth: number): void {
  for (const launched of launchedBy(identity)) {
    if (looks.length > LOOKS_MAX) return;
    looks.push({ kind: 'launched', identity: launched });
    const program = InterpretedProgram.of(launched.argv, launched.exe);
    const script = program?.script() ?? '';
    // Whether a program is a script, its name does not say: rules for scripts are asked as well.
    if (!program) looks.push({ kind: 'script', identity: { ...launched, argv: [ANY_INTERPRETER, ...launched.argv] } });
    const first = argv0Of(launched.argv);
    if (depth < DEPTH_MAX && mayLaunch(first, baseNameStart(first), script))
      addLaunched(looks, launched, known, depth + 1);
    addNames(looks, launched, known);
    addInstalled(looks, launched, script);
    addFolders(looks, launched, launched.exe, known);
    addFolders(looks, launched, script, known);
  }
  for (const program of calledAfter(identity)) {
    if (looks.length > LOOKS_MAX) return;
    looks.push({ kind: 'called', identity: program });
    looks.push({ kind: 'called', identity: { ...program, argv: [ANY_INTERPRETER, ...program.argv] } });
  }
}

function withLook(looks: Look[] | undefined, kind: LookKind, identity: Identity): Look[] {
  const look: Look = { kind, identity };
  if (looks === undefined) return [look];
  looks.push(look);
  return looks;
}

/** Other names of the same program: its executable, its title; and each of them without version and platform. */
function addNames(looks: Look[] | undefined, identity: Identity, known: KnownNames): Look[] | undefined {
  const { name, exe, argv } = identity;
  const first = argv0Of(argv);
  let found = addRelease(looks, identity, name, known);
  // Where only the name is known, the kernel may have cut it.
  const whole = argv.length === 0 || first === name ? known.completed(name) : '';
  if (whole !== '') found = withLook(found, 'cut', { ...identity, name: whole, argv: [whole] });
  const path = exe !== '' ? exe : first;
  if (path.length <= PATH_LENGTH_MAX && !path.endsWith(name)) {
    const other = baseName(path);
    if (known.has(other)) found = withLook(found, 'name', { ...identity, name: other });
    found = addRelease(found, identity, other, known);
  }
  // The program before the slash of a title: "dovecot/imap-login [user]".
  const slash = mayBeTitle(first) ? first.indexOf('/') : -1;
  if (slash > 2 && slash < 64 && known.has(first, 0, slash))
    return withLook(found, 'name', { ...identity, name: first.slice(0, slash) });
  return found;
}

/** Whether a first word, if it has a slash, is no path. */
function mayBeTitle(first: string): boolean {
  if (first === '' || first.length > PATH_LENGTH_MAX) return false;
  const letter = first.charCodeAt(0);
  return letter !== SLASH && letter !== DOT;
}

function addRelease(looks: Look[] | undefined, identity: Identity, name: string, known: KnownNames) {
  const end = releaseEnd(name);
  if (end === name.length || !known.has(name, 0, end)) return looks;
  return withLook(looks, 'release', { ...identity, name: name.slice(0, end) });
}

/** Folders in which packages install files, so that a file's name there is the name of a known program. */
const PACKAGED = /^\/(?:(?:usr\/)?(?:s?bin|lib(?:64|exec)?|share)|opt)\//;

/** Whether PACKAGED may match a path. Two letters tell that it does not match most scripts: those in /srv, /home or /app. */
function mayBePackaged(path: string): boolean {
  const letter = path.charCodeAt(1);
  if (letter !== S) return letter === U || letter === O || letter === L || letter === B;
  const second = path.charCodeAt(2);
  return second === B || second === H;
}

/** A shell script there is a command; scripts of other languages in such a folder are often a person's own. */
const COMMAND = /\/s?bin\/[^/]+$/;
const SCRIPT_EXTENSION = /\.(?:pyc?|pl|rb|sh|php|js)$/;

/**
 * An installed script, under its own name: what its first line (#!) starts has that name, and `python3 SCRIPT` is the
 * same program.
 */
function addInstalled(looks: Look[] | undefined, identity: Identity, script: string) {
  if (script === '' || script.charCodeAt(0) !== SLASH || script.length > PATH_LENGTH_MAX) return looks;
  if (!(mayBePackaged(script) && PACKAGED.test(script)) && !(isShell(identity.argv[0] ?? '') && COMMAND.test(script)))
    return looks;
  if (script.includes('/../')) return looks; // it leads out of the folder
  const file = baseName(script);
  // Below /opt people keep programs of their own too: docker.py there is their tool for Docker.
  const name = script.startsWith('/opt/') ? file : file.replace(SCRIPT_EXTENSION, '');
  const found = withLook(looks, 'installed', { ...identity, name, exe: script, argv: argvFrom(identity.argv, script) });
  return name === file ? found : withLook(found, 'installed', { ...found[found.length - 1]!.identity, name: file });
}

/** The command line from a word on, as if that word were the program. */
function argvFrom(argv: readonly string[], word: string): readonly string[] {
  const at = argv.indexOf(word);
  return at < 0 ? [word] : argv.slice(at);
}

const DOT = 0x2e;
const SLASH = 0x2f;
/** Folders in which each program has one of its own, by the letter behind "/" or "/usr/". */
const HOMES: Readonly<Record<string, readonly string[]>> = {
  o: ['/opt/'],
  s: ['/snap/'],
  usrl: [
    '/usr/lib/',
    '/usr/local/',
    '/usr/lib64/',
    '/usr/libexec/',
    '/usr/lib/x86_64-linux-gnu/',
    '/usr/lib/aarch64-linux-gnu/',
  ],
  usrs: ['/usr/share/'],
};
const [B, H, L, O, S, U] = [0x62, 0x68, 0x6c, 0x6f, 0x73, 0x75];

/** The folders that may hold the path; most paths, such as those below /usr/bin, have none. */
function homesOf(path: string): readonly string[] | undefined {
  const letter = path.charCodeAt(1);
  if (letter === O) return HOMES.o;
  if (letter === S) return HOMES.s;
  if (letter !== U) return undefined;
  const behindUsr = path.charCodeAt(5);
  return behindUsr === L ? HOMES.usrl : behindUsr === S ? HOMES.usrs : undefined;
}

/** The folder of the program's own, and the one below it: /opt/VENDOR/PROGRAM/bin/x. */
function addFolders(looks: Look[] | undefined, identity: Identity, path: string, known: KnownNames) {
  if (path === '' || path.charCodeAt(0) !== SLASH || path.length > PATH_LENGTH_MAX) return looks;
  const homes = homesOf(path);
  if (!homes) return looks;
  let found = looks;
  for (const home of homes) {
    if (path.charCodeAt(home.length - 1) !== SLASH || !path.startsWith(home)) continue;
    let start = home.length;
    for (let level = 0; level < 2; level++) {
      const slash = path.indexOf('/', start);
      if (slash < 0) break;
      found = addFolder(found, identity, path, start, slash, known);
      start = slash + 1;
    }
  }
  return found;
}

function addFolder(
  looks: Look[] | undefined,
  identity: Identity,
  path: string,
  start: number,
  end: number,
  known: KnownNames,
) {
  if (end - start < 3) return looks;
  if (known.has(path, start, end)) return withLook(looks, 'folder', calledBy(identity, path.slice(start, end)));
  if (!isUnusual(path, start, end)) return looks;
  const folder = path.slice(start, end);
  const bare = folder.slice(0, releaseEnd(folder));
  const lower = bare.toLowerCase();
  let found = looks;
  if (bare !== folder && known.has(bare)) found = withLook(found, 'folder', calledBy(identity, bare));
  if (lower !== bare && known.has(lower)) found = withLook(found, 'folder', calledBy(identity, lower));
  return found;
}

/** Whether a name has capital letters, or a version behind it. */
function isUnusual(text: string, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const c = text.charCodeAt(i);
    if ((c >= 0x41 && c <= 0x5a) || (c >= 0x30 && c <= 0x39)) return true;
  }
  return false;
}

/** The unit's name. Only root names a system unit outside of containers; see service-groups.ts. */
function addUnit(looks: Look[] | undefined, identity: Identity, known: KnownNames) {
  const { unit, container } = identity;
  if (container !== '') return looks;
  const at = unit.indexOf('@');
  const end = at > 0 ? at : unit.length - '.service'.length;
  if (end <= 0 || !known.has(unit, 0, end) || !unit.endsWith('.service') || unit.includes('/')) return looks;
  return withLook(looks, 'unit', calledBy(identity, unit.slice(0, end)));
}

/** A process that has only a name: it may be a program or a script, so rules for both are asked. */
const calledBy = (identity: Identity, name: string): Identity => ({
  ...identity,
  ...{ name, exe: '', argv: [ANY_INTERPRETER, name], unit: '', container: '' },
});

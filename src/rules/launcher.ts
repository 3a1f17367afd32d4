// Sees through programs that start another program and stay: `timeout 60 nginx`, `busybox httpd`, `ld.so /usr/bin/x`,
// `/bin/sh ./kafka-run-class.sh kafka.Kafka`. Such a process belongs to what it runs, unless a rule names the launcher.
//
//   taskset -c 0-3 nice -n 5 redis-server  →  redis-server, through two launchers
//
// A launcher is a line in a table: how many words stand before the program, and which options take a value. From the
// manual pages of util-linux 2.41, coreutils 9.5, busybox(1), ld.so(8), qemu(1), sudo(8), s6, runit and daemontools.
// Pure: any command line gives an answer. docs/decisions/0013-launchers-are-seen-through.md says why.
import type { Identity } from './identity.ts';
import { baseName, baseNameStart, InterpretedProgram, isShell } from './interpreter.ts';
import { PartTable } from './part-table.ts';
import { ASSIGNMENT, commandOf, programNamesOf } from './shell-command.ts';

/** How a launcher's command line leads to its program. */
interface Launcher {
  /** Words before the program that are no options: the duration of timeout, the folder of chroot. */
  readonly before: number;
  /** Options whose value is the next word. `--option=value` and `-ovalue` need no entry. */
  readonly valued: ReadonlySet<string>;
  /** Options whose value is a command line for a shell. */
  readonly command: ReadonlySet<string>;
  /** 'dashes': the program stands behind `--`; 'verb': behind `run` or `exec`; 'applet': the word is the program's name. */
  readonly form: 'usual' | 'dashes' | 'verb' | 'applet';
}

const split = (text: string): ReadonlySet<string> => new Set(text.split(' ').filter(Boolean));
const launcher = (before: number, valued = '', command = '', form: Launcher['form'] = 'usual'): Launcher => ({
  before,
  valued: split(valued),
  command: split(command),
  form,
});

const APPLET = launcher(0, '', '', 'applet');
const PLAIN = launcher(0);
const LD_SO = launcher(0, '--library-path --preload --audit --argv0 --inhibit-rpath --glibc-hwcaps-prepend');
const QEMU_USER = launcher(0, '-L -E -U -cpu -g -s -0 -B -R -D -d -p -r');
const USER = '-u -g -G -C -T -h -p -r -t -U -D -R --user --group --chdir --host --role --type';
const VERB = launcher(0, '-n -p -C --name --prefix --directory --project --with --python --env-file -f', '', 'verb');

/** By base name. */
const LAUNCHERS = new PartTable<Launcher>([
  ...named('busybox busybox.static toybox hyperkube', APPLET),
  ...named('nohup setsid catchsegv fakeroot unbuffer aa-exec newrelic-admin ddtrace-run', PLAIN),
  ...named('opentelemetry-instrument xvfb-run dbus-run-session proxychains proxychains4 torsocks tsocks', PLAIN),
  ...named('with-contenv s6-ipcclient catatonit docker-init pid1 systemd-cat', PLAIN),
  ...named('uv poetry pipenv conda mamba micromamba hatch rye pdm rbenv asdf mise pixi', VERB),
  ...named(
    'dotenv direnv aws-vault chamber doppler infisical op sops teller envconsul',
    launcher(0, '-c -f', '', 'verb'),
  ),
  ...named('tini tini-static', launcher(0, '-p -e')),
  ...named('dumb-init', launcher(0, '-r --rewrite')),
  ...named('time', launcher(0, '-f -o --format --output')),
  ...named('env', launcher(0, '-u -C --unset --chdir -S --split-string')),
  ...named('nice', launcher(0, '-n --adjustment')),
  ...named('ionice', launcher(0, '-c -n --class --classdata')),
  ...named('stdbuf', launcher(0, '-i -o -e --input --output --error')),
  ...named('timeout', launcher(1, '-k -s --kill-after --signal')),
  ...named('flock', launcher(1, '-w -E --timeout --conflict-exit-code', '-c --command')),
  ...named('taskset chrt', launcher(1, '-T -P -D --sched-runtime --sched-period --sched-deadline')),
  ...named('numactl', launcher(0, '-i -N -C -m -p -P --interleave --cpunodebind --physcpubind --membind --preferred')),
  ...named('setarch', launcher(1)),
  ...named('linux32 linux64 i386 x86_64', PLAIN),
  ...named('chroot', launcher(1)),
  ...named('setpriv', launcher(0, '--reuid --regid --groups --securebits --pdeathsig --ptracer --selinux-label')),
  ...named('prlimit choom', launcher(0, '-n -p --adjust --pid')),
  ...named('nsenter', launcher(0, '-t -S -G --target --setuid --setgid')),
  ...named('unshare', launcher(0, '-R -w -S -G --root --wd --setuid --setgid --map-user --map-group --propagation')),
  ...named('firejail', PLAIN),
  ...named('bwrap', launcher(0, '--chdir --dev --proc --tmpfs --unsetenv --uid --gid --hostname --args --seccomp')),
  ...named('proot', launcher(0, '-r -b -w -q -k -R -S --rootfs --bind --cwd --qemu')),
  ...named('sudo doas pkexec', launcher(0, USER)),
  ...named('su', launcher(1, '-g -G -s -w --group --supp-group --shell --whitelist-environment', '-c --command')),
  ...named('runuser', launcher(0, '-u -g -G -s -w --user --group --supp-group --shell', '-c --command')),
  ...named('gosu su-exec s6-setuidgid setuidgid s6-applyuidgid', launcher(1, '-u -g -G')),
  ...named('chpst', launcher(0, '-u -U -e -/ -n -l -L -m -d -o -p -f -c -t -b')),
  ...named(
    'softlimit envdir s6-envdir setlock s6-setlock envuidgid s6-softlimit',
    launcher(1, '-a -c -d -f -l -m -o -p -r -s -t'),
  ),
  ...named(
    'daemon',
    launcher(0, '-n -X -P -F -u -o -O -E -l -r -e -i -A -L -M -C -D -N --name --pidfile --user --chdir --output'),
  ),
  ...named('daemonize', launcher(0, '-c -e -o -p -l -u -E')),
  ...named('valgrind', PLAIN),
  ...named('strace ltrace', launcher(0, '-e -o -s -p -P -u -E -a -b -I -O -S -X -n -l -x')),
  ...named('perf', launcher(0, '-e -o -F -g -p -t -C', '', 'verb')),
  ...named('faketime', launcher(1)),
  ...named('authbind capsh eatmydata rlwrap', launcher(0, '-f -H')),
  ...named('cgexec', launcher(0, '-g')),
  ...named('script', launcher(0, '-I -O -B -T -E -o -m', '-c --command')),
  ...named(
    'systemd-run',
    launcher(0, '-p -u -H -M -E -t --unit --property --uid --gid --slice --description --setenv'),
  ),
  ...named('systemd-inhibit', PLAIN),
  ...named('start_server wait-for-it.sh wait-for-it wait-for dockerize consul-template', launcher(0, '', '', 'dashes')),
  ...named(
    'resty',
    launcher(0, '-c -I -e -l --http-conf --http-include --main-conf --main-include --ns --errlog-level'),
  ),
  ...named('nodemon', launcher(0, '-w -e -i -x -d --watch --ext --ignore --exec --delay')),
  ...named('ld.so', LD_SO),
]);

const LETTER_L = 0x6c;
const LETTER_Q = 0x71;

function named(names: string, value: Launcher): [string, Launcher][] {
  return names.split(' ').map((name) => [name, value]);
}

/** The dynamic linker, called as a program: /lib64/ld-linux-x86-64.so.2, /lib/ld-musl-aarch64.so.1; see ld.so(8). */
const LINKER = /^ld(?:-linux|-musl|-uClibc|64|-\d)[\w.-]*\.so(?:\.\d+)?$|^ld-\d[\d.]*\.so$/;
/** QEMU's emulation of one program: qemu-aarch64-static. The emulators of machines are qemu-system-*. */
const EMULATOR =
  /^qemu-(?:x86_64|i386|aarch64|arm|riscv\d+|ppc\w*|s390x|mips\w*|sparc\w*|loongarch64|m68k)(?:-static)?$/;
/** A class of Java, which start scripts get as an argument: org.apache.zookeeper.server.quorum.QuorumPeerMain */
const JAVA_CLASS = /^(?:[a-z]\w*\.)+(?:[A-Z]\w*)$/;
/** Scripts whose arguments are the program to start. */
const STARTS_ARGUMENTS = /entry-?point|wrapper|exec|run|start|launch|init|with[-_]/i;
/** A longer first word is no path. */
const PATH_LENGTH_MAX = 4096;
/** Words that are looked at. */
const WORDS_MAX = 256;

function launcherOf(name: string): Launcher | undefined {
  const known = LAUNCHERS.get(name);
  if (known || !(name.startsWith('ld') || name.startsWith('qemu-'))) return known;
  return LINKER.test(name) ? LD_SO : EMULATOR.test(name) ? QEMU_USER : undefined;
}

/**
 * Whether a process may be a launcher. Asked of every new process without a rule: single characters tell most apart.
 * @param first argv[0]
 * @param firstStart where its base name begins
 * @param script what its interpreter runs, or ''
 */
export const mayLaunch = (first: string, firstStart: number, script: string): boolean =>
  mayBeLauncher(first, firstStart) || (script !== '' && mayBeLauncher(script, baseNameStart(script))) || isShell(first);

function mayBeLauncher(path: string, start: number): boolean {
  if (start === path.length || path.length > PATH_LENGTH_MAX) return false;
  const letter = path.charCodeAt(start);
  if (letter === LETTER_L || letter === LETTER_Q) return launcherOf(path.slice(start)) !== undefined;
  return LAUNCHERS.get(path, start) !== undefined;
}

/** What a launcher runs, as processes that would be its program; none for a process that is no launcher. */
export function launchedBy(identity: Identity): readonly Identity[] {
  const argv = identity.argv.length > WORDS_MAX ? identity.argv.slice(0, WORDS_MAX) : identity.argv;
  if (argv.length < 2) return [];
  const name = baseName(argv[0]!);
  const launcher = launcherOf(name);
  if (launcher) return programOf(identity, argv, launcher, name);
  const at = placeOfScript(argv);
  if (at > 0) {
    const script = baseName(argv[at]!);
    const inner = launcherOf(script);
    if (inner) return programOf(identity, argv.slice(at), inner, script);
  }
  return isShell(argv[0]!) ? startedByShell(identity, argv, at) : [];
}

/** The place of the script that an interpreter runs, in its command line; -1 where it runs none. */
function placeOfScript(argv: readonly string[]): number {
  const script = InterpretedProgram.of(argv, '')?.script() ?? '';
  return script === '' ? -1 : argv.indexOf(script, 1);
}

/** What stands behind the words of the launcher itself. */
function programOf(identity: Identity, line: readonly string[], launcher: Launcher, name: string): Identity[] {
  const found = findProgram(line, launcher);
  if (typeof found === 'string') return commandProcess(identity, found);
  if (found === undefined) return [];
  const rest = line.slice(found);
  // With the flag P of binfmt_misc, the name that the caller gave stands behind the path of the program.
  if (launcher === QEMU_USER && rest.length > 1 && baseName(rest[1]!) === baseName(rest[0]!)) rest.splice(1, 1);
  // An applet's executable is the multi-call binary, whichever word chose it.
  return [processOf(identity, rest, launcher.form === 'applet' ? name : undefined)];
}

/** The place of the program's name in a launcher's line, or the text of a command for a shell. */
function findProgram(
  line: readonly string[],
  { before, valued, command, form }: Launcher,
): number | string | undefined {
  if (form === 'dashes') {
    const dashes = line.indexOf('--');
    return dashes > 0 && dashes + 1 < line.length ? dashes + 1 : undefined;
  }
  let left = form === 'verb' ? 1 : before;
  let optionsEnded = false;
  for (let i = 1; i < line.length; i++) {
    const word = line[i]!;
    if (!optionsEnded && word.startsWith('-')) {
      const equals = word.startsWith('--') ? word.indexOf('=') : -1;
      const option = equals < 0 ? word : word.slice(0, equals);
      if (command.has(option)) return equals < 0 ? line[i + 1] : word.slice(equals + 1);
      if (word === '--') optionsEnded = true;
      else if (equals < 0 && valued.has(word)) i++;
    } else if (left > 0) {
      if (form === 'verb' && !/^(?:run|exec|record|stat)$/.test(word)) return undefined;
      left--;
      optionsEnded = false;
    } else if (word !== '' && !ASSIGNMENT.test(word)) return i;
  }
  return undefined;
}

/** A shell's script, or the single command of its -c. */
function startedByShell(identity: Identity, argv: readonly string[], at: number): Identity[] {
  if (at < 0) {
    const option = argv.findIndex((word, i) => i > 0 && /^-[a-z]*c$/.test(word));
    return option > 0 && option + 1 < argv.length ? commandProcess(identity, argv[option + 1]!) : [];
  }
  const rest = argv.slice(at + 1);
  const main = rest.findIndex((word) => JAVA_CLASS.test(word));
  if (main >= 0) return [processOf(identity, ['java', ...rest.slice(main)])];
  const first = rest.find((word) => word !== '--');
  if (!first || first.startsWith('-') || !STARTS_ARGUMENTS.test(baseName(argv[at]!))) return [];
  return [processOf(identity, rest.slice(rest.indexOf(first)))];
}

/** The programs that a shell's script is called after, as processes; none where no shell runs a script. */
export function calledAfter(identity: Identity): readonly Identity[] {
  const { argv } = identity;
  if (argv.length < 2 || !isShell(argv[0]!)) return [];
  const at = placeOfScript(argv);
  if (at < 0) return [];
  const rest = argv.slice(at + 1, WORDS_MAX);
  return programNamesOf(baseName(argv[at]!)).map((name) => ({ ...identity, name, exe: '', argv: [name, ...rest] }));
}

function commandProcess(identity: Identity, text: string): Identity[] {
  const words = commandOf(text);
  return words.length > 0 ? [processOf(identity, words)] : [];
}

/** The process that a command line makes. @param exe the executable where the command line does not name it */
function processOf(identity: Identity, argv: readonly string[], exe?: string): Identity {
  const program = argv[0]!;
  return { ...identity, name: baseName(program), exe: exe ?? (program.startsWith('/') ? program : ''), argv };
}

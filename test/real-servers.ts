// PostgreSQL, Redis, nginx and memcached as they really run, as their own users, in a pid namespace of the test's own:
// other programs on the machine cannot disturb a comparison with /proc.
import { execFileSync } from 'node:child_process';
import { readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { basename, dirname } from 'node:path';
import { eventually, freePort, type Scope, Started, scratch } from './harness.ts';
import { family, readAllTruths, type Truth } from './proc-truth.ts';

/** A pid namespace with a procfs of its own, gone with the test. */
export class Namespace {
  /** Its procfs, as seen from outside. */
  readonly proc: string;
  /** A command that runs its arguments inside. */
  readonly enter: string[];
  readonly #init: number;

  constructor(init: number) {
    this.#init = init;
    this.proc = `/proc/${init}/root/proc`;
    this.enter = ['nsenter', '--target', String(init), '--pid', '--mount'];
  }

  /** Its processes that have memory. */
  truths(): Truth[] {
    return readAllTruths(this.proc);
  }

  /** The pids, as seen from outside, of all processes inside except its first one; daemons are among them. */
  pids(): number[] {
    const namespaceOf = (pid: number | string) => {
      try {
        return readlinkSync(`/proc/${pid}/ns/pid`);
      } catch {} // it is gone
    };
    const own = namespaceOf(this.#init);
    const inside = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && namespaceOf(name) === own);
    return inside.map(Number).filter((pid) => pid !== this.#init);
  }

  /** The file name of the program that a process runs. */
  program(pid: number): string {
    return basename(readlinkSync(`${this.proc}/${pid}/exe`));
  }
}

export async function startNamespace(t: Scope): Promise<Namespace> {
  const init = 'echo ready 1; while read -r line; do :; done';
  const started = new Started(t, ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child', 'sh', '-c', init]);
  await started.line('ready');
  return new Namespace(family(started.pid)[1]!);
}

/** Sends a request to a port of 127.0.0.1, or to a Unix socket, and waits for an answer that holds the expected text. */
export function ask(port: number | string, text: string, expected: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const address = typeof port === 'number' ? { host: '127.0.0.1', port } : { path: port };
    const socket = connect(address, () => socket.write(text, 'latin1'));
    const fail = (error: Error) => {
      socket.destroy();
      reject(error);
    };
    let answer = '';
    socket.setTimeout(5000, () => fail(new Error(`no answer on port ${port}, only: ${answer}`)));
    socket.once('error', fail).once('end', () => fail(new Error(`port ${port} answers ${answer}`)));
    socket.setEncoding('latin1').on('data', (text) => {
      answer += text;
      if (!answer.includes(expected)) return;
      socket.destroy();
      resolve();
    });
  });
}

export const id = (flag: '-u' | '-g', user: string) => Number(execFileSync('id', [flag, user], { encoding: 'utf8' }));

/** Runs a command inside as a user of the machine. */
export function as(namespace: Namespace, user: string): string[] {
  return [...namespace.enter, 'setpriv', `--reuid=${user}`, `--regid=${id('-g', user)}`, '--init-groups', '--'];
}

/**
 * A database whose shared buffers hold data, with one session that stays open.
 * @param more settings of its configuration
 * @returns a command that runs statements in a session of its own
 */
export async function startPostgres(
  t: Scope,
  namespace: Namespace,
  binary: string,
  more: readonly string[] = [],
): Promise<string[]> {
  const port = await freePort();
  const dir = scratch(id('-u', 'postgres'));
  const bin = dirname(binary);
  const run = as(namespace, 'postgres');
  const created = new Started(t, [...run, `${bin}/initdb`, '-D', `${dir}/data`, '-A', 'trust', '--no-sync']);
  if ((await created.ended).code !== 0) throw new Error(created.stderr);
  const settings = [
    `port=${port}`,
    'listen_addresses=127.0.0.1',
    `unix_socket_directories=${dir}`,
    'fsync=off',
    'huge_pages=off', // where the host has some: they are in no PSS
    ...more,
  ];
  new Started(t, [...run, binary, '-D', `${dir}/data`, ...settings.flatMap((setting) => ['-c', setting])]);
  const session = ['psql', '-X', '-q', '-h', '127.0.0.1', '-p', String(port), '-U', 'postgres', '-d', 'postgres'];
  await eventually(() => execFileSync(`${bin}/pg_isready`, ['-h', '127.0.0.1', '-p', String(port)]), 60_000);
  const open = new Started(t, session); // from outside: only its server process is in the namespace
  open.say('create table numbers (n int, md5 text);');
  // An insert uses all of the shared buffers, "create table as" only a small ring of them.
  open.say('insert into numbers select n, md5(n::text) from generate_series(1, 200000) n;');
  open.say("select count(*) from numbers \\g (tuples_only format=unaligned) |sed 's/^/ready /'");
  await open.line('ready');
  return session;
}

export async function startRedis(t: Scope, namespace: Namespace, binary: string): Promise<void> {
  const port = await freePort();
  const flags = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', scratch(id('-u', 'redis'))];
  new Started(t, [...as(namespace, 'redis'), binary, ...flags]);
  const value = 'x'.repeat(20 * 2 ** 20);
  await eventually(() => ask(port, 'PING\r\n', '+PONG'), 60_000);
  await ask(port, `*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n$${value.length}\r\n${value}\r\n`, '+OK');
}

export async function startNginx(t: Scope, namespace: Namespace, binary: string): Promise<void> {
  const port = await freePort();
  const dir = scratch(id('-u', 'www-data'));
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${dir}/${kind};`,
  );
  const http = `http { access_log off; ${temporary.join(' ')} server { listen 127.0.0.1:${port}; return 200 "hello"; } }`;
  const main = `daemon off; user www-data; worker_processes 2; pid ${dir}/nginx.pid; events {}`;
  writeFileSync(`${dir}/nginx.conf`, `${main} ${http}\n`);
  new Started(t, [...namespace.enter, binary, '-c', `${dir}/nginx.conf`, '-e', 'stderr']);
  await eventually(() => ask(port, 'GET / HTTP/1.0\r\n\r\n', 'HTTP/1.1 200'), 60_000);
}

export async function startMemcached(t: Scope, namespace: Namespace, binary: string): Promise<void> {
  const port = await freePort();
  new Started(t, [...as(namespace, 'memcache'), binary, '-l', '127.0.0.1', '-p', String(port), '-U', '0']);
  await eventually(() => ask(port, 'version\r\n', 'VERSION'), 60_000);
}

/** All four, answering. */
export async function startServers(
  t: Scope,
  namespace: Namespace,
  paths: { postgres: string; redis: string; nginx: string; memcached: string },
): Promise<void> {
  await Promise.all([
    startPostgres(t, namespace, paths.postgres),
    startRedis(t, namespace, paths.redis),
    startNginx(t, namespace, paths.nginx),
    startMemcached(t, namespace, paths.memcached),
  ]);
}

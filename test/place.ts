// Where a test runs one real program: a pid and mount namespace, a scratch folder and free ports. Nothing of the program
// outlives the test or is written elsewhere.
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { eventually, freePort, type Scope, Started, scratch } from './harness.ts';
import { as, ask, id, type Namespace, startNamespace } from './real-servers.ts';

/** The shortest request to a web server. */
export const HTTP = 'GET / HTTP/1.0\r\n\r\n';

/** Where one program runs, and what it may use. */
export class Place {
  /** Its own folder, in which every user may write. Inside it is also mounted as /tmp. */
  readonly dir = scratch();
  /** A free port of 127.0.0.1. */
  readonly port: number;
  readonly started: Started[] = [];
  readonly namespace: Namespace;
  readonly scope: Scope;

  private constructor(scope: Scope, namespace: Namespace, port: number) {
    this.scope = scope;
    this.namespace = namespace;
    this.port = port;
    chmodSync(this.dir, 0o1777);
  }

  /** Makes a place that ends with the test. */
  static async open(scope: Scope): Promise<Place> {
    return new Place(scope, await startNamespace(scope), await freePort());
  }

  /** Writes a file below its folder and says where. */
  file(name: string, text: string, mode = 0o644): string {
    const path = `${this.dir}/${name}`;
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    chmodSync(path, mode);
    return path;
  }

  /** Makes a folder below its own that belongs to a user. */
  folder(name: string, user = 'root', group = user): string {
    const path = `${this.dir}/${name}`;
    mkdirSync(path, { recursive: true });
    chownSync(path, id('-u', user), id('-g', group));
    return path;
  }

  /** Starts a command inside, with the PATH and the empty standard input of a service. */
  run(command: string[], options: { user?: string; env?: object } = {}): Started {
    return this.client(['sh', '-c', 'exec "$@" < /dev/null', 'sh', ...command], options);
  }

  /** Starts a command inside whose standard input stays open. */
  client(command: string[], { user = 'root', env = {} } = {}): Started {
    const path = `/usr/sbin:/usr/bin:/sbin:/bin:${dirname(process.execPath)}`;
    const enter = user === 'root' ? this.namespace.enter : as(this.namespace, user);
    const environment = { PATH: path, HOME: this.dir, TMPDIR: this.dir, ...env };
    const started = new Started(this.scope, [...enter, ...command], { env: environment });
    this.started.push(started);
    return started;
  }

  /** Runs a command inside to its end. */
  async complete(command: string[], options: { user?: string; env?: object } = {}): Promise<void> {
    const run = this.run(command, options);
    const { code } = await run.ended;
    if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}: ${run.stdout}${run.stderr}`);
  }

  /** Puts a file or folder in the place of one of the machine, for the programs inside only. */
  bind(source: string, target: string): Promise<void> {
    return this.complete(['mount', '--bind', source, target]);
  }

  /** Waits until a port, or a Unix socket, answers. */
  answers(text: string, expected: string, port: number | string = this.port): Promise<void> {
    return eventually(() => ask(port, text, expected), 120_000);
  }

  /** Waits until it writes that it is ready. */
  says(run: Started, expected: string): Promise<void> {
    return eventually(() => {
      if (!`${run.stdout}${run.stderr}`.includes(expected)) throw new Error(`it does not say ${expected}`);
    }, 120_000);
  }
}

export interface Program {
  /** Names of scripts/test-servers.mjs; the first one's path is what start() gets. */
  readonly needs: readonly string[];
  /**
   * For each group/subgroup that its processes may have, the kinds of process in it: a text in comm or command line. A
   * text that is there twice must be in two processes.
   */
  readonly lands: Readonly<Record<string, readonly string[]>>;
  /** Starts it and waits until it answers. */
  start(place: Place, path: string): Promise<void>;
}

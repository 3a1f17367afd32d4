// What the options and variables of Node.js open in a process that serves. Only the person who starts the program can give
// them (a signal cannot: ../node-signals.ts), but a variable is easily left over from a debugging session, and this program
// reads the memory maps of every process: a debugger in it gives every local user the same right.
//
// A debugger, or a signal that writes the memory of the program to a file, is refused where the program has privileges, and
// a debugger that nobody asked for is refused always. What writes a file, loads other code or logs secrets is the
// operator's decision, and is logged. Options: nodejs.org/api/cli.html and `node --v8-options`, Node.js 20 to 24. V8 lets an
// underscore stand for a dash.
import { ConfigError } from '../../config/load.ts';
import { isExecutable } from '../../kernel/executable.ts';
import { readPrivileges } from '../../kernel/self.ts';

/** How Node.js was started. */
export interface NodeStart {
  /** Options before the program: process.execArgv. */
  readonly execArgv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Address of the debugger that is open; undefined where none is. */
  readonly debuggerUrl: string | undefined;
  /** Whether this program runs as root or has a capability that shows it other users' processes. */
  readonly privileged: boolean;
}

/** A remark about an option that Node.js was started with. */
export interface NodeOptionWarning {
  /** "--cpu-prof", "NODE_DEBUG", or "--cpu-prof (NODE_OPTIONS)". */
  readonly option: string;
  /** What it does; completes "Node.js option …". */
  readonly effect: string;
}

const DEBUGS = 'opens a debugger in the program';
const DUMPS = 'writes the memory of the program to a file at a signal';
const WRITES = 'writes files while or after the program runs';
const PRINTS = 'writes code, names and values of the program to its output';
const LOADS = 'loads other code into the program';
const LOGS = 'writes secrets of connections to the log';

/** Effects of options, by the beginning of their names. */
const OPTION_EFFECTS: readonly (readonly [name: RegExp, effect: string])[] = [
  [/^--inspect(?!-port|-publish)/, DEBUGS],
  [/^--(?:heapsnapshot-signal|report-on-signal)/, DUMPS],
  [/^--(?:cpu-prof|heap-prof|perf-|interpreted-frames|trace-event|redirect-warnings|build-snapshot)/, WRITES],
  // Of V8 (node --v8-options): a log of code and events, code for profilers and debuggers, graphs of the compiler.
  [/^--(?:log|logfile|prof|ll-prof|gdbjit|redirect-code-traces|vtune)(?:[-=]|$)/, WRITES],
  [/^--(?:trace-turbo|turbo-profiling|dump-|experimental-wasm-pgo-to|enable-etw)/, WRITES],
  [/^--(?:report-|heapsnapshot-near|abort-on-uncaught|tls-keylog|experimental-test-coverage)/, WRITES],
  [
    /^(?:-r|--(?:require|import|loader|experimental-loader|env-file|openssl-config|snapshot-blob|experimental-(?:default-)?config-file))\b/,
    LOADS,
  ],
  [/^--(?:insecure-http-parser|security-revert|tls-min-v1\.[01])/, 'weakens what clients are held to'],
  [/^--trace-(?:tls|sync-io|env)/, LOGS],
  [
    /^--(?:print-|trace(?:=|$)|trace-(?!warnings|deprecation|uncaught|exit|sigint|promises|atomics|require-module))/,
    PRINTS,
  ],
];

/** Effects of variables. */
const VARIABLE_EFFECTS: Readonly<Record<string, string>> = {
  NODE_V8_COVERAGE: WRITES,
  NODE_REDIRECT_WARNINGS: WRITES,
  NODE_COMPILE_CACHE: LOADS,
  OPENSSL_CONF: LOADS,
  OPENSSL_MODULES: LOADS,
  OPENSSL_ENGINES: LOADS,
  NODE_DEBUG: LOGS,
  NODE_DEBUG_NATIVE: LOGS,
};

/** How this process was started. */
export async function readNodeStart(): Promise<NodeStart> {
  const { uid, capabilities } = readPrivileges();
  return {
    execArgv: process.execArgv,
    // The single executable passes over these options.
    env: isExecutable ? { ...process.env, NODE_OPTIONS: undefined } : process.env,
    debuggerUrl: await debuggerUrl(),
    privileged: uid === 0 || capabilities.length > 0,
  };
}

/** Address of the debugger of this process, "ws://127.0.0.1:9229/…"; undefined where none is open. */
async function debuggerUrl(): Promise<string | undefined> {
  // Node.js can be built without a debugger; there this import would fail.
  return process.features.inspector ? (await import('node:inspector')).url() : undefined;
}

/**
 * What to log about the options of Node.js: nothing where the program has no privileges.
 * @throws ConfigError where the program must not serve like that
 */
export function checkNodeStart(start: NodeStart): NodeOptionWarning[] {
  const given = effectsOf(start);
  const asked = given.some(({ effect }) => effect === DEBUGS);
  if (start.debuggerUrl && (start.privileged || !asked))
    throw new ConfigError([
      asked
        ? 'Node.js was started with a debugger, which would give the rights of this program to every local user; leave --inspect out of the command line and of NODE_OPTIONS'
        : 'a signal has opened the debugger of Node.js while the program started; find what sends SIGUSR1, and start the program again',
    ]);
  if (!start.privileged) return [];
  const dump = given.find(({ effect }) => effect === DUMPS);
  if (dump)
    throw new ConfigError([
      `${dump.option} writes the memory of this program to a file whenever a signal comes; leave it out of the command line and of NODE_OPTIONS`,
    ]);
  return given;
}

function effectsOf({ execArgv, env }: NodeStart): NodeOptionWarning[] {
  const found: NodeOptionWarning[] = [];
  const add = (words: readonly string[], from: string): void => {
    for (const word of words) {
      const name = word.replaceAll('_', '-');
      const effect = OPTION_EFFECTS.find(([pattern]) => pattern.test(name))?.[1];
      if (effect) found.push({ option: `${word.split('=')[0]}${from}`, effect });
    }
  };
  add(execArgv, '');
  add((env.NODE_OPTIONS ?? '').replaceAll('"', '').split(/\s+/), ' (NODE_OPTIONS)');
  for (const [option, effect] of Object.entries(VARIABLE_EFFECTS)) if (env[option]) found.push({ option, effect });
  return found;
}

// The completion scripts in the real shells: keys are typed into an interactive bash and zsh, and fish is asked.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { eventually, need, runBundle, scratch } from './harness.ts';

const NAME = 'herakles-node-exporter';

// biome-ignore format: one line a case
const cases: [typed: string, completed: string][] = [
  ['expl', 'explain '],
  ['config in', 'config init '],
  ['subgroups li', 'subgroups lint '],
  ['completion fi', 'completion fish '],
  ['help capt', 'help capture '],
  ['--smaps-budg', '--smaps-budget'],
  ['--web.telemetry-p', '--web.telemetry-path'],
  ['--no-enable-rs', '--no-enable-rss '],
  ['--smaps bou', '--smaps bounded '],
  ['--smaps=bou', '--smaps=bounded '],
  ['--log.level deb', '--log.level debug '],
  ['--log-level debug scan --js', '--log-level debug scan --json '],
  ['scan --port 1 --log-f', 'scan --port 1 --log-format'],
  ['explain --show-v', 'explain --show-values '],
  ['capture --outp', 'capture --output'],
  ['--config FOLDER/onl', '--config FOLDER/only-one.toml '],
  ['subgroups test FOLDER/onl', 'subgroups test FOLDER/only-one.toml '],
  ['config init --por', 'config init --por'],
  ['import process-exporter --procn', 'import process-exporter --procnames'],
];

/** The folder with the script, the one file to complete, and a function that fills its path in. */
async function prepare(t: TestContext, shell: string) {
  const folder = scratch();
  const { stdout, code } = await runBundle(t, ['completion', shell]);
  assert.equal(code, 0);
  writeFileSync(`${folder}/script`, stdout);
  writeFileSync(`${folder}/only-one.toml`, '');
  return { folder, fill: (text: string) => text.replace('FOLDER', folder) };
}

/** Types each line, the Tab key and Ctrl-X into a shell with a terminal; its start file writes at Ctrl-X what the line is. */
async function typed(t: TestContext, shell: string, startFile: string, folder: string, lines: readonly string[]) {
  const rc = `${folder}/${shell === 'zsh' ? '.zshrc' : 'bashrc'}`;
  writeFileSync(rc, `${startFile}\necho ready > ${folder}/lines\n`);
  const command = shell === 'zsh' ? 'zsh -i' : `bash --noprofile --rcfile ${rc} -i`;
  const env = { PATH: process.env.PATH, TERM: 'dumb', HOME: folder, ZDOTDIR: folder, PS1: '' };
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    env,
    cwd: folder,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  child.stdout.resume();
  const written = () => readFileSync(`${folder}/lines`, 'utf8').split('\n').slice(0, -1);
  await eventually(() => assert.equal(written()[0], 'ready'));
  // The shell takes keys once it has set its terminal up; until then a line may be typed for nothing.
  for (const [index, line] of ['', ...lines].entries()) {
    child.stdin.write(index === 0 ? '\x18' : `${NAME} ${line}\t\x18`);
    await eventually(() => assert.equal(written().length, index + 2, line), 30_000, 10);
  }
  child.stdin.end('exit\n');
  return written()
    .slice(2)
    .map((line) => line.replace(`${NAME} `, ''));
}

const report = (variable: string, folder: string) =>
  `report() { printf '%s\\n' "$${variable}" >> ${folder}/lines; ${variable}=''; }`;

/** A shell may end a flag that wants a value with nothing, a space or "=". */
const withoutEnd = (lines: readonly string[]) => lines.map((line) => line.replace(/(--[\w.-]+)[ =]?$/, '$1'));

test('bash completes commands, options and values', async (t) => {
  const { folder, fill } = await prepare(t, 'bash');
  const start = `bind 'set bell-style none'; . ${folder}/script; ${report('READLINE_LINE', folder)}; bind -x '"\\C-x": report'`;
  const lines = cases.map(([line]) => fill(line));
  const got = await typed(t, 'bash', start, folder, lines);
  assert.deepEqual(withoutEnd(got), withoutEnd(cases.map(([, line]) => fill(line))));
});

test('zsh completes commands, options and values', async (t) => {
  if (!need(t, 'zsh')) return;
  const { folder, fill } = await prepare(t, 'zsh');
  const start = `unsetopt beep; autoload -Uz compinit; compinit -u -D; . ${folder}/script; ${report('BUFFER', folder)}; zle -N report; bindkey '^X' report`;
  const lines = cases.map(([line]) => fill(line));
  const got = await typed(t, 'zsh', start, folder, lines);
  assert.deepEqual(withoutEnd(got), withoutEnd(cases.map(([, line]) => fill(line))));
});

test('fish completes commands, options and values', async (t) => {
  const paths = need(t, 'fish');
  if (!paths) return;
  const { folder, fill } = await prepare(t, 'fish');
  for (const [line, completed] of cases) {
    const words = `. ${folder}/script; complete -C "${NAME} ${fill(line)}"`;
    const env = { PATH: process.env.PATH, HOME: folder, TERM: 'dumb' };
    const offered: string[] = execFileSync(paths.fish, ['--no-config', '-c', words], { encoding: 'utf8', env }).split(
      '\n',
    );
    const last = fill(completed).trimEnd().split(' ').at(-1)!;
    const found = offered.map((one) => one.split('\t')[0]).includes(last);
    assert.equal(found, line !== completed, `${line}: ${offered.join(' | ')}`);
  }
});

test('a shell that is not known is refused with the three that are', async (t) => {
  const { stderr, code } = await runBundle(t, ['completion', 'tcsh']);
  assert.deepEqual([code, stderr], [2, `${NAME}: there is no completion for "tcsh"; give bash, zsh, fish\n`]);
});

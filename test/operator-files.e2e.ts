// Every file that an operator writes, as something that is no file to read: a FIFO, a directory, a device, or more than
// the limit. The program refuses it with a message, at the start (status 2) and at a reload, where metrics go on.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { eventually, replace, runBundle, scratch, startExporter } from './harness.ts';

type Make = (path: string) => void;
const LARGE_BYTES = 257 * 1024 * 1024; // sparse

const kinds: [name: string, make: Make, fault: RegExp][] = [
  ['a FIFO', (path) => execFileSync('mkfifo', [path]), /is a FIFO; put/],
  ['a directory', (path) => mkdirSync(path), /is a directory; put/],
  ['a device', (path) => symlinkSync('/dev/zero', path), /is a device; put/],
  [
    'a file that is too large',
    (path) => {
      writeFileSync(path, '');
      truncateSync(path, LARGE_BYTES);
    },
    /is larger than \d+ [KM]iB; put/,
  ],
];

const uses: [what: string, file: string, args: string[]][] = [
  ['a configuration that is named', 'mine.yaml', ['check', '--config', 'mine.yaml']],
  ['a configuration that is not named', 'herakles.json', []],
  ['a rule file that is named', 'mine.toml', ['--subgroups', 'mine.toml']],
  ['a rule file that is not named', 'subgroups.toml', []],
  ['a web configuration file', 'web.yml', ['--web.config.file', 'web.yml']],
  ['a private key', 'key.pem', ['--enable-tls', '--tls-cert-path', 'key.pem', '--tls-key-path', 'key.pem']],
  ['a capture', 'host.capture', ['--capture', 'host.capture']],
  ['a rule file that is checked', 'mine.toml', ['subgroups', 'lint', 'mine.toml']],
  ['a configuration of process-exporter', 'theirs.yml', ['import', 'process-exporter', 'theirs.yml']],
];

for (const [what, file, args] of uses) {
  test(`${what} is refused at the start where it is no file to read`, async (t) => {
    const run = async ([name, make, fault]: (typeof kinds)[number]) => {
      const cwd = scratch();
      make(`${cwd}/${file}`);
      const { code, stderr } = await runBundle(t, [...args, ...(args.length === 0 ? ['--port', '0'] : [])], { cwd });
      assert.equal(code, 2, `${name}: ${stderr}`);
      assert.ok(stderr.includes(file) && fault.test(stderr), `${name}: ${stderr}`);
    };
    await Promise.all(kinds.map(run));
  });
}

test('at a reload it is refused too: the old configuration stays, and metrics are answered', async (t) => {
  const cwd = scratch();
  const texts: Record<string, string> = {
    'mine.yaml': 'log_level: info\n',
    'herakles.yaml': 'log_level: info\n',
    'mine.toml': '',
    'subgroups.toml': '',
    'web.yml': '{}\n',
  };
  for (const [file, text] of Object.entries(texts)) writeFileSync(`${cwd}/${file}`, text);
  const args = ['--config', 'mine.yaml', '--subgroups', 'mine.toml', '--web.config.file', 'web.yml'];
  const exporter = await startExporter(t, { cwd, args });
  const outcome = async (expected: RegExp, successful: number, from: number) => {
    await eventually(() => assert.match(exporter.stderr.slice(from), expected), 20_000, 20);
    const metrics = await exporter.scrape();
    assert.equal(metrics.value('herakles_exporter_config_last_reload_successful'), successful);
  };
  for (const [file, text] of Object.entries(texts)) {
    for (const [name, make, fault] of kinds) {
      await t.test(`${file} as ${name}`, async () => {
        let from = exporter.stderr.length;
        rmSync(`${cwd}/${file}`);
        make(`${cwd}/${file}`);
        await outcome(new RegExp(`${file.replace('.', '\\.')}: ${fault.source}`), 0, from);
        from = exporter.stderr.length;
        rmSync(`${cwd}/${file}`, { recursive: true });
        replace(`${cwd}/${file}`, text);
        await outcome(/configuration loaded/, 1, from);
      });
    }
  }
  rmSync(`${cwd}/subgroups.toml`);
  execFileSync('mkfifo', [`${cwd}/subgroups.toml`]);
  const from = exporter.stderr.length;
  exporter.signal('SIGHUP');
  await outcome(/subgroups\.toml: is a FIFO; put a rule file in its place/, 0, from);
});

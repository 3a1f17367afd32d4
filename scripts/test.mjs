// npm test: install, build, static checks, unit tests, end-to-end tests.
// --static, --unit and --e2e run one part; further arguments name test files.
import { readdirSync } from 'node:fs';
import { install, run } from './install.mjs';

const root = new URL('..', import.meta.url).pathname;
const options = process.argv.slice(2).filter((a) => a.startsWith('--'));
const files = process.argv.slice(2).filter((a) => !a.startsWith('--'));
const wants = (part) => options.length === 0 || options.includes(part);

/** Test files below a folder: *.test.ts are unit tests, *.e2e.ts drive the built bundle. */
function find(folder, ending) {
  return readdirSync(`${root}${folder}`, { recursive: true })
    .map((name) => `${folder}/${name}`)
    .filter((name) => name.endsWith(ending) && (files.length === 0 || files.some((f) => name.includes(f))))
    .sort();
}

function test(what, names, concurrency) {
  if (names.length === 0) return;
  const loaders = ['--import', 'tsx', '--import', './scripts/toml-loader.mjs'];
  const reporter = ['--test-reporter', 'spec'];
  run(what, 'node', [...loaders, '--test', ...reporter, `--test-concurrency=${concurrency}`, ...names]);
}

install();
run('building dist/herakles.cjs', 'node', ['scripts/build.mjs']);
if (wants('--static') && files.length === 0) {
  run('checking types', 'node_modules/.bin/tsc', []);
  run('checking format and lint', 'node_modules/.bin/biome', ['check', '--error-on-warnings', '.']);
  run('checking generated files', 'npm', ['run', '--silent', 'generate', '--', '--check']);
}
if (wants('--unit'))
  test(
    'unit tests',
    ['src', 'catalogue', 'test', 'deploy', 'bench'].flatMap((d) => find(d, '.test.ts')),
    2,
  );
if (wants('--e2e')) test('end-to-end tests', find('test', '.e2e.ts'), 1);

// node scripts/debian-units.mjs: writes catalogue/debian-units.tsv, the services that the packages of this machine's Debian
// release ship. It reads the lists of files of all packages ("Contents"), which apt-get fetches from the mirror that this
// machine uses. It is run by hand, when the list has to be of another release; the tests need only what it wrote.
//
// A line has unit, package, program and kind. The lists do not say which program a unit starts. It is taken to be the
// program of the same package that is named like the unit or the package (with or without a "d" at the end), or the only
// program in the package's sbin; where none is, the column is empty, and rules see the unit alone. The kind is "timer" where
// a timer of the same name starts the unit, otherwise it is empty.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { step } from './debian-packages.mjs';

const UNIT = /^(?:usr\/)?lib\/systemd\/system\/([^/]+)\.(service|timer)$/;
const PROGRAM = /^(?:(?:usr\/)?s?bin|(?:usr\/)?lib(?:exec)?(?:\/.*)?)\/[^/.]+$/;

/** @type {Map<string, string>} unit without suffix, and its packages */
const services = new Map();
/** @type {Set<string>} */
const timers = new Set();
/** @type {Map<string, Map<string, string>>} package, then name of a program, then its path */
const programs = new Map();

/** @param {string} line path and packages: "usr/sbin/nginx    httpd/nginx,httpd/nginx-dev" */
function take(line) {
  const end = line.search(/\s+\S+$/);
  const path = line.slice(0, end);
  const packages = line
    .slice(end)
    .trim()
    .split(',')
    .map((each) => each.slice(each.lastIndexOf('/') + 1));
  const [, unit, suffix] = UNIT.exec(path) ?? [];
  if (unit !== undefined && suffix === 'timer') timers.add(unit);
  else if (unit !== undefined) services.set(unit, packages.sort()[0] ?? '');
  if (!PROGRAM.test(path)) return;
  for (const each of packages) {
    const own = programs.get(each) ?? new Map();
    programs.set(each, own);
    const name = path.slice(path.lastIndexOf('/') + 1);
    if (!own.has(name) || path.includes('sbin/')) own.set(name, `/${path}`);
  }
}

/**
 * @param {string} unit
 * @param {string} from its package
 */
function programOf(unit, from) {
  const own = programs.get(from) ?? new Map();
  const stem = unit.replace(/@.*$/, '');
  for (const name of [stem, `${stem}d`, stem.replace(/d$/, ''), from, `${from}d`])
    if (own.has(name)) return own.get(name);
  const daemons = [...own.values()].filter((path) => /^\/(usr\/)?sbin\//.test(path));
  return daemons.length === 1 ? daemons[0] : '';
}

const scratch = mkdtempSync(`${tmpdir()}/contents-`);
try {
  for (const dir of ['lists/partial', 'cache/archives/partial']) mkdirSync(`${scratch}/${dir}`, { recursive: true });
  const target = 'Acquire::IndexTargets::deb::Contents-deb';
  const options = {
    'Dir::State::lists': `${scratch}/lists`,
    'Dir::Cache': `${scratch}/cache`,
    'APT::Sandbox::User': 'root',
    'Acquire::Languages': 'none',
    [`${target}::MetaKey`]: '$(COMPONENT)/Contents-$(ARCHITECTURE)',
    [`${target}::ShortDescription`]: 'Contents',
    [`${target}::Description`]: '$(RELEASE)/$(COMPONENT) Contents',
  };
  const given = Object.entries(options).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
  const failed = step('fetching the lists of files', 'apt-get', ['update', '-qq', ...given]);
  if (failed) throw new Error(failed);
  for (const file of readdirSync(`${scratch}/lists`).filter((name) => /_Contents-/.test(name))) {
    const read = ['cat-file', `${scratch}/lists/${file}`];
    const { stdout } = spawnSync('/usr/lib/apt/apt-helper', read, { maxBuffer: 2 ** 31 });
    let from = 0;
    for (let end = stdout.indexOf(10); end >= 0; end = stdout.indexOf(10, from)) {
      take(stdout.toString('latin1', from, end));
      from = end + 1;
    }
  }
} finally {
  rmSync(scratch, { recursive: true });
}
const lines = [...services].map(([unit, from]) =>
  [`${unit}.service`, from, programOf(unit, from), timers.has(unit) ? 'timer' : ''].join('\t').trimEnd(),
);
const target = fileURLToPath(new URL('../catalogue/debian-units.tsv', import.meta.url));
writeFileSync(target, `${lines.sort().join('\n')}\n`);
